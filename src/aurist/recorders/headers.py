"""Times and places in the headers of WAV files: GUANO, WAMD, and AudioMoth's comment.

Sources: D. Riggs, "GUANO metadata specification", 1.0; "Wildlife Acoustics metadata" (WAMD) as Wildlife Acoustics
documents it for developers; the firmware of AudioMoth, which writes "Recorded at 05:30:00 01/06/2023 (UTC+2) by
AudioMoth ...".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from aurist.recorders.names import zone_of

#: A chunk of text that is longer is no header that a recorder writes.
_LONGEST, _MOST_CHUNKS = 1 << 20, 200
_GUANO, _WAMD, _LIST = b"guan", b"wamd", b"LIST"
_WAMD_TIME, _WAMD_PLACE = 5, 6
_AUDIOMOTH = re.compile(
    r"Recorded at (?P<time>\d\d:\d\d:\d\d(?:\.\d{1,6})?) (?P<date>\d\d/\d\d/\d{4}) "
    r"\(UTC(?P<zone>[+-]\d{1,2}(?::\d\d)?)?\)(?=.*AudioMoth)"
)


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


def read_header(path: Path) -> Began | None:
    """Read the time and the place in the header of a WAV file; None if it has none, or is no WAV file."""
    try:
        with path.open("rb") as file:
            chunks = dict(_chunks(file))
    except (OSError, struct.error):
        return None
    for name, read in ((_GUANO, _guano), (_WAMD, _wamd), (_LIST, _audiomoth)):
        header = read(chunks[name]) if name in chunks else None
        if header is not None:
            return header
    return None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks that may hold a time; others, such as the sound, are skipped."""
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return
    for _ in range(_MOST_CHUNKS):
        name_and_size = file.read(8)
        if len(name_and_size) < 8:
            return
        name, size = name_and_size[:4], struct.unpack("<I", name_and_size[4:])[0]
        if size == 0xFFFFFFFF:  # the length is elsewhere: nothing of interest follows a recording of 4 GB
            return
        if name in (_GUANO, _WAMD, _LIST) and size <= _LONGEST:
            yield name, file.read(size)
            file.seek(size % 2, 1)
        else:
            file.seek(size + size % 2, 1)


def _guano(chunk: bytes) -> Began | None:
    lines = chunk.rstrip(b"\0").decode("utf-8", errors="replace").splitlines()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    time = _iso(fields.get("Timestamp", ""))
    if time is None:
        return None
    return Began(time, "GUANO", *_place(fields.get("Loc Position", "").split()))


def _wamd(chunk: bytes) -> Began | None:
    fields, at = {}, 0
    while at + 6 <= len(chunk):
        number, size = struct.unpack_from("<HI", chunk, at)
        fields[number] = chunk[at + 6 : at + 6 + size].rstrip(b"\0").decode("utf-8", errors="replace")
        at += 6 + size
    time = _iso(fields.get(_WAMD_TIME, ""))
    return None if time is None else Began(time, "WAMD", *_wamd_place(fields.get(_WAMD_PLACE, "")))


def _wamd_place(text: str) -> tuple[float | None, float | None]:
    """Read "WGS84,50.1,N,8.2,W" or "WGS84,50.1,-8.2".

    Examples
    --------
    >>> _wamd_place("WGS84, 50.1, N, 8.2, W"), _wamd_place("WGS84,-50.1,8.2,120")
    ((50.1, -8.2), (-50.1, 8.2))
    """
    cells = [cell.strip() for cell in text.split(",")][1:]
    if len(cells) >= 4 and cells[1] in ("N", "S") and cells[3] in ("E", "W"):
        signs = {"N": "", "E": "", "S": "-", "W": "-"}
        return _place([signs[cells[1]] + cells[0], signs[cells[3]] + cells[2]])
    return _place(cells)


def _place(cells: list[str]) -> tuple[float | None, float | None]:
    try:
        latitude, longitude = float(cells[0]), float(cells[1])
    except (ValueError, IndexError):
        return None, None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else (None, None)


def _audiomoth(chunk: bytes) -> Began | None:
    match = _AUDIOMOTH.search(chunk.decode("latin-1"))
    if match is None:
        return None
    try:
        time = datetime.strptime(f"{match['date']} {match['time'][:8]}", "%d/%m/%Y %H:%M:%S")
        return Began(time.replace(tzinfo=zone_of(match["zone"] or "Z")), "AudioMoth")
    except ValueError:  # there is no such day, hour or zone
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
