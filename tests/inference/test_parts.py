"""Many recordings are predicted in parts: the answers are those of all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.inference import predictor
from aurist.inference.features import FeaturePipeline

from ..archives.made import dataset
from ..command import done

PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 20}

[[member]]
name = "KernelRidge"
engine = "kernel"
"""


def test_parts_give_the_same_table_and_the_same_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(tmp_path / "files")
    (tmp_path / "plan.toml").write_text(PLAN)
    done("fit", "files", "--plan", "plan.toml", "--folds", 2, "--jobs", 1, "-o", "run", cwd=tmp_path)
    table = dataset(tmp_path / "new", 12)
    for row in (1, 9, 11):  # in several parts; one of them is the last row
        (tmp_path / "new" / table["path"][row]).write_bytes(b"no sound")
    whole = done("predict", "run", "new", "-o", "whole.csv", cwd=tmp_path)
    parts: list[int] = []
    transform = FeaturePipeline.transform
    monkeypatch.setattr(predictor, "PART", 5)
    monkeypatch.setattr(
        FeaturePipeline,
        "transform",
        lambda self, clips, **options: parts.append(len(clips)) or transform(self, clips, **options),
    )
    in_parts = done("predict", "run", "new", "-o", "parts.csv", cwd=tmp_path)
    assert parts == [5, 5, 2]
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert in_parts.stderr.replace("parts.csv", "whole.csv") == whole.stderr
    assert whole.stderr.count("no sound") + whole.stderr.count("cannot") >= 3
