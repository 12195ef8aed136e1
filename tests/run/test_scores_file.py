"""``scores.json``: its keys are public, and a damaged one is one error with its name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurist.errors import RunError
from aurist.metrics import Interval
from aurist.run import RunFolder
from aurist.run.scores_file import (
    AgainstSingle,
    Best,
    Decisions,
    HeldOut,
    OnTestTable,
    RandomSplit,
    RunScores,
    Trials,
    TunedMember,
    write_random_split,
    write_scores,
)

HALF = Interval(0.5, 0.25, 0.75)
SCORE = {"score": 0.5, "low": 0.25, "high": 0.75}
LEAST = RunScores(
    metric="accuracy",
    best="Ensemble",
    score=HALF,
    chance=0.5,
    n_scored=10,
    n_groups=5,
    groups_known=True,
    random_split=None,
    cautions=(),
    vs_best_single=None,
)
MOST = replace(
    LEAST,
    groups_known=False,
    random_split=RandomSplit("Forest", HALF, HALF, 0.0, leak=False),
    tuned=(TunedMember("Forest", 30, "accuracy", 0.5, 1.0),),
    few_groups={"dog": 2},
    few_groups_trials=(Trials(2, 35, -0.2, 0.1),),
    best_other=Best("Forest", 0.5, 3, 0.1),
    cautions=("Few groups.",),
    test=OnTestTable(10, 2, HALF, HALF, 1),
    held_out=HeldOut(10, 2, HALF, HALF),
    decisions={"f1_macro": Decisions(HALF, HALF)},
    vs_best_single=AgainstSingle("Forest", 0.1, -0.1, 0.3, 0.8),
)


def test_the_keys_of_the_file_stay(tmp_path: Path) -> None:
    write_scores(tmp_path, MOST)
    table = json.loads((tmp_path / "scores.json").read_text())
    assert list(table) == [
        "metric", "best", "score", "chance", "n_scored", "n_groups", "groups_known", "random_split", "tuned",
        "few_groups", "few_groups_trials", "best_other", "cautions", "test", "held_out", "decisions", "vs_best_single",
    ]  # fmt: skip
    assert table["score"] == SCORE
    assert table["random_split"] == {
        "model": "Forest",
        "honest": SCORE,
        "random": SCORE,
        "by_shares": 0.0,
        "leak": False,
    }
    assert table["decisions"] == {"f1_macro": {"at_0.5": SCORE, "thresholds": SCORE}}
    write_scores(tmp_path, LEAST)
    table = json.loads((tmp_path / "scores.json").read_text())
    assert table["random_split"] is table["vs_best_single"] is None
    assert table["cautions"] == []
    assert not {
        "tuned",
        "few_groups",
        "few_groups_trials",
        "best_other",
        "test",
        "held_out",
        "decisions",
    } & set(table)


@pytest.mark.parametrize("scores", [LEAST, MOST])
def test_scores_are_read_as_they_were_written(tmp_path: Path, scores: RunScores) -> None:
    write_scores(tmp_path, scores)
    assert RunFolder(tmp_path).scores() == scores


def test_bounds_may_be_undefined(tmp_path: Path) -> None:
    write_random_split(tmp_path, RandomSplit("Forest", HALF, Interval(0.5, np.nan, np.nan)))
    split = RunFolder(tmp_path).random_split()
    assert split is not None
    assert split.honest == HALF
    assert np.isnan(split.random.low)


def test_a_run_without_scores_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"was not finished: there is no scores\.json"):
        RunFolder(tmp_path).scores()
    assert RunFolder(tmp_path).random_split() is None


@pytest.mark.parametrize(
    "path", [(), ("score",), ("random_split", "honest"), ("test",), ("tuned", 0), ("held_out",)]
)
def test_any_value_of_another_type_is_named(tmp_path: Path, path: tuple[str | int, ...]) -> None:
    write_scores(tmp_path, MOST)
    whole = json.loads((tmp_path / "scores.json").read_text())
    for key in _at(whole, path):
        for other in (["list"], {"a": "table"}, True, 10**30):
            changed = json.loads(json.dumps(whole))
            if isinstance(_at(changed, path)[key], type(other)):
                continue
            _at(changed, path)[key] = other
            (tmp_path / "scores.json").write_text(json.dumps(changed))
            with pytest.raises(
                RunError, match=r"scores\.json is damaged, or was changed: .*Copy the run again"
            ):
                RunFolder(tmp_path).scores()


def _at(table: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        table = table[key]
    return table
