"""``data.json`` and ``audit.json``: damaged ones are one error with their name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurist.errors import RunError
from aurist.features.schema import Column
from aurist.features.summary_config import SummaryConfig
from aurist.records import write_record
from aurist.run import AuditFacts, RunFolder, read_audit
from aurist.run.description import RunDescription

WHOLE = RunDescription(
    format=3,
    classes=("cat", "dog"),
    multilabel=False,
    unannotated="absent",
    window=None,
    band=(1000.0, 8000.0),
    grouping=None,
    metric="accuracy",
    root=None,
    schema=(Column("tempo", "number", decimal_comma=True), Column("mode", "category", ("major",))),
    features=2,
    summary=SummaryConfig(fmin=20.0),
    notes=("A note.",),
    cache_dir=None,
)


def test_the_keys_of_the_file_stay(tmp_path: Path) -> None:
    write_record(tmp_path / "data.json", WHOLE)
    table = json.loads((tmp_path / "data.json").read_text())
    assert list(table) == [
        "format", "classes", "multilabel", "unannotated", "window", "band", "grouping", "metric", "root", "schema",
        "features", "summary", "notes", "cache_dir",
    ]  # fmt: skip
    assert table["schema"] == [
        {"name": "tempo", "kind": "number", "categories": [], "decimal_comma": True},
        {"name": "mode", "kind": "category", "categories": ["major"]},
    ]
    assert RunFolder(tmp_path).description() == WHOLE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop("window"), "there is no window"),
        (lambda v: v["summary"].update(hob=3), "summary.hob is no known key"),
        (lambda v: v["schema"][0].update(kind="text"), r"schema\[0\].kind is 'text'"),
        (lambda v: v.update(unannotated="maybe"), "unannotated is 'maybe'"),
        (lambda v: v.update(band=[1.0]), r"band is \[1.0\]"),
    ],
)
def test_a_changed_description_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    write_record(tmp_path / "data.json", WHOLE)
    table = json.loads((tmp_path / "data.json").read_text())
    change(table)
    (tmp_path / "data.json").write_text(json.dumps(table))
    with pytest.raises(RunError, match=rf"data\.json is damaged, or was changed: {message}"):
        RunFolder(tmp_path).description()


def test_an_audit_without_recordings_has_no_rates(tmp_path: Path) -> None:
    leaks = [
        {"between": between, "what": "group", "rows": 4, "sets": 1}
        for between in ("the two tables", "the folds")
    ]
    (tmp_path / "audit.json").write_text(json.dumps({"content": {"clips": 3}, "leaks": leaks, "near": []}))
    assert read_audit(RunFolder(tmp_path)) == AuditFacts({}, {}, 4)


@pytest.mark.parametrize("table", [{}, {"content": {}}, {"content": {}, "leaks": [{"between": "folds"}]}, []])
def test_an_audit_of_other_content_is_refused(tmp_path: Path, table: object) -> None:
    (tmp_path / "audit.json").write_text(json.dumps(table))
    with pytest.raises(RunError, match=r"audit\.json is damaged"):
        read_audit(RunFolder(tmp_path))
