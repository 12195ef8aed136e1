"""Messages of the layers below, which speak of the command line, in terms of Python's keywords."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from aurist.errors import AuristError

logger = logging.getLogger("aurist")

#: Options whose keyword is not called after them.
_KEYWORDS = {
    "no-near-duplicates": "near_duplicates=False",
    "allow-loss": "allow_loss=True",
    "recipe": "recipes=",
    "set": "recipe_settings=",
    "embed": "embeddings=",
    "format": "formats=",
}
#: An option, with the word behind it where that is a value and no part of the sentence.
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)(?: (none|names|unknown)\b)?")
_COMMANDS = (
    (re.compile(r"`?aurist resume (?!trains|fits)([^\s`]+?)([.,;]?)(?=\s|`|$)`?"), r'aurist.resume("\1")\2'),
    (re.compile(r"`?aurist fit DATA -o ([^\s`]+?)([.,;]?)(?=\s|`|$)`?"), r'aurist.fit(DATA, "\1")\2'),
    (re.compile(r"`aurist check DATA -o audit`"), "aurist.check(DATA)"),
    (re.compile(r"`aurist (resume|check|fit)`"), r"aurist.\1"),
    (re.compile(r" \(-o\)| with -o(?=[.,])"), " (output=)"),
)


def in_python(message: str) -> str:
    """Translate options of the command line into keywords, and commands into calls.

    Examples
    --------
    >>> in_python("Name it with --label, or give --path none.")
    'Name it with label=, or give path="none".'
    >>> in_python("Go on with: aurist resume my_run")
    'Go on with: aurist.resume("my_run")'
    """
    for pattern, call in _COMMANDS:
        message = pattern.sub(call, message)
    return _OPTION.sub(_keyword, message)


def _keyword(option: re.Match[str]) -> str:
    keyword = _KEYWORDS.get(option[1]) or option[1].replace("-", "_") + "="
    return keyword if option[2] is None else f'{keyword}"{option[2]}"'


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
