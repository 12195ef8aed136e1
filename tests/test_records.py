"""Dataclasses as JSON files: the same values come back, and other content is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from aurist.errors import RunError
from aurist.records import OPTIONAL, from_json, keyed, read_record, to_json, write_record


@dataclass(frozen=True)
class Inner:
    name: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    half: Inner | None = field(metadata=keyed("at 0.5"))
    counts: Mapping[str, int] = field(default_factory=dict, metadata=OPTIONAL)
    rows: tuple[Inner, ...] = field(default=(), metadata=OPTIONAL)
    leak: bool | None = field(default=None, metadata=OPTIONAL)
    band: tuple[float, float] | None = None
    kind: Literal["a", "b"] = "a"
    settings: Mapping[str, Any] = field(default_factory=dict)


WHOLE = Outer(
    inner=Inner("x", 0.5),
    half=Inner("y", 1.0),
    counts={"dog": 2},
    rows=(Inner("z", 0.0),),
    leak=False,
    band=(0.0, 10.0),
    kind="b",
    settings={"any": [1, None]},
)


@pytest.mark.parametrize("record", [WHOLE, Outer(inner=Inner("x", 0.5), half=None)])
def test_what_is_written_is_read(tmp_path: Path, record: Outer) -> None:
    write_record(tmp_path / "a.json", record)
    assert read_record(tmp_path / "a.json", Outer, "Copy it.") == record


def test_only_optional_fields_are_left_out() -> None:
    table = to_json(Outer(inner=Inner("x", 0.5), half=None))
    assert list(table) == ["inner", "at 0.5", "band", "kind", "settings"]
    assert to_json(WHOLE)["leak"] is False


def test_whole_numbers_become_floats() -> None:
    share = from_json(Inner, {"name": "x", "share": 1}).share
    assert isinstance(share, float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inner": None}, "inner is None, and no table"),
        ({"inner": {"name": "x"}}, "there is no inner.share"),
        ({"inner": {"name": "x", "share": "much"}}, "inner.share is 'much'"),
        ({"inner": {"name": "x", "share": True}}, "inner.share is True"),
        ({"inner": {"name": "x", "share": 1.0, "shore": 2}}, "inner.shore is no known key"),
        ({"at 0.5": {}}, "there is no at 0.5.name"),
        ({"counts": {"dog": 0.5}}, "counts.dog is 0.5"),
        ({"counts": []}, r"counts is \[\], and no table"),
        ({"rows": {}}, "rows is {}, and no list"),
        ({"rows": [{"name": "x", "share": 1.0}, 3]}, r"rows\[1\] is 3, and no table"),
        ({"band": [1.0]}, r"band is \[1.0\]"),
        ({"kind": "c"}, "kind is 'c'"),
        ({"kind": []}, r"kind is \[\]"),
        ({"leaks": True}, "leaks is no known key"),
    ],
)
def test_other_content_is_named_with_its_path(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(to_json(WHOLE) | change))
    with pytest.raises(RunError, match=f"a.json is damaged, or was changed: {message}. Copy it."):
        read_record(path, Outer, "Copy it.")


@pytest.mark.parametrize("text", ["", "[]", "null", '{"inner": {"name": "x"', "\x00"])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(RunError, match=r"a\.json is damaged"):
        read_record(tmp_path / "a.json", Outer, "Copy it.")
