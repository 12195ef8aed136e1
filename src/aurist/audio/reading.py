"""Probe, read and resample sound files. Training, prediction and the audit all use these functions."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from aurist.audio.info import AudioInfo, Decoded, Samples, Source, UnreadableAudioError
from aurist.audio.opening import open_source, wrong_rate
from aurist.audio.streaming import Stretch, finite, resampled, span_around, to_mono
from aurist.errors import DataError

# soxr's HQ filter reaches some 200 samples of the lower rate to each side; with this margin a span equals the whole
_CONTEXT = 1024
_MAX_RATIO = 256
#: If a file has a small share of the target rate, the result has at most so many samples (0.5 GB): 3 KB of silence in
#: a FLAC that says 100 Hz are 9,800 seconds.
_MOST, _FEW_TIMES = 1 << 27, 8


def probe(path: str | Path) -> AudioInfo:
    """Return length, sample rate, channels and format of a file without decoding it.

    Raises
    ------
    UnreadableAudioError
        If there is no such file, or it holds no sound that can be decoded.
    """
    with contextlib.closing(open_source(Path(path))) as source:
        return source.info


def read(
    path: str | Path,
    sample_rate: int | None = None,
    *,
    start: float = 0.0,
    end: float | None = None,
    channel: int | None = None,
) -> tuple[Samples, int]:
    """Decode a file, or a span of it, as one channel.

    Only the span is decoded and resampled, with a margin, so it equals the same cut of the whole resampled file.

    Parameters
    ----------
    path
        wav, flac, ogg, mp3, aiff, au ... (libsndfile); other formats through ffmpeg if it is installed.
    sample_rate
        Resample to this rate in Hz (soxr, high quality); None keeps the file's own.
    start, end
        The span in seconds; ``end=None`` is the end of the file. Times beyond the end are left out.
    channel
        Take this channel, counted from 0; None averages all of them.

    Returns
    -------
    samples : (n_samples,), float32 in [-1, 1], C-contiguous
        Fewer than the header promises if the end of the file is missing.
    sample_rate : int
        In Hz.

    Raises
    ------
    UnreadableAudioError
        If the file cannot be decoded, or ends before ``start``.
    DataError
        If the span or the channel is impossible.
    """
    path = Path(path)
    if not (math.isfinite(start) and start >= 0) or (end is not None and not end > start):
        raise DataError(
            f"{path}: the span from {start:g} s to {end} s is not one; expected 0 <= start < end."
        )
    with contextlib.closing(open_source(path)) as source:
        return _read(path, source, sample_rate, start, end, channel)


@contextlib.contextmanager
def open_audio(path: str | Path) -> Iterator[Source]:
    """Open a sound file of any length to read it block by block: ``source.blocks(0, None)``.

    Raises
    ------
    UnreadableAudioError
        If the file cannot be decoded.
    """
    with contextlib.closing(open_source(Path(path))) as source:
        yield source


def read_stretch(
    path: str | Path, rates: Sequence[int], start: float, end: float, *, channel: int | None = None
) -> Stretch:
    """Decode a stretch of a long recording once, and resample it to several rates, block by block.

    Each rate equals the result of `read`, except for rounding in the last bits.

    Parameters
    ----------
    path
        As for `read`.
    rates
        In Hz.
    start, end
        In seconds. If the recording ends before ``start`` there are no samples and no length.
    channel
        Take this channel, counted from 0; None averages all of them.

    Raises
    ------
    UnreadableAudioError
        If the file cannot be decoded.
    DataError
        If there is no such channel.
    """
    path = Path(path)
    with contextlib.closing(open_source(path)) as source:
        native = source.info.sample_rate
        _check_channel(path, source.info, channel)
        for rate in rates:
            _check_ratio(path, native, rate)
        first, last = span_around(start, end, [native, *rates])
        n_decoded = 0
        silenced: list[tuple[int, int]] = []

        def pieces() -> Iterator[Samples]:
            nonlocal n_decoded
            for block in source.blocks(first * native, last * native):
                piece, bad = finite(to_mono(block, channel), native)
                begin = first * native + n_decoded
                silenced.extend((begin + i, begin + j) for i, j in bad)
                n_decoded += len(block)
                yield piece

        blocks = list(resampled(pieces(), native, rates, first, start, end))
        sound = {rate: np.concatenate([block_at[rate] for block_at in blocks]) for rate in rates}
        ended = n_decoded < (last - first) * native
        # without any samples the end was somewhere before
        length = first + n_decoded / native if ended and (n_decoded or not first) else None
        return Stretch(sound, length, tuple((i / native, j / native) for i, j in source.gaps + silenced))


def decode_full(path: str | Path, sample_rate: int | None = None) -> Decoded:
    """Decode a whole file as one channel, and tell whether its end is missing.

    Parameters
    ----------
    path
        As for `read`.
    sample_rate
        Resample to this rate in Hz; None keeps the file's own.

    Raises
    ------
    UnreadableAudioError
        If the file cannot be decoded.
    """
    path = Path(path)
    with contextlib.closing(open_source(path)) as source:
        samples, rate = _read(path, source, sample_rate, 0.0, None, None)
        return Decoded(samples, rate, source.info, source.truncated)


def resample(y: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample (n_samples,) between any two rates (soxr, high quality).

    Memory does not depend on the ratio of the rates, as no polyphase filter bank is built.

    Raises
    ------
    DataError
        If one rate is over 256 times the other: only broken headers have such rates.

    Examples
    --------
    >>> resample(np.zeros(44100, np.float32), 44100, 16000).shape
    (16000,)
    """
    if from_rate == to_rate or not len(y):
        return np.ascontiguousarray(y, dtype=np.float32)
    if min(from_rate, to_rate) < 1 or max(from_rate, to_rate) > _MAX_RATIO * min(from_rate, to_rate):
        raise DataError(
            f"Cannot resample from {from_rate} Hz to {to_rate} Hz: the ratio must be {_MAX_RATIO} or less."
        )
    import soxr

    return np.ascontiguousarray(soxr.resample(y, from_rate, to_rate, quality="HQ"), dtype=np.float32)


def _read(
    path: Path, source: Source, sample_rate: int | None, start: float, end: float | None, channel: int | None
) -> tuple[Samples, int]:
    info = source.info
    _check_channel(path, info, channel)
    rate = info.sample_rate
    target = sample_rate or rate
    first, last = round(start * rate), None if end is None else round(end * rate)
    if target == rate:
        samples = _decode(source, first, last, channel)
    else:
        _check_ratio(path, rate, target)
        samples = _resampled_span(path, source, target, start, end, channel)
    if not len(samples) and start > 0:
        raise UnreadableAudioError(
            path,
            f"lasts {info.duration:.3f} s, but the clip starts at {start:g} s",
            "Check the start and end of the clip.",
        )
    return samples, target


def _resampled_span(
    path: Path, source: Source, target: int, start: float, end: float | None, channel: int | None
) -> Samples:
    """Resample a span, from a stretch whose first sample falls on a sample of both rates."""
    rate = source.info.sample_rate
    common = math.gcd(rate, target)
    step_in, step_out = rate // common, target // common
    margin = math.ceil(_CONTEXT * max(1.0, rate / target))
    steps = max(0, math.floor(start * rate) - margin) // step_in
    last = None if end is None else math.ceil(end * rate) + margin
    _check_size(path, source.info, target, steps * step_in, last)
    whole = resample(_decode(source, steps * step_in, last, channel), rate, target)
    offset = steps * step_out
    cut_from = round(start * target) - offset
    cut_to = None if end is None else round(end * target) - offset
    return np.ascontiguousarray(whole[cut_from:cut_to])


def _decode(source: Source, first: int, last: int | None, channel: int | None) -> Samples:
    channels = [to_mono(block, channel) for block in source.blocks(first, last)]
    if not channels:
        return np.zeros(0, dtype=np.float32)
    return np.ascontiguousarray(channels[0] if len(channels) == 1 else np.concatenate(channels))


def _check_channel(path: Path, info: AudioInfo, channel: int | None) -> None:
    if channel is not None and not 0 <= channel < info.channels:
        raise DataError(
            f"{path} has {info.channels} channel(s), counted from 0, but {channel} was asked for."
        )


def _check_ratio(path: Path, rate: int, target: int) -> None:
    if max(rate, target) > _MAX_RATIO * min(rate, target):
        raise wrong_rate(path, rate, f", too far from the {target} Hz wanted")


def _check_size(path: Path, info: AudioInfo, target: int, first: int, last: int | None) -> None:
    """Raise DataError if resampling would make a file many times longer, and too long for memory."""
    frames = (info.frames if last is None else min(last, info.frames)) - first
    if target > _FEW_TIMES * info.sample_rate and frames * target > _MOST * info.sample_rate:
        gigabytes = 4e-9 * frames * target / info.sample_rate
        size_clause = f", and at the {target} Hz wanted it would take {gigabytes:.1f} GB"
        advice = "If the rate is right, resample to one near it (sample_rate=). If not, the header is damaged"
        raise wrong_rate(path, info.sample_rate, size_clause, advice)
