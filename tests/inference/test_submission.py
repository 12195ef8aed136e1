from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurist
from aurist.clips.read import read_clips
from aurist.inference.clip_predictions import PROBABILITY, ClipPredictions
from aurist.inference.predict import predict_clips
from aurist.inference.submission import submission
from aurist.results.pairwise import against_best_single
from aurist.run import RunFolder, files_of_run

from ..small_run import feature_table


@pytest.fixture(scope="module")
def applied(run: RunFolder) -> ClipPredictions:
    new = feature_table(20, seed=3).drop(columns="genre").assign(ID=[f"TEST_{i}" for i in range(32)])
    return predict_clips(files_of_run(run), read_clips(new, labelled=False))


def test_the_samples_columns_ids_and_order_are_kept(applied: ClipPredictions) -> None:
    sample = pd.DataFrame({"ID": [f"TEST_{i}" for i in (5, 3, 8)], "genre": "Pop"})
    made = submission(applied, sample, "sample.csv")
    assert made["ID"].tolist() == sample["ID"].tolist()
    labels = dict(zip(applied.clips.table["clip_id"], applied.labels(), strict=True))
    assert made["genre"].tolist() == [labels[name] for name in sample["ID"]]


def test_a_column_for_each_class_gets_its_probability(applied: ClipPredictions) -> None:
    sample = pd.DataFrame({"ID": ["TEST_1"], "rock": 0.0, "folk": 0.0})
    made = submission(applied, sample, "sample.csv")
    assert made["rock"].iloc[0] == applied.proba[1, applied.classes.index("rock")]


def test_ids_that_were_not_predicted_are_listed(applied: ClipPredictions) -> None:
    sample = pd.DataFrame({"ID": ["TEST_1", "X7", "X8"], "genre": "Pop"})
    with pytest.raises(aurist.DataError, match=r"(?s)2 of its 3 ids were not predicted.*X7.*X8"):
        submission(applied, sample, "sample.csv")


def test_rows_that_could_not_be_predicted_are_called_by_their_row_in_the_file(
    run: RunFolder, tmp_path: Path
) -> None:
    new = feature_table(20, seed=3).drop(columns="genre")
    new.iloc[[1, 3]] = np.nan
    new.to_csv(tmp_path / "new.csv", index=False)
    failed = predict_clips(files_of_run(run), read_clips(tmp_path / "new.csv", labelled=False))
    sample = pd.DataFrame({"ID": [str(i) for i in range(len(new))], "genre": "Pop"})
    with pytest.raises(aurist.DataError, match=r"(?s)2 rows.*\n  1 \(row 3\): all .*\n  3 \(row 5\): all "):
        submission(failed, sample, "sample.csv")
    new.assign(ID=[f"T{i}" for i in range(len(new))]).to_csv(tmp_path / "new.csv", index=False)
    failed = predict_clips(files_of_run(run), read_clips(tmp_path / "new.csv", labelled=False))
    with pytest.raises(aurist.DataError, match=r"\n  T1 \(row 3\): all "):
        submission(failed, sample.assign(ID="T" + sample["ID"]), "sample.csv")


def test_columns_that_are_no_classes_are_listed(applied: ClipPredictions) -> None:
    sample = pd.DataFrame({"ID": ["TEST_1"], "rock": 0.0, "polka": 0.0})
    with pytest.raises(aurist.DataError, match=r"(?s)polka.*folk, rap, rock"):
        submission(applied, sample, "sample.csv")


def test_repeated_ids_stay_in_the_output_in_their_order(run: RunFolder) -> None:
    ids = ["7", "008", "7", *(f"t{i}" for i in range(29))]
    new = feature_table(20, seed=3).drop(columns="genre").assign(ID=ids)
    applied = predict_clips(files_of_run(run), read_clips(new, labelled=False))
    assert applied.to_frame()["id"].tolist() == ids
    assert any("'7' in rows 0, 2" in note for note in applied.clips.notes)
    made = submission(applied, pd.DataFrame({"ID": ["7", "t0", "7"], "rock": 0.0}), "sample.csv")
    rock = applied.proba[:, applied.classes.index("rock")]
    assert made["rock"].tolist() == [rock[0], rock[3], rock[2]]


def test_a_table_of_another_kind_is_told_what_was_expected_and_found(run: RunFolder) -> None:
    other = pd.DataFrame({"zap": [1.0, 2.0], "zip": [3.0, 4.0]})
    text = r"(?s)table of 6 features.*none of them.*expected the columns: tempo, energy.*found the columns: +zap, zip"
    with pytest.raises(aurist.DataError, match=text):
        predict_clips(files_of_run(run), read_clips(other, labelled=False))
    recordings = pd.DataFrame({"path": ["a.wav", "b.wav"], "tempo": [1.0, 2.0]})
    with pytest.raises(
        aurist.DataError, match=r"(?s)recordings were given, such as a.wav.*tempo.*path=\"none\""
    ):
        predict_clips(files_of_run(run), read_clips(recordings, labelled=False))


def test_written_probabilities_sum_to_one(applied: ClipPredictions, tmp_path: Path) -> None:
    applied.to_frame().to_csv(tmp_path / "p.csv", index=False, float_format=PROBABILITY)
    text = (tmp_path / "p.csv").read_text()
    assert max(len(cell) for line in text.splitlines()[1:] for cell in line.split(",")[2:]) <= 16
    written = pd.read_csv(tmp_path / "p.csv")[list(applied.classes)]
    np.testing.assert_allclose(written.sum(axis=1), applied.proba.sum(axis=1), atol=1e-8)


def test_the_gain_of_the_ensemble_is_that_of_the_leaderboard(run: RunFolder) -> None:
    board = run.leaderboard().set_index("model")["score"]
    singles = board.drop(["Ensemble", "AutoGluonEnsemble"], errors="ignore")
    gain = against_best_single(run.pairwise(), singles.index)
    assert gain is not None
    assert gain.model == singles.index[0]
    assert gain.score == pytest.approx(board["Ensemble"] - singles.max(), abs=1e-5)
    assert gain.low <= gain.score <= gain.high


def test_every_pair_of_rows_is_compared(run: RunFolder) -> None:
    pairs, board = run.pairwise(), run.leaderboard()
    scores = board.set_index("model")["score"]
    assert len(pairs) == len(board) * (len(board) - 1) / 2
    gaps = scores[pairs["model"]].to_numpy() - scores[pairs["other"]].to_numpy()
    assert pairs["difference"].to_numpy() == pytest.approx(gaps, abs=1e-4)
    assert (pairs["difference"] >= 0).all() and pairs["better"].between(0, 1).all()
    assert ((pairs["low"] <= pairs["difference"]) & (pairs["difference"] <= pairs["high"])).all()
