"""Recognise columns of times by their names and cells, and read times in any common format."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from aurist.clips.labels import MISSING, cell_text

#: Names of columns as `normalise_name` writes them, best first; a unit may follow.
TIME_NAMES = {
    "start": ("start", "tmin", "starttime", "begin", "onset", "begintime", "startoffset", "timestart", "timebegin",
              "tstart", "tbegin", "t0", "from"),
    "end": ("end", "tmax", "endtime", "offset", "stop", "stoptime", "endoffset", "timeend", "timestop", "tend",
            "tstop", "t1", "finish", "to"),
    "duration": ("duration", "length", "dur", "deltatime", "len"),
}  # fmt: skip
#: A prefix that such a name may have.
_OF_CLIPS = re.compile("^(?:clip|segment|seg|event|cut|chunk|slice|syllable|call|box)")
#: Names that mean the start if there is a duration column, and the end if there is a start column.
OFFSETS = ("offset", "fileoffset", "startoffset")
#: Seconds per unit, by the ending of a name.
UNITS = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("us", "usec", "microseconds"), 1e-6),
}
#: Units that need a sample rate to become seconds.
COUNTS = ("sample", "samples", "frame", "frames", "idx", "index")
#: Words in the names of most columns of times.
_WORDS = frozenset((
    "start", "begin", "onset", "offset", "end", "stop", "finish", "duration", "dur", "length", "time", "times",
    "t0", "t1", "seconds", "secs", "ms",
))  # fmt: skip

_CLOCK = re.compile(r"(?:(\d+) days?,? )?(?:(\d+):)?(\d+):(\d{1,2}(?:[.,]\d+)?)")
_SPELLED = re.compile(
    r"(?:pt)?(?:(\d+) ?h(?:ours?)?)? ?(?:(\d+) ?m(?:in)?)? ?(?:(\d+(?:[.,]\d+)?) ?s(?:ec)?)?", re.IGNORECASE
)
_MILLISECONDS = re.compile(r"(\d+(?:[.,]\d+)?) ?ms", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([ T]|$)|\d{8}[ T_]\d{4}")


def normalise_name(name: object) -> str:
    """Strip case, blanks and punctuation from a column's name.

    Examples
    --------
    >>> normalise_name("Begin Time (s)")
    'begintimes'
    """
    return re.sub(r"[\W_]+", "", str(name)).lower()


def seconds(cell: object, unit: float = 1.0) -> float:
    """Parse a time to seconds; NaN if the cell is no time.

    Parameters
    ----------
    cell
        A number; hours, minutes and seconds with colons; or with the letters h, m, s, ms, as in ISO 8601.
    unit
        Seconds per unit of a plain number.

    Examples
    --------
    >>> seconds("1500", 1e-3), seconds("0:01.5"), seconds("1:02:03"), seconds("PT1M2S"), seconds("soon")
    (1.5, 1.5, 3723.0, 62.0, nan)
    """
    text = cell_text(cell)
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        return float(text) * unit
    except ValueError:
        pass
    if match := _CLOCK.fullmatch(text):
        days, hours, minutes = (int(field or 0) for field in match.group(1, 2, 3))
        rest = float(match.group(4).replace(",", "."))
        fits = rest < 60 and (match.group(2) is None or minutes < 60)
        return 86400 * days + 3600 * hours + 60 * minutes + rest if fits else math.nan
    if match := _MILLISECONDS.fullmatch(text):
        return float(match.group(1).replace(",", ".")) / 1000
    match = _SPELLED.fullmatch(text)
    if match is None or not any(match.groups()):
        return math.nan
    numbers = [float((field or "0").replace(",", ".")) for field in match.groups()]
    return 3600 * numbers[0] + 60 * numbers[1] + numbers[2]


def is_date(cell: object) -> bool:
    """Tell whether a cell is a date; a date gives no position in a file.

    Examples
    --------
    >>> is_date("2024-05-01 05:30"), is_date("05:30:00")
    (True, False)
    """
    return _DATE.match(cell_text(cell)) is not None


def unit_of(name: str, role: str) -> str:
    """Return the unit at the end of a column's name; "" if there is none.

    Examples
    --------
    >>> unit_of("start_ms", "start"), unit_of("Begin Time (s)", "start"), unit_of("t_min", "start")
    ('ms', 's', '')
    """
    bare = _OF_CLIPS.sub("", normalise_name(name), count=1)
    if bare in TIME_NAMES[role]:
        return ""
    units = [unit for unit in (*UNITS, *COUNTS) if unit and bare.removesuffix(unit) in TIME_NAMES[role]]
    words = re.split(r"[\W_]+", name.lower().strip("_)]. "))
    last = words[-1] if len(words) > 1 and words[-1] != "min" else ""
    return max(units, key=len, default=last if last in UNITS or last in COUNTS else "")


def time_role(name: str) -> str | None:
    """Return the role of a column with this name: "start", "end", "duration", or None."""
    return next((role for role in TIME_NAMES if _base(name, role) in TIME_NAMES[role]), None)


def rank(name: str, role: str) -> tuple[int, bool]:
    """Rank a name for a role: the smallest rank is best, and seconds win ties."""
    return TIME_NAMES[role].index(_base(name, role)), UNITS.get(unit_of(name, role)) != 1.0


def _base(name: str, role: str) -> str:
    return _OF_CLIPS.sub("", normalise_name(name), count=1).removesuffix(unit_of(name, role))


def has_times(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds times or dates; some cells may hold neither."""
    kinds = (pd.api.types.is_timedelta64_dtype, pd.api.types.is_datetime64_any_dtype)
    if pd.api.types.is_numeric_dtype(column) or any(kind(column) for kind in kinds):
        return bool(column.notna().any()) and not pd.api.types.is_bool_dtype(column)
    cells = set(column.map(cell_text)) - MISSING
    return any(not math.isnan(seconds(text)) or is_date(text) for text in cells)


def looks_like_time(name: str, column: pd.Series[Any]) -> bool:
    """Tell whether a column is named like a time, or has a word for time in its name and times in its cells."""
    words = set(re.findall(r"t[01]|[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    return time_role(name) is not None or (bool(words & _WORDS) and has_times(column))


def describe_times(column: pd.Series[Any], unit: str) -> str:
    """Describe how the times of a column are read; "" for plain seconds."""
    text = next((text for text in map(cell_text, column) if re.search(r"[:a-z]", text, re.IGNORECASE)), None)
    if text is not None and text not in MISSING and not math.isnan(seconds(text)):
        return f"{text!r} is {seconds(text):g} s"
    scale = UNITS.get(unit, 1.0)
    return "" if scale == 1.0 else f"1 is {scale:g} s"
