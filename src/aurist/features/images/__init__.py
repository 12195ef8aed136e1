"""Spectrograms as images without torch, for prediction on CPUs: the numbers of `aurist.features.spectrogram`."""

from aurist.features.images.maker import ImageMaker

__all__ = ["ImageMaker"]
