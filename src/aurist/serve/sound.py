"""Decoded recordings for the page: sound to play, the waveform, and tiles of the spectrogram.

All of it is read from the same samples, so that what is seen is in step with what is heard.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.errors import DataError

Bytes = npt.NDArray[np.uint8]

#: The sizes of Fourier transforms, and the most transforms that are averaged into one column.
_SMALLEST_FFT, _LARGEST_FFT, _MOST_PER_COLUMN = 256, 8192, 6
#: The range of a spectrogram in dB below full scale, that one byte covers.
FLOOR = -120.0
_HEADER = 44


@dataclass(frozen=True)
class Samples:
    """The samples of a WAV file that the server wrote, mapped into memory.

    Parameters
    ----------
    y
        (n_samples,), float32.
    sample_rate
        In Hz.
    """

    y: npt.NDArray[np.float32]
    sample_rate: int

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return len(self.y) / self.sample_rate

    def span(self, start: float, seconds: float) -> npt.NDArray[np.float32]:
        """Give the samples of a span; fewer at the end."""
        first = max(0, round(start * self.sample_rate))
        return self.y[first : max(first, round((start + seconds) * self.sample_rate))]


@lru_cache(maxsize=64)
def open_samples(path: Path) -> Samples:
    """Map a WAV file of 32-bit floats and one channel.

    Raises
    ------
    DataError
        If it is another file.
    """
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or not file.seek(12):
            raise DataError(f"{path.name} is no WAV file of the server.")
        rate = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                begin = file.tell()
                break
            body = file.read(size + size % 2)
            if name == b"fmt ":
                kind, channels, rate = struct.unpack("<HHI", body[:8])
                if (kind, channels) != (3, 1):
                    raise DataError(f"{path.name} is no WAV file of the server.")
        else:
            raise DataError(f"{path.name} holds no samples.")
    if not size:
        return Samples(np.zeros(0, np.float32), rate)
    return Samples(np.memmap(path, "<f4", "r", offset=begin, shape=(size // 4,)), rate)


def waveform(samples: Samples, start: float, seconds: float, columns: int) -> Bytes:
    """Give the lowest and the highest sample of each column, (columns, 2); 0 is -1, 255 is 1.

    Examples
    --------
    >>> waveform(Samples(np.array([0, 1, -1, 0], np.float32), 4), 0, 1, 2).tolist()
    [[128, 255], [0, 128]]
    """
    y = samples.span(start, seconds)
    out = np.full((columns, 2), 128, dtype=np.uint8)
    n = round(seconds * samples.sample_rate)
    edges = np.minimum(np.arange(columns + 1) * n // columns, len(y))
    filled = np.flatnonzero(edges[:-1] < edges[1:])
    if len(filled):
        for column, reduce in ((0, np.minimum), (1, np.maximum)):
            values = reduce.reduceat(y, edges[filled])
            out[filled, column] = np.clip(np.rint(127.5 + 127.5 * values), 0, 255)
        # columns narrower than a sample look like their neighbour
        out = out[np.maximum.accumulate(np.where(edges[:-1] < edges[1:], np.arange(columns), 0))]
    return out


def spectrogram(
    samples: Samples, start: float, seconds: float, columns: int, rows: int, low: float, high: float
) -> Bytes:
    """Give a tile of a spectrogram, (rows, columns), high frequencies first; 0 is -120 dB or less, 255 is 0 dB.

    The size of the transforms follows the frequency range and the width of a column: a zoomed tile shows more.

    Parameters
    ----------
    samples
        The recording.
    start, seconds
        The span.
    columns, rows
        The size of the tile.
    low, high
        The frequencies at its bottom and its top, in Hz.
    """
    rate = samples.sample_rate
    width = seconds * rate / columns
    # a row for each of its frequencies, but no longer than some columns: short sounds would be smeared
    wanted = min(2 * rows * (rate / 2) / max(high - low, 1.0), max(4.0 * width, 512.0))
    size = int(np.clip(2 ** round(math.log2(wanted)), _SMALLEST_FFT, _LARGEST_FFT))
    per_column = int(np.clip(width / (size / 2), 1, _MOST_PER_COLUMN))
    centres = start * rate + (np.arange(columns * per_column) + 0.5) * width / per_column
    power = _power(samples.y, np.rint(centres).astype(np.int64) - size // 2, size)
    power = power.reshape(columns, per_column, -1).mean(axis=1)
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    frequencies = np.linspace(high, low, 2 * rows + 1)[1::2]  # the middles of the rows
    position = frequencies * size / rate
    below = np.clip(position.astype(np.int64), 0, decibels.shape[1] - 2)
    share = np.clip(position - below, 0.0, 1.0)
    tile = decibels[:, below] * (1 - share) + decibels[:, below + 1] * share
    tile[centres[::per_column] >= len(samples.y)] = FLOOR
    tile[:, frequencies > rate / 2] = FLOOR
    return np.asarray(np.rint(np.clip(1 - tile.T / FLOOR, 0, 1) * 255), dtype=np.uint8)


def _power(y: npt.NDArray[np.float32], firsts: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float64]:
    """Give the power spectra of spans, (n, size // 2 + 1); a full-scale sine has 1."""
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    begin, end = int(firsts[0]), int(firsts[-1]) + size
    dense = end - begin <= 4 * size * len(firsts)
    if dense:
        around = np.zeros(end - begin, np.float32)
        inside = y[max(0, begin) : max(0, end)]
        around[max(0, -begin) : max(0, -begin) + len(inside)] = inside
        frames = np.lib.stride_tricks.sliding_window_view(around, size)[firsts - begin]
    else:
        frames = np.zeros((len(firsts), size), np.float32)
        for row, first in enumerate(firsts.tolist()):
            part = y[max(0, first) : max(0, first + size)]
            frames[row, max(0, -first) : max(0, -first) + len(part)] = part
    spectra = np.fft.rfft(frames * window, axis=1)
    return np.asarray(np.abs(spectra * (2 / window.sum())) ** 2, dtype=np.float64)


def wav_size(samples: Samples) -> int:
    """Give the bytes of the recording as a WAV file of 16 bits."""
    return _HEADER + 2 * len(samples.y)


def wav_bytes(samples: Samples, first: int, last: int) -> bytes:
    """Give the bytes [first, last) of the recording as a WAV file of 16 bits, which every browser plays.

    Any part of it is made without the rest, so that a player can jump in a recording of hours.

    Examples
    --------
    >>> import io, soundfile
    >>> samples = Samples(np.array([0, 0.5, -1], np.float32), 8000)
    >>> soundfile.read(io.BytesIO(wav_bytes(samples, 0, 44) + wav_bytes(samples, 44, 50)))[0].tolist()
    [0.0, 0.5, -1.0]
    """
    parts = []
    if first < _HEADER:
        size, rate = 2 * len(samples.y), samples.sample_rate
        header = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF", size + _HEADER - 8, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size,
        )  # fmt: skip
        parts.append(header[first : min(last, _HEADER)])
    if last > _HEADER:
        begin, end = max(first, _HEADER) - _HEADER, last - _HEADER
        values = np.clip(samples.y[begin // 2 : (end + 1) // 2] * np.float32(32768), -32768, 32767)
        raw = np.rint(values).astype("<i2").tobytes()
        parts.append(raw[begin % 2 : begin % 2 + end - begin])
    return b"".join(parts)
