"""MPEG audio (MP3): its frames counted by their headers, where the file gives no count that holds."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, pairwise
from mmap import mmap

from aurist.audio.layout import FilePart, Layout, promise_of, tag_size, tags_before, tags_behind

#: By version (1, or 2 and 2.5) and layer; -1: a size that is in no header.
_KBITS = {
    (1, 1): (-1, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
    (1, 2): (-1, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    (1, 3): (-1, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (2, 1): (-1, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0),
    (2, 2): (-1, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (2, 3): (-1, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
#: By the two bits of the version: 2.5, none, 2, 1.
_RATES = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
#: Bytes by which an encoder's count may differ from those that are there.
_SLACK = 4096
#: Bytes of the smallest and of the largest frame of a size that is in no header, and of the frame for our own count.
_SMALLEST, _LARGEST, _ROOM = 32, 4608, 160


@dataclass(frozen=True)
class _Kind:
    """What is the same in all frames of a stream: version and layer, sample rate, one channel or two, a free size."""

    second: int
    third: int
    mono: bool
    free: int = 0

    @property
    def layer(self) -> int:
        return 4 - (self.second >> 1 & 3)

    @property
    def samples(self) -> int:
        """Of a frame, per channel."""
        return (384, 1152, 1152 if self.second >> 3 & 3 == 3 else 576)[self.layer - 1]

    @property
    def count_at(self) -> int:
        """Where in a frame encoders write a count: behind the header and room for what a decoder expects."""
        small, large = (17, 32) if self.second >> 3 & 3 == 3 else (9, 17)
        return 4 + (small if self.mono else large)


@dataclass(frozen=True)
class _Run:
    """Frames of one kind, one behind the other."""

    kind: _Kind
    begin: int
    end: int
    frames: int


def mpeg_layout(part: FilePart) -> Layout:
    """How much there is of an MP3, which need not be said in its header.

    An encoder's count (Xing, Info) is believed where the bytes that it counts are there; else the frames are counted,
    and their number is put before them, as libmpg123 would guess it from the first of them.
    """
    with part.mapped() as data:
        return _layout(part, data)


def _layout(part: FilePart, data: mmap) -> Layout:
    end = part.begin + tags_behind(part)
    begin = _next_frame(data, part.begin + tags_before(part), end)
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
    made = [_link(link) for link in links]
    if stated and links[0][0].kind == kind:
        # the encoder's own frame says how much silence it has put before the sound
        made[0] = Layout((_corrected(first, kind, sum(run.frames for run in links[0])), *made[0].pieces[1:]))
    promise, truncated = promise_of(stated, n) if stated else (1.0, False)
    truncated = truncated or _is_cut(data, runs[-1].end, end)
    whole = made[0] if len(made) == 1 else Layout(links=tuple(made))
    return replace(whole, promise=promise, truncated=truncated, note=_note(data, runs))


def _runs(data: mmap, at: int, end: int) -> Iterator[_Run]:
    """All frames, from an offset on; what is between them is passed over."""
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
    """Where a frame begins that is followed by another one, or by the end."""
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
    """The size that is in no header, from where the next two frames begin; 0 where there are none."""
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
    """The size of a frame of a kind by the second and third byte of its header; 0: it is none."""
    return [
        max(0, _size(two >> 8, two & 0xFF, kind.free))
        if two >> 8 & 0xFE == kind.second and two & 0x0C == kind.third
        else 0
        for two in range(1 << 16)
    ]


def _size(second: int, third: int, free: int) -> int:
    """Bytes of a frame by its header; 0: it is none; -1: its size is in no header."""
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
    """Frames of one kind as a stream of their own, which begins with their number."""
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
    """An encoder's first frame with another count, and no padding at the end, which is another one."""
    at = kind.count_at + 8
    flags = first[at - 1]
    struct.pack_into(">I", first, at, n)
    at += sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
    if len(first) >= at + 24:
        first[at + 22 : at + 24] = bytes((first[at + 22] & 0xF0, 0))
    return bytes(first)


def _is_cut(data: mmap, at: int, end: int) -> bool:
    """Tell whether a frame begins there that does not end."""
    return at + 4 <= end and data[at] == 0xFF and _size(data[at + 1], data[at + 2], 1) > 0


def _note(data: mmap, runs: Sequence[_Run]) -> str:
    between = sum(
        after.begin - before.end
        for before, after in pairwise(runs)
        if not tag_size(data[before.end : before.end + 10])
    )
    if not between:
        return ""
    return f"{between:,} bytes within it are no sound, so that what follows them may be early"
