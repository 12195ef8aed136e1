"""From the map of a backbone to the logits of a clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from aurist.errors import ConfigError

#: dropout that each head is published with
DROPOUT = {"linear": 0.0, "rfcx": 0.3, "attention": 0.5, "loudest": 0.5}
_HIDDEN = 1024


def build_head(
    kind: str, channels: int, n_classes: int, pool: str = "avg", dropout: float | None = None
) -> nn.Module:
    """A head of this kind: (batch, channels, rows, frames) to (batch, n_classes).

    The layers that depend on the classes have names that begin with "classifier", in every head.
    """
    share = DROPOUT[kind] if dropout is None else dropout
    if kind == "rfcx":
        return RfcxHead(channels, n_classes, pool, share)
    if kind == "attention":
        return AttentionHead(channels, n_classes, pool, share)
    if kind == "loudest":
        return FrameHead(channels, n_classes, pool, share)
    return LinearHead(channels, n_classes, pool, share)


def pooled(x: Tensor, dims: tuple[int, ...], pool: str) -> Tensor:
    """The mean, the maximum, or the mean of both over dimensions."""
    if pool == "avg":
        return x.mean(dims)
    if pool == "max":
        return x.amax(dims)
    return 0.5 * (x.mean(dims) + x.amax(dims))


class LinearHead(nn.Module):
    """Pool, dropout, linear."""

    def __init__(self, channels: int, n_classes: int, pool: str, dropout: float) -> None:
        super().__init__()
        self.pool = pool
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to logits, (batch, n_classes)."""
        found: Tensor = self.classifier(self.dropout(pooled(x, (2, 3), self.pool)))
        return found


class RfcxHead(nn.Module):
    """Pool, batch norm, dropout, 1,024 units, ReLU, batch norm, dropout, linear.

    Of notebooks of the Rainforest Connection contest (Kaggle, 2021). In training a batch needs two clips.
    """

    def __init__(self, channels: int, n_classes: int, pool: str, dropout: float) -> None:
        super().__init__()
        self.pool = pool
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(channels),
            nn.Dropout(dropout),
            nn.Linear(channels, _HIDDEN),
            nn.ReLU(),
            nn.BatchNorm1d(_HIDDEN),
            nn.Dropout(dropout),
        )
        self.classifier = nn.Linear(_HIDDEN, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to logits, (batch, n_classes)."""
        found: Tensor = self.classifier(self.hidden(pooled(x, (2, 3), self.pool)))
        return found


class FrameHead(nn.Module):
    """Every frame answers, and a class is as sure as in the frame where it is surest: so it can be said when, too.

    The layers are those of PANNs (Q. Kong et al., 2020).
    """

    def __init__(self, channels: int, n_classes: int, pool: str, dropout: float) -> None:
        super().__init__()
        self.pool = pool
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(channels, channels)
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to logits, (batch, n_classes)."""
        return self.framewise(x).amax(dim=1)

    def framewise(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to the logits of each frame, (batch, frames, n_classes)."""
        found: Tensor = self.classifier(self._frames(x))
        return found

    def _frames(self, x: Tensor) -> Tensor:
        """(batch, frames, channels): rows pooled, neighbouring frames smoothed."""
        x = pooled(x, (2,), self.pool)
        x = functional.max_pool1d(x, 3, 1, 1) + functional.avg_pool1d(x, 3, 1, 1)
        x = self.dropout(x).transpose(1, 2)
        found: Tensor = self.dropout(torch.relu(self.hidden(x)))
        return found


class AttentionHead(FrameHead):
    """Each class has its own weights over time, which sum to 1 (Q. Kong et al., "PANNs", 2020: AttBlock).

    The weights apply to the logits of the frames, as in AttBlock with activation "linear", not to their sigmoids:
    so the result is a logit that serves cross-entropy and binary cross-entropy alike, and half precision.
    """

    def __init__(self, channels: int, n_classes: int, pool: str, dropout: float) -> None:
        super().__init__(channels, n_classes, pool, dropout)
        self.classifier_attention = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to logits, (batch, n_classes)."""
        frames = self._frames(x)
        # within [-10, 10], as published: no frame is shut out for good
        weights = self.classifier_attention(frames).clamp(-10, 10).softmax(dim=1)
        found: Tensor = (weights * self.classifier(frames)).sum(dim=1)
        return found


def framewise(head: nn.Module, x: Tensor) -> Tensor:
    """The logits of each frame, where the head has them.

    Raises
    ------
    ConfigError
        Where the head pools time away.
    """
    if not isinstance(head, FrameHead):
        raise ConfigError(
            f"{type(head).__name__} gives one answer a clip and cannot tell when: fit with head='attention'."
        )
    return head.framewise(x)
