"""The JSON schema of ``model.json``, for other programs that read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from aurist.run.model_folder import ModelDescription

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def model_schema() -> dict[str, Any]:
    """Make the schema (draft 2020-12) from the dataclasses that read the file.

    Examples
    --------
    >>> model_schema()["properties"]["classes"]
    {'type': 'array', 'items': {'type': 'string'}}
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "model.json of aurist",
        **_schema_of(ModelDescription),
    }


def _schema_of(hint: Any) -> dict[str, Any]:
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if dataclasses.is_dataclass(hint):
        return _object(hint)  # type: ignore[arg-type]
    origin, types = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = [{"type": "null"} if kind is NoneType else _schema_of(kind) for kind in types]
        return {"anyOf": kinds}
    if origin is Literal:
        return {"enum": list(types)}
    if origin is tuple:
        if len(types) == 2 and types[1] is Ellipsis:
            return {"type": "array", "items": _schema_of(types[0])}
        return {"type": "array", "prefixItems": [_schema_of(kind) for kind in types], "items": False}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema_of(types[1])}
    return {}


def _object(kind: type) -> dict[str, Any]:
    hints, fields = get_type_hints(kind), dataclasses.fields(kind)
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return {
        "type": "object",
        "properties": {field.name: _schema_of(hints[field.name]) for field in fields},
        "required": required,
        "additionalProperties": False,
    }
