"""A run of which a file is cut, changed or gone: an error that names it, and never another exception."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips import COLUMNS
from aurist.clips.read import read_clips
from aurist.config import FitConfig
from aurist.errors import AuristError, RunError
from aurist.inference.predict import predict_clips
from aurist.report import write_report
from aurist.results.evaluation import evaluate_run
from aurist.results.pruning import fitted_members
from aurist.run import files_of_run, open_run, read_data, training_data

PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 5}
"""


@pytest.fixture(scope="module")
def small(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that takes no time, by a plan, which has no clock."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "plan.toml").write_text(PLAN)
    config = FitConfig(plan=str(folder / "plan.toml"), folds=2, jobs=1)
    return fit(table.head(60), folder / "run", config).folder


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "run"))


def predict(folder: Path, table: pd.DataFrame) -> None:
    new = table.drop(columns="genre").head(3)
    predict_clips(files_of_run(open_run(folder)), read_clips(new, labelled=False))


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


PREDICTED_FROM = (
    "data.json",
    "config.toml",
    "ensemble.json",
    "duplicates.npz",
    "models/ExtraTrees/fold1/forest.npz",
)


@pytest.mark.parametrize("damage", [halve, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", PREDICTED_FROM)
def test_predict_names_the_file(
    copy: Path, table: pd.DataFrame, name: str, damage: Callable[[Path], object]
) -> None:
    damage(copy / name)
    with pytest.raises(AuristError) as raised:
        predict(copy, table)
    assert Path(name).name in str(raised.value) or str(copy / name) in str(raised.value)


#: Opened by commands that need the training data, not to predict.
LEARNT_FROM = ("clips.parquet", "features.parquet", "folds.parquet")


@pytest.mark.parametrize("damage", [halve, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", LEARNT_FROM)
def test_the_training_data_is_opened_by_commands_that_need_it_alone(
    copy: Path, table: pd.DataFrame, name: str, damage: Callable[[Path], object]
) -> None:
    damage(copy / name)
    predict(copy, table)
    with pytest.raises(RunError, match=f"{copy / name}"):
        evaluate_run(files_of_run(open_run(copy)), table.head(3))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_that_the_clips_lack_is_named(copy: Path, table: pd.DataFrame, name: str) -> None:
    clips = pd.read_parquet(copy / "clips.parquet")
    clips.drop(columns=name).to_parquet(copy / "clips.parquet")
    with pytest.raises(
        RunError, match=rf"clips\.parquet is damaged, or was changed: it has no column {name}"
    ):
        evaluate_run(files_of_run(open_run(copy)), table.head(3))


def rewritten(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("data.json", lambda v: v.pop("classes")),
        ("data.json", lambda v: v.update(classes="folk")),
        ("data.json", lambda v: v.update(metric="loudness")),
        ("data.json", lambda v: v["schema"].pop()),
        ("data.json", lambda v: v["classes"].pop()),
        ("data.json", lambda v: v.update(format=10**30)),
        ("ensemble.json", lambda v: v["prior_correction"]["prior"].pop()),
        ("ensemble.json", lambda v: v["members"].pop(0)),
        ("ensemble.json", lambda v: v["weights"]["Ensemble"][0].update(Nobody=0.5)),
        ("ensemble.json", lambda v: v["members"][0].update(settings=None)),
    ],
)
def test_json_that_says_something_else_is_refused(
    copy: Path, table: pd.DataFrame, name: str, change: Callable[[dict[str, object]], object]
) -> None:
    rewritten(copy / name, change)
    with pytest.raises(RunError):
        predict(copy, table)


@pytest.mark.parametrize("name", ["leaderboard.csv", "scores.json", "predictions.parquet", "versions.json"])
def test_a_report_names_the_file(copy: Path, tmp_path: Path, name: str) -> None:
    halve(copy / name)
    with pytest.raises(RunError, match=r"run.* is damaged, or was changed"):
        write_report(open_run(copy), tmp_path / "report.html", with_sound=False)


@pytest.mark.parametrize("name", ["predictions.parquet", "unit.json"])
def test_a_fold_that_is_damaged_is_named_with_what_to_delete(copy: Path, name: str) -> None:
    fold = copy / "models" / "ExtraTrees" / "fold1"
    halve(fold / name)
    run = open_run(copy)
    with pytest.raises(RunError, match=f"{fold}/{name} is damaged.*Remove {fold}, and `aurist resume`"):
        fitted_members(run, training_data(read_data(run)))


def test_lines_of_the_journal_without_fields_are_no_end_of_the_run(copy: Path) -> None:
    with (copy / "journal.jsonl").open("a") as journal:
        journal.write('{"at": 5}\n[]\n"x"\n{"event": "resumed", "used": "long"}\n{"event": "fitt')
    assert open_run(copy).is_finished()
