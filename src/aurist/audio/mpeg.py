"""Count the frames of MPEG audio (MP3), if the file gives no correct count."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, pairwise
from mmap import mmap

from aurist.audio.layout import FilePart, Layout, promise_of, tag_size, tags_before, tags_behind

#: Bit rates by version (1, or 2 and 2.5) and layer; -1: a free size, which no header gives.
_KBITS = {
    (1, 1): (-1, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
    (1, 2): (-1, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    (1, 3): (-1, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (2, 1): (-1, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0),
    (2, 2): (-1, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (2, 3): (-1, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
#: Sample rates by the two bits of the version: 2.5, none, 2, 1.
_RATES = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
#: Tolerance in bytes between an encoder's count and the real count.
_SLACK = 4096
#: Bytes of the smallest and the largest frame of a free size, and of the frame that aurist adds for its own count.
_SMALLEST, _LARGEST, _ROOM = 32, 4608, 160


@dataclass(frozen=True)
class _Kind:
    """Properties shared by all frames of a stream: version and layer, sample rate, mono or not, a free size."""

    second: int
    third: int
    mono: bool
    free: int = 0

    @property
    def layer(self) -> int:
        return 4 - (self.second >> 1 & 3)

    @property
    def samples(self) -> int:
        """Samples of a frame, per channel."""
        return (384, 1152, 1152 if self.second >> 3 & 3 == 3 else 576)[self.layer - 1]

    @property
    def count_at(self) -> int:
        """Offset of an encoder's count in a frame: after the header and the side information."""
        small, large = (17, 32) if self.second >> 3 & 3 == 3 else (9, 17)
        return 4 + (small if self.mono else large)


@dataclass(frozen=True)
class _Run:
    """Consecutive frames of one kind."""

    kind: _Kind
    begin: int
    end: int
    frames: int


def mpeg_layout(file: FilePart) -> Layout:
    """Find the length of an MP3, even if its header does not give it.

    An encoder's count (Xing, Info) is used if its count of bytes is correct. Else the frames are counted and a frame
    with their number is put in front, as libmpg123 would guess the number from the first frame.
    """
    with file.mapped() as data:
        return _layout(file, data)


def _layout(file: FilePart, data: mmap) -> Layout:
    end = file.begin + tags_behind(file)
    begin = _next_frame(data, file.begin + tags_before(file), end)
    if begin is None:
        return Layout()
    kind = _kind(data, begin, end)
    size = _size(data[begin + 1], data[begin + 2], kind.free)
    first = bytearray(data[begin : begin + size])
    stated = 0
    is_count = kind.layer == 3 and bytes(first[kind.count_at :][:4]) in (b"Xing", b"Info")
    if is_count and size >= kind.count_at + 16:
        flags, frames, n_bytes = struct.unpack_from(">III", first, kind.count_at + 4)
        stated = frames if flags & 1 else 0
        if flags & 3 == 3 and abs(n_bytes - (end - begin)) <= _SLACK:
            return Layout()
    is_silent = is_count or first[36:40] == b"VBRI"
    runs = list(_runs(data, begin + size if is_silent else begin, end))
    n = sum(run.frames for run in runs)
    if not n or (stated == n and len(runs) == 1):
        return Layout()
    links = [list(of_kind) for _, of_kind in groupby(runs, key=lambda run: run.kind)]
    layouts = [_link(link) for link in links]
    if stated and links[0][0].kind == kind:
        # keep the encoder's own frame: it gives the silence before the sound
        layouts[0] = Layout(
            (_corrected(first, kind, sum(run.frames for run in links[0])), *layouts[0].pieces[1:])
        )
    promise, truncated = promise_of(stated, n) if stated else (1.0, False)
    truncated = truncated or _is_cut(data, runs[-1].end, end)
    whole = layouts[0] if len(layouts) == 1 else Layout(links=tuple(layouts))
    return replace(whole, promise=promise, truncated=truncated, note=_note(data, runs))


def _runs(data: mmap, at: int, end: int) -> Iterator[_Run]:
    """Yield runs of frames from an offset on; skip other bytes between them."""
    begin = _next_frame(data, at, end)
    while begin is not None:
        kind = _kind(data, begin, end)
        sizes, mono = _sizes(kind), kind.mono
        at, frames = begin, 0
        while (
            at + 4 <= end
            and data[at] == 0xFF
            and (size := sizes[data[at + 1] << 8 | data[at + 2]])
            and at + size <= end
            and (data[at + 3] >> 6 == 3) == mono
        ):
            at += size
            frames += 1
        if frames:
            yield _Run(kind, begin, at, frames)
        begin = _next_frame(data, at if frames else at + 1, end)


def _next_frame(data: mmap, at: int, end: int) -> int | None:
    """Return the offset of the next frame that is followed by another frame or by the end."""
    while at + 4 <= end:
        if size := tag_size(data[at : at + 10]):
            at += size
            continue
        if (at := data.find(b"\xff", at, end - 3)) < 0:
            return None
        kind = _kind(data, at, end)
        if size := _sizes(kind)[data[at + 1] << 8 | data[at + 2]]:
            behind = data[at + size : at + size + 4]
            if at + size == end or (at + size < end and len(behind) == 4 and _follows(behind, kind)):
                return at
        at += 1
    return None


def _follows(head: bytes, kind: _Kind) -> bool:
    return head[0] == 0xFF and head[1] & 0xFE == kind.second and head[2] & 0x0C == kind.third


def _kind(data: mmap, at: int, end: int) -> _Kind:
    second, third, fourth = data[at + 1 : at + 4]
    kind = _Kind(second & 0xFE, third & 0x0C, fourth >> 6 == 3)
    if _size(second, third, 0) >= 0:
        return kind
    return replace(kind, free=_free_size(data, at, end, kind))


def _free_size(data: mmap, at: int, end: int, kind: _Kind) -> int:
    """Find a free frame size from the offsets of the next two frames; 0 if there are none."""
    slot = 4 if kind.layer == 1 else 1
    behind = at + _SMALLEST
    while (behind := data.find(b"\xff", behind, min(end - 3, at + _LARGEST))) >= 0:
        head = data[behind : behind + 4]
        if _follows(head, kind) and head[2] >> 4 == 0:
            size = behind - at - slot * (data[at + 2] >> 1 & 1)
            third = behind + size + slot * (head[2] >> 1 & 1)
            if third >= end or _follows(data[third : third + 4].ljust(4, b"\0"), kind):
                return size
        behind += 1
    return 0


@cache
def _sizes(kind: _Kind) -> list[int]:
    """List the frame sizes of a kind by the second and third byte of the header; 0: no frame."""
    return [
        max(0, _size(two >> 8, two & 0xFF, kind.free))
        if two >> 8 & 0xFE == kind.second and two & 0x0C == kind.third
        else 0
        for two in range(1 << 16)
    ]


def _size(second: int, third: int, free: int) -> int:
    """Return the size of a frame from its header; 0: no frame; -1: a free size."""
    version, layer, rate = second >> 3 & 3, 4 - (second >> 1 & 3), third >> 2 & 3
    if second & 0xE0 != 0xE0 or version == 1 or layer == 4 or rate == 3:
        return 0
    kbits, padding = _KBITS[1 if version == 3 else 2, layer][third >> 4], third >> 1 & 1
    slot = 4 if layer == 1 else 1
    if kbits < 0:
        return free + slot * padding if free else -1
    if not kbits:
        return 0
    bytes_ = (48 if layer == 1 else _Kind(second, third, False).samples // 8) * 1000 * kbits
    return (bytes_ // _RATES[version][rate] // slot + padding) * slot


def _link(runs: Sequence[_Run]) -> Layout:
    """Make a stream from frames of one kind, with a first frame that gives their number."""
    kind, n = runs[0].kind, sum(run.frames for run in runs)
    ranges = tuple((run.begin, run.end - run.begin) for run in runs)
    if kind.layer != 3:
        return Layout(ranges, frames=n * kind.samples)
    sizes = _sizes(replace(kind, free=0))
    second = kind.second | 1
    third = next(
        third for third in range(0x10, 0xF0, 0x10) if sizes[second << 8 | third | kind.third] >= _ROOM
    )
    third |= kind.third
    frame = bytearray(sizes[second << 8 | third])
    frame[:4] = bytes((0xFF, second, third, 0xC0 if kind.mono else 0))
    frame[kind.count_at : kind.count_at + 12] = b"Info" + struct.pack(">II", 1, n)
    return Layout((bytes(frame), *ranges))


def _corrected(first: bytearray, kind: _Kind, n: int) -> bytes:
    """Return an encoder's first frame with another count and without padding at the end."""
    at = kind.count_at + 8
    flags = first[at - 1]
    struct.pack_into(">I", first, at, n)
    at += sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
    if len(first) >= at + 24:
        first[at + 22 : at + 24] = bytes((first[at + 22] & 0xF0, 0))
    return bytes(first)


def _is_cut(data: mmap, at: int, end: int) -> bool:
    """Tell whether an incomplete frame begins at this offset."""
    return at + 4 <= end and data[at] == 0xFF and _size(data[at + 1], data[at + 2], 1) > 0


def _note(data: mmap, runs: Sequence[_Run]) -> str:
    between = sum(
        after.begin - before.end
        for before, after in pairwise(runs)
        if not tag_size(data[before.end : before.end + 10])
    )
    if not between:
        return ""
    return f"{between:,} bytes within it are no sound; sound after them may come too early"
