"""Dates and times in the names of recordings, as recorders write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = r"(?<!\d)(?P<year>(?:19|20)\d\d)"
_ZONE = r"(?:[_ ]?(?P<zone>Z(?![A-Za-z])|[+-]\d\d:?\d\d(?!\d)))?"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # Song Meter, AudioMoth, Swift, BAR-LT: 20230601_053000, 20230601T053000+1000, 20140601_$053000
        _DATE
        + r"(?P<month>\d\d)(?P<day>\d\d)(?:[_T \-]\$?|\$)?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?!\d)"
        + r"(?:\.\d{1,6}(?=Z|[+-]\d))?"
        + _ZONE,
        # 2023-06-01_05-30-00, 2023-06-01T05:30:00+02:00
        _DATE
        + r"[-_.](?P<month>\d\d)[-_.](?P<day>\d\d)[_T \-]{1,3}(?P<hour>\d\d)[-_.:h](?P<minute>\d\d)"
        + r"[-_.:m](?P<second>\d\d)(?!\d)(?:\.\d{1,6}(?=Z|[+-]\d))?"
        + _ZONE,
        # BirdNET-Pi: 2023-06-01-birdnet-05:30:00, 2023-06-01-birdnet-RTSP_1-05:30:00
        _DATE
        + r"-(?P<month>\d\d)-(?P<day>\d\d)-birdnet-(?:\w+-)?(?P<hour>\d\d)[:_](?P<minute>\d\d)[:_](?P<second>\d\d)"
        + r"(?P<zone>(?!))?",
        # SoundTrap: 5678.230601053000
        r"(?<=\.)(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?=\.|$)"
        r"(?P<zone>(?!))?",
    )
)
#: First AudioMoths named files by the second since 1970, in UTC, as a hexadecimal number.
_HEXADECIMAL = re.compile(r"[0-9A-F]{8}(?=\.[A-Za-z0-9]+$|$)")
_FIRST_AUDIOMOTH, _LAST = datetime(2016, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)


def time_in_name(name: str) -> datetime | None:
    """Read the date and time in the name of a recording; None if there is none, or an impossible one.

    Parameters
    ----------
    name
        The name of the file, without folders.

    Returns
    -------
    datetime
        With its difference from UTC if the name has it.

    Examples
    --------
    >>> time_in_name("S4A01234_20230601_053000.wav")
    datetime.datetime(2023, 6, 1, 5, 30)
    >>> time_in_name("20230601T053000+1000_REC.flac").isoformat()
    '2023-06-01T05:30:00+10:00'
    >>> time_in_name("5EB2A3C0.WAV").isoformat()
    '2020-05-06T11:47:12+00:00'
    >>> time_in_name("20231301_053000.wav") is None
    True
    """
    for pattern in _PATTERNS:
        match = pattern.search(name)
        if match is not None:
            return _of_match(match)
    if _HEXADECIMAL.match(name):
        time = datetime.fromtimestamp(int(name[:8], 16), UTC)
        return time if _FIRST_AUDIOMOTH <= time < _LAST else None
    return None


def _of_match(match: re.Match[str]) -> datetime | None:
    values = [int(match[part]) for part in ("year", "month", "day", "hour", "minute", "second")]
    if values[0] < 100:
        values[0] += 2000
    try:
        return datetime(*values, tzinfo=zone_of(match["zone"]))  # type: ignore[arg-type,misc]
    except ValueError:  # there is no such day or hour
        return None


def zone_of(text: str | None) -> timezone | None:
    """Read a difference from UTC: "+1000", "+10:00", "+2" or "Z".

    Raises
    ------
    ValueError
        If it is a day or more.

    Examples
    --------
    >>> [str(zone_of(text)) for text in ("+10:00", "-0430", "+2", "Z")]
    ['UTC+10:00', 'UTC-04:30', 'UTC+02:00', 'UTC']
    """
    if text is None:
        return None
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (digits, 0) if len(digits) <= 2 else (digits[:-2], digits[-2:])
    difference = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-difference if text[0] == "-" else difference)
