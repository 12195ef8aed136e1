"""What a network with ready weights makes of clips, as features for models of tables."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from aurist.features.schema import EMBEDDED
from aurist.files import atomic_path, write_json
from aurist.models.base import Inputs
from aurist.models.training.fold import (
    InputSpec,
    device,
    ear_from,
    ear_of,
    front_end,
    hear,
    in_place,
    new_network,
)
from aurist.models.training.predict import all_windows, as_network_likes, window_batches
from aurist.models.training.prefetch import Ahead
from aurist.models.training.sound import Sound, window_length
from aurist.nets.build import build_network
from aurist.nets.files import load_weights, save_weights
from aurist.nets.transformer import TransformerNetwork
from aurist.recipes import Recipe
from aurist.stored import read_json, stored

EMBEDDER, WEIGHTS = "embedder.json", "embedder.safetensors"


def embed_clips(folder: Path, recipe: Recipe, inputs: Inputs, jobs: int, output: Path) -> None:
    """Write what the network of a recipe makes of clips, the mean over their windows.

    Parameters
    ----------
    folder
        Of the embedder: made with the recipe's own weights where there is none yet, else these are read from it, so
        that later clips are heard by the same network wherever its weights came from.
    recipe
        Which network, and how it hears.
    inputs
        n clips.
    jobs
        Threads.
    output
        A Parquet file of (n, n_features), the columns named after the recipe.
    """
    torch.set_num_threads(max(1, jobs))
    waves = hear(inputs, recipe, jobs)
    if not (folder / EMBEDDER).exists():
        _make(folder, recipe, window_length(recipe, waves))
    network, ear = _load(folder, recipe)
    sound = Sound(waves, recipe.window, ear.n_samples)
    clip, start = all_windows(sound)
    front = front_end(recipe)
    front = None if front is None else front.to(device())
    found = []
    with torch.inference_mode():
        for x in Ahead(window_batches(sound, front, clip, start, device()), jobs):
            found.append(network.embed(as_network_likes(x)).float().cpu())  # type: ignore[operator]
    each = torch.cat(found).numpy().astype(np.float64)
    total = np.zeros((len(inputs), each.shape[1]))
    np.add.at(total, clip, each)
    mean = total / np.bincount(clip, minlength=len(inputs))[:, None]
    columns = [f"{EMBEDDED}{recipe.name}_{i:04d}" for i in range(each.shape[1])]
    with atomic_path(output) as part:
        pd.DataFrame(mean.astype(np.float32), columns=columns).to_parquet(part)


def _make(folder: Path, recipe: Recipe, n_samples: int) -> None:
    ear = ear_of(recipe, n_samples)
    network = new_network(recipe, ear, 2)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / WEIGHTS, network)
    described = network.described() if isinstance(network, TransformerNetwork) else None
    write_json(folder / EMBEDDER, {"recipe": recipe.to_dict(), "ear": asdict(ear), "described": described})


def _load(folder: Path, recipe: Recipe) -> tuple[nn.Module, InputSpec]:
    remedy = f"Remove {folder}, and the embedder is made anew from the recipe's own weights."
    kept = read_json(
        folder / EMBEDDER,
        {"ear": {"n_samples": int, "image": ([int], None)}, "described": (dict, None)},
        remedy,
    )
    with stored(folder / EMBEDDER, remedy):
        ear = ear_from(kept["ear"])
        network = build_network(
            recipe.network,
            ear.image,
            2,
            sample_rate=recipe.front.sample_rate,
            load_weights=False,
            described=kept["described"],
        )
    load_weights(folder / WEIGHTS, network)
    return in_place(network).eval(), ear
