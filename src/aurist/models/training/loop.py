"""The training loop: one network, from its first weights to its best checkpoints.

Whatever is random depends on the seed, the epoch and the clip alone, so that the state at the end of an epoch is all
that is needed to go on exactly as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from aurist.features.spectrogram import Spectrogram
from aurist.models.base import FitFailedError, Task
from aurist.models.training import checkpoints as disk
from aurist.models.training.batches import Batch, Batches, LabelledAudio
from aurist.models.training.checkpoints import Epoch, Kept
from aurist.models.training.precision import autocast_dtype
from aurist.models.training.predict import as_network_likes
from aurist.models.training.prefetch import Ahead
from aurist.models.training.schedule import optimizer, rate, set_rate
from aurist.models.training.validate import examine
from aurist.nets.losses import LossFunction
from aurist.recipes import Recipe

Tensors = tuple[Tensor, ...] | list[Tensor]


def loss_kind(recipe: Recipe, task: Task) -> str:
    """What is minimised, by the name of `aurist.nets.losses`."""
    if recipe.loss.kind != "auto":
        return recipe.loss.kind
    return "bce" if task.multilabel else "cross_entropy"


def answers_apart(recipe: Recipe, task: Task) -> bool:
    """Whether each class has a probability of its own, and not a share of one."""
    return loss_kind(recipe, task).startswith("bce")


@dataclass(frozen=True)
class Plan:
    """What was settled before the training began, by what the machine can do in the time.

    ``clips_per_second`` is what was measured for it.
    """

    epochs: int
    precision: str
    clips_per_second: float


def _average(network: nn.Module, decay: float) -> AveragedModel:
    """A moving average of the weights, and of the statistics of the norms; short at first, so as to forget the first.

    The decay rises as (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage: with few steps the average would
    else be mostly of weights that had learnt nothing.
    """

    def moved(averages: Tensors, weights: Tensors, n: Tensor | int) -> None:
        now = min(decay, (1 + int(n)) / (10 + int(n)))
        get_ema_multi_avg_fn(now)(averages, weights, n)  # type: ignore[no-untyped-call]

    return AveragedModel(network, multi_avg_fn=moved, use_buffers=True)


class Trainer:
    """Trains one network of a recipe in a folder of its own, or goes on with one that was killed.

    Parameters
    ----------
    folder
        For its checkpoints and its state.
    recipe, task, plan
        What to do.
    network
        With its first weights.
    loss
        Of logits, targets, what is known, and weights.
    part, validation
        To learn from, and to choose on; without the second the last weights are kept.
    front
        Makes images; None for networks that take waves.
    seed
        Of all draws.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        task: Task,
        plan: Plan,
        network: nn.Module,
        loss: LossFunction,
        part: LabelledAudio,
        validation: LabelledAudio | None,
        front: Spectrogram | None,
        seed: int,
    ) -> None:
        self.folder, self.recipe, self.task, self.plan = folder, recipe, task, plan
        self.config, self.loss, self.part, self.validation, self.front = (
            recipe.training,
            loss,
            part,
            validation,
            front,
        )
        self.seed = seed
        names = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}
        self.fabric = Fabric(accelerator="auto", devices=1, precision=names[plan.precision])  # type: ignore[arg-type]
        self.device = self.fabric.device
        self.plain = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.optimizer = self.fabric.setup(self.plain, optimizer(self.plain, self.config))
        if recipe.loss.frames:
            self.network.mark_forward_method("with_frames")
        self.ema = None if self.config.ema is None else _average(self.plain, self.config.ema)
        self.batches = Batches(part, recipe, front, seed, self.device)
        self.history: list[Epoch] = []
        self.kept: list[Kept] = []
        self.step = 0

    def train(self, until: float) -> list[Kept]:
        """The checkpoints kept, best first.

        Parameters
        ----------
        until
            By ``time.monotonic``: no epoch begins that would end after it, and epochs are left out before that comes.

        Raises
        ------
        FitFailedError
            Where the loss is no longer a number.
        """
        self._go_on()
        progress = disk.TrainingProgress(self.folder)
        saved = time.monotonic()
        while len(self.history) < self.plan.epochs and not self._is_enough():
            epoch = len(self.history)
            began = time.perf_counter()
            lr, loss, waited = self._learn(epoch, progress)
            learnt = time.perf_counter() - began
            score, validation_loss = self._examine(epoch)
            clips = len(self.batches) * self.batches.size
            self.history.append(
                Epoch(
                    epoch,
                    lr,
                    loss,
                    validation_loss,
                    score,
                    clips / learnt,
                    waited / learnt,
                    time.perf_counter() - began,
                )
            )
            if self.config.keep == "best":
                new = Kept(epoch, score, validation_loss)
                self.kept = disk.keep_best(self.folder, self.kept, new, self.config.top_k, self._best_guess())
            disk.write_history(self.folder, self.history)
            if time.monotonic() - saved > disk.STATE_EVERY:
                disk.save_state(self.folder, self._state())
                saved = time.monotonic()
            self._keep_to(until)
        if self.config.keep == "last":
            last = Kept(self.history[-1].epoch, math.nan, math.nan)
            self.kept = disk.keep_best(self.folder, [], last, 1, self._best_guess())
        disk.drop_others(self.folder, self.kept)
        return self.kept

    def _keep_to(self, until: float) -> None:
        """Plan fewer epochs where the machine has become slower, so that the rate still comes to its end in time."""
        if math.isinf(until):
            return
        an_epoch = float(np.median([one.seconds for one in self.history[-3:]]))
        affordable = len(self.history) + max(0, math.floor((until - time.monotonic()) / an_epoch))
        if affordable < self.plan.epochs:
            self.plan = replace(self.plan, epochs=affordable)

    def _learn(self, epoch: int, progress: disk.TrainingProgress) -> tuple[float, float, float]:
        """One epoch: the rate at its end, the mean loss, and the seconds spent waiting for batches."""
        torch.manual_seed(int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0]))
        self.network.train()
        loud = round(self.plan.epochs * (1 - self.recipe.augment.quiet_epochs))
        ready = Ahead(self.batches.epoch(epoch, mixed=epoch < loud), threads=self.task.jobs)
        began, losses, lr = time.perf_counter(), [], 0.0
        for place, batch in enumerate(ready):
            lr = rate(self.config, self.step, self.plan.epochs * len(self.batches), len(self.batches))
            set_rate(self.optimizer, self.config, lr)
            losses.append(self._one_step(batch, place))
            self.step += 1
            if not math.isfinite(losses[-1]):
                self._stop_at_nan(epoch)
            speed = (place + 1) * self.batches.size / (time.perf_counter() - began)
            left = (self.plan.epochs - epoch) * len(self.batches) - place - 1
            progress.tell(
                {
                    "epoch": epoch,
                    "epochs": self.plan.epochs,
                    "loss": round(float(np.mean(losses)), 4),
                    "score": max((one.score for one in self.history), default=None),
                    "clips_per_second": round(speed, 1),
                    "left": round(left * self.batches.size / speed),
                }
            )
        return self.config.lr * lr, float(np.mean(losses)), ready.waited

    def _one_step(self, batch: Batch, place: int) -> float:
        whole = (place + 1) % self.config.accumulate == 0 or place + 1 == len(self.batches)
        with self.fabric.no_backward_sync(self.network, enabled=not whole):
            loss = self._loss_of(batch)
            self.fabric.backward(loss / self.config.accumulate)
        if whole:
            if self.config.clip_norm is not None:
                self.fabric.clip_gradients(
                    self.network, self.optimizer, max_norm=self.config.clip_norm, error_if_nonfinite=False
                )
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            if self.ema is not None:
                self.ema.update_parameters(self.plain)
        return float(loss.detach())

    def _loss_of(self, batch: Batch) -> Tensor:
        truth = batch.targets, batch.known, batch.weight
        if not self.recipe.loss.frames:
            return self.loss(self.network(as_network_likes(batch.x)), *truth)
        said = self.network.with_frames(as_network_likes(batch.x))
        whole, surest = self.loss(said[:, 0], *truth), self.loss(said[:, 1:].amax(dim=1), *truth)
        return torch.lerp(whole, surest, self.recipe.loss.frames)

    def _stop_at_nan(self, epoch: int) -> None:
        advice = f"a lower learning rate than {self.config.lr:g} (training.lr)"
        if self.config.clip_norm is None:
            advice += ", a limit to the gradients (training.clip_norm = 1)"
        if self.plan.precision != "32":
            advice += ', or full precision (training.precision = "32")'
        raise FitFailedError(
            f"{self.recipe.name}: the loss was no longer a number in epoch {epoch + 1}. Try {advice}. "
            f"The learning curve so far is in {self.folder / disk.HISTORY}."
        )

    def _examine(self, epoch: int) -> tuple[float, float]:
        """The metric and the loss on the validation part; NaN without one."""
        if self.validation is None:
            return math.nan, math.nan
        score, loss = examine(
            self._best_guess(),
            self.validation,
            self.front,
            self.task,
            self.loss,
            apart=answers_apart(self.recipe, self.task),
            device=self.device,
            dtype=autocast_dtype(self.plan.precision),
        )
        if not math.isfinite(loss):
            self._stop_at_nan(epoch)
        return score, loss

    def _best_guess(self) -> nn.Module:
        """The network that would predict now: of the averaged weights, where there are some."""
        return self.plain if self.ema is None else self.ema.module

    def _is_enough(self) -> bool:
        """Whether the score has not risen for as many epochs as the recipe is patient."""
        if self.config.patience is None or not self.history:
            return False
        best = max(self.history, key=disk.rank)
        return self.history[-1].epoch - best.epoch >= self.config.patience

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.plain.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": None if self.ema is None else self.ema.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
            "kept": [asdict(one) for one in self.kept],
            "step": self.step,
        }

    def _go_on(self) -> None:
        """From the state of a training that was killed, where there is one."""
        state = disk.load_state(self.folder)
        if state is None:
            return
        self.plain.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.kept = [Kept(**one) for one in state["kept"]]
        self.step = state["step"]
