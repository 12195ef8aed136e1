"""Every error that aurist raises on purpose: what was found, where, what was expected, what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

SHOWN = 20


class AuristError(Exception):
    """Base of the tree; the command line prints its message and exits with 1."""


class DataError(AuristError, ValueError):
    """The data cannot be used as it stands: a file, a row or a column is not what it should be."""


class ConfigError(AuristError, ValueError):
    """A setting, an option or a combination of them is wrong."""


class RunError(AuristError):
    """A run folder is missing, incomplete, or not one that this version can read."""


class FullDiskError(AuristError):
    """A file could not be written, for want of room on the disk; ``advice`` says how a command goes on."""

    advice = "Make room, and give the same command again."


class MissingExtraError(AuristError, ImportError):
    """An optional dependency is not installed; the message holds the pip line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the optional extra '{extra}'. Install it with: pip install 'aurist[{extra}]'"
        )
        self._given = (what, extra)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Comes back whole from a worker process."""
        return type(self), self._given


def check_one_of(name: str, value: object, known: Sequence[str]) -> None:
    """Raise ConfigError where a setting is not among the values known.

    Examples
    --------
    >>> check_one_of("engine", "steam", ("petrol", "diesel"))
    Traceback (most recent call last):
    aurist.errors.ConfigError: engine is 'steam', but must be one of: petrol, diesel.
    """
    if value not in known:
        raise ConfigError(f"{name} is {shown(value)}, but must be one of: {', '.join(known)}.")


def shown(value: object, most: int = 80) -> str:
    """A value as code has it, short enough for a message.

    Examples
    --------
    >>> shown("a.wav"), shown(10**99, most=12)
    ("'a.wav'", '10000000 ...')
    """
    try:
        text = repr(value)
    except ValueError:  # a number of more digits than Python writes out
        return "a number of thousands of digits"
    return text if len(text) <= most else f"{text[: most - 4]} ..."


#: A time below zero, by its unit or by what stands before it: learners take what is left of their time for one.
_NEGATIVE_TIME = re.compile(
    r"(?<![\w.])-\d+(?:\.\d+)?(?= ?(?:ms|s|secs?|seconds?|min|minutes?|hours?)\b)"
    r"|(?<=remaining: )-\d+(?:\.\d+)?|(?<=time_limit=)-\d+(?:\.\d+)?|(?<=left: )-\d+(?:\.\d+)?"
)


def reason(error: BaseException) -> str:
    """Say in one line what went wrong in a library; no time that it had left is below zero.

    Examples
    --------
    >>> reason(RuntimeError("Not enough time.\\n  Time remaining: -0.17s"))
    'Not enough time. Time remaining: 0s'
    >>> reason(MemoryError())
    'MemoryError'
    """
    return _NEGATIVE_TIME.sub("0", " ".join(str(error).split())) or type(error).__name__


def plural(n: int, noun: str, many: str | None = None) -> str:
    """A count with its noun: one has no s.

    Examples
    --------
    >>> plural(1, "cell"), plural(25383, "row"), plural(2, "class", "classes")
    ('1 cell', '25,383 rows', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def about(name: str, message: str) -> str:
    """What was found of a clip, with its name in front unless the message speaks of its file already.

    Examples
    --------
    >>> about("a.wav#2", "music/a.wav is empty (0 bytes)."), about("7", "all of its features are missing")
    ('music/a.wav is empty (0 bytes).', '7: all of its features are missing')
    """
    file = re.sub(r"#\d+$", "", name)
    return message if PurePath(file).suffix and file in message else f"{name}: {message}"


def listing(rows: Sequence[str], shown: int = SHOWN) -> str:
    """Lay bad rows out one a line, with a count of those left off.

    Examples
    --------
    >>> print(listing(["row 3: no label", "row 7: no label", "row 9: no path"], shown=2))
      row 3: no label
      row 7: no label
      ... and 1 more
    """
    lines = [f"  {row}" for row in rows[:shown]]
    if len(rows) > shown:
        lines.append(f"  ... and {len(rows) - shown} more")
    return "\n".join(lines)
