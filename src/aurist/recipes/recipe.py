"""A recipe: all settings of a network and its training, in one file that people can read and change."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aurist.augment import Compose, compose_from
from aurist.errors import ConfigError, check_one_of
from aurist.features.spectrogram_config import SpectrogramConfig
from aurist.folders import check_name
from aurist.nets.config import FRAMEWISE, NetworkConfig
from aurist.pooling import POOLINGS
from aurist.recipes.training import Training, check_above_0, check_share
from aurist.recipes.tuned import TunedBy

MIXINGS = ("none", "mixup", "cutmix", "between_class")
LOSSES = ("auto", "cross_entropy", "focal", "bce", "bce_focal")
PLACES = ("random", "centre")
PADS = ("zero", "repeat")


@dataclass(frozen=True)
class Window:
    """The windows of a clip that the network gets.

    Parameters
    ----------
    seconds
        The length of a window; None: that of the longest training clip, shorter clips are padded.
    hop
        Seconds between the windows of a clip in prediction; None: half a window.
    place
        The position of a training window in its clip: "random", or "centre" (of an annotated box, with the sound
        around it if the recording has any).
    skip_silence
        Skip windows that are silent (60 dB below the clip's peak) for 4/5 of their time, in training and prediction,
        unless there are no others. Many clips are padded with zeros.
    pad
        The filling after a clip shorter than its window: "zero", or "repeat" for the clip again.
    pooling
        The poolings of windows to choose from out of fold: "mean", "max", "vote", "top3".
    """

    seconds: float | None = None
    hop: float | None = None
    place: str = "random"
    skip_silence: bool = False
    pad: str = "zero"
    pooling: tuple[str, ...] = POOLINGS

    @property
    def margin(self) -> float:
        """Seconds around a clip that its windows may include."""
        return (self.seconds or 0.0) if self.place == "centre" else 0.0

    def __post_init__(self) -> None:
        check_one_of("place", self.place, PLACES)
        check_one_of("pad", self.pad, PADS)
        for how in self.pooling:
            check_one_of("pooling", how, POOLINGS)
        check_above_0("seconds", self.seconds)
        check_above_0("hop", self.hop)
        if not self.pooling:
            raise ConfigError(f"pooling is empty, but must name at least one of: {', '.join(POOLINGS)}.")


@dataclass(frozen=True)
class Augment:
    """The augmentation of training clips, and only of these.

    Parameters
    ----------
    wave, spectrum, image
        Tables of transforms (see `aurist.augment.compose_from`) of the sound, of its power spectrum (cheaper), and
        of the finished image.
    mixing
        Mix the clips of a batch: "none", "mixup", "cutmix" (of images), "between_class" (of waves).
    alpha
        The parameter of the Beta distribution of the shares.
    mixing_p
        Share of the batches that are mixed.
    mixing_labels
        "share", or "union" (the classes of both clips are present).
    quiet_epochs
        Share of the epochs, at the end, without mixing: the network then gets unmixed clips.
    """

    wave: tuple[Mapping[str, Any], ...] = ()
    spectrum: tuple[Mapping[str, Any], ...] = ()
    image: tuple[Mapping[str, Any], ...] = ()
    mixing: str = "none"
    alpha: float = 0.3
    mixing_p: float = 1.0
    mixing_labels: str = "share"
    quiet_epochs: float = 0.0

    def __post_init__(self) -> None:
        check_one_of("mixing", self.mixing, MIXINGS)
        check_one_of("mixing_labels", self.mixing_labels, ("share", "union"))
        check_above_0("alpha", self.alpha)
        check_share("mixing_p", self.mixing_p)
        check_share("quiet_epochs", self.quiet_epochs)
        for stage in ("wave", "spectrum", "image"):
            self.compose(stage)

    def compose(self, stage: str) -> Compose:
        """Return the transforms of "wave", "spectrum" or "image"."""
        tables: tuple[Mapping[str, Any], ...] = getattr(self, stage)
        return compose_from(tables, "augment", stage)


@dataclass(frozen=True)
class Loss:
    """The loss to minimise.

    Parameters
    ----------
    kind
        "auto": cross-entropy for one label per clip, binary cross-entropy for several (unknown labels are
        masked); "focal" and "bce_focal" with ``gamma``.
    label_smoothing
        Share of the target that is spread over all classes.
    class_weights
        Rare classes count as much as common ones.
    frames
        Share of the loss that comes from the highest frame of each class, for networks with a frame-wise head. With
        attention alone, frames of low attention would learn nothing.
    """

    kind: str = "auto"
    label_smoothing: float = 0.0
    gamma: float = 2.0
    class_weights: bool = False
    frames: float = 0.0

    def __post_init__(self) -> None:
        check_one_of("kind", self.kind, LOSSES)
        check_share("frames", self.frames)
        check_share("label_smoothing", self.label_smoothing)
        if self.gamma < 0:
            raise ConfigError(f"gamma is {self.gamma}, but must be 0 or more.")


@dataclass(frozen=True)
class Recipe:
    """A complete, named configuration of a network.

    Parameters
    ----------
    name
        The name of the recipe, and of its row on the leaderboard.
    about
        A description in one sentence.
    source
        Its source, and what differs.
    front, window, augment, network, loss, training
        Its parts.
    search
        The search space of `aurist tune` (see `aurist.recipes.search`).
    tuned
        The search that chose its settings, if `aurist tune` wrote it.
    """

    name: str
    about: str = ""
    source: str = ""
    front: SpectrogramConfig = field(default_factory=SpectrogramConfig)
    window: Window = field(default_factory=Window)
    augment: Augment = field(default_factory=Augment)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: Loss = field(default_factory=Loss)
    training: Training = field(default_factory=Training)
    search: Mapping[str, Any] = field(default_factory=dict)
    tuned: TunedBy = field(default_factory=TunedBy)

    def __post_init__(self) -> None:
        check_name(self.name, "The recipe's name")
        if self.augment.mixing == "cutmix" and self.network.takes != "image":
            raise ConfigError("cutmix mixes images, but this network takes waves: use mixup.")
        if self.training.quantize != "none" and self.network.takes != "image":
            raise ConfigError(
                f"quantize is {self.training.quantize!r}, but only networks of images can have it."
            )
        if self.loss.frames and not self.network.has_frames:
            raise ConfigError(
                f"loss.frames is {self.loss.frames:g}, but the head {self.network.head!r} has no scores of frames: "
                f"use one of: {', '.join(FRAMEWISE)}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain tables for TOML and JSON, without None and without empty searches."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        if not self.search:
            del plain["search"]
        if not self.tuned.trials:
            del plain["tuned"]
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
