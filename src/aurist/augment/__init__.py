"""Augmentation: random changes of recordings for training.

Transforms of sound are here. Those of spectra are in `aurist.augment.spectral`, and those that mix the clips of a batch
in `aurist.augment.batch`: both need torch.
"""

from aurist.augment.background import BackgroundMix
from aurist.augment.base import Drawn, Transform, clip_rng
from aurist.augment.compose import Compose, OneOf
from aurist.augment.filtering import BandPass, Equalizer, HighPass, LowPass
from aurist.augment.level import Gain, Polarity, Volume
from aurist.augment.masks import FrequencyMask, TimeMask
from aurist.augment.noise import GaussianNoise, PinkNoise
from aurist.augment.pitch import PitchShift, TimeStretch
from aurist.augment.settings import compose_from, describe
from aurist.augment.shift import TimeShift

__all__ = [
    "BackgroundMix",
    "BandPass",
    "Compose",
    "Drawn",
    "Equalizer",
    "FrequencyMask",
    "Gain",
    "GaussianNoise",
    "HighPass",
    "LowPass",
    "OneOf",
    "PinkNoise",
    "PitchShift",
    "Polarity",
    "TimeMask",
    "TimeShift",
    "TimeStretch",
    "Transform",
    "Volume",
    "clip_rng",
    "compose_from",
    "describe",
]
