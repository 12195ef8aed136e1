"""Compute embeddings of clips with a pretrained network, as features for models of tables."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from aurist.features.matrix import EMBEDDED
from aurist.files import write_json
from aurist.models.base import Inputs
from aurist.models.network_files import InputSpec, input_spec_from_json, input_spec_of
from aurist.models.sound import Sound, load_waves, window_length
from aurist.models.training.fold import device, front_end, new_network, to_device
from aurist.models.training.predict import channels_last, window_batches
from aurist.models.training.prefetch import Prefetch
from aurist.nets.build import build_network
from aurist.nets.files import load_weights, save_weights
from aurist.nets.transformer import TransformerNetwork
from aurist.recipes import Recipe
from aurist.stored import read_json, stored
from aurist.tables import write_table

EMBEDDER, WEIGHTS = "embedder.json", "embedder.safetensors"


def embed_clips(folder: Path, recipe: Recipe, inputs: Inputs, jobs: int, output: Path) -> None:
    """Write the embeddings of clips: the mean over their windows.

    Parameters
    ----------
    folder
        The folder of the embedder. If it has no embedder yet, one is made from the recipe's own weights. Later clips
        use the same weights from this folder.
    recipe
        The network, its front end and its window.
    inputs
        n clips.
    jobs
        Threads.
    output
        A Parquet file of (n, n_features); the columns are named after the recipe.
    """
    torch.set_num_threads(max(1, jobs))
    waves = load_waves(inputs, recipe, jobs)
    if not (folder / EMBEDDER).exists():
        _write_embedder(folder, recipe, window_length(recipe, waves))
    network, input_spec = _load_embedder(folder, recipe)
    sound = Sound(waves, recipe.window, input_spec.n_samples)
    clip, start = sound.windows()
    front = front_end(recipe)
    front = None if front is None else front.to(device())
    embeddings = []
    with torch.inference_mode():
        for x in Prefetch(window_batches(sound, front, clip, start, device()), jobs):
            embeddings.append(network.embed(channels_last(x)).float().cpu())  # type: ignore[operator]
    of_windows = torch.cat(embeddings).numpy().astype(np.float64)
    total = np.zeros((len(inputs), of_windows.shape[1]))
    np.add.at(total, clip, of_windows)
    mean = total / np.bincount(clip, minlength=len(inputs))[:, None]
    columns = [f"{EMBEDDED}{recipe.name}_{i:04d}" for i in range(of_windows.shape[1])]
    write_table(pd.DataFrame(mean.astype(np.float32), columns=columns), output)


def _write_embedder(folder: Path, recipe: Recipe, n_samples: int) -> None:
    input_spec = input_spec_of(recipe, n_samples)
    network = new_network(recipe, input_spec, 2)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / WEIGHTS, network)
    architecture = network.architecture() if isinstance(network, TransformerNetwork) else None
    write_json(
        folder / EMBEDDER, {"recipe": recipe.to_dict(), "ear": asdict(input_spec), "described": architecture}
    )


def _load_embedder(folder: Path, recipe: Recipe) -> tuple[nn.Module, InputSpec]:
    remedy = f"Remove {folder}, and the embedder is made again from the recipe's own weights."
    stored_json = read_json(
        folder / EMBEDDER,
        {"ear": {"n_samples": int, "image": ([int], None)}, "described": (dict, None)},
        remedy,
    )
    with stored(folder / EMBEDDER, remedy):
        input_spec = input_spec_from_json(stored_json["ear"])
        network = build_network(
            recipe.network,
            input_spec.image,
            2,
            sample_rate=recipe.front.sample_rate,
            load_weights=False,
            architecture=stored_json["described"],
        )
    load_weights(folder / WEIGHTS, network)
    return to_device(network).eval(), input_spec
