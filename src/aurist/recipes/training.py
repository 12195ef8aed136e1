"""The training of a recipe's network: optimiser, schedule, epochs, what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurist.errors import ConfigError, check_one_of

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "one_cycle", "cosine", "step", "inverse")
KEEPS = ("best", "last")
PRECISIONS = ("auto", "32", "bf16", "16")
QUANTIZATIONS = ("none", "int8")


@dataclass(frozen=True)
class Training:
    """The training of a network.

    Parameters
    ----------
    optimizer, lr, momentum, weight_decay
        "sgd", "adam", "adamw" or "rmsprop". ``weight_decay`` is one number, or a table of numbers by the beginning of
        layers' names; biases and norms have no weight decay.
    schedule
        The learning rate by step: "constant"; "one_cycle" (L. Smith, 2018: up over ``warmup`` of the steps, then
        down by a cosine to 0); "cosine" (the same, with a linear rise); "step" (times ``decay`` every
        ``decay_epochs``); "inverse" (lr / (1 + decay * step), as in Keras).
    batch_size, accumulate
        Clips per batch, and batches per step.
    epochs
        The most epochs. If the time is too short there are fewer, and the schedule is shortened.
    patience
        Stop after this many epochs without a better score on the validation part; None: never.
    keep
        "best": keep the epochs with the best score on the validation part of the training folds. "last": choose
        nothing; the network learns from all training folds, and its last weights are kept.
    top_k
        With "best": the number of epochs to keep. Their probabilities are averaged.
    seeds
        The number of networks. Their probabilities are averaged.
    layer_rate
        The learning rate of each layer of the body, as a share of that of the layer after it: below 1, such as 0.8, the
        first layers of a pretrained body change least (J. Howard, S. Ruder, 2018).
    head_epochs
        First epochs in which only the head learns, so that its random weights do not spoil a pretrained body.
    last_layers
        The number of last layers of the body that learn, beside the head; None: all.
    ema
        Decay per step of a moving average of the weights, which is used in their place; None: no average.
    clip_norm
        The largest norm of the gradients; None: no limit.
    precision
        "32", "bf16", "16" (GPU), or "auto": bf16 if it is measured to be faster.
    devices
        The number of processes, or of GPUs, that train a network together, each on its share of every batch
        (distributed data parallel). Norms have the statistics of each share.
    quantize
        "int8": networks of images predict in 8 bits on CPUs and are scored so; the variant "32 bits" shows the cost.
    """

    optimizer: str = "adamw"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float | Mapping[str, float] = 0.01
    schedule: str = "one_cycle"
    warmup: float = 0.25
    decay: float = 0.1
    decay_epochs: int = 10
    batch_size: int = 32
    accumulate: int = 1
    epochs: int = 40
    patience: int | None = None
    keep: str = "best"
    top_k: int = 1
    seeds: int = 1
    layer_rate: float = 1.0
    head_epochs: int = 0
    last_layers: int | None = None
    ema: float | None = None
    clip_norm: float | None = None
    precision: str = "auto"
    devices: int = 1
    quantize: str = "none"

    def __post_init__(self) -> None:
        check_one_of("optimizer", self.optimizer, OPTIMIZERS)
        check_one_of("schedule", self.schedule, SCHEDULES)
        check_one_of("keep", self.keep, KEEPS)
        check_one_of("precision", self.precision, PRECISIONS)
        check_one_of("quantize", self.quantize, QUANTIZATIONS)
        for name in ("lr", "clip_norm"):
            check_above_0(name, getattr(self, name))
        for name in (
            "batch_size",
            "accumulate",
            "epochs",
            "decay_epochs",
            "top_k",
            "seeds",
            "patience",
            "last_layers",
            "devices",
        ):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigError(f"{name} is {value!r}, but must be a whole number of at least 1.")
        check_share("warmup", self.warmup)
        if not 0 < self.layer_rate <= 1:
            raise ConfigError(f"layer_rate is {self.layer_rate}, but must be above 0, and at most 1.")
        if not isinstance(self.head_epochs, int) or self.head_epochs < 0:
            raise ConfigError(
                f"head_epochs is {self.head_epochs!r}, but must be a whole number of at least 0."
            )
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ConfigError(f"ema is {self.ema}, but must be at least 0 and below 1, such as 0.99.")
        if self.devices > self.batch_size:
            raise ConfigError(
                f"devices is {self.devices}, but batch_size is {self.batch_size}: each device needs a part of a batch."
            )
        if self.keep == "last" and (self.patience is not None or self.top_k > 1):
            raise ConfigError(
                "keep is 'last', which chooses nothing, but patience or top_k need a choice: use keep = 'best'."
            )


def check_above_0(name: str, value: float | None) -> None:
    """Raise ConfigError if a value is given and not above 0."""
    if value is not None and not value > 0:
        raise ConfigError(f"{name} is {value!r}, but must be above 0.")


def check_share(name: str, value: float) -> None:
    """Raise ConfigError if a value is not from 0 to 1."""
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} is {value!r}, but must be from 0 to 1.")
