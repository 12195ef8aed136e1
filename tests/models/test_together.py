"""Networks that take the same images share them, and answer as they do alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.features.images import ImageMaker
from aurist.models.network import NetworkEngine
from aurist.models.network_member import recipe_member
from aurist.models.together import predict_parts_together, predict_together

from .sounds import tiny
from .untrained import TASK, long_sound, write_fold

pytest.importorskip("timm")


def test_answers_are_those_of_each_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    same = tiny(network={"head": "attention"})
    other = tiny(front={"n_mels": 24}, network={"head": "attention"})
    shorter = tiny(window={"seconds": 0.25}, network={"backbone": "mel_cnn", "head": "loudest"})
    models, inputs = [], long_sound()
    for number, (recipe, n_samples) in enumerate(
        [(same, 4000), (other, 4000), (shorter, 2000), (same, 4000)]
    ):
        folder = write_fold(tmp_path / f"fold{number}", recipe, n_samples, seed=number)
        monkeypatch.setenv("AURIST_ENGINE", "torch" if number == 3 else "onnxruntime")
        models.append(NetworkEngine().load(folder, TASK, recipe_member(recipe)))
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    models.append(
        NetworkEngine().load(write_fold(tmp_path / "fold4", same, 4000, seed=4), TASK, recipe_member(same))
    )
    alone = [model.predict_parts(inputs, 4) for model in models]
    for answer, (expected, _) in zip(predict_together(models, inputs), alone, strict=True):
        assert answer == pytest.approx(expected, abs=1e-6)
    for answer, expected in zip(predict_parts_together(models, inputs, 4), alone, strict=True):
        assert answer[0] == pytest.approx(expected[0], abs=1e-6)
        assert answer[1] == pytest.approx(expected[1], abs=1e-6)


def test_folds_share_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    recipe, made, make = tiny(), [], ImageMaker.make
    models = [
        NetworkEngine().load(write_fold(tmp_path / f"{n}", recipe, 4000, seed=n), TASK, recipe_member(recipe))
        for n in range(3)
    ]
    monkeypatch.setattr(ImageMaker, "make", lambda self, y, out: (made.append(1), make(self, y, out)))
    answers = predict_together(models, long_sound())
    assert len(made) == 23  # windows of half a second every quarter, in six seconds
    assert abs(answers[0] - answers[1]).max() > 1e-3
