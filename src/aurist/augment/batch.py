"""Mixtures of the clips of a batch: mixup, CutMix, between-class learning.

Targets are shares of classes, (batch, n_classes), so that clips with several labels mix as those with one do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from aurist.errors import ConfigError

LABELS = ("share", "union")
#: of the windows that loudness is measured in, in seconds
_LEVEL_WINDOW = 0.1


@dataclass(frozen=True)
class Pairs:
    """With which other clip each clip is mixed, and the share of itself that it keeps.

    Parameters
    ----------
    partner
        (batch,), int64.
    share
        (batch,), float32, in [0, 1].
    place
        (batch, 2), float32, in [0, 1]: where `cutmix` cuts.
    """

    partner: npt.NDArray[np.int64]
    share: npt.NDArray[np.float32]
    place: npt.NDArray[np.float32]


def draw_pairs(rng: np.random.Generator, n_clips: int, alpha: float) -> Pairs:
    """Draw partners (each clip is the partner of one) and shares from Beta(alpha, alpha).

    Raises
    ------
    ConfigError
        Where alpha is not above 0; the papers use 0.1 to 0.4 for mixup and 1 for CutMix.
    """
    if not (math.isfinite(alpha) and alpha > 0):
        raise ConfigError(f"alpha is {alpha}, but must be above 0: 0.4 is usual for mixup, 1 for CutMix.")
    partner = rng.permutation(n_clips).astype(np.int64)
    share = rng.beta(alpha, alpha, n_clips).astype(np.float32)
    return Pairs(partner, share, rng.random((n_clips, 2), dtype=np.float32))


def mixup(inputs: Tensor, targets: Tensor, pairs: Pairs, labels: str = "share") -> tuple[Tensor, Tensor]:
    """Weighted means of pairs of clips, whether waves or images.

    H. Zhang and others, "mixup: Beyond empirical risk minimization", 2018.

    Parameters
    ----------
    inputs
        (batch, ...).
    targets
        (batch, n_classes), float.
    pairs
        As `draw_pairs` gives them.
    labels
        "share": targets are mixed as the inputs are; "union": what either clip holds is there in full, as one
        hears both (usual where clips have several labels).

    Returns
    -------
    (batch, ...) and (batch, n_classes)
    """
    share, partner = _on(inputs, pairs)
    kept = _shaped(share, inputs)
    mixed = torch.lerp(inputs[partner], inputs, kept.to(inputs.dtype))
    return mixed, _mixed_targets(targets, partner, share, labels)


def cutmix(images: Tensor, targets: Tensor, pairs: Pairs, labels: str = "share") -> tuple[Tensor, Tensor]:
    """Put a rectangle of another clip's image into each.

    S. Yun and others, "CutMix: Regularization strategy to train strong classifiers with localizable features", 2019.

    Parameters
    ----------
    images
        (batch, ..., rows, frames).
    targets
        (batch, n_classes), float; mixed by the areas as cut, rounded to whole rows and frames.
    pairs
        As `draw_pairs` gives them.
    labels
        As for `mixup`.
    """
    rows, frames = images.shape[-2:]
    _, partner = _on(images, pairs)
    out = images.clone()
    kept = np.empty(len(images), np.float32)
    for i, (other, share, place) in enumerate(zip(pairs.partner, pairs.share, pairs.place, strict=True)):
        side = math.sqrt(1 - float(share))
        top, bottom = _cut(rows, side, float(place[0]))
        left, right = _cut(frames, side, float(place[1]))
        out[i, ..., top:bottom, left:right] = images[int(other), ..., top:bottom, left:right]
        kept[i] = 1 - (bottom - top) * (right - left) / (rows * frames)
    share = torch.from_numpy(kept).to(images.device)
    return out, _mixed_targets(targets, partner, share, labels)


def between_class(
    waves: Tensor, targets: Tensor, pairs: Pairs, sample_rate: int, labels: str = "share"
) -> tuple[Tensor, Tensor]:
    """Mix pairs of waves so that a share is one of loudness as heard, and the energy stays.

    Y. Tokozume, Y. Ushiku, T. Harada, "Learning from between-class examples for deep sound recognition", 2018. The
    level of a clip is that of its loudest tenth of a second, here without the A weighting. The paper draws shares
    uniformly: `draw_pairs` with alpha 1.

    Parameters
    ----------
    waves
        (batch, n_samples).
    targets
        (batch, n_classes), float.
    pairs
        As `draw_pairs` gives them.
    sample_rate
        In Hz.
    labels
        As for `mixup`.
    """
    share, partner = _on(waves, pairs)
    level = _loudest(waves, max(1, round(_LEVEL_WINDOW * sample_rate)))
    # equal loudness of both where one of them is silent
    heard = (level > 0) & (level[partner] > 0)
    ratio = torch.where(heard, level / level[partner].clamp(min=1e-30), torch.ones_like(level))
    # p = 1 / (1 + ratio (1 - share) / share), written so that shares of 0 and 1 are whole
    weight = share / (share + ratio * (1 - share)).clamp(min=1e-30)
    norm = torch.sqrt(weight**2 + (1 - weight) ** 2)
    own, others = _shaped(weight / norm, waves), _shaped((1 - weight) / norm, waves)
    mixed = own.to(waves.dtype) * waves + others.to(waves.dtype) * waves[partner]
    return mixed, _mixed_targets(targets, partner, share, labels)


def _on(inputs: Tensor, pairs: Pairs) -> tuple[Tensor, Tensor]:
    if len(pairs.partner) != len(inputs):
        raise ConfigError(f"There are {len(inputs)} clips, but pairs were drawn for {len(pairs.partner)}.")
    share = torch.from_numpy(pairs.share).to(inputs.device)
    return share, torch.from_numpy(pairs.partner).to(inputs.device)


def _shaped(share: Tensor, inputs: Tensor) -> Tensor:
    return share.reshape(-1, *[1] * (inputs.dim() - 1))


def _mixed_targets(targets: Tensor, partner: Tensor, share: Tensor, labels: str) -> Tensor:
    if labels == "share":
        return torch.lerp(targets[partner], targets, share.to(targets.dtype)[:, None])
    if labels == "union":
        return torch.maximum(targets, targets[partner])
    raise ConfigError(f"labels is {labels!r}, but must be one of: {', '.join(LABELS)}.")


def _cut(size: int, side: float, place: float) -> tuple[int, int]:
    length = round(side * size)
    first = round(place * (size - length))
    return first, first + length


def _loudest(waves: Tensor, window: int) -> Tensor:
    """The root mean square of each clip's loudest stretch, (batch,)."""
    window = min(window, waves.shape[-1])
    n = waves.shape[-1] // window * window
    power = waves[:, :n].float().square().reshape(len(waves), -1, window).mean(dim=-1)
    return power.amax(dim=-1).sqrt()
