"""The clock time and the place at which a recording began."""

from __future__ import annotations

from pathlib import Path

from aurist.recorders.headers import Began, read_header
from aurist.recorders.names import time_in_name


def began_at(path: str | Path, name: str = "") -> Began | None:
    """Read when a recording began: from its header, else from its name; None if neither says.

    Headers are GUANO (most bat detectors, newer recorders), WAMD (Wildlife Acoustics) and AudioMoth's comment, in WAV
    files. A file that is gone, or is no WAV file, is read by its name.

    Parameters
    ----------
    path
        The recording.
    name
        Another name of it, if that of the file says nothing.

    Examples
    --------
    >>> began_at("site 3/SM4A_20230601_053000.flac")
    Began(time=datetime.datetime(2023, 6, 1, 5, 30), source='name', latitude=None, longitude=None)
    >>> began_at("robin.wav") is None
    True
    """
    header = read_header(Path(path))
    if header is not None:
        return header
    time = time_in_name(Path(path).name) or time_in_name(Path(name).name)
    return None if time is None else Began(time, "name")
