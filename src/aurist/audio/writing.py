"""Sound to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

from aurist.files import atomic_path


def write_wav(path: Path, y: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write one channel as a WAV file of 32-bit floats, so that what is louder than 1 is not clipped.

    Parameters
    ----------
    path
        Replaced as a whole.
    y
        (n_samples,).
    sample_rate
        In Hz.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_wav(Path(folder) / "a.wav", np.full(100, 1.5, np.float32), 8000)
    ...     float(sf.read(Path(folder) / "a.wav")[0].max())
    1.5
    """
    with atomic_path(path) as part:
        sf.write(part, y, sample_rate, format="WAV", subtype="FLOAT")


def write_sound(path: Path, y: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write one channel by the ending of the path: WAV as `write_wav` does, or FLAC of 24 bits."""
    if path.suffix.lower() != ".flac":
        write_wav(path, y, sample_rate)
        return
    with atomic_path(path) as part:
        sf.write(part, y, sample_rate, format="FLAC", subtype="PCM_24")
