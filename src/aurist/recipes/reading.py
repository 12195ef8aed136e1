"""Read recipes from TOML: those of aurist by name, others by path."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aurist.config import LARGEST, read_toml
from aurist.errors import ConfigError, short_repr
from aurist.recipes.recipe import Recipe
from aurist.recipes.search import Space, read_space
from aurist.recipes.tuned import TunedBy

FOLDER = Path(__file__).parent
#: The key in a user's recipe that names the recipe to change.
_BASE = "base"
#: The table of the search space; it is inherited or replaced as a whole.
_SEARCH = "search"
#: The table of the search that chose the settings; it is not a setting.
_TUNED = "tuned"
#: The types of a dataclass's fields: to find them is most of the time of reading.
_hints: Callable[[Any], dict[str, Any]] = functools.cache(typing.get_type_hints)


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with aurist.

    Examples
    --------
    >>> "mel-cnn" in recipe_names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_recipe(name: str, settings: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe by its name, or by the path of a TOML file.

    Parameters
    ----------
    name
        The name or path. A file may begin with ``base = "mel-cnn"``, and then hold only its differences.
    settings
        Changes by dotted name: ``{"training.epochs": 5}``.

    Raises
    ------
    ConfigError
        If there is no such recipe, or a key or value is not valid. The message suggests the nearest name.

    Examples
    --------
    >>> read_recipe("mel-cnn", {"training.epochs": 5}).training.epochs
    5
    """
    table = _table(name, ())
    for dotted, value in (settings or {}).items():
        table = _merge(table, _nested(dotted, value))
    return recipe_from(table, name)


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """Make a recipe of tables such as those of `Recipe.to_dict`; errors name ``where``."""
    recipe: Recipe = _build(Recipe, table, where)
    for name, dimension in search_space(recipe, where).items():
        for value in dimension.extremes:
            try:
                with_settings(recipe, {name: value})
            except ConfigError as error:
                raise ConfigError(f"{where} [search]: {name} = {value!r} is not possible: {error}") from error
    return recipe


def tuned_from(table: object, where: str) -> TunedBy:
    """Read the search that chose the settings from a table; errors name ``where``."""
    tuned: TunedBy = _build(TunedBy, table, where)
    return tuned


def search_space(recipe: Recipe, where: str | None = None) -> Space:
    """Return the search space of a recipe.

    Examples
    --------
    >>> search_space(read_recipe("mel-cnn"))["network.dropout"]
    Range(low=0.0, high=0.5, step=0.1, log=False)
    """
    return read_space(recipe.search, _settings(Recipe), where or recipe.name)


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Change settings of a recipe by dotted name; the result has no search space.

    Examples
    --------
    >>> with_settings(read_recipe("mel-cnn"), {"training.lr": 0.01}).training.lr
    0.01
    """
    table = {key: value for key, value in recipe.to_dict().items() if key != _SEARCH}
    for dotted, value in settings.items():
        table = _merge(table, _nested(dotted, value))
    changed: Recipe = _build(Recipe, table, recipe.name)
    return changed


def setting(recipe: Recipe, dotted: str) -> Any:
    """Return the value of a setting.

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
    """Parse a change from the command line.

    Examples
    --------
    >>> parse_setting("training.epochs=5"), parse_setting("training.optimizer=sgd")
    (('training.epochs', 5), ('training.optimizer', 'sgd'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"Cannot read the change {text!r}; write it as training.epochs=5.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        parsed = value  # a bare word
    return name.strip(), parsed


def recipe_path(name: str) -> Path:
    """Return the file of a recipe, by its name or path.

    Raises
    ------
    ConfigError
        If there is no such recipe or file.
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


def _table(name: str, chain: tuple[str, ...]) -> dict[str, Any]:
    path = recipe_path(name)
    if str(path) in chain:
        raise ConfigError(
            f"{path}: this recipe is based on itself, through {' and '.join(chain[1:]) or 'base'}."
        )
    table = read_toml(path, "the recipe")
    base = table.pop(_BASE, None)
    if base is None:
        return table
    relative = path.parent / str(base)
    base = str(relative) if relative.suffix == ".toml" and relative.exists() else str(base)
    try:
        below = _table(base, (*chain, str(path)))
    except ConfigError as error:
        raise ConfigError(f"{path}, base: {error}") from error
    if _SEARCH in table:
        below.pop(_SEARCH, None)
    return _merge(below, {"name": path.stem, **table})


def _settings(kind: type[Any]) -> list[str]:
    """Return the dotted names of all settings in the tables of a dataclass."""
    hints = _hints(kind)
    return [
        f"{part.name}.{field.name}"
        for part in dataclasses.fields(kind)
        if dataclasses.is_dataclass(hints[part.name]) and part.name != _TUNED
        for field in dataclasses.fields(hints[part.name])
    ]


def _nested(dotted: str, value: Any) -> dict[str, Any]:
    first, _, rest = dotted.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _merge(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge changes into a table. Tables are merged key by key; other values, also lists, are replaced."""
    out = dict(table)
    for key, value in changes.items():
        both = isinstance(out.get(key), Mapping) and isinstance(value, Mapping)
        out[key] = _merge(out[key], value) if both else value
    return out


def _build(kind: type[Any], table: object, where: str) -> Any:
    """Build a dataclass, and those inside it, from a table. Check keys and types."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} is {short_repr(table)}, but must be a table.")
    hints = _hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
            raise ConfigError(f"{where}: unknown setting {key!r}. {hint}")
        if dataclasses.is_dataclass(hints[key]):
            values[key] = _build(typing.cast(type[Any], hints[key]), value, f"{where} [{key}]")
        else:
            values[key] = _value(hints[key], value, f"{where}: {key}")
    missing = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"{where} has no {', '.join(missing)}, but needs it.")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """Return the value if it has the type, else raise ConfigError. Lists become tuples."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if types.NoneType in kinds and value == "none":  # TOML has no None
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
