"""Every recipe learns twenty clips by heart: what stands between its settings and its weights is in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aurist.models.base import Inputs
from aurist.models.network import NetworkEngine, recipe_member
from aurist.recipes import Augment, read_recipe, recipe_names

from ..sounds import sound_data

pytest.importorskip("timm")

N_CLIPS, EPOCHS, SECONDS = 20, 60, 3.0


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", recipe_names())
def test_twenty_clips_are_learnt_by_heart(name: str, tmp_path: Path) -> None:
    """With its own image, network, optimiser and rate, but the labels drawn by lot: nothing but memory helps."""
    recipe = read_recipe(name)
    training = replace(
        recipe.training, batch_size=5, epochs=EPOCHS, keep="last", top_k=1, seeds=1, patience=None, ema=None
    )
    network = replace(recipe.network, dropout=0.0)
    # windows of 30 s would be nine tenths padding
    window = replace(recipe.window, seconds=min(SECONDS, recipe.window.seconds or SECONDS))
    recipe = replace(recipe, training=training, network=network, augment=Augment(), window=window)
    data = sound_data(tmp_path / "sounds", n=21, seconds=SECONDS)
    examples = data.examples.take(np.arange(N_CLIPS))
    drawn = np.random.default_rng(1).integers(0, 3, N_CLIPS)
    examples = replace(examples, targets=np.eye(3, dtype=np.int8)[drawn])
    assert isinstance(examples.inputs, Inputs)
    member = recipe_member(recipe)
    (tmp_path / "fold").mkdir()
    model = (
        NetworkEngine()
        .fit(
            tmp_path / "fold",
            data.task,
            member,
            examples.take(np.arange(16)),
            examples.take(np.arange(16, 20)),
            1e6,
        )
        .model
    )
    proba = model.predict_proba(examples.inputs)
    assert (proba.argmax(axis=1) == drawn).all(), proba[np.arange(N_CLIPS), drawn].round(2)
