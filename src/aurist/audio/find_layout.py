"""Find the layout of a file by its first bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from aurist.audio.chunks import MAGICS, au_layout, chunk_layout
from aurist.audio.ffmpeg_pipe import Identity, identity
from aurist.audio.flac import flac_layout
from aurist.audio.layout import FilePart, Layout, tags_before
from aurist.audio.mpeg import mpeg_layout
from aurist.audio.ogg import ogg_layout
from aurist.audio.sniff import is_frame


def layout_of(path: Path) -> Layout:
    """Find the sound in a file, and its length; cached until the file changes.

    For whole files only the header and the end are read. Files without a correct length are read through, but not
    decoded.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    return _layout(identity(path))


def forget_layouts() -> None:
    """Forget the layouts of all files: a process that opens each file once has no use for them."""
    _layout.cache_clear()


@lru_cache(maxsize=1 << 14)
def _layout(file: Identity) -> Layout:
    path, _, size = file
    with path.open("rb") as opened:
        whole = FilePart(opened, 0, size)
        begin = tags_before(whole)
        inside = whole.within(begin)
        magic = inside.at(0, 4)
        if magic == b"fLaC":
            return flac_layout(inside)
        if magic == b"OggS":
            layout = ogg_layout(inside)
        elif magic in MAGICS:
            layout = chunk_layout(inside)
        elif magic in (b".snd", b"dns."):
            layout = au_layout(inside)
        elif begin or is_frame(magic) or path.suffix.lower() == ".mp3":
            return mpeg_layout(whole)
        else:
            return Layout()
        if begin and not layout.pieces and not layout.links:
            return replace(layout, pieces=((begin, size - begin),))
        return layout
