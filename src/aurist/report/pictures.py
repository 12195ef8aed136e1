"""Charts, spectrograms and sounds as text that stands in the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from aurist.audio import probe, read
from aurist.features.frames import analyse
from aurist.features.summary_config import ULTRASOUND

#: Of a sound in the page, in Hz, and how long it may be: pages stay small enough to send by mail.
_RATE, _LONGEST = 22050, 10.0
_ROWS_ABOVE_FLOOR = 80.0


@dataclass(frozen=True)
class Shown:
    """A sound as a page shows it: ultrasound slowed down, so that it can be heard.

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
        """It lasts so long in nature."""
        return len(self.y) / self.sample_rate

    @property
    def slowed(self) -> float:
        """As many times slower it is played; 1 for what people hear."""
        return max(1.0, self.sample_rate / _RATE)


def read_shown(
    path: Path, *, start: float = 0.0, end: float | None = None, longest: float = _LONGEST
) -> Shown:
    """Read a sound for a page, at most ``longest`` seconds of it when it is played.

    Raises
    ------
    DataError
        Where it cannot be read.
    """
    native = probe(path).sample_rate
    y, rate = read(path, round(native) if native >= ULTRASOUND else _RATE, start=start, end=end)
    return Shown(y[: round(min(longest * _RATE, len(y)))], rate)


def chart(draw: Callable[[Path], None]) -> str:
    """What a plot writes, as the address of a picture."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chart.svg"
        draw(path)
        return _address("image/svg+xml", path.read_bytes())


def spectrogram(shown: Shown) -> str:
    """The log-mel spectrogram of a sound, as the address of a picture, low frequencies below."""
    from matplotlib.image import imsave

    played = shown.sample_rate / shown.slowed
    frames = analyse(
        shown.y, played, n_fft=1024, hop_length=256, n_mels=96, n_mfcc=13, fmin=0, fmax=played / 2
    )
    db = frames.mel_db
    file = io.BytesIO()
    imsave(
        file,
        db.T,
        origin="lower",
        cmap="magma",
        vmin=db.max() - _ROWS_ABOVE_FLOOR,
        vmax=db.max(),
        format="png",
    )
    return _address("image/png", file.getvalue())


def sound(shown: Shown) -> str:
    """A sound as the address of an MP3 file, which every browser plays."""
    import soundfile

    file = io.BytesIO()
    y = shown.y / max(1.0, float(np.abs(shown.y).max(initial=0.0)))
    soundfile.write(file, y, round(shown.sample_rate / shown.slowed), format="MP3")
    return _address("audio/mpeg", file.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
