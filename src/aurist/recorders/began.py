"""The clock time and the place at which a recording began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aurist.recorders.headers import read_header
from aurist.recorders.names import time_in_name


@dataclass(frozen=True)
class Began:
    """The clock time and the place at which a recording began.

    Parameters
    ----------
    time
        By the recorder's clock; with its difference from UTC if the recorder wrote it down.
    source
        Where it was read: "GUANO", "WAMD", "AudioMoth", or "name".
    latitude, longitude
        In degrees; None: unknown.
    """

    time: datetime
    source: str
    latitude: float | None = None
    longitude: float | None = None


def began_at(path: str | Path) -> Began | None:
    """Read when a recording began: from its header, else from its name; None if neither says.

    Headers are GUANO (most bat detectors, newer recorders), WAMD (Wildlife Acoustics) and AudioMoth's comment, in WAV
    files. A file that is gone, or is no WAV file, is read by its name.

    Parameters
    ----------
    path
        The recording.

    Examples
    --------
    >>> began_at("site 3/SM4A_20230601_053000.flac")
    Began(time=datetime.datetime(2023, 6, 1, 5, 30), source='name', latitude=None, longitude=None)
    >>> began_at("robin.wav") is None
    True
    """
    header = read_header(Path(path))
    if header is not None:
        return Began(header.time, header.source, header.latitude, header.longitude)
    time = time_in_name(Path(path).name)
    return None if time is None else Began(time, "name")
