"""The training loop: one network, from its first weights to its best checkpoints.

All randomness depends on the seed, the epoch and the clip alone. So the state at the end of an epoch is enough to
resume exactly as if nothing had happened.
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

from aurist.features.spectrogram import Spectrogram
from aurist.models.base import FitFailedError, Task
from aurist.models.network_member import has_independent_classes
from aurist.models.training import checkpoints as disk
from aurist.models.training.averaging import moving_average
from aurist.models.training.batches import Batch, Batches, LabelledAudio
from aurist.models.training.checkpoints import Checkpoint, Epoch
from aurist.models.training.precision import autocast_dtype
from aurist.models.training.predict import channels_last
from aurist.models.training.prefetch import Prefetch
from aurist.models.training.schedule import optimizer, rate, set_rate
from aurist.models.training.validate import validate
from aurist.nets.layers import freeze_layers
from aurist.nets.losses import LossFunction
from aurist.recipes import Recipe


@dataclass(frozen=True)
class Plan:
    """Epochs and precision, planned by the speed of this machine before the training begins.

    ``clips_per_second`` is the measured speed.
    """

    epochs: int
    precision: str
    clips_per_second: float


class Trainer:
    """Trains one network of a recipe in its own folder, or resumes a killed training.

    Parameters
    ----------
    folder
        For its checkpoints and its state.
    recipe, task, plan
        The setting of the network, the classes to learn, and the number of epochs.
    network
        The network with its first weights.
    loss
        A function of logits, targets, known cells and weights.
    part, validation
        Clips to learn from, and to choose on. Without validation the last weights are kept.
    front
        Makes images; None for networks that take waves.
    seed
        The seed of all random choices.
    fabric
        The device, or the processes that train together, of which this is one: each has its share of every batch. The
        first one validates and writes.
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
        fabric: Fabric,
    ) -> None:
        self.folder, self.recipe, self.task, self.plan = folder, recipe, task, plan
        self.config, self.loss, self.seed = recipe.training, loss, seed
        self.part, self.validation, self.front = part, validation, front
        self.fabric, self.device = fabric, fabric.device
        self.plain = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.optimizer = self.fabric.setup(self.plain, optimizer(self.plain, self.config))
        if recipe.loss.frames:
            self.network.mark_forward_method("with_frames")
        self.ema = None if self.config.ema is None else moving_average(self.plain, self.config.ema)
        self.batches = Batches(
            part, recipe, front, seed, self.device, share=(fabric.global_rank, fabric.world_size)
        )
        self.history: list[Epoch] = []
        self.checkpoints: list[Checkpoint] = []
        self.step = 0
        self.saved = time.monotonic()

    def train(self, until: float) -> list[Checkpoint]:
        """Train, and return the best checkpoints, best first.

        Parameters
        ----------
        until
            The end by ``time.monotonic``. The plan is shortened if its epochs would end later.

        Raises
        ------
        FitFailedError
            If the loss is no longer a number.
        """
        self._resume()
        progress = disk.TrainingProgress(self.folder)
        while len(self.history) < self.plan.epochs and not self._is_patience_over():
            epoch = len(self.history)
            began = time.perf_counter()
            lr, loss, waited = self._train_epoch(epoch, progress)
            train_seconds = time.perf_counter() - began
            score, validation_loss = self.fabric.broadcast(
                self._validate(epoch) if self.fabric.is_global_zero else (math.nan, math.nan)
            )
            clips = len(self.batches) * self.batches.size
            self.history.append(
                Epoch(
                    epoch,
                    lr,
                    loss,
                    validation_loss,
                    score,
                    clips / train_seconds,
                    waited / train_seconds,
                    time.perf_counter() - began,
                )
            )
            if self.fabric.is_global_zero:
                self._keep(self.history[-1])
            self.plan = self.fabric.broadcast(self._plan_in_time(until))
        if self.fabric.is_global_zero:
            if self.config.keep == "last":
                last = Checkpoint(self.history[-1].epoch, math.nan, math.nan)
                self.checkpoints = disk.keep_best(self.folder, [], last, 1, self._current_network())
            disk.drop_others(self.folder, self.checkpoints)
        return self.checkpoints

    def _keep(self, epoch: Epoch) -> None:
        """Write what an epoch has brought: its weights if they are among the best, its line of the curve, the state."""
        if self.config.keep == "best":
            new = Checkpoint(epoch.epoch, epoch.score, epoch.validation_loss)
            self.checkpoints = disk.keep_best(
                self.folder, self.checkpoints, new, self.config.top_k, self._current_network()
            )
        disk.write_history(self.folder, self.history)
        if time.monotonic() - self.saved > disk.STATE_EVERY:
            disk.save_state(self.folder, self._state())
            self.saved = time.monotonic()

    def _plan_in_time(self, until: float) -> Plan:
        """Plan fewer epochs if the machine became slower: the learning rate still falls to its end in time."""
        if math.isinf(until):
            return self.plan
        epoch_seconds = float(np.median([epoch.seconds for epoch in self.history[-3:]]))
        affordable = len(self.history) + max(0, math.floor((until - time.monotonic()) / epoch_seconds))
        return replace(self.plan, epochs=min(affordable, self.plan.epochs))

    def _train_epoch(self, epoch: int, progress: disk.TrainingProgress) -> tuple[float, float, float]:
        """Train one epoch. Return the rate at its end, the mean loss, and the seconds of waiting for batches."""
        torch.manual_seed(int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0]))
        self._freeze_layers(epoch)
        self.network.train()
        n_augmented = round(self.plan.epochs * (1 - self.recipe.augment.quiet_epochs))
        batches = Prefetch(self.batches.epoch(epoch, mixed=epoch < n_augmented), threads=self.task.jobs)
        began, losses, lr = time.perf_counter(), [], 0.0
        for index, batch in enumerate(batches):
            lr = rate(self.config, self.step, self.plan.epochs * len(self.batches), len(self.batches))
            set_rate(self.optimizer, self.config, lr)
            losses.append(self._mean(self._train_batch(batch, index)))
            self.step += 1
            if not math.isfinite(losses[-1]):
                self._stop_at_nan(epoch)
            speed = (index + 1) * self.batches.size / (time.perf_counter() - began)
            left = (self.plan.epochs - epoch) * len(self.batches) - index - 1
            if not self.fabric.is_global_zero:
                continue
            progress.write(
                {
                    "epoch": epoch,
                    "epochs": self.plan.epochs,
                    "loss": round(float(np.mean(losses)), 4),
                    "score": max((past.score for past in self.history), default=None),
                    "clips_per_second": round(speed, 1),
                    "left": round(left * self.batches.size / speed),
                }
            )
        return self.config.lr * lr, float(np.mean(losses)), batches.waited

    def _freeze_layers(self, epoch: int) -> None:
        """Freeze the layers of the body that do not learn in an epoch; a body that its recipe froze stays so."""
        body = getattr(self.plain, "body", None)
        if isinstance(body, nn.Module) and not self.recipe.network.frozen:
            freeze_layers(body, 0 if epoch < self.config.head_epochs else self.config.last_layers)

    def _train_batch(self, batch: Batch, index: int) -> Tensor:
        whole = (index + 1) % self.config.accumulate == 0 or index + 1 == len(self.batches)
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
        return loss.detach()

    def _mean(self, loss: Tensor) -> float:
        """Return the mean of all processes: they stop together at a loss that is no number."""
        mean = self.fabric.all_reduce(loss)
        assert isinstance(mean, Tensor)  # as what went in
        return mean.item()

    def _loss_of(self, batch: Batch) -> Tensor:
        truth = batch.targets, batch.known, batch.weight
        if not self.recipe.loss.frames:
            return self.loss(self.network(channels_last(batch.x)), *truth)
        logits = self.network.with_frames(channels_last(batch.x))
        whole, loudest = self.loss(logits[:, 0], *truth), self.loss(logits[:, 1:].amax(dim=1), *truth)
        return torch.lerp(whole, loudest, self.recipe.loss.frames)

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

    def _validate(self, epoch: int) -> tuple[float, float]:
        """Return the metric and the loss on the validation part; NaN without one."""
        if self.validation is None:
            return math.nan, math.nan
        score, loss = validate(
            self._current_network(),
            self.validation,
            self.front,
            self.task,
            self.loss,
            independent=has_independent_classes(self.recipe, self.task),
            device=self.device,
            dtype=autocast_dtype(self.plan.precision),
        )
        if not math.isfinite(loss):
            self._stop_at_nan(epoch)
        return score, loss

    def _current_network(self) -> nn.Module:
        """Return the network that would predict now: with averaged weights if there are any."""
        return self.plain if self.ema is None else self.ema.module

    def _is_patience_over(self) -> bool:
        """Return True if the score did not rise for ``patience`` epochs."""
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
            "kept": [asdict(checkpoint) for checkpoint in self.checkpoints],
            "step": self.step,
        }

    def _resume(self) -> None:
        """Load the state of a killed training if there is one."""
        state = disk.load_state(self.folder)
        if state is None:
            return
        self.plain.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.checkpoints = [Checkpoint(**checkpoint) for checkpoint in state["kept"]]
        self.step = state["step"]
