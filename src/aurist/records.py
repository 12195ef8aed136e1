"""Dataclasses as the content of JSON files: the names of the fields are the keys of the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
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


def _value_of(hint: Any, value: object, name: str) -> Any:
    """Check a value of JSON against the type of a field, and convert it."""
    origin, types = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _dataclass_of(hint, value, name)  # type: ignore[arg-type]
    if origin in (Union, UnionType):
        inner = [kind for kind in types if kind is not NoneType]
        return None if value is None else _value_of(inner[0], value, name)
    if origin is tuple:
        return _tuple_of(types, value, name)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        check_shape(value, dict, name)
        inside = _inside(name)
        return {
            key: _value_of(types[1], entry, f"{inside}{key}")
            for key, entry in dict(value).items()  # type: ignore[call-overload]
        }
    if origin is Literal:
        if value not in types:
            raise ValueError(f"{name} is {short_repr(value)}")
        return value
    if hint is Any:
        return value
    check_shape(value, hint, name)
    return float(value) if hint is float else value  # type: ignore[arg-type]


def _tuple_of(types: tuple[Any, ...], value: object, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is {short_repr(value)}, and no list")
    if types[-1] is Ellipsis:
        types = types[:1] * len(value)
    if len(types) != len(value):
        raise ValueError(f"{name} is {short_repr(value)}")
    return tuple(
        _value_of(kind, entry, f"{name}[{number}]")
        for number, (kind, entry) in enumerate(zip(types, value, strict=True))
    )


def _dataclass_of(kind: type[Record], value: object, name: str) -> Record:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {short_repr(value)}, and no table")
    hints, inside = get_type_hints(kind), _inside(name)
    fields = {_key(field): field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = [key for key in value if key not in fields]
    if unknown:
        raise ValueError(f"{inside}{unknown[0]} is no known key")
    entries = {}
    for key, field in fields.items():
        if key in value:
            entries[field.name] = _value_of(hints[field.name], value[key], f"{inside}{key}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"there is no {inside}{key}")
    return kind(**entries)


def _inside(name: str) -> str:
    return "" if name == "it" else f"{name}."
