"""Small sounds whose classes are plain to hear, and a recipe that learns them in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from aurist.clips import make_clips
from aurist.crossval import TrainingData
from aurist.models.base import Examples, Inputs, Task
from aurist.recipes import Recipe, recipe_from
from aurist.splits import assign_folds, cross_splits

RATE = 8000
CLASSES = ("low", "high", "noise")
TINY: dict[str, Any] = {
    "name": "tiny",
    "front": {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 32},
    "window": {"seconds": 0.5},
    "augment": {
        "wave": [{"kind": "polarity"}],
        "spectrum": [{"kind": "time_shift", "seconds": [-0.2, 0.2]}, {"kind": "volume"}],
        "image": [{"kind": "time_mask"}],
        "mixing": "mixup",
        "mixing_p": 0.5,
    },
    "network": {"backbone": "test_resnet", "dropout": 0.1},
    "training": {"lr": 5e-3, "batch_size": 8, "epochs": 12, "precision": "32", "top_k": 2},
}


def tiny(**parts: dict[str, Any]) -> Recipe:
    """The tiny recipe with some settings changed, by part."""
    table = {**TINY, **{name: {**TINY.get(name, {}), **part} for name, part in parts.items()}}
    return recipe_from(table, "tiny")


def sound(label: int, rng: np.random.Generator, seconds: float) -> np.ndarray[Any, Any]:
    """A low tone, a high one, or noise, in a little noise."""
    t = np.arange(round(seconds * RATE)) / RATE
    noise = rng.normal(size=len(t))
    if label == 2:
        return 0.2 * noise
    pitch = rng.uniform(300, 500) if label == 0 else rng.uniform(1500, 2500)
    return 0.3 * np.sin(2 * np.pi * pitch * t + rng.uniform(0, 6)) + 0.02 * noise


def sound_data(
    folder: Path,
    *,
    n: int = 72,
    n_splits: int = 2,
    seconds: float = 0.5,
    shuffled: bool = False,
    multilabel: bool = False,
) -> TrainingData:
    """Clips in groups of three; the classes are plain to hear unless shuffled."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(n // 3), 3)
    label = groups % 3
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i}.wav" for i in range(n)]
    targets = np.eye(3, dtype=np.int8)[label]
    for path, one in zip(paths, label, strict=True):
        soundfile.write(path, sound(int(one), rng, seconds), RATE)
    if multilabel:
        targets[:, 1] |= targets[:, 2]
    if shuffled:
        targets = np.repeat(rng.permutation(targets[::3]), 3, axis=0)
    labels = [tuple(np.array(CLASSES)[row.astype(bool)]) for row in targets]
    clips = make_clips(labels, paths=[str(path) for path in paths], multilabel=multilabel)
    clips = replace(clips, classes=CLASSES)
    task = Task(CLASSES, multilabel, "average_precision" if multilabel else "accuracy", seed=1, jobs=1)
    folds = assign_folds(targets, groups, n_splits, seed=0)
    features = pd.DataFrame(index=range(n))
    return TrainingData(
        task,
        Examples(Inputs(features, clips, folder / "cache"), targets, np.ones(n)),
        np.array([f"clip{i}" for i in range(n)], dtype=object),
        groups,
        folds,
        cross_splits(folds, targets, groups, seed=0, validation_share=0.25),
    )
