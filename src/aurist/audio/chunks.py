"""Find the sound in WAV, RF64, W64, AIFF, CAF and AU files, even if the sizes in their headers are wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aurist.audio.layout import FilePart, Layout, promise_of, says_nothing, tag_size
from aurist.audio.mpeg import mpeg_layout

_MPEG_LAYER_3 = 0x0055
_32_BITS = 1 << 32
#: The largest header before the sound, in bytes.
_HEAD = 1 << 24
#: Bytes after the sound that may be other chunks, if the stated size is a placeholder.
_TRAILER = 1 << 20
#: Fewer bytes after the sound are not counted as sound.
_SOME = 1024
_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True)
class _Family:
    """The format of a container's chunks."""

    #: Offset of the first chunk, bytes of a name, struct format of a size, and alignment of chunks.
    first: int
    name: int
    size: str
    align: int
    #: Name of the sound's chunk, and bytes in it before the sound.
    data: bytes
    before: int = 0
    #: Bytes of the chunk's own header that its size includes.
    counted: int = 0
    #: Offset of the size of the whole file, and bytes that this size does not include.
    total: tuple[int, int] | None = None

    @property
    def width(self) -> int:
        return struct.calcsize(self.size)

    def packed(self, size: int) -> bytes:
        """Pack a size; sizes above the largest signed one are clamped."""
        return struct.pack(self.size, min(size, (1 << 31) - 1) if self.width == 4 else size)


_RIFF = _Family(12, 4, "<I", 2, b"data", total=(4, 8))
_FAMILIES = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"BW64": _RIFF,
    b"RIFX": _Family(12, 4, ">I", 2, b"data", total=(4, 8)),
    b"FORM": _Family(12, 4, ">I", 2, b"SSND", before=8, total=(4, 8)),
    b"caff": _Family(8, 4, ">q", 1, b"data", before=4),
    b"riff": _Family(40, 16, "<Q", 8, b"data" + _GUID, counted=24, total=(16, 0)),
}
MAGICS = frozenset(_FAMILIES)
#: Codings without blocks: libsndfile reads them to the end of the file if the header states more.
_PLAIN = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)


@dataclass(frozen=True)
class _Chunk:
    """A chunk: offset of its size field, offset of its body, and stated size."""

    size_at: int
    body: int
    size: int


def chunk_layout(file: FilePart) -> Layout:
    """Find the sound in a file of chunks."""
    magic = file.at(0, 4)
    family = _FAMILIES[magic]
    chunks = dict(_chunks(file, family))
    chunk = chunks.get(family.data)
    if chunk is None:
        return Layout()
    begin = chunk.body + family.before
    room = max(0, file.size - begin)
    is_wide = magic in (b"RF64", b"BW64")
    stated = _wide(file, chunk, chunks) if is_wide else chunk.size - family.before
    size, promise, truncated = _judged(file, family, begin, stated)
    end = begin + size + size % family.align
    if promise == 1 and file.at(end, 4) == magic:
        return _joined(file.within(0, end), file.within(end))
    tag = _format_tag(file, chunks)
    if tag == _MPEG_LAYER_3:
        # libsndfile reads the chunks after an MP3 as sound, and pads
        inside = file.within(begin, size)
        pieces = mpeg_layout(inside).pieces or ((inside.begin, inside.size),)
        return Layout(pieces, format="WAV", promise=promise, truncated=truncated)
    is_clamped = not is_wide and tag in (*_PLAIN, None) and family.width == 4 and stated >= room
    if not size or begin > _HEAD or is_clamped or (promise == 1 and magic != b"BW64"):
        return Layout(promise=promise, truncated=truncated)
    pieces = (_head(file, family, chunks, begin, size), (file.begin + begin, size))
    raw = pieces[1:] if family is _RIFF and size >= _32_BITS - _HEAD else ()
    name = "RF64" if is_wide else "WAV" if raw else None
    return Layout(pieces, raw, name, promise=promise, truncated=truncated)


def _joined(*parts: FilePart) -> Layout:
    """Join the layouts of files that were concatenated."""
    links: list[Layout] = []
    for part in parts:
        layout = chunk_layout(part)
        links += layout.links or (
            layout if layout.pieces else replace(layout, pieces=((part.begin, part.size),)),
        )
    return Layout(links=tuple(links), truncated=links[-1].truncated)


def _format_tag(file: FilePart, chunks: dict[bytes, _Chunk]) -> int | None:
    """Return the coding of a WAV file."""
    return int.from_bytes(file.at(chunks[b"fmt "].body, 2), "little") if b"fmt " in chunks else None


def au_layout(file: FilePart) -> Layout:
    """Find the sound in an AU file (Sun, NeXT)."""
    order = "<" if file.at(0, 4) == b"dns." else ">"
    head = file.at(0, 12)
    if len(head) < 12:
        return Layout()
    begin, stated = struct.unpack_from(order + "II", head, 4)
    size, promise, truncated = _judged(file, None, begin, stated)
    if promise == 1 or not size or not 24 <= begin <= _HEAD:
        return Layout(truncated=truncated)
    patched = bytearray(file.at(0, begin))
    struct.pack_into(order + "I", patched, 8, min(size, (1 << 31) - 1))
    return Layout((bytes(patched), (file.begin + begin, size)), promise=promise, truncated=truncated)


def _judged(file: FilePart, family: _Family | None, begin: int, stated: int) -> tuple[int, float, bool]:
    """Return the bytes of sound, the stated bytes as a share of them, and True if some are missing."""
    room = max(0, file.size - begin)
    is_narrow = family is None or family.width == 4
    if stated <= 0 or says_nothing(stated):
        if stated <= 0 and not _is_sound(file, family, begin):
            return 0, 1.0, False
        if 0 < stated <= room <= stated + _TRAILER:
            return stated, 1.0, False
        return room, 0.0, False
    if stated > room:
        return room, *promise_of(stated, room)
    # a size of 32 bits overflows
    size = stated + ((room - stated) // _32_BITS * _32_BITS if is_narrow else 0)
    if _is_sound(file, family, begin + size):
        size = room
    return size, stated / size, False


def _is_sound(file: FilePart, family: _Family | None, at: int) -> bool:
    """Tell whether more sound follows: many bytes that are neither chunks nor tags nor zeros."""
    head = file.at(at, 10)
    if file.size - at < _SOME or tag_size(head) or head.startswith((b"<", b"LYRICS", *_FAMILIES)):
        return False
    if not any(file.at(at, _TRAILER)) and not any(file.at(file.size - _TRAILER, _TRAILER)):
        return False
    return family is None or not any(_are_chunks(file, family, begin) for begin in (at, at + at % 2))


def _are_chunks(file: FilePart, family: _Family, at: int) -> bool:
    """Tell whether only chunks follow, up to the end."""
    for name, chunk in _chunks(file, family, at):
        if not all(32 <= letter < 127 for letter in name[:4]):
            return False
        end = chunk.body + chunk.size
        if chunk.size < 0 or end > file.size + 1:
            return False
        if end >= file.size - family.align:
            return True
    return False


def _chunks(file: FilePart, family: _Family, at: int | None = None) -> Iterator[tuple[bytes, _Chunk]]:
    """Yield the chunks from an offset on, up to the sound."""
    at = family.first if at is None else at
    for _ in range(1000):
        head = file.at(at, family.name + family.width)
        if len(head) < family.name + family.width:
            return
        name, (size,) = head[: family.name], struct.unpack_from(family.size, head, family.name)
        chunk = _Chunk(at + family.name, at + len(head), size - family.counted)
        yield name, chunk
        if name == family.data or chunk.size < 0:
            return
        at = chunk.body + -(-chunk.size // family.align) * family.align


def _wide(file: FilePart, chunk: _Chunk, chunks: dict[bytes, _Chunk]) -> int:
    """Return the 64-bit size from the chunk ds64; 0 if there is none."""
    if chunk.size < _32_BITS - 1:
        return chunk.size
    body = file.at(chunks[b"ds64"].body, 16) if b"ds64" in chunks else b""
    return int(struct.unpack_from("<8xQ", body)[0]) if len(body) == 16 else 0


def _head(file: FilePart, family: _Family, chunks: dict[bytes, _Chunk], begin: int, size: int) -> bytes:
    """Return all bytes before the sound, with correct sizes."""
    head = bytearray(file.at(0, begin))
    chunk = chunks[family.data]
    body = begin - chunk.body + size
    head[chunk.size_at : chunk.size_at + family.width] = family.packed(body + family.counted)
    if family.total is not None:
        at, uncounted = family.total
        head[at : at + family.width] = family.packed(begin + size - uncounted)
    if bytes(head[:4]) in (b"RF64", b"BW64"):
        head[:4] = b"RIFF"
        if b"ds64" in chunks:
            name_at = chunks[b"ds64"].size_at - family.name
            head[name_at : name_at + family.name] = b"JUNK"
    return bytes(head)
