"""Spectrograms as images without torch, for prediction on CPUs: the numbers of `aurist.features.spectrogram`."""

from aurist.features.images.maker import ImageMaker
from aurist.features.images.overlapping import overlapping_images

__all__ = ["ImageMaker", "overlapping_images"]
