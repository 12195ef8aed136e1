"""Charts, spectrograms and sounds as text that stands in the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from aurist.features.frames import analyse

#: Of a sound in the page, in Hz, and how long it may be: pages stay small enough to send by mail.
RATE, LONGEST = 22050, 10.0
_ROWS_ABOVE_FLOOR = 80.0


def chart(draw: Callable[[Path], None]) -> str:
    """What a plot writes, as the address of a picture."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chart.svg"
        draw(path)
        return _address("image/svg+xml", path.read_bytes())


def spectrogram(y: npt.NDArray[np.float32]) -> str:
    """The log-mel spectrogram of a sound at `RATE`, as the address of a picture, low frequencies below."""
    from matplotlib.image import imsave

    db = analyse(y, RATE, n_fft=1024, hop_length=256, n_mels=96, n_mfcc=13, fmin=0, fmax=RATE / 2).mel_db
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


def sound(y: npt.NDArray[np.float32]) -> str:
    """A sound at `RATE` as the address of an MP3 file, which every browser plays."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, y / max(1.0, float(np.abs(y).max(initial=0.0))), RATE, format="MP3")
    return _address("audio/mpeg", file.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
