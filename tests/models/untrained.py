"""Folders of folds whose networks have their first weights: enough to compare engines."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.features.waves import WavesInMemory
from aurist.files import write_json
from aurist.models.base import Inputs, Task
from aurist.models.network_files import input_spec_of
from aurist.recipes import Recipe

from .sounds import CLASSES, RATE, sound

TASK = Task(CLASSES, False, "accuracy", jobs=2)


def write_fold(
    folder: Path, recipe: Recipe, n_samples: int, *, seed: int = 0, unseen: tuple[int, ...] = ()
) -> Path:
    """Write the files of a fold, as a training does."""
    import torch

    from aurist.models.training.fold import new_network
    from aurist.nets.files import save_weights

    input_spec = input_spec_of(recipe, n_samples)
    names = [
        [f"net{n}/epoch000{k}.safetensors" for k in range(recipe.training.top_k)]
        for n in range(recipe.training.seeds)
    ]
    torch.manual_seed(seed)
    for name in (name for net in names for name in net):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_weights(folder / name, new_network(recipe, input_spec, len(CLASSES)))
    fields = {
        "recipe": recipe.to_dict(),
        "ear": asdict(input_spec),
        "precision": "32",
        "described": None,
        "unseen": list(unseen),
        "networks": [[{"file": name} for name in net] for net in names],
    }
    write_json(folder / "networks.json", fields)
    return folder


def long_sound(seconds: float = 6.0, window: float = 1.0, hop: float = 0.5) -> Inputs:
    """Windows of one stretch of sound that overlap."""
    rng = np.random.default_rng(3)
    pieces = [sound(int(label), rng, 0.5) for label in rng.integers(3, size=round(seconds / 0.5))]
    begin = np.arange(0, round((seconds - window) * RATE) + 1, round(hop * RATE))
    waves = WavesInMemory(
        RATE, np.concatenate(pieces).astype(np.float32), begin, begin + round(window * RATE)
    )
    return Inputs(pd.DataFrame(index=range(len(begin))), in_memory={RATE: waves})
