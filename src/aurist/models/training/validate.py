"""How good a network is, between two epochs, on the clips that its epochs are chosen by."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from aurist.features.spectrogram import Spectrogram
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Task
from aurist.models.training.batches import LabelledAudio
from aurist.models.training.predict import all_windows, window_logits
from aurist.nets.losses import LossFunction, to_proba
from aurist.pooling import pool


def examine(
    network: nn.Module,
    part: LabelledAudio,
    front: Spectrogram | None,
    task: Task,
    loss: LossFunction,
    *,
    apart: bool,
    device: torch.device,
    dtype: torch.dtype | None,
) -> tuple[float, float]:
    """The task's metric of the mean of each clip's windows, and the mean loss of the windows.

    Parameters
    ----------
    network, front
        Asked as they will be in prediction: nothing is augmented.
    part
        The clips.
    task, loss
        What is measured.
    apart
        Whether each class has a probability of its own.
    device, dtype
        Where and how precisely the network computes.

    Returns
    -------
    score, loss
        NaN and infinity where an answer is no number.
    """
    clip, start = all_windows(part.sound)
    logits = window_logits(
        network, part.sound, front, clip, start, device=device, dtype=dtype, threads=task.jobs
    )
    if not bool(logits.isfinite().all()):
        return math.nan, math.inf
    proba = to_proba(logits, multilabel=apart).numpy().astype(np.float64)
    # "multilabel": what sums to 1 in every window does so in their mean
    pooled = pool(proba, clip, len(part), "mean", multilabel=True)
    truth = part.targets.astype(np.int8)
    if part.known is not None:
        truth[part.known == 0] = UNKNOWN
    rows = torch.from_numpy(clip)
    known = None if part.known is None else torch.from_numpy(part.known)[rows]
    of_windows = torch.from_numpy(part.targets)[rows], known, torch.from_numpy(part.weight)[rows]
    score = metric(task.metric)(truth, pooled, multilabel=task.multilabel)
    return float(score), float(loss(logits, *of_windows))
