"""Ogg: the links of a chain of streams, each of which libsndfile hears by itself alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from mmap import mmap

from aurist.audio.layout import FilePart, Layout

_CAPTURE = b"OggS\0"
_BEGIN, _END = 2, 4
#: A file up to this size is looked through page by page; of larger ones so many pages are looked at.
_SMALL = 1 << 20
_LOOKS = 64
#: Bytes of the largest page, and more.
_PAGE = 1 << 16


@dataclass(frozen=True)
class _Page:
    at: int
    size: int
    flags: int
    granule: int
    serial: int
    number: int


def ogg_layout(part: FilePart) -> Layout:
    """The links of an Ogg file, and whether its last page lacks the mark of the end."""
    with part.mapped() as data:
        begin, end = part.begin, part.begin + part.size
        # a page is 65,307 bytes at most, so that its header stands in the last 128 KiB
        last = data.rfind(_CAPTURE, max(begin, end - 2 * _PAGE), end)
        page = _page(data, last, end) if last >= 0 else None
        truncated = page is not None and (not page.flags & _END or last + page.size > end)
        if part.size > _SMALL and _is_one(data, begin, end):
            return Layout(truncated=truncated)
        starts = list(_starts(data, begin, end))
    if len(starts) < 2:
        return Layout(truncated=truncated)
    links = tuple(
        Layout(((start, stop - start),)) for start, stop in zip(starts, [*starts[1:], end], strict=True)
    )
    return Layout(links=links, truncated=truncated)


def _starts(data: mmap, begin: int, end: int) -> Iterator[int]:
    """Where a link begins: at a first page of a stream behind other pages."""
    is_begun = False
    for page in _pages(data, begin, end):
        if page.flags & _BEGIN and not is_begun:
            yield page.at
        is_begun = bool(page.flags & _BEGIN)


def _is_one(data: mmap, begin: int, end: int) -> bool:
    """Whether the pages of a long file, as far as they are looked at, are those of its first streams, in order."""
    before: dict[int, _Page] = {}
    for page in _pages(data, begin, end):
        if not page.flags & _BEGIN:
            break
        before[page.serial] = page
    step = max(_PAGE, (end - begin) // _LOOKS)
    looks = (next(_pages(data, at, end), None) for at in range(begin + step, end - 2 * _PAGE, step))
    for seen in chain(looks, _pages(data, end - 2 * _PAGE, end)):
        earlier = before.get(seen.serial) if seen else None
        if seen is None or earlier is None or seen.number <= earlier.number:
            return False
        if -1 < seen.granule < earlier.granule:
            return False
        before[seen.serial] = seen
    return True


def _pages(data: mmap, at: int, end: int) -> Iterator[_Page]:
    """The pages from an offset on."""
    while (at := data.find(_CAPTURE, at, end)) >= 0:
        page = _page(data, at, end)
        if page is None:
            return
        yield page
        at += page.size
        if at < end and data[at : at + len(_CAPTURE)] != _CAPTURE:
            # its end is missing: the next one may begin within it
            at = page.at + len(_CAPTURE)


def _page(data: mmap, at: int, end: int) -> _Page | None:
    head = data[at : min(end, at + 27)]
    if len(head) < 27:
        return None
    flags, granule, serial, number, segments = struct.unpack_from("<5xBqII4xB", head)
    size = 27 + segments + sum(data[at + 27 : min(end, at + 27 + segments)])
    return _Page(at, size, flags, granule, serial, number)
