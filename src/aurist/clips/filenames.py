"""Read labels and groups from file names, by a pattern such as ``{label}_{group}_{n}``."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from aurist.clips.labels import label_name
from aurist.errors import ConfigError, DataError, listing

FIELDS = ("label", "group", "fold")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile the pattern to a regular expression over the file's stem, or over its path if it has a ``/``.

    A field ends at the first match of the text that follows it in the pattern. The last field takes the rest. Names
    other than label, group and fold are ignored.

    Examples
    --------
    >>> compile_pattern("{label}_{group}_{n}").fullmatch("7_jackson_32").groupdict()
    {'label': '7', 'group': 'jackson', 'n': '32'}
    """
    pieces = re.split(r"\{([^{}]*)\}", pattern)
    names = pieces[1::2]
    bad = [name for name in names if not name.isidentifier()]
    if bad or any(mark in piece for piece in pieces[::2] for mark in "{}"):
        raise ConfigError(
            f"label_from is {pattern!r}, but a field is a word in braces, as in '{{label}}_{{group}}_{{n}}'."
        )
    if "label" not in names:
        raise ConfigError(
            f"label_from is {pattern!r}, but must hold {{label}}; for instance '{{label}}_{{group}}_{{n}}'."
        )
    if len(set(names)) < len(names):
        raise ConfigError(f"label_from is {pattern!r}, but every field needs a name of its own.")
    regex = re.escape(pieces[0])
    for i, name in enumerate(names):
        last = i == len(names) - 1
        regex += f"(?P<{name}>{'.+' if last else '.+?'})" + re.escape(pieces[2 * i + 2])
    return re.compile(regex)


def read_names(paths: list[str], pattern: str) -> list[dict[str, str]]:
    """Read the fields of every path.

    Raises
    ------
    DataError
        If paths do not fit the pattern: all of them.
    """
    compiled = compile_pattern(pattern)
    fields, unmatched = [], []
    for path in paths:
        whole = PurePosixPath(path.replace("\\", "/"))
        text = str(whole.with_suffix("")) if "/" in pattern else whole.stem
        match = _match(compiled, text, "/" in pattern)
        if match is None:
            unmatched.append(path)
        else:
            fields.append(
                {name: _clean(name, value) for name, value in match.groupdict().items() if name in FIELDS}
            )
    if unmatched:
        raise DataError(
            f"{len(unmatched)} of {len(paths)} file names do not fit the pattern {pattern!r}:\n{listing(unmatched)}\n"
            "Rename them, move them elsewhere, or change label_from=."
        )
    return fields


def _clean(field: str, value: str) -> str:
    return label_name(value) if field == "label" else value.strip()


def _match(compiled: re.Pattern[str], text: str, with_folders: bool) -> re.Match[str] | None:
    """Match a stem whole, and a path by its last folders: as many as the pattern names."""
    if not with_folders:
        return compiled.fullmatch(text)
    depth = compiled.pattern.count("/")
    return compiled.fullmatch("/".join(text.split("/")[-depth - 1 :]))
