"""The files of the networks of a fold: their settings in ``networks.json``, and one file of weights for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurist.features.spectrogram_config import shape
from aurist.folders import check_name
from aurist.models.base import fit_again
from aurist.recipes import Recipe, recipe_from
from aurist.stored import read_json, stored

NETWORKS = "networks.json"
#: The fields of ``networks.json``.
_NETWORKS = {
    "recipe": dict,
    "ear": {"n_samples": int, "image": ([int], None)},
    "networks": [[{"file": str}]],
    "described": (dict, None),
    "precision": str,
    "unseen": [int],
}


@dataclass(frozen=True)
class InputSpec:
    """The input of a network: the length of a window in samples, and the shape of its image.

    ``image`` is (channels, rows, frames); None for networks that take waves.
    """

    n_samples: int
    image: tuple[int, int, int] | None


def input_spec_of(recipe: Recipe, n_samples: int) -> InputSpec:
    """Return the input of a recipe's network for windows of ``n_samples``."""
    return InputSpec(n_samples, shape(recipe.front, n_samples) if recipe.network.takes == "image" else None)


def input_spec_from_json(table: Mapping[str, Any]) -> InputSpec:
    """Read an `InputSpec` from JSON."""
    image = table["image"]
    return InputSpec(table["n_samples"], None if image is None else (image[0], image[1], image[2]))


@dataclass(frozen=True)
class NetworkFiles:
    """The content of ``networks.json``.

    Parameters
    ----------
    recipe, input_spec
        The settings of the networks, and the shape of their input.
    weights
        For each seed the files of its checkpoints, best first.
    architecture
        Of a transformer; else None.
    precision
        The precision of the training.
    unseen
        Columns of classes without a training clip.
    """

    recipe: Recipe
    input_spec: InputSpec
    weights: list[list[Path]]
    architecture: Mapping[str, Any] | None
    precision: str
    unseen: list[int]

    @property
    def int8(self) -> list[list[Path]]:
        """The same networks in 8 bits, which exist if the recipe says so."""
        return [[int8_path(path) for path in checkpoints] for checkpoints in self.weights]

    @property
    def onnx(self) -> list[list[Path]]:
        """The same networks as ONNX files, which may not exist yet."""
        return [[onnx_path(path) for path in checkpoints] for checkpoints in self.weights]


def onnx_path(weights: Path) -> Path:
    """Return the ONNX file of the same network as a file of weights."""
    return weights.with_suffix(".onnx")


def int8_path(weights: Path) -> Path:
    """Return the ONNX file of the same network in 8 bits."""
    return weights.with_suffix(".int8.onnx")


def read_networks(folder: Path) -> NetworkFiles:
    """Read the ``networks.json`` of a fold.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    path = folder / NETWORKS
    fields = read_json(path, _NETWORKS, fit_again(folder))
    with stored(path, fit_again(folder)):
        recipe = recipe_from(fields["recipe"], str(path))
        input_spec = input_spec_from_json(fields["ear"])
    weights = [
        [_file(folder, path, checkpoint["file"]) for checkpoint in checkpoints]
        for checkpoints in fields["networks"]
    ]
    return NetworkFiles(
        recipe, input_spec, weights, fields["described"], fields["precision"], fields["unseen"]
    )


def _file(folder: Path, path: Path, name: str) -> Path:
    return folder.joinpath(*(check_name(part, f"{path}: the file of weights") for part in name.split("/")))
