"""Probe, read and resample: one front end for training, prediction and the audit."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from aurist.audio import ffmpeg
from aurist.audio.headers import MPEG_LAYER_3, WavHeader, aiff_frames, ogg_unfinished, wav_header
from aurist.audio.info import AudioInfo, Decoded, Samples, Source, UnreadableAudioError
from aurist.errors import DataError

_BLOCK = 1 << 20
_SMALL_BLOCK = 4096
# soxr's HQ filter reaches some 200 samples of the lower rate to each side; beyond this a span equals the whole
_CONTEXT = 1024
_MAX_RATIO = 256
_MP3_FRAME = 1152


def probe(path: str | Path) -> AudioInfo:
    """Read the header of a sound file, without decoding it.

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
    if channel is not None and not 0 <= channel < info.channels:
        raise DataError(
            f"{path} has {info.channels} channel(s), counted from 0, but {channel} was asked for."
        )
    rate = info.sample_rate
    target = sample_rate or rate
    first, last = round(start * rate), None if end is None else round(end * rate)
    if target == rate:
        samples = _decode(source, first, last, channel)
    else:
        _check_ratio(path, rate, target)
        samples = _resampled_span(source, target, start, end, channel)
    if not len(samples) and start > 0:
        raise UnreadableAudioError(
            path,
            f"lasts {info.duration:.3f} s, but the clip starts at {start:g} s",
            "Check the start and end of the clip.",
        )
    return samples, target


def _resampled_span(
    source: Source, target: int, start: float, end: float | None, channel: int | None
) -> Samples:
    """The span at another rate, from a stretch whose first sample falls on a sample of both rates."""
    rate = source.info.sample_rate
    common = math.gcd(rate, target)
    step_in, step_out = rate // common, target // common
    around = math.ceil(_CONTEXT * max(1.0, rate / target))
    steps = max(0, math.floor(start * rate) - around) // step_in
    last = None if end is None else math.ceil(end * rate) + around
    whole = resample(_decode(source, steps * step_in, last, channel), rate, target)
    offset = steps * step_out
    cut_from = round(start * target) - offset
    cut_to = None if end is None else round(end * target) - offset
    return np.ascontiguousarray(whole[cut_from:cut_to])


def _decode(source: Source, first: int, last: int | None, channel: int | None) -> Samples:
    parts = [_one_channel(block, channel) for block in source.blocks(first, last)]
    if not parts:
        return np.zeros(0, dtype=np.float32)
    return np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts))


def _one_channel(block: Samples, channel: int | None) -> Samples:
    if channel is not None or block.shape[1] == 1:
        return block[:, channel or 0]
    # column by column: mean(axis=1) over two or six values a row is far slower
    total = block[:, 0] + block[:, 1]
    for other in range(2, block.shape[1]):
        total += block[:, other]
    total *= np.float32(1 / block.shape[1])
    return total


def _check_ratio(path: Path, rate: int, target: int) -> None:
    if max(rate, target) > _MAX_RATIO * min(rate, target):
        raise UnreadableAudioError(
            path,
            f"has a sample rate of {rate} Hz in its header, too far from the {target} Hz wanted",
            "The header is likely damaged: correct the rate, or leave the file out.",
        )


def _open(path: Path) -> Source:
    """Open with libsndfile, else as MP3 wrapped in WAV, else with ffmpeg."""
    if not path.is_file():
        found = "is a folder, not a sound file" if path.is_dir() else "does not exist"
        raise UnreadableAudioError(
            path, found, "Check the path in the table and the folder that it starts from."
        )
    try:
        if path.stat().st_size == 0:
            raise UnreadableAudioError(path, "is empty (0 bytes)", "Fetch it again, or leave it out.")
        wav = wav_header(path)
    except OSError as error:
        advice = "Check its permissions and the disk."
        raise UnreadableAudioError(path, f"cannot be opened ({error.strerror})", advice) from error
    try:
        return _SndfileSource(path, wav)
    # TypeError: soundfile takes names in .raw for headerless files, and wants their rate
    except (soundfile.LibsndfileError, TypeError) as error:
        reason = str(error).rpartition(": ")[2].rstrip(". ")
    if ffmpeg.available():
        return ffmpeg.FfmpegSource(path)
    raise UnreadableAudioError(
        path,
        f"cannot be decoded (libsndfile: {reason})",
        "Install ffmpeg and put it on the PATH, or convert the file to WAV, FLAC, OGG or MP3.",
    )


class _SndfileSource:
    """A file that libsndfile decodes, seekable to the sample."""

    def __init__(self, path: Path, wav: WavHeader | None) -> None:
        payload = _payload(path, wav) if wav and wav.format_tag == MPEG_LAYER_3 else None
        wrapped = payload is not None
        file = soundfile.SoundFile(str(path)) if payload is None else payload
        self._file = file
        self._lossy = "MPEG" in file.subtype
        promised = file.frames
        if wav is not None and wav.truncated and not wrapped and wav.block_align:
            promised = max(promised, wav.data_size // wav.block_align)
        elif file.format == "AIFF":
            promised = max(promised, aiff_frames(path))
        kind = "WAV" if wrapped else file.format
        self.info = AudioInfo(file.samplerate, promised, file.channels, kind, file.subtype)
        self.truncated = (wav is not None and wav.truncated) or (
            file.format == "OGG" and ogg_unfinished(path)
        )

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        position = min(first, self._file.frames)
        stop = self._file.frames if last is None else min(last, self._file.frames)
        step, fresh = _BLOCK, position == 0
        while position < stop:
            wanted = min(step, stop - position)
            try:
                if not fresh:
                    self._file.seek(position)
                    fresh = True
                block = self._file.read(wanted, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                # a stream that breaks off within a block: what comes before the break is good
                self.truncated = True
                if step == _SMALL_BLOCK:
                    return
                step, fresh = _SMALL_BLOCK, False
                continue
            position += len(block)
            if len(block):
                yield block
            if len(block) < wanted:
                break
        if last is None:
            # an encoder's delay is often counted in the header and cut by the decoder
            slack = 2 * _MP3_FRAME if self._lossy else 0
            self.truncated = self.truncated or position + slack < self.info.frames

    def close(self) -> None:
        self._file.close()


def _payload(path: Path, wav: WavHeader) -> soundfile.SoundFile | None:
    """The MP3 stream inside a WAV file, alone: libsndfile takes the chunks after it for sound, and pads."""
    with path.open("rb") as file:
        file.seek(wav.data_offset)
        stream = io.BytesIO(file.read(wav.data_size))
    try:
        return soundfile.SoundFile(stream)
    except soundfile.LibsndfileError:
        return None
