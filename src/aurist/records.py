"""Dataclasses as the content of JSON files: the names of the fields are the keys of the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from aurist.errors import short_repr
from aurist.files import write_json
from aurist.stored import check_shape, stored

Record = TypeVar("Record")
#: Metadata of a field that is not written if it has its default.
OPTIONAL = {"optional": True}


def keyed(key: str) -> dict[str, str]:
    """Give the metadata of a field with another key in the file, such as a key with a blank."""
    return {"key": key}


def write_record(path: Path, record: object) -> None:
    """Write a dataclass as a JSON file, atomically."""
    write_json(path, to_json(record))


def read_record(path: Path, kind: type[Record], remedy: str) -> Record:
    """Read a dataclass from the JSON file that `write_record` wrote.

    Parameters
    ----------
    path
        The file.
    kind
        The dataclass.
    remedy
        The next step for the user if the file is damaged, as a sentence.

    Raises
    ------
    RunError
        If the file is missing, is no JSON, or has other content.
    """
    with stored(path, remedy):
        return from_json(kind, json.loads(path.read_text(encoding="utf-8")))


def to_json(value: Any) -> Any:
    """Turn a dataclass, and the dataclasses in it, into values for JSON.

    Examples
    --------
    >>> from aurist.metrics import Interval
    >>> to_json({"score": Interval(0.5, 0.25, 0.75), "names": ("a", "b")})
    {'score': {'score': 0.5, 'low': 0.25, 'high': 0.75}, 'names': ['a', 'b']}
    """
    if dataclasses.is_dataclass(value):
        fields = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
        return {_key(field): to_json(entry) for field, entry in fields if not _left_out(field, entry)}
    if isinstance(value, Mapping):
        return {key: to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    return value


def from_json(kind: type[Record], value: object) -> Record:
    """Make a dataclass of a table of JSON.

    Raises
    ------
    ValueError
        If the table lacks a key without a default, has an unknown key, or has a value of another type.

    Examples
    --------
    >>> from aurist.metrics import Interval
    >>> from_json(Interval, {"score": 0.5, "low": 0.25, "high": 0.75})
    Interval(score=0.5, low=0.25, high=0.75)
    >>> from_json(Interval, {"score": 0.5, "low": "a quarter", "high": 0.75})
    Traceback (most recent call last):
    ValueError: low is 'a quarter'
    """
    return _dataclass_of(kind, value, "it")


def _key(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("key", field.name))


def _left_out(field: dataclasses.Field[Any], value: object) -> bool:
    if not field.metadata.get("optional"):
        return False
    factory = field.default_factory
    return bool(value == (field.default if factory is dataclasses.MISSING else factory()))


@cache
def _reader(hint: Any) -> Callable[[object, str], Any]:
    """Make the function that checks a value of JSON against the type of a field, and converts it."""
    if hint in (str, int, float, bool):
        return partial(_scalar_of, hint)
    if dataclasses.is_dataclass(hint):
        return partial(_dataclass_of, hint)  # type: ignore[arg-type]
    origin, types = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        read = _reader(next(kind for kind in types if kind is not NoneType))
        return lambda value, name: None if value is None else read(value, name)
    if origin is tuple:
        return partial(_tuple_of, types)
    if origin is Literal:
        return partial(_literal_of, types)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return partial(_mapping_of, _reader(types[1]))
    return lambda value, name: value


def _scalar_of(kind: type, value: object, name: str) -> Any:
    check_shape(value, kind, name)
    return float(value) if kind is float else value  # type: ignore[arg-type]


def _literal_of(literals: tuple[object, ...], value: object, name: str) -> object:
    if value not in literals:
        raise ValueError(f"{name} is {short_repr(value)}")
    return value


def _mapping_of(read: Callable[[object, str], Any], value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {short_repr(value)}, and no table")
    return {key: read(entry, f"{_inside(name)}{key}") for key, entry in value.items()}


def _tuple_of(types: tuple[Any, ...], value: object, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is {short_repr(value)}, and no list")
    kinds = types[:1] * len(value) if types[-1] is Ellipsis else types
    if len(kinds) != len(value):
        raise ValueError(f"{name} is {short_repr(value)}")
    return tuple(
        _reader(kind)(entry, f"{name}[{number}]")
        for number, (kind, entry) in enumerate(zip(kinds, value, strict=True))
    )


def _dataclass_of(kind: type[Record], value: object, name: str) -> Record:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {short_repr(value)}, and no table")
    fields, inside = _fields_by_key(kind), _inside(name)  # type: ignore[arg-type]
    unknown = value.keys() - fields.keys()
    if unknown:
        raise ValueError(f"{inside}{min(unknown)} is no known key")
    entries = {}
    for key, (field, read) in fields.items():
        if key in value:
            entries[field.name] = read(value[key], f"{inside}{key}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"there is no {inside}{key}")
    return kind(**entries)


@cache
def _fields_by_key(kind: Any) -> dict[str, tuple[dataclasses.Field[Any], Callable[[object, str], Any]]]:
    """Give each field of a dataclass, with the function that reads it, by its key in the file."""
    hints = get_type_hints(kind)
    return {_key(field): (field, _reader(hints[field.name])) for field in dataclasses.fields(kind)}


def _inside(name: str) -> str:
    return "" if name == "it" else f"{name}."
