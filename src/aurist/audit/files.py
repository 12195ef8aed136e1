"""Facts about a file from one decoding: its faults, the level of each clip, its hash and fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.archives import stamp
from aurist.audit.fingerprint import VERSION, Fingerprint, processing_rate

Samples = npt.NDArray[np.float32]

#: Samples of a file in memory at a time, per channel.
BLOCK = 1 << 20
#: Seconds at the beginning of a recording in which near duplicates are searched.
FINGERPRINTED = 3600.0
#: Full scale as a share of 1; 8-bit formats end a little below 1.
FULL_SCALE, FULL_SCALE_8_BITS = 0.9999, 0.98
EIGHT_BITS = ("PCM_U8", "PCM_S8", "ULAW", "ALAW")
#: Part of the cache key; raise it if lengths or notes of files may change.
LENGTHS = 1
#: Consecutive samples at full scale that count as clipping; a single one is a peak.
CLIPPED_RUN = 3


@dataclass(frozen=True)
class SpanFacts:
    """The sound of one clip.

    Parameters
    ----------
    start, end
        Seconds from the table; an infinite end means the end of the file.
    seconds
        Seconds of the clip that the file holds.
    rms
        Level around the mean in dBFS (-inf: digital silence).
    peak
        Largest magnitude.
    clipped
        Share of the samples in runs at full scale.
    nonfinite
        Number of samples that are NaN or infinite.
    """

    start: float
    end: float
    seconds: float = 0.0
    rms: float = float("-inf")
    peak: float = 0.0
    clipped: float = 0.0
    nonfinite: int = 0


@dataclass(frozen=True)
class FileFacts:
    """Facts about a file.

    Parameters
    ----------
    problem
        "missing", "unreadable" or "empty"; None if it could be decoded.
    detail
        A sentence on the problem, or on the missing end.
    format, encoding
        The container, and the coding of samples.
    sample_rate, channels
        In Hz; count.
    seconds
        Seconds that were decoded.
    truncated
        True if its end is missing.
    note
        The fault of a whole file's header.
    gaps
        (start, end) in seconds of damaged stretches, which are given as silence.
    digest
        Hash of the decoded samples, independent of the container; equal channels count once.
    spans
        Facts about the clips in it.
    prints
        Its fingerprint; empty if none was computed.
    """

    problem: str | None = None
    detail: str = ""
    format: str = ""
    encoding: str = ""
    sample_rate: float = 0.0
    channels: int = 0
    seconds: float = 0.0
    truncated: bool = False
    note: str = ""
    gaps: tuple[tuple[float, float], ...] = ()
    digest: str = ""
    spans: tuple[SpanFacts, ...] = ()
    prints: Fingerprint = field(default_factory=lambda: Fingerprint(*(np.empty(0, np.uint64),) * 2))


def facts_key(path: Path, spans: Sequence[tuple[float, float]], near: bool) -> str | None:
    """Return a key that changes with the file (size, modification time) and with the spans and options.

    None if there is no file.
    """
    try:
        size, mtime_ns = stamp(path)
    except OSError:
        return None
    span_bytes = np.asarray(spans, dtype=np.float64).tobytes()
    name = f"{VERSION}|{LENGTHS}|{near}|{path.absolute()}|{size}|{mtime_ns}|"
    return hashlib.blake2b(name.encode(errors="surrogateescape") + span_bytes, digest_size=16).hexdigest()


class ClipMeter:
    """Measures a recording block by block for the audit.

    Parameters
    ----------
    spans
        (start, end) of each clip in seconds.
    sample_rate
        In Hz.
    full_scale
        The magnitude at which samples are clipped.
    """

    def __init__(self, spans: Sequence[tuple[float, float]], sample_rate: float, full_scale: float) -> None:
        self.sample_rate = sample_rate
        self.full_scale = full_scale
        self.bounds = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
        self.first = np.round(np.nan_to_num(self.bounds[:, 0]) * sample_rate)
        self.last = np.round(self.bounds[:, 1] * sample_rate)
        # per clip: samples, sum, sum of squares, peak, clipped, not finite
        self.sums = np.zeros((len(self.bounds), 6))
        self.position = 0
        self._all, self._first_channel = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
        self._equal_channels = True

    def add_block(self, y: Samples) -> None:
        """Add the next block, (n_samples, n_channels)."""
        # adding zero turns -0.0 into 0.0
        first_channel = np.ascontiguousarray(y[:, 0]) + np.float32(0)
        self._first_channel.update(first_channel.tobytes())
        if y.shape[1] > 1:
            self._all.update((y + np.float32(0)).tobytes())
            self._equal_channels = self._equal_channels and bool((y == y[:, :1]).all())
        begin, end = self.position, self.position + len(y)
        for i in np.flatnonzero((self.first < end) & (self.last > begin)):
            low, high = max(0, int(self.first[i]) - begin), int(min(self.last[i] - begin, len(y)))
            self._measure(i, y[low:high])
        self.position = end

    def _measure(self, i: np.intp, y: Samples) -> None:
        magnitude = np.abs(y)
        peak = float(magnitude.max(initial=0.0))
        nonfinite = 0
        if not np.isfinite(peak):
            finite = np.isfinite(y)
            nonfinite = int((~finite).sum())
            y = np.where(finite, y, np.float32(0))
            peak = float(np.abs(y).max(initial=0.0))
        clipped = _in_runs(magnitude >= self.full_scale) if peak >= self.full_scale else 0
        square = float(np.einsum("ij,ij->", y, y, dtype=np.float64))
        self.sums[i, :3] += y.size, y.sum(dtype=np.float64), square
        self.sums[i, 3] = max(self.sums[i, 3], peak)
        self.sums[i, 4:] += clipped, nonfinite

    def digest(self) -> str:
        """Return the hash of the samples."""
        return (self._first_channel if self._equal_channels else self._all).hexdigest()

    def spans(self) -> Iterator[SpanFacts]:
        """Return the facts about each clip."""
        durations = np.maximum(0.0, np.minimum(self.last, self.position) - self.first) / self.sample_rate
        for (start, end), seconds, sums in zip(self.bounds, durations, self.sums, strict=True):
            n, total, square, peak, clipped, nonfinite = sums
            n = max(n, 1.0)
            power = max(square / n - (total / n) ** 2, 0.0)
            rms = 10 * float(np.log10(power)) if power > 1e-20 else float("-inf")
            yield SpanFacts(
                float(start), float(end), float(seconds), rms, float(peak), float(clipped / n), int(nonfinite)
            )

    def mono(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Add all blocks, and yield their mono mix up to the length for a fingerprint."""
        limit = FINGERPRINTED * processing_rate(self.sample_rate)
        for y in blocks:
            self.add_block(y)
            if self.position - len(y) < limit:
                mixed = y[:, 0].copy()
                for channel in range(1, y.shape[1]):
                    mixed += y[:, channel]
                if not np.isfinite(mixed).all():
                    mixed = np.nan_to_num(mixed, nan=0.0, posinf=0.0, neginf=0.0)
                yield mixed / np.float32(y.shape[1])


def _in_runs(full: npt.NDArray[np.bool_]) -> int:
    """Count samples in runs of at least three, per channel."""
    if len(full) < CLIPPED_RUN:
        return 0
    middle = full[:-2] & full[1:-1] & full[2:]
    inside = np.zeros_like(full)
    for shift in range(CLIPPED_RUN):
        inside[shift : len(full) - 2 + shift] |= middle
    return int(inside.sum())
