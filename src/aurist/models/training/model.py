"""The networks of one fold as a model: windows are heard, answered, pooled to clips."""

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
from aurist.models.training.fold import NETWORKS, InputSpec, device, ear_from, front_end, hear, in_place
from aurist.models.training.loop import answers_apart
from aurist.models.training.precision import autocast_dtype
from aurist.models.training.predict import all_windows, window_logits
from aurist.models.training.sound import Sound
from aurist.nets.build import build_network
from aurist.nets.files import load_weights
from aurist.nets.losses import to_proba
from aurist.pooling import parts_of_clips, pool
from aurist.recipes import Recipe, recipe_from
from aurist.stored import read_json, stored

#: What must be in ``networks.json``.
_KEPT = {
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
        How they hear, and what they answer.
    networks
        For each seed its checkpoints, best first.
    precision
        In which they learnt.
    unseen
        Columns of the classes that they never met, which get no probability.
    pooling
        Of windows to clips.
    """

    recipe: Recipe
    task: Task
    ear: InputSpec
    networks: list[list[nn.Module]]
    precision: str
    unseen: list[int]
    pooling: str

    @property
    def tells_when(self) -> bool:
        """Whether it knows when in a clip a class sounds."""
        return self.recipe.network.tells_when

    def predict_proba(self, inputs: Inputs) -> Proba:
        """(n, n_classes): the mean of all networks, windows pooled."""
        clip, _, each = self._answers(self._sound(inputs))
        return self._pooled(_mean(each), clip, len(inputs), self.pooling)

    def predict_parts(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba]:
        """What `predict_proba` gives, and by the frames of the networks the same of equal parts of each clip.

        Returns
        -------
        proba : (n, n_classes)
        parts : (n, n_parts, n_classes)
        """
        sound = self._sound(inputs)
        clip, start, each = self._answers(sound, frames=True)
        said, waves = _mean(each), sound.waves
        parts = parts_of_clips(said[:, 1:], clip, start, sound.n_samples, waves.begin, waves.end, n_parts)
        return self._pooled(said[:, 0], clip, len(inputs), self.pooling), parts

    def variants(self, inputs: Inputs) -> dict[str, Proba]:
        """(n, n_classes) by the name of a way to answer: every pooling, and with less than there is.

        "pooled by ..." for each pooling of the recipe where clips have several windows; then "one window", the
        middle one of each clip; "one checkpoint", the best of each network; "one network", that of the first seed.
        """
        clip, _, each = self._answers(self._sound(inputs))
        n = len(inputs)
        several = len(clip) > n
        whole = _mean(each)
        out = {
            POOLED + how: self._pooled(whole, clip, n, how)
            for how in dict.fromkeys([self.pooling, *(self.recipe.window.pooling if several else ())])
        }
        if several:
            first = np.searchsorted(clip, np.arange(n))
            out[ONE_WINDOW] = whole[first + np.bincount(clip, minlength=n) // 2]
        if any(len(net) > 1 for net in each):
            out[ONE_CHECKPOINT] = self._pooled(_mean([net[:1] for net in each]), clip, n, self.pooling)
        if len(each) > 1:
            out[ONE_NETWORK] = self._pooled(_mean(each[:1]), clip, n, self.pooling)
        return out

    def _sound(self, inputs: Inputs) -> Sound:
        return Sound(hear(inputs, self.recipe, self.task.jobs), self.recipe.window, self.ear.n_samples)

    def _answers(
        self, sound: Sound, *, frames: bool = False
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], list[list[Proba]]]:
        """The clip of each window and its first sample, and what each checkpoint of each network says of the windows.

        With ``frames`` behind that what it says of their frames: (n_windows, 1 + n_frames, n_classes).
        """
        torch.set_num_threads(max(1, self.task.jobs))
        clip, start = all_windows(sound)
        front = front_end(self.recipe)
        front = None if front is None else front.to(device())

        def answer(network: nn.Module) -> Proba:
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
            proba = to_proba(logits, multilabel=answers_apart(self.recipe, self.task))
            return proba.numpy().astype(np.float64)

        return clip, start, [[answer(network) for network in net] for net in self.networks]

    def _pooled(self, windows: Proba, clip: npt.NDArray[np.intp], n: int, how: str) -> Proba:
        return pool(windows, clip, n, how, multilabel=self.task.multilabel)


def _mean(each: list[list[Proba]]) -> Proba:
    """Over the checkpoints of each network, then over the networks."""
    return np.asarray(np.mean([np.mean(net, axis=0) for net in each], axis=0), dtype=np.float64)


def load_model(folder: Path, task: Task, pooling: str) -> NetworkModel:
    """What `aurist.models.training.fold.fit_fold` left in a folder.

    Raises
    ------
    RunError
        Where it is not whole.
    """
    path = folder / NETWORKS
    kept = read_json(path, _KEPT, fit_again(folder))
    with stored(path, fit_again(folder)):
        recipe = recipe_from(kept["recipe"], str(path))
        ear = ear_from(kept["ear"])
    networks: list[list[nn.Module]] = []
    for net in kept["networks"]:
        networks.append([])
        for one in net:
            network = build_network(
                recipe.network,
                ear.image,
                len(task.classes),
                sample_rate=recipe.front.sample_rate,
                load_weights=False,
                described=kept["described"],
            )
            parts = [check_name(part, f"{path}: the file of weights") for part in str(one["file"]).split("/")]
            load_weights(folder.joinpath(*parts), network)
            networks[-1].append(in_place(network))
    return NetworkModel(recipe, task, ear, networks, kept["precision"], kept["unseen"], pooling)
