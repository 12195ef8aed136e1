"""Mix the clips of a batch: mixup, CutMix, between-class learning.

Targets are shares of classes, (batch, n_classes), so clips with several labels mix like those with one.
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
#: seconds of the windows that loudness is measured in
_LEVEL_WINDOW = 0.1


@dataclass(frozen=True)
class Pairs:
    """The partner of each clip, and the share of the clip itself.

    Parameters
    ----------
    partner
        (batch,), int64.
    share
        (batch,), float32, in [0, 1].
    position
        (batch, 2), float32, in [0, 1]: the position of the cut of `cutmix`.
    """

    partner: npt.NDArray[np.int64]
    share: npt.NDArray[np.float32]
    position: npt.NDArray[np.float32]


def draw_pairs(rng: np.random.Generator, n_clips: int, alpha: float) -> Pairs:
    """Draw partners (each clip is the partner of one) and shares from Beta(alpha, alpha).

    Raises
    ------
    ConfigError
        If alpha is not above 0; the papers use 0.1 to 0.4 for mixup and 1 for CutMix.
    """
    if not (math.isfinite(alpha) and alpha > 0):
        raise ConfigError(f"alpha is {alpha}, but must be above 0: 0.4 is usual for mixup, 1 for CutMix.")
    partner = rng.permutation(n_clips).astype(np.int64)
    share = rng.beta(alpha, alpha, n_clips).astype(np.float32)
    return Pairs(partner, share, rng.random((n_clips, 2), dtype=np.float32))


def mixup(inputs: Tensor, targets: Tensor, pairs: Pairs, labels: str = "share") -> tuple[Tensor, Tensor]:
    """Mix pairs of clips by weighted means, of waves or of images.

    H. Zhang and others, "mixup: Beyond empirical risk minimization", 2018.

    Parameters
    ----------
    inputs
        (batch, ...).
    targets
        (batch, n_classes), float.
    pairs
        From `draw_pairs`.
    labels
        "share": targets are mixed like the inputs; "union": the classes of both clips are fully present (usual for
        several labels per clip).

    Returns
    -------
    (batch, ...) and (batch, n_classes)
    """
    share, partner = _on(inputs, pairs)
    own_share = _shaped(share, inputs)
    mixed = torch.lerp(inputs[partner], inputs, own_share.to(inputs.dtype))
    return mixed, _mixed_targets(targets, partner, share, labels)


def cutmix(images: Tensor, targets: Tensor, pairs: Pairs, labels: str = "share") -> tuple[Tensor, Tensor]:
    """Put a rectangle of another clip's image into each image.

    S. Yun and others, "CutMix: Regularization strategy to train strong classifiers with localizable features", 2019.

    Parameters
    ----------
    images
        (batch, ..., rows, frames).
    targets
        (batch, n_classes), float; mixed by the areas as cut, rounded to whole rows and frames.
    pairs
        From `draw_pairs`.
    labels
        As for `mixup`.
    """
    rows, frames = images.shape[-2:]
    _, partner = _on(images, pairs)
    out = images.clone()
    own_shares = np.empty(len(images), np.float32)
    for i, (other, share, position) in enumerate(
        zip(pairs.partner, pairs.share, pairs.position, strict=True)
    ):
        side = math.sqrt(1 - float(share))
        top, bottom = _cut(rows, side, float(position[0]))
        left, right = _cut(frames, side, float(position[1]))
        out[i, ..., top:bottom, left:right] = images[int(other), ..., top:bottom, left:right]
        own_shares[i] = 1 - (bottom - top) * (right - left) / (rows * frames)
    share = torch.from_numpy(own_shares).to(images.device)
    return out, _mixed_targets(targets, partner, share, labels)


def between_class(
    waves: Tensor, targets: Tensor, pairs: Pairs, sample_rate: int, labels: str = "share"
) -> tuple[Tensor, Tensor]:
    """Mix pairs of waves by shares of perceived loudness, and keep the energy.

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
        From `draw_pairs`.
    sample_rate
        In Hz.
    labels
        As for `mixup`.
    """
    share, partner = _on(waves, pairs)
    level = _loudest(waves, max(1, round(_LEVEL_WINDOW * sample_rate)))
    # if one of them is silent, both count as equally loud
    both_audible = (level > 0) & (level[partner] > 0)
    ratio = torch.where(both_audible, level / level[partner].clamp(min=1e-30), torch.ones_like(level))
    # p = 1 / (1 + ratio (1 - share) / share), in a form that is exact for shares of 0 and 1
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


def _cut(size: int, side: float, position: float) -> tuple[int, int]:
    length = round(side * size)
    first = round(position * (size - length))
    return first, first + length


def _loudest(waves: Tensor, window: int) -> Tensor:
    """Return the root mean square of each clip's loudest window, (batch,)."""
    window = min(window, waves.shape[-1])
    n = waves.shape[-1] // window * window
    power = waves[:, :n].float().square().reshape(len(waves), -1, window).mean(dim=-1)
    return power.amax(dim=-1).sqrt()
