"""Two runs on the clips that they share: scores and differences with known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips import make_clips
from aurist.errors import DataError
from aurist.metrics import METRICS
from aurist.results.comparison import compare_runs
from aurist.results.reported import model_predictions
from aurist.results.shared_clips import joined_groups, shared_rows
from aurist.run import RunFolder, read_data

from ..small_run import feature_table, small_plan


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    """A run on a table, and one on the same table without some rows and with shuffled numbers of one column."""
    folder = tmp_path_factory.mktemp("pair")
    table = feature_table()
    first = fit(table, folder / "first", small_plan(folder))
    second = fit(table.iloc[30:], folder / "second", small_plan(folder, seed=5))
    return first, second


def test_scores_are_those_of_the_shared_clips(pair: tuple[RunFolder, RunFolder]) -> None:
    compared = compare_runs(*pair)
    data = [read_data(run) for run in pair]
    assert len(compared.clips) == len(data[1].clips)
    assert "30 scored clips of the first run are not in the other one." in compared.notes
    one = compared.scores[0]
    name = data[0].task.metric
    assert one.metric == name
    for run, of, interval in zip(pair, data, (one.first, one.second), strict=True):
        model = model_predictions(run, of, None)
        rows = np.isin(model.clips.table["clip_id"], compared.clips.table["clip_id"])
        assert interval.score == pytest.approx(METRICS[name](model.truth[rows], model.proba[rows]))
    assert one.difference.score == pytest.approx(one.second.score - one.first.score)
    assert one.difference.low <= one.difference.score <= one.difference.high


def test_a_run_equals_itself(pair: tuple[RunFolder, RunFolder]) -> None:
    compared = compare_runs(pair[0], pair[0])
    assert compared.notes == ()
    for one in compared.scores:
        assert (one.difference.score, one.difference.low, one.difference.high) == (0, 0, 0)
    assert (compared.per_class["difference"] == 0).all()


def test_other_labels_and_other_classes_are_said(pair: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    table = feature_table()
    table["genre"] = table["genre"].replace({"folk": "polka"})
    other = fit(table, tmp_path / "other", small_plan(tmp_path))
    compared = compare_runs(pair[0], other)
    assert any(note.startswith("Classes of the first run alone: folk.") for note in compared.notes)
    assert any(note.startswith("Classes of the second run alone: polka.") for note in compared.notes)
    assert len(compared.clips) == (table["genre"] != "polka").sum()
    table["genre"] = "x" + table["genre"]
    with pytest.raises(DataError, match="share no class"):
        compare_runs(pair[0], fit(table, tmp_path / "none", small_plan(tmp_path)))


def test_runs_without_a_shared_clip(pair: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    table = feature_table(seed=9)
    with pytest.raises(DataError, match="share no clip"):
        compare_runs(pair[0], fit(table, tmp_path / "run", small_plan(tmp_path)))


def test_clips_are_matched_by_file_and_time(tmp_path: Path) -> None:
    first = make_clips(
        [("a",), ("b",), ("a",)], paths=["x.wav", "x.wav", "y.wav"], starts=[0.0, 5.0, 0.0], ends=[5.0, 10.0, 5.0],
        root=tmp_path,
    )  # fmt: skip
    second = make_clips(
        [("b",), ("a",)], paths=[str(tmp_path / "x.wav"), "z.wav"], starts=[5.0, 0.0], ends=[10.0, 5.0]
    )
    none = pd.DataFrame(index=range(3)), pd.DataFrame(index=range(2))
    rows, others = shared_rows(first, second, none)
    assert rows.tolist() == [1] and others.tolist() == [0]


def test_rows_of_tables_with_other_features_are_others() -> None:
    clips = make_clips([("a",), ("b",)], clip_ids=["0", "1"])
    tables = pd.DataFrame({"tempo": [100.0, 90.0]}), pd.DataFrame({"tempo": [100.0, 80.0]})
    assert shared_rows(clips, clips, tables)[0].tolist() == [0]


def test_groups_of_either_run_are_joined() -> None:
    groups = joined_groups(np.array([0, 0, 1, 1, 2]), np.array([7, 3, 3, 4, 9]))
    assert len(set(groups[:4].tolist())) == 1 and groups[4] != groups[0]
