"""Write sound to files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

from aurist.files import atomic_path


def write_wav(path: Path, y: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write one channel as a WAV file of 32-bit floats, so samples above 1 are not clipped.

    Parameters
    ----------
    path
        The file; it is replaced as a whole.
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
    _write(path, y, sample_rate, "WAV", "FLOAT")


def write_sound(path: Path, y: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write one channel as 24-bit FLAC if the path ends in .flac, else as WAV like `write_wav`."""
    if path.suffix.lower() != ".flac":
        write_wav(path, y, sample_rate)
        return
    _write(path, y, sample_rate, "FLAC", "PCM_24")


def _write(path: Path, y: npt.NDArray[np.float32], sample_rate: int, form: str, subtype: str) -> None:
    # Python writes the file: libsndfile calls a full disk a system error, without its number
    sound = io.BytesIO()
    sf.write(sound, y, sample_rate, format=form, subtype=subtype)
    with atomic_path(path) as temporary:
        temporary.write_bytes(sound.getvalue())
