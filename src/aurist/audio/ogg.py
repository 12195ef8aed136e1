"""Find the streams of a chained Ogg file, as libsndfile decodes only one stream per file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from mmap import mmap

from aurist.audio.layout import FilePart, Layout

_CAPTURE = b"OggS\0"
_BEGIN, _END = 2, 4
#: A file up to this size is searched page by page; of larger files this count of pages is checked.
_SMALL = 1 << 20
_LOOKS = 64
#: More bytes than the largest page has.
_PAGE = 1 << 16


@dataclass(frozen=True)
class _Page:
    at: int
    size: int
    flags: int
    granule: int
    serial: int
    number: int


def ogg_layout(file: FilePart) -> Layout:
    """Find the links of an Ogg file, and tell whether its last page lacks the end mark."""
    with file.mapped() as data:
        begin, end = file.begin, file.begin + file.size
        # a page has at most 65,307 bytes, so its header is in the last 128 KiB
        last = data.rfind(_CAPTURE, max(begin, end - 2 * _PAGE), end)
        page = _page(data, last, end) if last >= 0 else None
        truncated = page is not None and (not page.flags & _END or last + page.size > end)
        if file.size > _SMALL and _is_one(data, begin, end):
            return Layout(truncated=truncated)
        starts = list(_starts(data, begin, end))
    if len(starts) < 2:
        return Layout(truncated=truncated)
    links = tuple(
        Layout(((start, stop - start),)) for start, stop in zip(starts, [*starts[1:], end], strict=True)
    )
    return Layout(links=links, truncated=truncated)


def _starts(data: mmap, begin: int, end: int) -> Iterator[int]:
    """Yield the offset of each link: the first page of a stream after other pages."""
    is_begun = False
    for page in _pages(data, begin, end):
        if page.flags & _BEGIN and not is_begun:
            yield page.at
        is_begun = bool(page.flags & _BEGIN)


def _is_one(data: mmap, begin: int, end: int) -> bool:
    """Tell whether all checked pages of a long file belong to its first streams, in order."""
    before: dict[int, _Page] = {}
    for first_page in _pages(data, begin, end):
        if not first_page.flags & _BEGIN:
            break
        before[first_page.serial] = first_page
    step = max(_PAGE, (end - begin) // _LOOKS)
    samples = (next(_pages(data, at, end), None) for at in range(begin + step, end - 2 * _PAGE, step))
    for page in chain(samples, _pages(data, end - 2 * _PAGE, end)):
        earlier = before.get(page.serial) if page else None
        if page is None or earlier is None or page.number <= earlier.number:
            return False
        if -1 < page.granule < earlier.granule:
            return False
        before[page.serial] = page
    return True


def _pages(data: mmap, at: int, end: int) -> Iterator[_Page]:
    """Yield the pages from an offset on."""
    while (at := data.find(_CAPTURE, at, end)) >= 0:
        page = _page(data, at, end)
        if page is None:
            return
        yield page
        at += page.size
        if at < end and data[at : at + len(_CAPTURE)] != _CAPTURE:
            # the page is cut: the next page may begin inside it
            at = page.at + len(_CAPTURE)


def _page(data: mmap, at: int, end: int) -> _Page | None:
    head = data[at : min(end, at + 27)]
    if len(head) < 27:
        return None
    flags, granule, serial, number, segments = struct.unpack_from("<5xBqII4xB", head)
    size = 27 + segments + sum(data[at + 27 : min(end, at + 27 + segments)])
    return _Page(at, size, flags, granule, serial, number)
