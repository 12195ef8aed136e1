"""Score a network between two epochs, on the validation part."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from aurist.features.spectrogram import Spectrogram
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Task
from aurist.models.training.batches import LabelledAudio
from aurist.models.training.predict import window_logits
from aurist.nets.losses import LossFunction, to_proba
from aurist.pooling import pool


def validate(
    network: nn.Module,
    part: LabelledAudio,
    front: Spectrogram | None,
    task: Task,
    loss: LossFunction,
    *,
    independent: bool,
    device: torch.device,
    dtype: torch.dtype | None,
) -> tuple[float, float]:
    """Return the task's metric of the mean of each clip's windows, and the mean loss of the windows.

    Parameters
    ----------
    network, front
        As in prediction: nothing is augmented.
    part
        The clips.
    task, loss
        The metric and the loss to compute.
    independent
        True if each class has its own probability.
    device, dtype
        The device of the network, and its precision.

    Returns
    -------
    score, loss
        NaN and infinity if a logit is not a number.
    """
    clip, start = part.sound.windows()
    logits = window_logits(
        network, part.sound, front, clip, start, device=device, dtype=dtype, threads=task.jobs
    )
    if not bool(logits.isfinite().all()):
        return math.nan, math.inf
    proba = to_proba(logits, multilabel=independent).numpy().astype(np.float64)
    # "multilabel" even for one label: probabilities that sum to 1 in every window also do so in the mean
    pooled = pool(proba, clip, len(part), "mean", multilabel=True)
    truth = part.targets.astype(np.int8)
    if part.known is not None:
        truth[part.known == 0] = UNKNOWN
    rows = torch.from_numpy(clip)
    known_windows = None if part.known is None else torch.from_numpy(part.known)[rows]
    of_windows = torch.from_numpy(part.targets)[rows], known_windows, torch.from_numpy(part.weight)[rows]
    score = metric(task.metric)(truth, pooled, multilabel=task.multilabel)
    return float(score), float(loss(logits, *of_windows))
