"""Every recipe learns twenty clips by heart: what stands between its settings and its weights is in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.clips import make_clips
from aurist.models.base import Examples, Inputs, Task
from aurist.models.network import NetworkEngine
from aurist.models.network_member import recipe_member
from aurist.recipes import Augment, Recipe, read_recipe, recipe_names

pytest.importorskip("timm")

N_CLIPS, N_CLASSES, EPOCHS, SECONDS, RATE = 20, 3, 60, 4.0, 16000


def plain(recipe: Recipe) -> Recipe:
    """With its own image, network, optimiser and rate; windows of 30 s would be nine tenths padding.

    An image that is stretched to a width is stretched as much for a shorter window.
    """
    training = replace(
        recipe.training, batch_size=5, epochs=EPOCHS, keep="last", top_k=1, seeds=1, patience=None, ema=None
    )
    if recipe.network.backbone == "mfcc_cnn":  # without norms, it has a low rate
        training = replace(training, epochs=2 * EPOCHS)
    if recipe.network.head == "rfcx":  # statistics of a vector a clip settle where weights come to rest
        training = replace(training, schedule="cosine")
    own = recipe.window.seconds or SECONDS
    window = replace(recipe.window, seconds=min(SECONDS, own))
    front = recipe.front
    if front.image is not None:
        front = replace(front, image=(front.image[0], round(front.image[1] * min(1.0, SECONDS / own))))
    network = replace(recipe.network, dropout=0.0)
    return replace(recipe, front=front, training=training, network=network, augment=Augment(), window=window)


def tones(folder: Path) -> Examples:
    """Twenty pitches, whose labels are drawn by lot: nothing but memory helps."""
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, N_CLASSES, N_CLIPS)
    folder.mkdir()
    paths = [folder / f"{i}.wav" for i in range(N_CLIPS)]
    t = np.arange(round(SECONDS * RATE)) / RATE
    for path, pitch in zip(paths, np.geomspace(200, 6000, N_CLIPS), strict=True):
        y = 0.3 * np.sin(2 * np.pi * pitch * t) * (1 + np.sin(2 * np.pi * 3 * t)) / 2
        soundfile.write(path, y + 0.005 * rng.normal(size=len(t)), RATE)
    clips = make_clips([("abc"[label],) for label in drawn], paths=[str(path) for path in paths])
    inputs = Inputs(pd.DataFrame(index=range(N_CLIPS)), clips, folder / "cache")
    return Examples(inputs, np.eye(N_CLASSES, dtype=np.int8)[drawn], np.ones(N_CLIPS))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", recipe_names())
def test_twenty_clips_are_learnt_by_heart(name: str, tmp_path: Path) -> None:
    examples = tones(tmp_path / "tones")
    member = recipe_member(plain(read_recipe(name)))
    (tmp_path / "fold").mkdir()
    task = Task(("a", "b", "c"), False, "accuracy", seed=1, jobs=1)
    first, last = examples.take(np.arange(16)), examples.take(np.arange(16, N_CLIPS))
    model = NetworkEngine().fit(tmp_path / "fold", task, member, first, last, 1e6).model
    proba = model.predict_proba(examples.inputs)
    drawn = examples.targets.argmax(axis=1)
    assert (proba.argmax(axis=1) == drawn).all(), proba[np.arange(N_CLIPS), drawn].round(2)
