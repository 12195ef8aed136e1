"""What one decoding of a file tells: whether it is whole, how loud each clip in it is, its hash and fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.audit.fingerprint import VERSION, Fingerprint, heard_rate

Samples = npt.NDArray[np.float32]

#: Samples of a file in memory at a time, per channel.
BLOCK = 1 << 20
#: Near duplicates are looked for in this much of the beginning of a recording, in seconds of heard sound.
FINGERPRINTED = 3600.0
#: Full scale, as share of 1: formats of 8 bits end a little below it.
FULL_SCALE, FULL_SCALE_8_BITS = 0.9999, 0.98
EIGHT_BITS = ("PCM_U8", "PCM_S8", "ULAW", "ALAW")
#: Changes whenever another length or note may be given for a file; part of the key.
LENGTHS = 1
#: Samples at full scale one after the other that make clipping; a single one is just a peak.
CLIPPED_RUN = 3


@dataclass(frozen=True)
class SpanFacts:
    """The sound of one clip.

    Parameters
    ----------
    start, end
        Seconds as asked for; the end is infinite for "to the end of the file".
    seconds
        How much of it the file holds.
    rms
        Level about the mean in dBFS (-inf: digital silence).
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
    """What is known of a file.

    Parameters
    ----------
    problem
        "missing", "unreadable", "empty" or, where it could be decoded, None.
    detail
        The problem in words, or that of a truncated file.
    format, encoding
        Of the container and of the samples.
    sample_rate, channels
        In Hz; number.
    seconds
        Decoded.
    truncated
        Whether its end is missing.
    note
        What is wrong with the header of a whole file.
    gaps
        (start, end) in seconds: what is damaged there is given as silence.
    digest
        Hash of the decoded samples, the same whatever the container; equal channels count once.
    spans
        The clips in it.
    prints
        Its fingerprint, empty where none was asked for.
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
    """A key that changes with the file (its size, its time of change) and with what is asked of it.

    None for a file that is not there.
    """
    try:
        state = path.stat()
    except OSError:
        return None
    asked = np.asarray(spans, dtype=np.float64).tobytes()
    name = f"{VERSION}|{LENGTHS}|{near}|{path.absolute()}|{state.st_size}|{state.st_mtime_ns}|"
    return hashlib.blake2b(name.encode(errors="surrogateescape") + asked, digest_size=16).hexdigest()


class ClipMeter:
    """Takes in a recording block by block and keeps what the audit needs of it.

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
        self.asked = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
        self.first = np.round(np.nan_to_num(self.asked[:, 0]) * sample_rate)
        self.last = np.round(self.asked[:, 1] * sample_rate)
        # of each clip: samples, sum, sum of squares, peak, clipped, not finite
        self.sums = np.zeros((len(self.asked), 6))
        self.position = 0
        self._all, self._one = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
        self._alike = True

    def hear(self, y: Samples) -> None:
        """Take in the next block, (n_samples, n_channels)."""
        # adding zero makes -0.0 and 0.0 one sample
        one = np.ascontiguousarray(y[:, 0]) + np.float32(0)
        self._one.update(one.tobytes())
        if y.shape[1] > 1:
            self._all.update((y + np.float32(0)).tobytes())
            self._alike = self._alike and bool((y == y[:, :1]).all())
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
        """Hash of the samples."""
        return (self._one if self._alike else self._all).hexdigest()

    def spans(self) -> Iterator[SpanFacts]:
        """The clips, as heard."""
        heard = np.maximum(0.0, np.minimum(self.last, self.position) - self.first) / self.sample_rate
        for (start, end), seconds, sums in zip(self.asked, heard, self.sums, strict=True):
            n, total, square, peak, clipped, nonfinite = sums
            n = max(n, 1.0)
            power = max(square / n - (total / n) ** 2, 0.0)
            rms = 10 * float(np.log10(power)) if power > 1e-20 else float("-inf")
            yield SpanFacts(
                float(start), float(end), float(seconds), rms, float(peak), float(clipped / n), int(nonfinite)
            )

    def mono(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Hear all blocks; pass on their downmix, as far as it is to be fingerprinted."""
        limit = FINGERPRINTED * heard_rate(self.sample_rate)
        for y in blocks:
            self.hear(y)
            if self.position - len(y) < limit:
                mixed = y[:, 0].copy()
                for channel in range(1, y.shape[1]):
                    mixed += y[:, channel]
                if not np.isfinite(mixed).all():
                    mixed = np.nan_to_num(mixed, nan=0.0, posinf=0.0, neginf=0.0)
                yield mixed / np.float32(y.shape[1])


def _in_runs(full: npt.NDArray[np.bool_]) -> int:
    """Number of samples in runs of at least three, by channel."""
    if len(full) < CLIPPED_RUN:
        return 0
    middle = full[:-2] & full[1:-1] & full[2:]
    inside = np.zeros_like(full)
    for shift in range(CLIPPED_RUN):
        inside[shift : len(full) - 2 + shift] |= middle
    return int(inside.sum())
