"""The networks of one fold as a model: predict windows, then pool them to clips. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.models.base import Inputs, Task
from aurist.models.network_files import InputSpec
from aurist.models.network_member import (
    IN_32_BITS,
    ONE_CHECKPOINT,
    ONE_NETWORK,
    ONE_WINDOW,
    POOLED,
    has_independent_classes,
)
from aurist.models.sound import Sound, load_waves
from aurist.pooling import parts_of_clips, pool
from aurist.recipes import Recipe

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """The windows of clips: their sound, and for each window its clip and its first sample, (n_windows,) each."""

    sound: Sound
    clip: npt.NDArray[np.intp]
    start: npt.NDArray[np.int64]


class Networks(Protocol):
    """The networks of a fold on one engine, such as torch."""

    def logits(self, windows: Windows, jobs: int, *, frames: bool) -> list[list[Float]]:
        """Return the logits by each checkpoint of each network, (n_windows, n_classes).

        With ``frames``, those of the frames follow those of the window: (n_windows, 1 + n_frames, n_classes).
        """
        ...


@dataclass(frozen=True)
class NetworkModel:
    """The networks of one fold.

    Parameters
    ----------
    recipe, task, input_spec
        Their setting, the classes, and the shape of their input.
    networks
        The networks: for each seed its checkpoints, best first.
    unseen
        Columns of classes without a training clip. They get the probability 0.
    pooling
        The pooling of windows to clips.
    exact
        Loads the same networks in 32 bits, if these are quantised.
    """

    recipe: Recipe
    task: Task
    input_spec: InputSpec
    networks: Networks
    unseen: list[int]
    pooling: str
    exact: Callable[[], Networks] | None = None

    @property
    def has_frames(self) -> bool:
        """Return True if it scores the frames of a clip."""
        return self.recipe.network.has_frames

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes): the mean of all networks, windows pooled."""
        windows = self.windows(inputs)
        return self.pooled(windows, self._window_logits(windows))

    def predict_parts(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba]:
        """Return `predict_proba`, and the same for equal parts of each clip, from the frames of the networks.

        Returns
        -------
        proba : (n, n_classes)
        parts : (n, n_parts, n_classes)
        """
        windows = self.windows(inputs)
        return self.parts(windows, self._window_logits(windows, frames=True), n_parts)

    def variants(self, inputs: Inputs) -> dict[str, Proba]:
        """Return (n, n_classes) by the name of the variant: every pooling, and predictions from less.

        "pooled by ...": each pooling of the recipe, if clips have several windows. "one window": the middle one of
        each clip. "one checkpoint": the best of each network. "one network": that of the first seed. "32 bits": the
        same networks without quantisation, if they are quantised.
        """
        windows = self.windows(inputs)
        checkpoints = self._proba(self._window_logits(windows))
        clip, n = windows.clip, len(inputs)
        several = len(clip) > n
        whole = _mean(checkpoints)
        out = {
            POOLED + pooling_name: self._pool(whole, clip, n, pooling_name)
            for pooling_name in dict.fromkeys(
                [self.pooling, *(self.recipe.window.pooling if several else ())]
            )
        }
        if several:
            first = np.searchsorted(clip, np.arange(n))
            out[ONE_WINDOW] = whole[first + np.bincount(clip, minlength=n) // 2]
        if any(len(net) > 1 for net in checkpoints):
            out[ONE_CHECKPOINT] = self._pool(_mean([net[:1] for net in checkpoints]), clip, n, self.pooling)
        if len(checkpoints) > 1:
            out[ONE_NETWORK] = self._pool(_mean(checkpoints[:1]), clip, n, self.pooling)
        if self.exact is not None:
            exact = self.exact().logits(windows, self.task.jobs, frames=False)
            out[IN_32_BITS] = self.pooled(windows, exact)
        return out

    def windows(self, inputs: Inputs) -> Windows:
        """Cut clips into the windows that the networks need."""
        waves = load_waves(inputs, self.recipe, self.task.jobs)
        sound = Sound(waves, self.recipe.window, self.input_spec.n_samples)
        return Windows(sound, *sound.windows())

    def pooled(self, windows: Windows, logits: list[list[Float]]) -> Proba:
        """Turn the logits of windows into the probabilities of clips, (n, n_classes)."""
        mean = _mean(self._proba(logits))
        return self._pool(mean, windows.clip, len(windows.sound), self.pooling)

    def parts(self, windows: Windows, logits: list[list[Float]], n_parts: int) -> tuple[Proba, Proba]:
        """Turn the logits of windows and their frames into those of clips, and of equal parts of each clip."""
        mean, sound = _mean(self._proba(logits)), windows.sound
        parts = parts_of_clips(
            mean[:, 1:],
            windows.clip,
            windows.start,
            sound.n_samples,
            sound.waves.begin,
            sound.waves.end,
            n_parts,
        )
        return self._pool(mean[:, 0], windows.clip, len(sound), self.pooling), parts

    def _window_logits(self, windows: Windows, *, frames: bool = False) -> list[list[Float]]:
        return self.networks.logits(windows, self.task.jobs, frames=frames)

    def _proba(self, logits: list[list[Float]]) -> list[list[Proba]]:
        multilabel = has_independent_classes(self.recipe, self.task)
        return [[to_proba(of_one, self.unseen, multilabel=multilabel) for of_one in net] for net in logits]

    def _pool(self, windows: Proba, clip: npt.NDArray[np.intp], n: int, pooling_name: str) -> Proba:
        return pool(windows, clip, n, pooling_name, multilabel=self.task.multilabel)


def to_proba(logits: Float, unseen: Sequence[int] = (), *, multilabel: bool) -> Proba:
    """Turn logits into probabilities over the last axis: of each class by itself, or with a sum of 1.

    Classes in ``unseen`` get the probability 0.

    Examples
    --------
    >>> to_proba(np.zeros((1, 3), np.float32), [2], multilabel=False).tolist()
    [[0.5, 0.5, 0.0]]
    """
    x = logits.astype(np.float64)
    x[..., list(unseen)] = -np.inf
    if multilabel:
        return np.asarray(np.exp(-np.logaddexp(0.0, -x)))
    odds = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def _mean(checkpoints: list[list[Proba]]) -> Proba:
    """Average over the checkpoints of each network, then over the networks."""
    return np.asarray(np.mean([np.mean(net, axis=0) for net in checkpoints], axis=0), dtype=np.float64)
