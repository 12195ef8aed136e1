"""Probe, read and resample: one front end for training, prediction and the audit."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from aurist.audio import ffmpeg
from aurist.audio.chain import ChainSource
from aurist.audio.info import AudioInfo, Decoded, Samples, Source, UnreadableAudioError
from aurist.audio.kinds import layout_of
from aurist.audio.sndfile import SndfileSource
from aurist.audio.sniff import as_text, beginning, foreign, head_of, is_own
from aurist.audio.streaming import Stretch, finite, one_channel, resampled, span_around
from aurist.errors import DataError
from aurist.files import is_file

# soxr's HQ filter reaches some 200 samples of the lower rate to each side; beyond this a span equals the whole
_CONTEXT = 1024
_MAX_RATIO = 256
#: Recordings have so many samples a second, in Hz: from arrays of infrasound to the acoustic emission of materials.
_LOWEST, _HIGHEST = 20, 10_000_000
#: A file at a small share of the rate wanted is not made longer than this, in samples (0.5 GB): 3 KB of silence in a
#: FLAC that says 100 Hz are 9,800 seconds.
_MOST, _FEW_TIMES = 1 << 27, 8
_CONVERT = "Install ffmpeg and put it on the PATH, or convert the file to WAV, FLAC, OGG or MP3."


def probe(path: str | Path) -> AudioInfo:
    """Tell how much sound a file holds, and of what kind, without decoding it.

    Raises
    ------
    UnreadableAudioError
        Where there is no such file, or it holds no sound that can be decoded.
    """
    with contextlib.closing(_open(Path(path))) as source:
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

    Only the span is decoded and resampled, with enough around it that it equals the same cut of the whole
    file resampled.

    Parameters
    ----------
    path
        wav, flac, ogg, mp3, aiff, au ... (libsndfile); anything else through ffmpeg where that is installed.
    sample_rate
        Resample to this rate in Hz (soxr, high quality); None keeps the file's own.
    start, end
        The span in seconds; ``end=None`` is the end of the file. What lies beyond the end is left out.
    channel
        Take this channel, counted from 0; None averages all of them.

    Returns
    -------
    samples : (n_samples,), float32 in [-1, 1], C-contiguous
        Fewer than the header promises where the file is cut short.
    sample_rate : int
        In Hz.

    Raises
    ------
    UnreadableAudioError
        Where the file cannot be decoded, or ends before ``start``.
    DataError
        Where the span or the channel cannot be.
    """
    path = Path(path)
    if not (math.isfinite(start) and start >= 0) or (end is not None and not end > start):
        raise DataError(
            f"{path}: the span from {start:g} s to {end} s is not one; expected 0 <= start < end."
        )
    with contextlib.closing(_open(path)) as source:
        return _read(path, source, sample_rate, start, end, channel)


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Source]:
    """A sound file to be heard block by block, however long it is: ``source.blocks(0, None)``.

    Raises
    ------
    UnreadableAudioError
        Where the file cannot be decoded.
    """
    with contextlib.closing(_open(Path(path))) as source:
        yield source


def read_stretch(
    path: str | Path, rates: Sequence[int], start: float, end: float, *, channel: int | None = None
) -> Stretch:
    """Decode a stretch of a long recording once, and resample it to several rates, block by block.

    Each rate holds what `read` gives for it, but for the last bits.

    Parameters
    ----------
    path
        As for `read`.
    rates
        In Hz.
    start, end
        In seconds. A recording that ends before ``start`` gives no samples, and no length.
    channel
        Take this channel, counted from 0; None averages all of them.

    Raises
    ------
    UnreadableAudioError
        Where the file cannot be decoded.
    DataError
        Where there is no such channel.
    """
    path = Path(path)
    with contextlib.closing(_open(path)) as source:
        native = source.info.sample_rate
        _check_channel(path, source.info, channel)
        for rate in rates:
            _check_ratio(path, native, rate)
        first, last = span_around(start, end, [native, *rates])
        heard = 0
        silenced: list[tuple[int, int]] = []

        def pieces() -> Iterator[Samples]:
            nonlocal heard
            for block in source.blocks(first * native, last * native):
                piece, bad = finite(one_channel(block, channel), native)
                begin = first * native + heard
                silenced.extend((begin + i, begin + j) for i, j in bad)
                heard += len(block)
                yield piece

        parts = list(resampled(pieces(), native, rates, first, start, end))
        sound = {rate: np.concatenate([part[rate] for part in parts]) for rate in rates}
        ended = heard < (last - first) * native
        # where nothing is heard the end was somewhere before
        length = first + heard / native if ended and (heard or not first) else None
        return Stretch(sound, length, tuple((i / native, j / native) for i, j in source.gaps + silenced))


def decode_full(path: str | Path, sample_rate: int | None = None) -> Decoded:
    """Decode a whole file as one channel, and say whether it was cut short.

    Parameters
    ----------
    path
        As for `read`.
    sample_rate
        Resample to this rate in Hz; None keeps the file's own.

    Raises
    ------
    UnreadableAudioError
        Where the file cannot be decoded.
    """
    path = Path(path)
    with contextlib.closing(_open(path)) as source:
        samples, rate = _read(path, source, sample_rate, 0.0, None, None)
        return Decoded(samples, rate, source.info, source.truncated)


def resample(y: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample (n_samples,) by soxr's high quality, any pair of rates.

    The memory taken does not depend on how the two rates divide: no polyphase bank is laid out.

    Raises
    ------
    DataError
        Where one rate is over 256 times the other: no recording is like that, but broken headers are.

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
    """The span at another rate, from a stretch whose first sample falls on a sample of both rates."""
    rate = source.info.sample_rate
    common = math.gcd(rate, target)
    step_in, step_out = rate // common, target // common
    around = math.ceil(_CONTEXT * max(1.0, rate / target))
    steps = max(0, math.floor(start * rate) - around) // step_in
    last = None if end is None else math.ceil(end * rate) + around
    _check_size(path, source.info, target, steps * step_in, last)
    whole = resample(_decode(source, steps * step_in, last, channel), rate, target)
    offset = steps * step_out
    cut_from = round(start * target) - offset
    cut_to = None if end is None else round(end * target) - offset
    return np.ascontiguousarray(whole[cut_from:cut_to])


def _decode(source: Source, first: int, last: int | None, channel: int | None) -> Samples:
    parts = [one_channel(block, channel) for block in source.blocks(first, last)]
    if not parts:
        return np.zeros(0, dtype=np.float32)
    return np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts))


def _check_channel(path: Path, info: AudioInfo, channel: int | None) -> None:
    if channel is not None and not 0 <= channel < info.channels:
        raise DataError(
            f"{path} has {info.channels} channel(s), counted from 0, but {channel} was asked for."
        )


def _check_ratio(path: Path, rate: int, target: int) -> None:
    if max(rate, target) > _MAX_RATIO * min(rate, target):
        raise _far_off(path, rate, f", too far from the {target} Hz wanted")


def _check_size(path: Path, info: AudioInfo, target: int, first: int, last: int | None) -> None:
    """Refuse what would be made many times as long as it is, and too long for memory."""
    frames = (info.frames if last is None else min(last, info.frames)) - first
    if target > _FEW_TIMES * info.sample_rate and frames * target > _MOST * info.sample_rate:
        gigabytes = 4e-9 * frames * target / info.sample_rate
        wanted = f", and at the {target} Hz wanted it would take {gigabytes:.1f} GB"
        right = "If the rate is right, resample to one near it (--sample-rate). If not, the header is damaged"
        raise _far_off(path, info.sample_rate, wanted, right)


def _open(path: Path) -> Source:
    """Open with libsndfile, else with ffmpeg."""
    if not is_file(path):
        found = "is a folder, not a sound file" if os.path.isdir(path) else "does not exist"  # noqa: PTH112
        raise UnreadableAudioError(
            path, found, "Check the path in the table and the folder that it starts from."
        )
    try:
        str(path).encode()
    except UnicodeEncodeError:
        advice = "Rename it: neither libsndfile nor a table can hold that name."
        raise UnreadableAudioError(path, "has a name that is not UTF-8", advice) from None
    try:
        if path.stat().st_size == 0:
            raise UnreadableAudioError(path, "is empty (0 bytes)", "Fetch it again, or leave it out.")
        layout = layout_of(path)
    except OSError as error:
        advice = "Check its permissions and the disk."
        raise UnreadableAudioError(path, f"cannot be opened ({error.strerror})", advice) from error
    try:
        source: Source = ChainSource(path, layout) if layout.links else SndfileSource(path, layout)
    except soundfile.LibsndfileError as error:
        source = _otherwise(path, str(error).rpartition(": ")[2].rstrip(". "))
    if not _LOWEST <= source.info.sample_rate <= _HIGHEST:
        source.close()
        raise _far_off(
            path,
            source.info.sample_rate,
            f", and recordings have {_LOWEST} Hz to {_HIGHEST // 1_000_000} MHz",
        )
    return source


def _far_off(
    path: Path, rate: int, wanted: str, likely: str = "The header is likely damaged"
) -> UnreadableAudioError:
    return UnreadableAudioError(
        path,
        f"has a sample rate of {rate} Hz in its header{wanted}",
        f"{likely}: correct the rate, or leave the file out.",
    )


def _otherwise(path: Path, reason: str) -> Source:
    """What libsndfile cannot read, with ffmpeg; never a text, which ffmpeg may take for a list of other files.

    What is wrong is said in the same words with ffmpeg and without it.
    """
    head = head_of(path)
    other, text = foreign(head), as_text(head) is not None
    if ffmpeg.available() and (other is not None or not text):
        try:
            return ffmpeg.FfmpegSource(path)
        except UnreadableAudioError as error:
            if other is not None:
                raise UnreadableAudioError(path, f"is {other}, but {error.found}", error.advice) from None
    if other is not None:
        found, advice = f"is {other}, which libsndfile does not read", _CONVERT
    elif is_own(head):
        found = f"cannot be decoded (libsndfile: {reason})"
        advice = (
            "It is damaged, or in a coding that is not known: fetch it again, convert it, or leave it out."
        )
    else:
        found = f"is not a sound file (it begins with {beginning(head)})"
        advice = "Fetch it again, or leave it out."
    raise UnreadableAudioError(path, found, advice)
