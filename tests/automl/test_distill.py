"""A student learns what the ensemble predicts, and nothing of the clips that score it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurist.automl import distill as module
from aurist.automl.distill import distill, recipe_of_student
from aurist.automl.fit import fit, resume
from aurist.automl.mixtures import write_mixtures
from aurist.config import FitConfig
from aurist.errors import DataError
from aurist.export.onnx_file import check_onnx, export_onnx
from aurist.features.waves import WavesInMemory
from aurist.plan import ENSEMBLE
from aurist.run import RunFolder, files_of_run

from ..models.sounds import CLASSES, RATE, sound_data, tiny
from ..small_run import LDA, feature_table, small_plan

pytest.importorskip("timm")
RECIPE = tiny(training={"epochs": 3, "top_k": 1}, augment={"mixing": "mixup"})


def sound_table(folder: Path, **settings: Any) -> Path:
    """A table of sounds whose classes are plain to hear."""
    examples = sound_data(folder / "sounds", n=36, **settings)
    clips = examples.examples.inputs.clips
    assert clips is not None
    label = [CLASSES[int(row.argmax())] for row in examples.examples.targets]
    table = clips.table.assign(label=label, group=[f"g{g}" for g in examples.groups])
    table[["path", "label", "group"]].to_csv(folder / "labels.csv", index=False)
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    (folder / "plan.toml").write_text(LDA)
    config = FitConfig(plan=str(folder / "plan.toml"), folds=2, jobs=1)
    return fit(sound_table(folder), folder / "run", config, cache_dir=folder / "cache")


@pytest.mark.slow
def test_student(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    mixed: list[set[int]] = []
    taught: list[Any] = []
    write, examples = module.write_mixtures, module._examples

    def spy(folder: Path, waves: Any, rows: Any, n: int, **settings: Any) -> Any:
        mixed.append(set(rows.tolist()))
        return write(folder, waves, rows, n, **settings)

    def seen(*arguments: Any) -> Any:
        taught.append(examples(*arguments))
        return taught[-1]

    monkeypatch.setattr(module, "write_mixtures", spy)
    monkeypatch.setattr(module, "_examples", seen)
    before = run.leaderboard().set_index("model")
    result = distill(run, RECIPE, 600)

    from aurist.run import read_data, training_data

    learn = training_data(read_data(run))
    for rows, split in zip(mixed, learn.splits, strict=True):
        assert rows == set(np.flatnonzero(learn.folds != split.fold).tolist())
    for part in taught:
        assert part.soft.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert (part.soft.argmax(axis=1) == part.targets.argmax(axis=1)).all()
        assert (part.soft != part.targets).any()
    board = run.leaderboard().set_index("model")
    assert result.model == "tiny-distilled"
    assert result.score.score == pytest.approx(board.loc["tiny-distilled", "score"])
    assert result.against_ensemble.score == pytest.approx(
        result.score.score - board.loc[ENSEMBLE, "score"], abs=1e-6
    )
    assert result.against_plain is None
    assert board.loc[ENSEMBLE, "score"] == before.loc[ENSEMBLE, "score"]
    assert files_of_run(run).ensemble.members_of(ENSEMBLE) == ["LDA"]
    # it stays when the results are written again, and is read when it is asked for again
    resume(run.folder)
    assert "tiny-distilled" in set(run.leaderboard()["model"])
    assert distill(run, RECIPE, 600) == result
    assert len(mixed) == 2
    file = export_onnx(files_of_run(run), tmp_path / "student.onnx", "tiny-distilled").path
    assert check_onnx(file, files_of_run(run), "tiny-distilled").difference < 1e-4


def test_tables_have_no_sound(tmp_path: Path) -> None:
    table_run = fit(feature_table(), tmp_path / "run", small_plan(tmp_path))
    with pytest.raises(DataError, match="table of features: there is no sound"):
        distill(table_run, RECIPE, 60)


def test_recipe_is_that_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path)
    monkeypatch.setattr(RunFolder, "networks", lambda self: [])
    assert recipe_of_student(run, "mel-cnn", {"training.epochs": 5}).training.epochs == 5
    monkeypatch.setattr(RunFolder, "networks", lambda self: [RECIPE])
    assert recipe_of_student(run, "tiny", {}) == RECIPE
    assert recipe_of_student(run, "tiny", {"training.epochs": 5}).training.epochs == 5


def test_probabilities_reach_the_network(tmp_path: Path) -> None:
    from aurist.models.network_files import input_spec_of
    from aurist.models.training.fold import _labelled_audio

    examples = sound_data(tmp_path, n=36).examples.take(np.arange(6))
    soft = np.random.default_rng(0).dirichlet(np.ones(3), 6).astype(np.float32)
    both = examples.concat(replace(examples, soft=soft)).take(np.arange(3, 9))
    waves = WavesInMemory(RATE, np.zeros(4000, np.float32), np.zeros(6, np.int64), np.full(6, 4000))
    part = _labelled_audio(both, waves, RECIPE, input_spec_of(RECIPE, 4000))
    np.testing.assert_array_equal(part.targets[:3], examples.targets[3:])
    np.testing.assert_array_equal(part.targets[3:], soft[:3])


def test_mixtures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sound = rng.uniform(-1, 1, 3000).astype(np.float32)
    sound[2000:] = 0
    waves = WavesInMemory(RATE, sound, np.array([0, 1000, 2000]), np.array([1000, 1500, 3000]))
    clips = write_mixtures(tmp_path / "a", waves, np.array([0, 1, 2]), 12, multilabel=False, seed=3)
    again = write_mixtures(tmp_path / "b", waves, np.array([0, 1, 2]), 12, multilabel=False, seed=3)
    assert len(clips) == 12
    for one, other in zip(clips.files(), again.files(), strict=True):
        assert one.read_bytes() == other.read_bytes()
    import soundfile

    lengths = {len(soundfile.read(path)[0]) for path in clips.files()}
    assert lengths == {1000, 500}
    peaks = [float(np.abs(soundfile.read(path)[0]).max()) for path in clips.files()]
    assert max(peaks) <= 1
