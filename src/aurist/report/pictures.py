"""Charts, spectrograms and sounds as text inside the page itself."""

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

#: Sample rate of a sound in the page, in Hz, and its longest length in seconds: pages can be sent by mail.
_RATE, _LONGEST = 22050, 10.0
_ROWS_ABOVE_FLOOR = 80.0


@dataclass(frozen=True)
class PageSound:
    """A sound on a page; ultrasound is slowed down to be audible.

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
        """The length in seconds, before it is slowed down."""
        return len(self.y) / self.sample_rate

    @property
    def slowed(self) -> float:
        """The factor by which it is slowed down; 1 for audible sound."""
        return max(1.0, self.sample_rate / _RATE)


def read_for_page(
    path: Path, *, start: float = 0.0, end: float | None = None, longest: float = _LONGEST
) -> PageSound:
    """Read a sound for a page, at most ``longest`` seconds of playing time.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    native = probe(path).sample_rate
    y, rate = read(path, round(native) if native >= ULTRASOUND else _RATE, start=start, end=end)
    return PageSound(y[: round(min(longest * _RATE, len(y)))], rate)


def chart(draw: Callable[[Path], None]) -> str:
    """Draw a chart, and return it as the address of a picture."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chart.svg"
        draw(path)
        return _address("image/svg+xml", path.read_bytes())


def spectrogram(page_sound: PageSound, *, photo: bool = False) -> str:
    """Draw the log-mel spectrogram of a sound, low frequencies at the bottom; return the address of a picture.

    ``photo``: as a JPEG file, a quarter of the size of a PNG file.
    """
    from matplotlib.image import imsave

    played = page_sound.sample_rate / page_sound.slowed
    frames = analyse(
        page_sound.y, played, n_fft=1024, hop_length=256, n_mels=96, n_mfcc=13, fmin=0, fmax=played / 2
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
        format="jpeg" if photo else "png",
        pil_kwargs={"quality": 70} if photo else None,
    )
    return _address("image/jpeg" if photo else "image/png", file.getvalue())


def sound(page_sound: PageSound) -> str:
    """Return a sound as the address of an MP3 file: every browser plays it."""
    import soundfile

    file = io.BytesIO()
    y = page_sound.y / max(1.0, float(np.abs(page_sound.y).max(initial=0.0)))
    soundfile.write(file, y, round(page_sound.sample_rate / page_sound.slowed), format="MP3")
    return _address("audio/mpeg", file.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
