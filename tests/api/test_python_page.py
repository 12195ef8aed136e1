"""Every line of docs/python.md, and the API with what is wrong."""

from __future__ import annotations

import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import aurist
from aurist.synth import synthesise_music

from ..small_run import LDA

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def run_page(folder: Path) -> None:
    """Run the page's lines in a folder with what it speaks of, and keep its table."""
    (folder / "plan.toml").write_text(LDA)
    synthesise_music(folder / "music", tracks_per_genre=5, duration=2.0)
    synthesise_music(folder / "more", tracks_per_genre=1, duration=2.0, seed=1)
    for genre in sorted((folder / "music").iterdir())[::2]:
        shutil.rmtree(genre)
        shutil.rmtree(folder / "more" / genre.name)
    (folder / "new").mkdir()
    for name, track in zip("ab", sorted((folder / "more").glob("*/*.wav")), strict=False):
        (folder / "new" / f"{name}.wav").write_bytes(track.read_bytes())
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
            exec(block, names)
    names["table"].to_parquet(folder / "table.parquet")


@pytest.fixture(scope="module")
def page(built_once: Callable[[str, Callable[[Path], object]], Path]) -> dict[str, Any]:
    """The folder that the page's lines leave behind, and what is in it."""
    folder = built_once("page", run_page)
    samples, sample_rate = soundfile.read(folder / "new" / "a.wav")
    return {
        "folder": folder,
        "run": aurist.load(folder / "run"),
        "songs": aurist.load(folder / "songs"),
        "table": pd.read_parquet(folder / "table.parquet"),
        "samples": samples,
        "sample_rate": sample_rate,
    }


def test_every_line_of_the_page_runs(page: dict[str, Any]) -> None:
    for name in ("report.html", "leaderboard.png"):
        assert (page["folder"] / name).stat().st_size > 0
    assert (page["songs"].predict(page["table"]) == page["table"]["genre"]).mean() > 0.9
    assert f"{page['run'].score}" in page["run"]._repr_html_()


def test_samples_get_the_answer_of_their_file(page: dict[str, Any]) -> None:
    of_file = page["run"].predict_proba(page["folder"] / "new" / "a.wav")
    for samples in (page["samples"], (page["samples"] * 2**15).round().astype(np.int16)):
        again = page["run"].predict_proba(samples, sample_rate=page["sample_rate"])
        np.testing.assert_allclose(again.to_numpy(), of_file.to_numpy(), atol=1e-3)


def test_a_table_is_answered_by_its_index(page: dict[str, Any]) -> None:
    part = page["table"].iloc[[5, 3]].set_index(pd.Index(["x", "y"]))
    assert page["songs"].predict(part).index.tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros(100), None, "give sample_rate="),
        (np.array([0.0, np.nan, 1.0]), 8000, "1 sample NaN or infinite, the first at 1"),
        (np.zeros((1000, 2)), 8000, "2 channels of 1,000"),
        (np.zeros((2, 3, 4)), 8000, "has the shape"),
        ([np.zeros(0), np.zeros(9)], 8000, "clip 0: has no samples"),
        (np.zeros(100), -1, "sample_rate is -1"),
        ("new", 8000, "samples in memory"),
        ([], None, "empty list"),
        ([1.5], None, "list of float"),
        ("nowhere.wav", None, "does not exist"),
    ],
)
def test_wrong_inputs_are_named(
    page: dict[str, Any], samples: Any, rate: int | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(page["folder"])
    with pytest.raises(aurist.AuristError, match=message):
        page["run"].predict(samples, sample_rate=rate)


def test_errors_speak_of_keywords(page: dict[str, Any], tmp_path: Path) -> None:
    table = page["table"]
    for data, keywords, message in (
        (table.drop(columns="genre"), {}, "label="),
        (table, {"label": "species"}, r"\(label=\)"),
        (table, {"label": "genre", "folds": 1}, "folds is 1"),
        (table, {"label": "genre", "time_limit": "soon"}, "as a duration"),
        ([1, 2], {}, "data is of type list"),
    ):
        with pytest.raises(aurist.AuristError, match=message) as raised:
            aurist.fit(data, tmp_path / "run", **keywords)  # type: ignore[arg-type]
        assert "--" not in str(raised.value)


def test_a_recording_that_cannot_be_read_has_no_label(
    page: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with caplog.at_level("WARNING", logger="aurist"):
        labels = page["run"].predict([page["folder"] / "new" / "a.wav", tmp_path / "broken.wav"])
    assert labels.iloc[0] in page["run"].classes and labels.iloc[1] is None
    assert "broken.wav" in caplog.text


def test_the_classifier_works_in_scikit_learn(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(LDA)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.where(X[:, 0] > 0, 10, 9)  # in another order as text
    classifier = aurist.AudioClassifier(plan=tmp_path / "plan.toml", jobs=1, folds=2)
    assert clone(classifier).get_params() == classifier.get_params()
    pipeline = make_pipeline(StandardScaler(), classifier)
    search = GridSearchCV(pipeline, {"audioclassifier__seed": [0]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.8 and search.classes_.tolist() == [9, 10]
    classifier.fit(X, y, groups=np.arange(60) // 2)
    folds = pd.read_parquet(classifier.run_.folder / "folds.parquet")["fold"].to_numpy()
    assert (folds[::2] == folds[1::2]).all()
    again = pickle.loads(pickle.dumps(classifier))
    assert again.run_.folder != classifier.run_.folder
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_the_classifier_takes_paths_and_waveforms(page: dict[str, Any]) -> None:
    paths = sorted(map(str, (page["folder"] / "music").glob("*/*")))
    y = [Path(path).parent.name[0] < "n" for path in paths]
    settings: dict[str, Any] = {"plan": page["folder"] / "plan.toml", "jobs": 1, "folds": 2}
    labels = aurist.AudioClassifier(**settings).fit(paths, y).predict(paths)
    assert labels.dtype == bool and labels.shape == (len(paths),)
    X = np.random.default_rng(0).normal(0, 0.1, (12, 8000)) * np.repeat([1, 4], 6)[:, None]
    classifier = aurist.AudioClassifier(sample_rate=8000, **settings).fit(X, np.repeat(["low", "loud"], 6))
    assert classifier.predict(X).shape == (12,)
    with pytest.raises(ValueError, match="NaN"):
        classifier.predict(np.full((1, 8000), np.nan))
