"""What training leaves on the disk while it runs: where it stands, its best weights, its curve."""

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
#: Seconds between two states on the disk: a large network's takes a second to write.
STATE_EVERY = 20.0


@dataclass(frozen=True)
class Epoch:
    """A line of the learning curve.

    ``score`` is the metric on the validation part, ``validation_loss`` its loss (NaN where nothing is chosen);
    ``waiting`` is the share of the time that the network waited for its batches.
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
class Kept:
    """A checkpoint: its epoch, and how good it was on the validation part."""

    epoch: int
    score: float
    validation_loss: float

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"epoch{self.epoch:04d}.safetensors"


def rank(one: Epoch | Kept) -> tuple[float, float, int]:
    """Higher is better: by the score, among equals by the loss, then the earlier epoch.

    A score that is not defined, where the validation part lacks a class, is as low as any.

    Examples
    --------
    >>> rank(Kept(3, float("nan"), 0.5)) > rank(Kept(0, float("nan"), 0.9))
    True
    """
    return -math.inf if math.isnan(one.score) else one.score, -one.validation_loss, -one.epoch


def keep_best(folder: Path, kept: list[Kept], new: Kept, most: int, network: nn.Module) -> list[Kept]:
    """The best checkpoints with the new one, which is written where it is among them; best first."""
    best = sorted([*kept, new], key=rank, reverse=True)[:most]
    if new in best:
        save_weights(folder / new.file, network)
    return best


def drop_others(folder: Path, kept: list[Kept]) -> None:
    """Delete the weights that are no longer among the best."""
    for path in folder.glob("epoch*.safetensors"):
        if path.name not in {one.file for one in kept}:
            path.unlink()


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write where the training stands, so that it can go on from there."""
    with atomic_path(folder / STATE) as part:
        torch.save(state, part)


def load_state(folder: Path) -> dict[str, Any] | None:
    """Where a killed training stood; None where it had not come far."""
    path = folder / STATE
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise RunError(
            f"{path} is damaged ({type(error).__name__}). Delete it, and this network is trained anew."
        ) from error
    return found


def write_history(folder: Path, history: list[Epoch]) -> None:
    """The learning curve, as a CSV file."""
    with atomic_path(folder / HISTORY) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(Epoch.__dataclass_fields__))
        writer.writeheader()
        for epoch in history:
            writer.writerow({k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(epoch).items()})


class TrainingProgress:
    """Tells whoever looks how far a training is, about once a second, in a small file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PROGRESS
        self._told = 0.0

    def tell(self, now: dict[str, Any]) -> None:
        """Write it, unless it was written a moment ago."""
        if time.monotonic() - self._told < 1.0:
            return
        self._told = time.monotonic()
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(now), encoding="utf-8")
        part.replace(self._path)
