"""Settings of networks; they are read and checked without torch."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from aurist.errors import ConfigError, check_one_of

HEADS = ("linear", "rfcx", "attention", "loudest")
#: Those by which a network can tell when in a clip a class sounds.
FRAMEWISE = ("attention", "loudest")
POOLS = ("avg", "max", "avgmax")
INITS = ("default", "xavier", "he")
MFCC_CNN = "mfcc_cnn"
MEL_CNN = "mel_cnn"
#: before the name of a transformer at the hub, or its folder
TRANSFORMER = "transformer:"
#: settings that say nothing of these networks, which are whole by themselves
_WITHOUT = {
    MEL_CNN: ("pretrained", "drop_path"),
    MFCC_CNN: ("pretrained", "frozen", "weights", "head", "pool", "drop_path"),
    TRANSFORMER: ("pretrained", "weights", "head", "pool", "drop_path", "init"),
}


@dataclass(frozen=True)
class NetworkConfig:
    """Which network.

    Parameters
    ----------
    backbone
        A name of timm's, such as "resnet18", "densenet121", "inception_resnet_v2", with a tag for one of
        several sets of weights ("resnet50.a1_in1k"); "mel_cnn", our own small one for spectrograms; "mfcc_cnn", with
        a head of its own; or "transformer:" and
        the name of an audio model at the Hugging Face hub, or its folder: always with its weights.
    pretrained
        Begin with timm's weights, which are downloaded once.
    weights
        A local file to begin with, .safetensors or .pth: a backbone with timm's names (a classifier in it is
        left out), or the body of a network saved by aurist.
    frozen
        The body keeps its weights and only the head learns: fast, for pretrained bodies.
    head
        "linear"; "rfcx" (a hidden layer between batch norms, as in a kernel of Kaggle's rainforest contest);
        "attention" and "loudest" (over time, weighted or at its surest, for sound events: they tell when, too).
    pool
        Over the map of the backbone: "avg", "max", "avgmax" (the mean of both). With the heads that tell when over
        its rows alone.
    dropout
        Before the classifier; None: what the head is published with (0, 0.3, 0.5 and 0.5 for the heads above, 0
        for "mfcc_cnn").
    drop_path
        Stochastic depth, for backbones that have it.
    init
        Of convolutions and linear layers that have no pretrained weights: "default" (timm's; Xavier for
        "mfcc_cnn"), "xavier" (uniform), "he" (normal).

    Raises
    ------
    ConfigError
        Where a value makes no sense, or says nothing of this backbone.

    Examples
    --------
    >>> NetworkConfig(head="gru")
    Traceback (most recent call last):
    aurist.errors.ConfigError: head is 'gru', but must be one of: linear, rfcx, attention, loudest.
    """

    backbone: str = "resnet18"
    pretrained: bool = False
    weights: str | None = None
    frozen: bool = False
    head: str = "linear"
    pool: str = "avg"
    dropout: float | None = None
    drop_path: float = 0.0
    init: str = "default"

    def __post_init__(self) -> None:
        for name, known in (("head", HEADS), ("pool", POOLS), ("init", INITS)):
            check_one_of(name, getattr(self, name), known)
        for name in ("dropout", "drop_path"):
            check_share(name, getattr(self, name))
        if self.pretrained and self.weights is not None:
            raise ConfigError(
                f"pretrained is true and weights is {self.weights!r}: the file would replace what is downloaded. "
                "Give one of the two."
            )
        if self.backbone.strip() != self.backbone or self.backbone in ("", TRANSFORMER):
            raise ConfigError(
                f"backbone is {self.backbone!r}, but must be a name such as 'resnet18', '{MEL_CNN}' or "
                f"'{TRANSFORMER}MIT/ast-finetuned-audioset-10-10-0.4593'."
            )
        self._check_used()
        if self.frozen and not (self.pretrained or self.weights or self.transformer):
            raise ConfigError(
                "frozen is true, but the body would keep weights drawn at random: give pretrained = true, "
                "or weights = a file."
            )

    @property
    def transformer(self) -> str | None:
        """The hub name or the folder of a transformer; None for other networks."""
        return self.backbone.removeprefix(TRANSFORMER) if self.backbone.startswith(TRANSFORMER) else None

    @property
    def takes(self) -> str:
        """ "wave": (batch, n_samples); "image": (batch, channels, rows, frames)."""
        return "image" if self.transformer is None else "wave"

    @property
    def tells_when(self) -> bool:
        """Whether it answers for each frame."""
        return self.head in FRAMEWISE

    def _check_used(self) -> None:
        kind = TRANSFORMER if self.transformer is not None else self.backbone
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        unused = [n for n in _WITHOUT.get(kind, ()) if getattr(self, n) != defaults[n]]
        if unused:
            given = ", ".join(f"{name} = {getattr(self, name)!r}" for name in unused)
            raise ConfigError(
                f"The backbone {self.backbone!r} is whole by itself and has no use for: {given}. Leave it out, "
                "or take a backbone of timm's."
            )


def check_share(name: str, value: float | None) -> None:
    """ConfigError where a value is given and not in [0, 1)."""
    if value is not None and not (math.isfinite(value) and 0 <= value < 1):
        raise ConfigError(f"{name} is {value!r}, but must be at least 0 and below 1.")
