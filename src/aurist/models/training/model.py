"""The networks of one fold as a model: predict windows, then pool them to clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from aurist.arrays import Proba
from aurist.folders import check_name
from aurist.models.base import Inputs, Task, fit_again
from aurist.models.network_member import ONE_CHECKPOINT, ONE_NETWORK, ONE_WINDOW, POOLED
from aurist.models.training.fold import (
    NETWORKS,
    InputSpec,
    device,
    front_end,
    input_spec_from_json,
    load_waves,
    to_device,
)
from aurist.models.training.loop import has_independent_classes
from aurist.models.training.precision import autocast_dtype
from aurist.models.training.predict import all_windows, window_logits
from aurist.models.training.sound import Sound
from aurist.nets.build import build_network
from aurist.nets.files import load_weights
from aurist.nets.losses import to_proba
from aurist.pooling import parts_of_clips, pool
from aurist.recipes import Recipe, recipe_from
from aurist.stored import read_json, stored

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
class NetworkModel:
    """The networks of one fold.

    Parameters
    ----------
    recipe, task, ear
        Their setting, the classes, and the shape of their input.
    networks
        For each seed its checkpoints, best first.
    precision
        The precision of their training.
    unseen
        Columns of classes without a training clip. They get the probability 0.
    pooling
        The pooling of windows to clips.
    """

    recipe: Recipe
    task: Task
    input_spec: InputSpec
    networks: list[list[nn.Module]]
    precision: str
    unseen: list[int]
    pooling: str

    @property
    def has_frames(self) -> bool:
        """Return True if it scores the frames of a clip."""
        return self.recipe.network.has_frames

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes): the mean of all networks, windows pooled."""
        clip, _, checkpoints = self._window_proba(self._sound(inputs))
        return self._pooled(_mean(checkpoints), clip, len(inputs), self.pooling)

    def predict_parts(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba]:
        """Return `predict_proba`, and the same for equal parts of each clip, from the frames of the networks.

        Returns
        -------
        proba : (n, n_classes)
        parts : (n, n_parts, n_classes)
        """
        sound = self._sound(inputs)
        clip, start, checkpoints = self._window_proba(sound, frames=True)
        mean, waves = _mean(checkpoints), sound.waves
        parts = parts_of_clips(mean[:, 1:], clip, start, sound.n_samples, waves.begin, waves.end, n_parts)
        return self._pooled(mean[:, 0], clip, len(inputs), self.pooling), parts

    def variants(self, inputs: Inputs) -> dict[str, Proba]:
        """Return (n, n_classes) by the name of the variant: every pooling, and predictions from less.

        "pooled by ...": each pooling of the recipe, if clips have several windows. "one window": the middle one of
        each clip. "one checkpoint": the best of each network. "one network": that of the first seed.
        """
        clip, _, checkpoints = self._window_proba(self._sound(inputs))
        n = len(inputs)
        several = len(clip) > n
        whole = _mean(checkpoints)
        out = {
            POOLED + pooling_name: self._pooled(whole, clip, n, pooling_name)
            for pooling_name in dict.fromkeys(
                [self.pooling, *(self.recipe.window.pooling if several else ())]
            )
        }
        if several:
            first = np.searchsorted(clip, np.arange(n))
            out[ONE_WINDOW] = whole[first + np.bincount(clip, minlength=n) // 2]
        if any(len(net) > 1 for net in checkpoints):
            out[ONE_CHECKPOINT] = self._pooled(_mean([net[:1] for net in checkpoints]), clip, n, self.pooling)
        if len(checkpoints) > 1:
            out[ONE_NETWORK] = self._pooled(_mean(checkpoints[:1]), clip, n, self.pooling)
        return out

    def _sound(self, inputs: Inputs) -> Sound:
        return Sound(
            load_waves(inputs, self.recipe, self.task.jobs), self.recipe.window, self.input_spec.n_samples
        )

    def _window_proba(
        self, sound: Sound, *, frames: bool = False
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], list[list[Proba]]]:
        """Return the clip of each window, its first sample, and the probabilities by each checkpoint of each network.

        With ``frames`` the probabilities of the frames follow those of the window: (n_windows, 1 + n_frames,
        n_classes).
        """
        torch.set_num_threads(max(1, self.task.jobs))
        clip, start = all_windows(sound)
        front = front_end(self.recipe)
        front = None if front is None else front.to(device())

        def predict(network: nn.Module) -> Proba:
            logits = window_logits(
                network,
                sound,
                front,
                clip,
                start,
                device=device(),
                dtype=autocast_dtype(self.precision),
                threads=self.task.jobs,
                frames=frames,
            )
            logits[..., self.unseen] = -torch.inf
            proba = to_proba(logits, multilabel=has_independent_classes(self.recipe, self.task))
            return proba.numpy().astype(np.float64)

        return clip, start, [[predict(network) for network in net] for net in self.networks]

    def _pooled(self, windows: Proba, clip: npt.NDArray[np.intp], n: int, pooling_name: str) -> Proba:
        return pool(windows, clip, n, pooling_name, multilabel=self.task.multilabel)


def _mean(checkpoints: list[list[Proba]]) -> Proba:
    """Average over the checkpoints of each network, then over the networks."""
    return np.asarray(np.mean([np.mean(net, axis=0) for net in checkpoints], axis=0), dtype=np.float64)


def load_model(folder: Path, task: Task, pooling: str) -> NetworkModel:
    """Load the networks that `aurist.models.training.fold.fit_fold` wrote.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    path = folder / NETWORKS
    stored_json = read_json(path, _NETWORKS, fit_again(folder))
    with stored(path, fit_again(folder)):
        recipe = recipe_from(stored_json["recipe"], str(path))
        input_spec = input_spec_from_json(stored_json["ear"])
    networks: list[list[nn.Module]] = []
    for net in stored_json["networks"]:
        networks.append([])
        for checkpoint in net:
            network = build_network(
                recipe.network,
                input_spec.image,
                len(task.classes),
                sample_rate=recipe.front.sample_rate,
                load_weights=False,
                architecture=stored_json["described"],
            )
            parts = [
                check_name(part, f"{path}: the file of weights")
                for part in str(checkpoint["file"]).split("/")
            ]
            load_weights(folder.joinpath(*parts), network)
            networks[-1].append(to_device(network))
    return NetworkModel(
        recipe, task, input_spec, networks, stored_json["precision"], stored_json["unseen"], pooling
    )
