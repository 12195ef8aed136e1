"""Log messages, and errors whose messages name calls instead of commands."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from aurist.errors import AuristError

logger = logging.getLogger("aurist")

#: Commands of the command line, and the calls that do the same.
_COMMANDS = (
    (re.compile(r"`?aurist resume (?!trains|fits)([^\s`]+?)([.,;]?)(?=\s|`|$)`?"), r'aurist.resume("\1")\2'),
    (re.compile(r"`?aurist fit DATA -o ([^\s`]+?)([.,;]?)(?=\s|`|$)`?"), r'aurist.fit(DATA, "\1")\2'),
    (re.compile(r"`aurist check DATA -o audit`"), "aurist.check(DATA)"),
    (re.compile(r"`aurist (resume|check|fit)`"), r"aurist.\1"),
)


def in_python(message: str) -> str:
    """Translate commands into calls.

    Examples
    --------
    >>> in_python("Continue with: aurist resume my_run")
    'Continue with: aurist.resume("my_run")'
    """
    for pattern, call in _COMMANDS:
        message = pattern.sub(call, message)
    return message


@contextmanager
def errors_in_python() -> Iterator[None]:
    """Translate the message of an error of aurist on its way to the caller."""
    try:
        yield
    except AuristError as error:
        error.args = (in_python(str(error)),)
        raise


def log(message: str) -> None:
    """Log what happens under the name ``aurist``."""
    logger.info("%s", in_python(message))


def warn(message: str) -> None:
    """Log what was passed over under the name ``aurist``."""
    logger.warning("%s", in_python(message))
