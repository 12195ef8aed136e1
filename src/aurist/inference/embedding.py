"""Embeddings: features of recordings that pretrained networks make, in addition to the summary features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from aurist.config import FitConfig
from aurist.errors import ConfigError
from aurist.models.base import Inputs
from aurist.models.network import embed
from aurist.recipes import Recipe, read_recipe
from aurist.tables import read_table
from aurist.workers import run_in_processes


def chosen_embedders(config: FitConfig) -> list[Recipe]:
    """Read the recipes of the networks that make features.

    Raises
    ------
    ConfigError
        If one has no pretrained weights: its features would be random.
    """
    recipes = [read_recipe(name) for name in config.embeddings]
    for recipe in recipes:
        network = recipe.network
        if not (network.pretrained or network.weights or network.transformer):
            raise ConfigError(
                f"{recipe.name} starts with random weights, so its output means nothing before training. To "
                f"make features, give its recipe network.weights = a file, network.pretrained = true, or a "
                'backbone such as "transformer:MIT/ast-finetuned-audioset-10-10-0.4593".'
            )
    return recipes


def with_embeddings(
    features: pd.DataFrame, inputs: Inputs, folder: Path, recipes: Sequence[Recipe], jobs: int
) -> pd.DataFrame:
    """Append the embeddings of each network to the features.

    Parameters
    ----------
    features
        (n, n_features).
    inputs
        The n clips.
    folder
        The run folder, which keeps the networks.
    recipes
        The recipes of the networks.
    jobs
        Cores.
    """
    parts = [features]
    for recipe in recipes:
        with TemporaryDirectory() as folder_name:
            path = Path(folder_name) / "made.parquet"
            # a separate process releases the memory and threads of torch
            run_in_processes(
                [partial(embed, folder / "embedders" / recipe.name, recipe, inputs, jobs, path)], workers=1
            )
            parts.append(read_table(path).set_axis(features.index))
    return pd.concat(parts, axis=1)
