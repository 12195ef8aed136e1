"""Decode a file with several streams in a row as one sound."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import soundfile

from aurist.audio.info import AudioInfo, Samples
from aurist.audio.layout import Layout
from aurist.audio.sndfile import SndfileSource

#: Samples of the lower rate beyond the reach of a resampler's filter; seconds that are resampled at once.
_AROUND, _SECONDS = 1024, 20
#: Links with a larger ratio of sample rates are damaged.
_MAX_RATIO = 256


class ChainSource:
    """The links of a chain, at the sample rate of the first and with its channels."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._links = [SndfileSource(path, layout.links[0])]
        lost = 0
        for number, link in enumerate(layout.links[1:], start=2):
            try:
                source = SndfileSource(path, link)
            except soundfile.LibsndfileError:
                # if only the last link cannot be opened, the file was cut in its header
                lost += number < len(layout.links)
                continue
            lower, higher = sorted((source.info.sample_rate, self._links[0].info.sample_rate))
            if higher > _MAX_RATIO * lower:
                source.close()  # the rate in its header is damaged
                lost += 1
                continue
            self._links.append(source)
        first = self._links[0].info
        self._rate, self._channels = first.sample_rate, first.channels
        self._starts = [0, *accumulate(self._length(link.info) for link in self._links)]
        n = self._starts[-1]
        notes = [layout.header_note(n / self._rate)]
        if lost:
            notes.append(f"{lost} of its {len(layout.links)} parts cannot be decoded and were skipped")
        others = {link.info.sample_rate for link in self._links} - {self._rate}
        if others:
            rates = ", ".join(f"{rate:,}" for rate in sorted(others))
            notes.append(
                f"parts of it have {rates} Hz, and were resampled to {self._rate:,} Hz, the rate of the first"
            )
        promised = round(n * layout.promise) if layout.truncated else n
        self.info = AudioInfo(
            self._rate,
            n,
            self._channels,
            first.format,
            first.subtype,
            max(n, promised),
            "; ".join(filter(None, notes)),
        )
        self.truncated = layout.truncated
        self.gaps: list[tuple[int, int]] = []

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        end = self._starts[-1] if last is None else min(last, self._starts[-1])
        for number in range(max(0, bisect_right(self._starts, first) - 1), len(self._links)):
            link, begin = self._links[number], self._starts[number]
            n = self._starts[number + 1] - begin
            low, high = max(0, first - begin), min(n, end - begin)
            if low >= high:
                continue
            for block in self._of_link(link, low, high):
                yield self._with_channels(block)
            scale = self._rate / link.info.sample_rate
            self.gaps += [(begin + round(a * scale), begin + round(b * scale)) for a, b in link.gaps]
            link.gaps.clear()
            self.truncated = self.truncated or (link.truncated and link is self._links[-1])

    def _length(self, info: AudioInfo) -> int:
        return round(info.frames * self._rate / info.sample_rate)

    def _of_link(self, link: SndfileSource, low: int, high: int) -> Iterator[Samples]:
        """Decode samples [low, high) of a link at the chain's rate; missing samples are silence."""
        blocks = (
            link.blocks(low, high)
            if link.info.sample_rate == self._rate
            else self._resampled(link, low, high)
        )
        at = low
        for block in blocks:
            at += len(block)
            yield block
        if at < high and link is not self._links[-1]:
            yield np.zeros((high - at, link.info.channels), np.float32)

    def _resampled(self, link: SndfileSource, low: int, high: int) -> Iterator[Samples]:
        import soxr

        link_rate = link.info.sample_rate
        common = math.gcd(link_rate, self._rate)
        step_in, step_out = link_rate // common, self._rate // common
        margin = math.ceil(_AROUND * max(1.0, link_rate / self._rate))
        for begin in range(low, high, _SECONDS * self._rate):
            stop = min(high, begin + _SECONDS * self._rate)
            # start at a sample of both rates, far enough before
            steps = max(0, math.floor(begin * link_rate / self._rate) - margin) // step_in
            last = math.ceil(stop * link_rate / self._rate) + margin
            blocks = list(link.blocks(steps * step_in, last))
            if blocks:
                y = soxr.resample(np.concatenate(blocks), link_rate, self._rate, quality="HQ")
                yield y[begin - steps * step_out : stop - steps * step_out].astype(np.float32, copy=False)

    def _with_channels(self, block: Samples) -> Samples:
        if block.shape[1] == self._channels:
            return block
        return np.repeat(block.mean(axis=1, keepdims=True), self._channels, axis=1)

    def close(self) -> None:
        for link in self._links:
            link.close()
