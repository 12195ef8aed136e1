"""All errors that aurist raises. A message says what was found, where, what was expected, and the next step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

SHOWN = 20


class AuristError(Exception):
    """Base class; the command line prints its message and exits with 1."""


class DataError(AuristError, ValueError):
    """The data cannot be used: a file, a row or a column is wrong."""


class ConfigError(AuristError, ValueError):
    """A setting, an option or a combination of them is wrong."""


class RunError(AuristError):
    """A run folder is missing, incomplete, or not one that this version can read."""


class ServerError(AuristError):
    """A server cannot be reached, or refuses a request.

    Parameters
    ----------
    message
        The message of the server.
    status
        Of HTTP; 0: it cannot be reached.
    code
        The word of the server for the reason.
    """

    def __init__(self, message: str, status: int = 0, code: str = "unreachable") -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def __reduce__(self) -> tuple[type[ServerError], tuple[str, int, str]]:
        """Rebuild the error after a worker process."""
        return type(self), (str(self), self.status, self.code)


class FullDiskError(AuristError):
    """A file could not be written, for want of room on the disk; ``advice`` says how a command goes on."""

    advice = "Make room, and give the same command again."


class MissingExtraError(AuristError, ImportError):
    """An optional dependency is not installed; the message gives the pip command."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the optional extra '{extra}'. Install it with: pip install 'aurist[{extra}]'"
        )
        self._given = (what, extra)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Rebuild the error after a worker process."""
        return type(self), self._given


def check_one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise ConfigError if a setting is none of the allowed values.

    Examples
    --------
    >>> check_one_of("engine", "steam", ("petrol", "diesel"))
    Traceback (most recent call last):
    aurist.errors.ConfigError: engine is 'steam', but must be one of: petrol, diesel.
    """
    if value not in allowed:
        raise ConfigError(f"{name} is {short_repr(value)}, but must be one of: {', '.join(allowed)}.")


def short_repr(value: object, most: int = 80) -> str:
    """Return the repr of a value, shortened for a message.

    Examples
    --------
    >>> short_repr("a.wav"), short_repr(10**99, most=12)
    ("'a.wav'", '10000000 ...')
    """
    try:
        text = repr(value)
    except ValueError:  # a number of more digits than Python writes out
        return "a number of thousands of digits"
    return text if len(text) <= most else f"{text[: most - 4]} ..."


#: A negative time, recognised by its unit or by the words before it: learners print the rest of their time so.
_NEGATIVE_TIME = re.compile(
    r"(?<![\w.])-\d+(?:\.\d+)?(?= ?(?:ms|s|secs?|seconds?|min|minutes?|hours?)\b)"
    r"|(?<=remaining: )-\d+(?:\.\d+)?|(?<=time_limit=)-\d+(?:\.\d+)?|(?<=left: )-\d+(?:\.\d+)?"
)


def reason(error: BaseException) -> str:
    """Return the message of a library's error in one line, with negative rest times as 0.

    Examples
    --------
    >>> reason(RuntimeError("Not enough time.\\n  Time remaining: -0.17s"))
    'Not enough time. Time remaining: 0s'
    >>> reason(MemoryError())
    'MemoryError'
    """
    return _NEGATIVE_TIME.sub("0", " ".join(str(error).split())) or type(error).__name__


def plural(n: int, noun: str, many: str | None = None) -> str:
    """Return a count with its noun in singular or plural.

    Examples
    --------
    >>> plural(1, "cell"), plural(25383, "row"), plural(2, "class", "classes")
    ('1 cell', '25,383 rows', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def rounded(value: float, digits: int = 2) -> str:
    """Return a number with so many significant digits, never in powers of ten.

    Examples
    --------
    >>> rounded(111.3), rounded(0.0123), rounded(15387, 3), rounded(7.0)
    ('110', '0.012', '15,400', '7')
    """
    text = f"{float(f'{value:.{digits}g}'):,.12f}"
    return text.rstrip("0").rstrip(".")


def about(name: str, message: str) -> str:
    """Return a message about a clip, with its name in front unless the message already names its file.

    Examples
    --------
    >>> about("a.wav#2", "music/a.wav is empty (0 bytes)."), about("7", "all of its features are missing")
    ('music/a.wav is empty (0 bytes).', '7: all of its features are missing')
    """
    file = re.sub(r"#\d+$", "", name)
    return message if PurePath(file).suffix and file in message else f"{name}: {message}"


def listing(rows: Sequence[str], limit: int = SHOWN) -> str:
    """List bad rows, one per line, with a count of the rest.

    Examples
    --------
    >>> print(listing(["row 3: no label", "row 7: no label", "row 9: no path"], limit=2))
      row 3: no label
      row 7: no label
      ... and 1 more
    """
    lines = [f"  {row}" for row in rows[:limit]]
    if len(rows) > limit:
        lines.append(f"  ... and {len(rows) - limit} more")
    return "\n".join(lines)
