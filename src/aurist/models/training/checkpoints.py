"""Files of a training in progress: its state, its best weights, its learning curve."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from aurist.errors import RunError
from aurist.files import atomic_path
from aurist.nets.files import save_weights

STATE, HISTORY, PROGRESS = "state.pt", "history.csv", "progress.json"
#: Seconds between two states on the disk: that of a large network takes a second to write.
STATE_EVERY = 20.0


@dataclass(frozen=True)
class Epoch:
    """A line of the learning curve.

    ``score`` is the metric on the validation part, ``validation_loss`` its loss (NaN without a validation part).
    ``waiting`` is the share of time that the network waited for its batches.
    """

    epoch: int
    lr: float
    loss: float
    validation_loss: float
    score: float
    clips_per_second: float
    waiting: float
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: its epoch, with its score and loss on the validation part."""

    epoch: int
    score: float
    validation_loss: float

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"epoch{self.epoch:04d}.safetensors"


def rank(checkpoint: Epoch | Checkpoint) -> tuple[float, float, int]:
    """Rank a checkpoint, higher is better: by its score, then its loss, then the earlier epoch.

    A score can be undefined if the validation part lacks a class. It ranks lowest.

    Examples
    --------
    >>> rank(Checkpoint(3, float("nan"), 0.5)) > rank(Checkpoint(0, float("nan"), 0.9))
    True
    """
    return (
        -math.inf if math.isnan(checkpoint.score) else checkpoint.score,
        -checkpoint.validation_loss,
        -checkpoint.epoch,
    )


def keep_best(
    folder: Path, best_so_far: list[Checkpoint], new: Checkpoint, most: int, network: nn.Module
) -> list[Checkpoint]:
    """Add a checkpoint and return the ``most`` best, best first. Write the new one if it is among them."""
    best = sorted([*best_so_far, new], key=rank, reverse=True)[:most]
    if new in best:
        save_weights(folder / new.file, network)
    return best


def drop_others(folder: Path, best: list[Checkpoint]) -> None:
    """Delete the weights of other checkpoints."""
    for path in folder.glob("epoch*.safetensors"):
        if path.name not in {checkpoint.file for checkpoint in best}:
            path.unlink()


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the state of the training, to resume from."""
    with atomic_path(folder / STATE) as part:
        torch.save(state, part)


def load_state(folder: Path) -> dict[str, Any] | None:
    """Read the state of a killed training; None if it wrote none."""
    path = folder / STATE
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise RunError(
            f"{path} is damaged ({type(error).__name__}). Delete it, and this network is trained again from the start."
        ) from error
    return state


def write_history(folder: Path, history: list[Epoch]) -> None:
    """Write the learning curve as CSV."""
    with atomic_path(folder / HISTORY) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(Epoch.__dataclass_fields__))
        writer.writeheader()
        for epoch in history:
            writer.writerow({k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(epoch).items()})


class TrainingProgress:
    """Writes the progress of a training to a small file, about once a second."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PROGRESS
        self._last_write = 0.0

    def write(self, progress: dict[str, Any]) -> None:
        """Write the progress, unless it was written less than a second ago."""
        if time.monotonic() - self._last_write < 1.0:
            return
        self._last_write = time.monotonic()
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(progress), encoding="utf-8")
        part.replace(self._path)
