"""Recipes from TOML: those that come with aurist by name, and people's own by their path."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurist.config import LARGEST, read_toml
from aurist.errors import ConfigError, short_repr
from aurist.recipes.recipe import Recipe
from aurist.recipes.search import Space, read_space
from aurist.recipes.tuned import TunedBy

FOLDER = Path(__file__).parent
#: In a recipe of one's own: the recipe that it changes.
_BASE = "base"
#: The table that says what may be searched; it is taken over or replaced as a whole.
_SEARCH = "search"
#: The table that says what was searched; it is no setting.
_TUNED = "tuned"


def recipe_names() -> list[str]:
    """The recipes that come with aurist.

    Examples
    --------
    >>> "mel-cnn" in recipe_names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_recipe(name: str, settings: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe by its name, or by the path of a TOML file.

    Parameters
    ----------
    name
        A file may begin with ``base = "mel-cnn"`` and then say only what differs from that recipe.
    settings
        Changes on top of it, by dotted name: ``{"training.epochs": 5}``.

    Raises
    ------
    ConfigError
        Where there is no such recipe, or a key or value in it cannot be; the nearest known one is named.

    Examples
    --------
    >>> read_recipe("mel-cnn", {"training.epochs": 5}).training.epochs
    5
    """
    table = _table(name, ())
    for dotted, value in (settings or {}).items():
        table = _changed(table, _nested(dotted, value))
    return recipe_from(table, name)


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """The recipe of tables such as `Recipe.to_dict` gives; ``where`` is named in errors."""
    made: Recipe = _made(Recipe, table, where)
    for name, dimension in search_space(made, where).items():
        for value in dimension.ends:
            try:
                with_settings(made, {name: value})
            except ConfigError as error:
                raise ConfigError(f"{where} [search]: {name} = {value!r} cannot be: {error}") from error
    return made


def tuned_from(table: object, where: str) -> TunedBy:
    """The search that a table describes, which settings were chosen by; ``where`` is named in errors."""
    made: TunedBy = _made(TunedBy, table, where)
    return made


def search_space(recipe: Recipe, where: str | None = None) -> Space:
    """What of a recipe may be searched.

    Examples
    --------
    >>> search_space(read_recipe("mel-cnn"))["network.dropout"]
    Range(low=0.0, high=0.5, step=0.1, log=False)
    """
    return read_space(recipe.search, _settings(Recipe), where or recipe.name)


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with changes by dotted name, and nothing left to search.

    Examples
    --------
    >>> with_settings(read_recipe("mel-cnn"), {"training.lr": 0.01}).training.lr
    0.01
    """
    table = {key: value for key, value in recipe.to_dict().items() if key != _SEARCH}
    for dotted, value in settings.items():
        table = _changed(table, _nested(dotted, value))
    changed: Recipe = _made(Recipe, table, recipe.name)
    return changed


def setting(recipe: Recipe, dotted: str) -> Any:
    """The value of a setting.

    Examples
    --------
    >>> setting(read_recipe("mel-cnn"), "training.optimizer")
    'adamw'
    """
    value: Any = recipe
    for name in dotted.split("."):
        value = getattr(value, name)
    return value


def parse_setting(text: str) -> tuple[str, Any]:
    """A change as the command line has it.

    Examples
    --------
    >>> parse_setting("training.epochs=5"), parse_setting("training.optimizer=sgd")
    (('training.epochs', 5), ('training.optimizer', 'sgd'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"Cannot read the change {text!r}; write it as training.epochs=5.")
    try:
        found = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        found = value  # a bare word
    return name.strip(), found


def recipe_path(name: str) -> Path:
    """The file of a recipe, by its name or path.

    Raises
    ------
    ConfigError
        Where it is neither.
    """
    path = FOLDER / f"{name}.toml"
    if path.exists():
        return path
    path = Path(name)
    if path.suffix != ".toml":
        near = difflib.get_close_matches(name, recipe_names(), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(recipe_names())}."
        raise ConfigError(
            f"There is no recipe {name!r}. {hint} A recipe of your own is a path that ends in .toml."
        )
    if not path.is_file():
        raise ConfigError(
            f"There is no file {path}; `aurist recipes` lists the recipes that come with aurist."
        )
    return path


def _table(name: str, through: tuple[str, ...]) -> dict[str, Any]:
    path = recipe_path(name)
    if str(path) in through:
        raise ConfigError(
            f"{path}: this recipe is based on itself, by way of {' and '.join(through[1:]) or 'base'}."
        )
    found = read_toml(path, "the recipe")
    base = found.pop(_BASE, None)
    if base is None:
        return found
    beside = path.parent / str(base)
    base = str(beside) if beside.suffix == ".toml" and beside.exists() else str(base)
    try:
        below = _table(base, (*through, str(path)))
    except ConfigError as error:
        raise ConfigError(f"{path}, base: {error}") from error
    if _SEARCH in found:
        below.pop(_SEARCH, None)
    return _changed(below, {"name": path.stem, **found})


def _settings(kind: type[Any]) -> list[str]:
    """The dotted names of all settings in the tables of a dataclass."""
    hints = typing.get_type_hints(kind)
    return [
        f"{part.name}.{one.name}"
        for part in dataclasses.fields(kind)
        if dataclasses.is_dataclass(hints[part.name]) and part.name != _TUNED
        for one in dataclasses.fields(hints[part.name])
    ]


def _nested(dotted: str, value: Any) -> dict[str, Any]:
    first, _, rest = dotted.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _changed(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are changed key by key; anything else, lists too, is replaced."""
    out = dict(table)
    for key, value in changes.items():
        both = isinstance(out.get(key), Mapping) and isinstance(value, Mapping)
        out[key] = _changed(out[key], value) if both else value
    return out


def _made(kind: type[Any], table: object, where: str) -> Any:
    """A frozen dataclass, and those within it, of a table whose keys and types are checked."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} is {short_repr(table)}, but must be a table.")
    hints = typing.get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            raise ConfigError(f"{where}: unknown setting {key!r}. {hint}")
        if dataclasses.is_dataclass(hints[key]):
            values[key] = _made(typing.cast(type[Any], hints[key]), value, f"{where} [{key}]")
        else:
            values[key] = _value(hints[key], value, f"{where}: {key}")
    lacking = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if lacking:
        raise ConfigError(f"{where} has no {', '.join(lacking)}, which it needs.")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """The value where it is of the type, else ConfigError; lists become tuples."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if types.NoneType in kinds and value == "none":  # TOML has no word for it
        return None
    for kind in kinds:
        origin = typing.get_origin(kind) or kind
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(value)
        if origin is Mapping and isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, int) and abs(value) > LARGEST:
            continue
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if (
            isinstance(origin, type)
            and isinstance(value, origin)
            and (kind is bool) == isinstance(value, bool)
        ):
            return value
    named = " or ".join(
        "nothing" if kind is type(None) else getattr(kind, "__name__", str(kind)) for kind in kinds
    )
    raise ConfigError(f"{where} is {short_repr(value)}, but must be of type {named}.")
