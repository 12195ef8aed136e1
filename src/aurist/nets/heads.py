"""Heads: they turn the map of a backbone into the logits of a clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from aurist.errors import ConfigError

#: published dropout of each head
DROPOUT = {"linear": 0.0, "rfcx": 0.3, "attention": 0.5, "loudest": 0.5}
_HIDDEN = 1024


def build_head(
    kind: str, channels: int, n_classes: int, pool: str = "avg", dropout: float | None = None
) -> nn.Module:
    """Build a head; it turns (batch, channels, rows, frames) into (batch, n_classes).

    In every head the layers that depend on the classes have names that begin with "classifier".
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
    """Return the mean, the maximum, or the mean of both over dimensions."""
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
        """Turn (batch, channels, rows, frames) into logits, (batch, n_classes)."""
        logits: Tensor = self.classifier(self.dropout(pooled(x, (2, 3), self.pool)))
        return logits


class RfcxHead(nn.Module):
    """Pool, batch norm, dropout, 1,024 units, ReLU, batch norm, dropout, linear.

    From notebooks of the Rainforest Connection contest (Kaggle, 2021). In training a batch needs two clips.
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
        """Turn (batch, channels, rows, frames) into logits, (batch, n_classes)."""
        logits: Tensor = self.classifier(self.hidden(pooled(x, (2, 3), self.pool)))
        return logits


class FrameHead(nn.Module):
    """Scores every frame; the logit of a clip is the highest of its frames.

    The layers are those of PANNs (Q. Kong et al., 2020).
    """

    def __init__(self, channels: int, n_classes: int, pool: str, dropout: float) -> None:
        super().__init__()
        self.pool = pool
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(channels, channels)
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, rows, frames) into logits, (batch, n_classes)."""
        return self.framewise(x).amax(dim=1)

    def framewise(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, rows, frames) into the logits of each frame, (batch, frames, n_classes)."""
        logits: Tensor = self.classifier(self._frames(x))
        return logits

    def _frames(self, x: Tensor) -> Tensor:
        """Pool the rows and smooth neighbouring frames; return (batch, frames, channels)."""
        x = pooled(x, (2,), self.pool)
        x = functional.max_pool1d(x, 3, 1, 1) + functional.avg_pool1d(x, 3, 1, 1)
        x = self.dropout(x).transpose(1, 2)
        frames: Tensor = self.dropout(torch.relu(self.hidden(x)))
        return frames


class AttentionHead(FrameHead):
    """Weighs frames with attention for each class (Q. Kong et al., "PANNs", 2020: AttBlock).

    The weights sum to 1 over time. They apply to the logits of the frames, as in AttBlock with activation "linear", not
    to their sigmoids. So the result is a logit for cross-entropy and binary cross-entropy, also in half precision.
    """

    def __init__(self, channels: int, n_classes: int, pool: str, dropout: float) -> None:
        super().__init__(channels, n_classes, pool, dropout)
        self.classifier_attention = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, rows, frames) into logits, (batch, n_classes)."""
        frames = self._frames(x)
        # within [-10, 10], as published: no frame gets a weight of 0
        weights = self.classifier_attention(frames).clamp(-10, 10).softmax(dim=1)
        logits: Tensor = (weights * self.classifier(frames)).sum(dim=1)
        return logits


def framewise(head: nn.Module, x: Tensor) -> Tensor:
    """Return the logits of each frame.

    Raises
    ------
    ConfigError
        If the head pools over time.
    """
    if not isinstance(head, FrameHead):
        raise ConfigError(
            f"{type(head).__name__} has one score per clip and none of frames: fit with head='attention'."
        )
    return head.framewise(x)
