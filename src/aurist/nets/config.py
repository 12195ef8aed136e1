"""Settings of networks, checked without torch."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from aurist.errors import ConfigError, check_one_of

HEADS = ("linear", "rfcx", "attention", "loudest")
#: Heads that score frames, and so say when in a clip a class sounds.
FRAMEWISE = ("attention", "loudest")
POOLS = ("avg", "max", "avgmax")
INITS = ("default", "xavier", "he")
MFCC_CNN = "mfcc_cnn"
MEL_CNN = "mel_cnn"
#: the prefix of a transformer's name at the hub, or of its folder
TRANSFORMER = "transformer:"
#: settings that these networks do not use
_WITHOUT = {
    MEL_CNN: ("pretrained", "drop_path"),
    MFCC_CNN: ("pretrained", "frozen", "weights", "head", "pool", "drop_path"),
    TRANSFORMER: ("pretrained", "weights", "head", "pool", "drop_path", "init"),
}


@dataclass(frozen=True)
class NetworkConfig:
    """Settings of a network.

    Parameters
    ----------
    backbone
        A name of timm, such as "resnet18", "densenet121", "inception_resnet_v2", with a tag for one of several sets
        of weights ("resnet50.a1_in1k"); "mel_cnn", our small network for spectrograms; "mfcc_cnn", with its own head;
        or "transformer:" and the name of an audio model at the Hugging Face hub, or its folder: always with its
        weights.
    pretrained
        Start from timm's weights, which are downloaded once.
    weights
        A local file to start from, .safetensors or .pth: a backbone with timm's names (without its classifier), or
        the body of a network saved by aurist.
    frozen
        Only the head learns; the weights of the body do not change. Fast, for pretrained bodies.
    head
        "linear"; "rfcx" (a hidden layer between batch norms, as in a kernel of Kaggle's rainforest contest);
        "attention" and "loudest" (weighted mean or maximum over time, for sound events: they also score frames).
    pool
        The pooling over the map of the backbone: "avg", "max", "avgmax" (the mean of both). With the frame-wise heads
        over its rows alone.
    dropout
        Dropout before the classifier; None: as the head was published (0, 0.3, 0.5 and 0.5 for the heads above, 0 for
        "mfcc_cnn").
    drop_path
        Stochastic depth, for backbones that have it.
    init
        First weights of convolutions and linear layers without pretrained weights: "default" (timm's; Xavier for
        "mfcc_cnn"), "xavier" (uniform), "he" (normal).

    Raises
    ------
    ConfigError
        If a value is not valid, or this backbone does not use it.

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
        for name, choices in (("head", HEADS), ("pool", POOLS), ("init", INITS)):
            check_one_of(name, getattr(self, name), choices)
        for name in ("dropout", "drop_path"):
            check_share(name, getattr(self, name))
        if self.pretrained and self.weights is not None:
            raise ConfigError(
                f"pretrained is true and weights is {self.weights!r}: the file would replace the downloaded weights. "
                "Use only one of the two."
            )
        if self.backbone.strip() != self.backbone or self.backbone in ("", TRANSFORMER):
            raise ConfigError(
                f"backbone is {self.backbone!r}, but must be a name such as 'resnet18', '{MEL_CNN}' or "
                f"'{TRANSFORMER}MIT/ast-finetuned-audioset-10-10-0.4593'."
            )
        self._check_used()
        if self.frozen and not (self.pretrained or self.weights or self.transformer):
            raise ConfigError(
                "frozen is true, but the body would keep random weights: give pretrained = true, "
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
    def has_frames(self) -> bool:
        """Return True if it scores each frame."""
        return self.head in FRAMEWISE

    def _check_used(self) -> None:
        kind = TRANSFORMER if self.transformer is not None else self.backbone
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        unused = [n for n in _WITHOUT.get(kind, ()) if getattr(self, n) != defaults[n]]
        if unused:
            settings = ", ".join(f"{name} = {getattr(self, name)!r}" for name in unused)
            raise ConfigError(
                f"The backbone {self.backbone!r} does not use: {settings}. Leave it out, "
                "or use a backbone of timm."
            )


def check_share(name: str, value: float | None) -> None:
    """Raise ConfigError if a value is given and not in [0, 1)."""
    if value is not None and not (math.isfinite(value) and 0 <= value < 1):
        raise ConfigError(f"{name} is {value!r}, but must be at least 0 and below 1.")
