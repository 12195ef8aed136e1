"""WAV, RF64, W64, AIFF, CAF and AU: how much sound there is, whatever their headers say of its size."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aurist.audio.layout import FilePart, Layout, promise_of, says_nothing, tag_size
from aurist.audio.mpeg import mpeg_layout

_MPEG_LAYER_3 = 0x0055
_32_BITS = 1 << 32
#: A header without its sound is below that, in bytes.
_HEAD = 1 << 24
#: Bytes behind the sound up to which they may be other chunks though its size is one that says nothing.
_TRAILER = 1 << 20
#: Fewer bytes behind the sound are no more of it.
_SOME = 1024
_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True)
class _Family:
    """How a container writes its chunks."""

    #: Where the first one begins, bytes of a name, how a size is written, and what chunks begin at multiples of.
    first: int
    name: int
    size: str
    align: int
    #: The chunk of the sound, and the bytes in it before the sound.
    data: bytes
    before: int = 0
    #: Bytes of its own head that a size counts.
    counted: int = 0
    #: Where the size of the whole file stands, and the bytes that it does not count.
    total: tuple[int, int] | None = None

    @property
    def width(self) -> int:
        return struct.calcsize(self.size)

    def packed(self, size: int) -> bytes:
        """A size, or as much of it as there is room for."""
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
#: Codings without blocks, of which libsndfile takes what is there where the header says more.
_PLAIN = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)


@dataclass(frozen=True)
class _Chunk:
    """Where a chunk's size is written, where its body begins, and how long that is said to be."""

    size_at: int
    body: int
    size: int


def chunk_layout(part: FilePart) -> Layout:
    """Where the sound of a file of chunks lies."""
    magic = part.at(0, 4)
    family = _FAMILIES[magic]
    chunks = dict(_chunks(part, family))
    chunk = chunks.get(family.data)
    if chunk is None:
        return Layout()
    begin = chunk.body + family.before
    room = max(0, part.size - begin)
    is_wide = magic in (b"RF64", b"BW64")
    stated = _wide(part, chunk, chunks) if is_wide else chunk.size - family.before
    size, promise, truncated = _judged(part, family, begin, stated)
    end = begin + size + size % family.align
    if promise == 1 and part.at(end, 4) == magic:
        return _joined(part.within(0, end), part.within(end))
    tag = _format_tag(part, chunks)
    if tag == _MPEG_LAYER_3:
        # libsndfile takes the chunks behind an MP3 for sound, and pads
        inside = part.within(begin, size)
        pieces = mpeg_layout(inside).pieces or ((inside.begin, inside.size),)
        return Layout(pieces, format="WAV", promise=promise, truncated=truncated)
    is_clamped = not is_wide and tag in (*_PLAIN, None) and family.width == 4 and stated >= room
    if not size or begin > _HEAD or is_clamped or (promise == 1 and magic != b"BW64"):
        return Layout(promise=promise, truncated=truncated)
    pieces = (_head(part, family, chunks, begin, size), (part.begin + begin, size))
    raw = pieces[1:] if family is _RIFF and size >= _32_BITS - _HEAD else ()
    name = "RF64" if is_wide else "WAV" if raw else None
    return Layout(pieces, raw, name, promise=promise, truncated=truncated)


def _joined(*parts: FilePart) -> Layout:
    """Files that were put one behind the other."""
    links: list[Layout] = []
    for part in parts:
        layout = chunk_layout(part)
        links += layout.links or (
            layout if layout.pieces else replace(layout, pieces=((part.begin, part.size),)),
        )
    return Layout(links=tuple(links), truncated=links[-1].truncated)


def _format_tag(part: FilePart, chunks: dict[bytes, _Chunk]) -> int | None:
    """The coding of a WAV file."""
    return int.from_bytes(part.at(chunks[b"fmt "].body, 2), "little") if b"fmt " in chunks else None


def au_layout(part: FilePart) -> Layout:
    """Where the sound of a file of Sun's and NeXT's lies."""
    order = "<" if part.at(0, 4) == b"dns." else ">"
    head = part.at(0, 12)
    if len(head) < 12:
        return Layout()
    begin, stated = struct.unpack_from(order + "II", head, 4)
    size, promise, truncated = _judged(part, None, begin, stated)
    if promise == 1 or not size or not 24 <= begin <= _HEAD:
        return Layout(truncated=truncated)
    patched = bytearray(part.at(0, begin))
    struct.pack_into(order + "I", patched, 8, min(size, (1 << 31) - 1))
    return Layout((bytes(patched), (part.begin + begin, size)), promise=promise, truncated=truncated)


def _judged(part: FilePart, family: _Family | None, begin: int, stated: int) -> tuple[int, float, bool]:
    """The bytes to be heard, those that the header says as a share of them, and whether some are missing."""
    room = max(0, part.size - begin)
    is_narrow = family is None or family.width == 4
    if stated <= 0 or says_nothing(stated):
        if stated <= 0 and not _is_sound(part, family, begin):
            return 0, 1.0, False
        if 0 < stated <= room <= stated + _TRAILER:
            return stated, 1.0, False
        return room, 0.0, False
    if stated > room:
        return room, *promise_of(stated, room)
    # 32 bits cannot count what is there
    size = stated + ((room - stated) // _32_BITS * _32_BITS if is_narrow else 0)
    if _is_sound(part, family, begin + size):
        size = room
    return size, stated / size, False


def _is_sound(part: FilePart, family: _Family | None, at: int) -> bool:
    """Tell whether what follows is sound, too: neither chunks nor tags nor zeros, but quite some bytes."""
    head = part.at(at, 10)
    if part.size - at < _SOME or tag_size(head) or head.startswith((b"<", b"LYRICS", *_FAMILIES)):
        return False
    if not any(part.at(at, _TRAILER)) and not any(part.at(part.size - _TRAILER, _TRAILER)):
        return False
    return family is None or not any(_are_chunks(part, family, begin) for begin in (at, at + at % 2))


def _are_chunks(part: FilePart, family: _Family, at: int) -> bool:
    """Tell whether chunks follow up to the end."""
    for name, chunk in _chunks(part, family, at):
        if not all(32 <= letter < 127 for letter in name[:4]):
            return False
        end = chunk.body + chunk.size
        if chunk.size < 0 or end > part.size + 1:
            return False
        if end >= part.size - family.align:
            return True
    return False


def _chunks(part: FilePart, family: _Family, at: int | None = None) -> Iterator[tuple[bytes, _Chunk]]:
    """The chunks from an offset on, up to the sound."""
    at = family.first if at is None else at
    for _ in range(1000):
        head = part.at(at, family.name + family.width)
        if len(head) < family.name + family.width:
            return
        name, (size,) = head[: family.name], struct.unpack_from(family.size, head, family.name)
        chunk = _Chunk(at + family.name, at + len(head), size - family.counted)
        yield name, chunk
        if name == family.data or chunk.size < 0:
            return
        at = chunk.body + -(-chunk.size // family.align) * family.align


def _wide(part: FilePart, chunk: _Chunk, chunks: dict[bytes, _Chunk]) -> int:
    """The size of 64 bits that stands in a chunk of its own; 0 where it does not."""
    if chunk.size < _32_BITS - 1:
        return chunk.size
    body = part.at(chunks[b"ds64"].body, 16) if b"ds64" in chunks else b""
    return int(struct.unpack_from("<8xQ", body)[0]) if len(body) == 16 else 0


def _head(part: FilePart, family: _Family, chunks: dict[bytes, _Chunk], begin: int, size: int) -> bytes:
    """Everything before the sound, with sizes that hold."""
    head = bytearray(part.at(0, begin))
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
