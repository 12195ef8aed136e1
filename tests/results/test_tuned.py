"""A run whose settings were chosen by the clips that it is scored on says so."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w

from aurist.automl.fit import fit
from aurist.clips.read import ReadOptions
from aurist.config import FitConfig
from aurist.recipes import TunedBy, sample_of
from aurist.results.tuned import clip_hashes
from aurist.run import RunFolder, read_data, training_data

from ..command import aurist as command


def fit_tuned(folder: Path, table: pd.DataFrame, tuned: TunedBy) -> RunFolder:
    member = {"name": "Forest-tuned", "engine": "forest", "tuned": asdict(tuned)}
    other = {"name": "LDA", "engine": "classic", "settings": {"kind": "lda"}}
    folder.mkdir()
    (folder / "plan.toml").write_text(tomli_w.dumps({"member": [member, other]}), encoding="utf-8")
    config = FitConfig(plan=str(folder / "plan.toml"), folds=3, jobs=1)
    return fit(table, folder / "run", config, options=ReadOptions(label="label"))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    return features.assign(label=np.where(features["a"] > 0, "x", "y"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, table: pd.DataFrame) -> RunFolder:
    return fit_tuned(tmp_path_factory.mktemp("tuned") / "first", table, TunedBy())


@pytest.fixture(scope="module")
def tuned(first: RunFolder) -> TunedBy:
    hashes = clip_hashes(training_data(read_data(first)))
    return TunedBy(40, "accuracy", 0.913, sample_of(hashes))


def test_on_the_same_clips_it_is_said_wherever_scores_are(
    tmp_path: Path, table: pd.DataFrame, tuned: TunedBy
) -> None:
    run = fit_tuned(tmp_path / "again", table, tuned)
    scores = run.scores()
    (tuned_score,) = scores.tuned
    assert (tuned_score.model, tuned_score.trials, tuned_score.share) == ("Forest-tuned", 40, 1.0)
    sentence = "the settings of Forest-tuned were the best of 40 trials (accuracy 0.913) on the clips"
    assert sentence in " ".join(scores.cautions)
    assert sentence in " ".join(command("leaderboard", run.folder).stdout.split())
    command("report", run.folder)
    assert sentence in (run.folder / "report.html").read_text(encoding="utf-8")


def test_some_of_the_clips_in_another_order_are_known(
    tmp_path: Path, table: pd.DataFrame, tuned: TunedBy
) -> None:
    rng = np.random.default_rng(1)
    new = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc")).assign(label=["x", "y"] * 50)
    mixed = pd.concat([table.iloc[:100], new]).sample(frac=1, random_state=0)
    (tuned_score,) = fit_tuned(tmp_path / "half", mixed, tuned).scores().tuned
    assert 0.3 < tuned_score.share < 0.7


def test_nothing_is_said_where_nothing_was_chosen_on_these_clips(
    tmp_path: Path, first: RunFolder, table: pd.DataFrame, tuned: TunedBy
) -> None:
    others = table.assign(a=table["a"] + 0.001)
    once = TunedBy(1, "accuracy", 0.9, tuned.clips)
    for run in (
        first,
        fit_tuned(tmp_path / "others", others, tuned),
        fit_tuned(tmp_path / "once", table, once),
    ):
        assert run.scores().tuned == ()
        assert "Tuned on these clips" not in " ".join(run.scores().cautions)
