"""The networks that make features of recordings: their files in a run or a model folder."""

from __future__ import annotations

from pathlib import Path

from aurist.embedders import EmbedderRecord
from aurist.recipes import Recipe, recipe_from
from aurist.records import from_json
from aurist.stored import read_json, stored

#: A network that makes features: an embedder of a file, or a recipe whose network has weights, run by torch.
FeatureNetwork = EmbedderRecord | Recipe


def read_embedders(folder: Path, remedy: str) -> list[FeatureNetwork]:
    """Read the networks that make features, from ``embedders/<name>/embedder.json``.

    Raises
    ------
    RunError
        If a file is damaged.
    """
    networks: list[FeatureNetwork] = []
    for path in sorted(folder.glob("embedders/*/embedder.json")):
        content = read_json(path, {"recipe?": dict, "embedder?": dict}, remedy)
        with stored(path, remedy):
            if "recipe" in content:
                networks.append(recipe_from(content["recipe"], str(path)))
            else:
                networks.append(from_json(EmbedderRecord, content))
    return networks
