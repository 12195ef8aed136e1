"""Groups from names in a run, and clips of groups that it has learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.cli.printing import UNKNOWN_GROUPS, group_words
from aurist.config import FitConfig
from aurist.results.evaluation import evaluate_run
from aurist.run import RunFolder, files_of_run, read_data

from ..small_run import HUNDRED

pytestmark = pytest.mark.usefixtures("hundred_trees")


def pieces(tracks: range, segments: range, seed: int = 0) -> pd.DataFrame:
    """Three-second pieces of tracks of noise: a track has an offset of its own, a class has none."""
    rng = np.random.default_rng(seed)
    offsets = rng.normal(0, 2, (100, 8))
    rows = [
        [
            f"{genre}.{track:05d}.{segment}.wav",
            *(offsets[track + 50 * (genre == "jazz")] + rng.normal(0, 1, 8)),
            genre,
        ]
        for genre in ("blues", "jazz")
        for track in tracks
        for segment in segments
    ]
    return pd.DataFrame(rows, columns=["filename", *[f"f{i}" for i in range(8)], "label"])


def quick(folder: Path) -> FitConfig:
    """The forest alone, in three folds, without a clock."""
    (folder / "plan.toml").write_text(HUNDRED)
    return FitConfig(plan=str(folder / "plan.toml"), folds=3, jobs=1)


@pytest.fixture(scope="module")
def run(hundred_trees: None, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("learnt")
    return fit(
        pieces(range(20), range(6)), folder / "run", quick(folder), test=pieces(range(30), range(6, 8), 1)
    )


def test_pieces_of_tracks_score_chance(run: RunFolder) -> None:
    scores = run.scores()
    assert scores.n_groups == 40
    assert scores.groups_known
    assert scores.score.low < 0.55
    assert scores.random_split.random.score > 0.75
    assert group_words(scores.n_groups, known=True) == " in 40 groups that its models had not seen"


def test_the_run_keeps_the_rule(run: RunFolder) -> None:
    grouping = read_data(run).clips.grouping
    assert grouping is not None
    assert grouping.used
    assert grouping.rule.group_of("rock.00007.9.wav") == "rock.00007"


def test_rows_of_the_test_table_in_learnt_groups_are_counted(run: RunFolder) -> None:
    assert run.scores().test.of_learnt_groups == 80


def test_an_evaluation_scores_new_tracks_apart(run: RunFolder) -> None:
    evaluation = evaluate_run(files_of_run(run), pieces(range(30), range(6, 10), 1))
    assert any("160 of 240 clips are in a group" in note for note in evaluation.applied.notes)
    title = next(title for title in evaluation.scores if title.startswith("new rows"))
    assert "80 of 240" in title
    accuracy = {name: table.set_index("metric").loc["accuracy"] for name, table in evaluation.scores.items()}
    assert accuracy[title]["low"] < 0.6


def test_an_evaluation_of_nothing_but_learnt_tracks_says_so(run: RunFolder) -> None:
    evaluation = evaluate_run(files_of_run(run), pieces(range(20), range(6, 10), 1))
    assert list(evaluation.scores) == ["all rows"]
    assert any("the score says nothing about new groups" in note for note in evaluation.applied.notes)


def test_an_evaluation_of_new_tracks_has_nothing_to_say(run: RunFolder) -> None:
    evaluation = evaluate_run(files_of_run(run), pieces(range(30, 40), range(4), 1))
    assert list(evaluation.scores) == ["all rows"]
    assert not any("of the training data:" in note for note in evaluation.applied.notes)


def test_given_groups_are_compared_by_name(tmp_path: Path) -> None:
    def with_artist(table: pd.DataFrame) -> pd.DataFrame:
        track = table.pop("filename").str.rsplit(".", n=2).str[0]
        return table.assign(artist=track)

    run = fit(with_artist(pieces(range(10), range(4))), tmp_path / "run", quick(tmp_path))
    evaluation = evaluate_run(files_of_run(run), with_artist(pieces(range(5, 15), range(4, 6), 1)))
    assert any("20 of 40 clips are in a group" in note for note in evaluation.applied.notes)


def test_without_groups_the_score_says_so() -> None:
    assert group_words(5, known=False) == f", {UNKNOWN_GROUPS}"
    assert (
        "each clip counted as its own group: if clips were cut from longer recordings, give --group"
        in UNKNOWN_GROUPS
    )
