"""A tiny network on clips of noise for `noise.py`: out of fold, with the pooling that is best on the other folds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from aurist.arrays import Proba
from aurist.clips import make_clips
from aurist.crossval import TrainingData
from aurist.models.base import Examples, Inputs
from aurist.models.engines import engine
from aurist.models.network_member import POOLED, recipe_member
from aurist.pooling import POOLINGS, choose_pooling
from aurist.recipes import recipe_from

RATE, SECONDS = 8000, 1.0
TINY: dict[str, Any] = {
    "name": "tiny",
    "front": {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 32},
    "window": {"seconds": 0.5, "pooling": list(POOLINGS)},
    "network": {"backbone": "test_resnet"},
    "training": {"lr": 5e-3, "batch_size": 16, "epochs": 2, "precision": "32"},
}


def network_answers(learn: TrainingData) -> Proba:
    """Return predictions of the rows of ``learn``; each row gets a clip of noise instead of its features."""
    member, rng = recipe_member(recipe_from(TINY, "tiny")), np.random.default_rng(learn.task.seed)
    several, truth = learn.task.multilabel, learn.examples.targets
    by_pooling = {POOLED + how: np.zeros(truth.shape) for how in POOLINGS}
    with tempfile.TemporaryDirectory() as temporary:
        paths = [str(Path(temporary) / f"{row}.wav") for row in range(len(truth))]
        for path in paths:
            soundfile.write(path, 0.1 * rng.normal(size=round(RATE * SECONDS)), RATE)
        labels = [tuple(np.array(learn.task.classes)[row > 0]) for row in truth]
        clips = make_clips(labels, paths=paths, multilabel=several)
        inputs = Inputs(pd.DataFrame(index=range(len(truth))), clips, Path(temporary) / "cache")
        examples = Examples(inputs, truth, np.ones(len(truth)))
        for split in learn.splits:
            folder = Path(temporary) / f"fold{split.fold}"
            folder.mkdir()
            parts = examples.take(split.train), examples.take(split.validation)
            model: Any = engine("network").fit(folder, learn.task, member, *parts, np.inf).model
            for how, proba in model.variants(inputs.take(split.scored)).items():
                if how in by_pooling:
                    by_pooling[how][split.scored] = proba
    return choose_pooling(by_pooling, truth, learn.folds, learn.task.metric, multilabel=several)[1]
