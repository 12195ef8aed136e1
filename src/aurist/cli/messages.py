"""Messages of the library name its parameters; the command line names its options."""

from __future__ import annotations

import re
from functools import cache

#: Parameters of the library that have another name on the command line, by the name of the option's parameter.
_OTHER_NAMES = {
    "recipes": "recipe",
    "recipe_settings": "change",
    "embeddings": "embed",
    "formats": "forms",
    "id": "row_id",
}


def in_options(message: str) -> str:
    """Translate parameters into options.

    Examples
    --------
    >>> in_options('Name it with label=, or give path="none".')
    'Name it with --label, or give --path none.'
    >>> in_options("Continue with allow_loss=True, near_duplicates=False, or another folder (output=).")
    'Continue with --allow-loss, --no-near-duplicates, or another folder (-o).'
    """
    return message if "=" not in message else _pattern().sub(_option, message)


@cache
def _options() -> dict[str, tuple[str, str]]:
    """Map each parameter to its option, and to the option that switches it off."""
    from typer.main import get_command

    from aurist.cli import app

    options: dict[str, tuple[str, str]] = {}
    for command in get_command(app).commands.values():  # type: ignore[attr-defined]
        for param in command.params:
            if param.param_type_name == "option" and param.name != "help":
                options[param.name] = (param.opts[-1], (param.secondary_opts or [""])[0])
    return options | {name: options[other] for name, other in _OTHER_NAMES.items()}


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(sorted(_options(), key=len, reverse=True))
    return re.compile(
        rf'(?<![\w.\-/"\'])({names})=(?:"([^"\n]*)"|(True|False)\b|(\d[\d.]*\d|\d)\b)?(?![\w=/])'
    )


def _option(parameter: re.Match[str]) -> str:
    name, text, flag, number = parameter.groups()
    on, off = _options()[name]
    if flag is not None:
        return off if flag == "False" else on
    value = text if text is not None else number
    if value is None:
        return on
    return f"{on} '{value}'" if re.search(r"[\s{}*]", value) else f"{on} {value}"
