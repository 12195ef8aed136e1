"""The default network fitted to the sound at hand: its rate, its bands, its windows, its length of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aurist.errors import ConfigError
from aurist.features.spectrogram_config import SpectrogramConfig
from aurist.features.summary_config import RATES, ULTRASONIC_RANGE, ULTRASOUND
from aurist.recipes import Recipe

#: Of the recipe as it was made.
_RATE, _FFT, _HOP = 44100, 2048, 441
#: Seconds of the window, and frames that a shorter one must still have.
_WINDOW, _FEWEST_FRAMES = 2.0, 128
#: Seconds (of ultrasound: slowed down) of the shortest window.
_SHORTEST = 0.05
#: Windows of one clip are answered for at the most.
_MOST_WINDOWS = 24
#: Windows learnt from, all epochs together, beyond which more clips are taken for fewer epochs.
_MOST_LEARNT, _FEWEST_EPOCHS = 400_000, 40
#: With fewer clips batches are smaller, lest an epoch be a few steps.
_FEW_CLIPS = 200


@dataclass(frozen=True)
class SoundFacts:
    """What the recordings are like.

    Parameters
    ----------
    sample_rate
        That most of them have, in Hz.
    seconds, longest
        The median length of a clip, and the length that all but few keep within.
    clips
        How many there are.
    """

    sample_rate: float
    seconds: float
    longest: float
    clips: int


def sound_facts(content: Mapping[str, Any], clips: int) -> SoundFacts | None:
    """From what the audit found; None where there is no sound that could be read."""
    lengths = content.get("clip_seconds")
    if not lengths:
        return None
    rates: Mapping[str, int] = content["sample_rates"]
    common = max(rates, key=lambda rate: (rates[rate], float(rate)))
    return SoundFacts(float(common), lengths["median"], lengths["95%"], clips)


def adapted(recipe: Recipe, facts: SoundFacts) -> Recipe:
    """The recipe `mel-cnn` for recordings such as these.

    Nothing is made up above the rate that most recordings have. Ultrasound is taken as bat detectors do, slowed down:
    frames and windows have as many samples as at 44.1 kHz. Clips shorter than the window make it shorter, with frames
    that follow faster. Of long clips fewer windows overlap when they are predicted.

    Examples
    --------
    >>> from aurist.recipes import read_recipe
    >>> digits = adapted(read_recipe("mel-cnn"), SoundFacts(8000, 0.43, 0.6, 1200))
    >>> digits.front.sample_rate, digits.front.hop_length, digits.front.fmax, digits.window.seconds
    (8000, 37, 3600.0, 0.6)
    """
    rate = _rate(facts.sample_rate)
    slower = rate / _RATE if rate >= ULTRASOUND else 1.0
    longest = facts.longest * slower
    window = round(min(_WINDOW, max(longest, _SHORTEST)), 3)
    finer = min(1.0, window * _RATE / _HOP / _FEWEST_FRAMES)
    heard = rate / slower
    fmax = min(16000.0, 0.45 * heard) * slower
    front = _front(
        recipe.front,
        sample_rate=rate,
        hop_length=max(1, int(_HOP * finer * heard / _RATE)),
        n_fft=_power_of_two(max(_FFT * finer, 0.02 * _RATE) * heard / _RATE),
        fmin=recipe.front.fmin if slower == 1 else fmax / ULTRASONIC_RANGE,
        fmax=fmax,
    )
    seconds = window / slower
    hop = max(window / 4, facts.seconds * slower / _MOST_WINDOWS) / slower
    spectrum = tuple(
        {**one, "seconds": [-seconds, seconds]} if one.get("kind") == "time_shift" else one
        for one in recipe.augment.spectrum
    )
    epochs = max(_FEWEST_EPOCHS, min(recipe.training.epochs, _MOST_LEARNT // max(1, facts.clips)))
    return replace(
        recipe,
        front=front,
        window=replace(recipe.window, seconds=seconds, hop=round(hop, 4)),
        augment=replace(recipe.augment, spectrum=spectrum),
        training=replace(
            recipe.training,
            epochs=epochs,
            batch_size=recipe.training.batch_size if facts.clips >= _FEW_CLIPS else 16,
        ),
    )


def within(recipe: Recipe, band: tuple[float, float]) -> Recipe:
    """The recipe that hears a band, in Hz, alone, as far as its sample rate reaches.

    Raises
    ------
    ConfigError
        Where that reaches not even into the band.

    Examples
    --------
    >>> from aurist.recipes import read_recipe
    >>> front = within(read_recipe("mel-cnn"), (1500.0, 30000.0)).front
    >>> front.fmin, front.fmax
    (1500.0, 22050.0)
    """
    if recipe.network.takes != "image":
        return recipe
    rate = recipe.front.sample_rate
    fmin, fmax = band[0], min(band[1], rate / 2)
    if fmin >= fmax:
        raise ConfigError(
            f"{recipe.name}: the boxes lie from {band[0]:g} to {band[1]:g} Hz, but at a sample rate of {rate} Hz there "
            f"is nothing above {rate / 2:g} Hz: raise front.sample_rate."
        )
    hop, n_fft = recipe.front.hop_length, recipe.front.n_fft
    front = _front(recipe.front, sample_rate=rate, hop_length=hop, n_fft=n_fft, fmin=fmin, fmax=fmax)
    return replace(recipe, front=front)


def unmixed(recipe: Recipe) -> Recipe:
    """Without mixing, which needs many epochs to be worth it."""
    return replace(recipe, augment=replace(recipe.augment, mixing="none"))


def coarser(recipe: Recipe) -> Recipe:
    """With half as many frames a second: an epoch takes half the time."""
    return replace(recipe, front=replace(recipe.front, hop_length=2 * recipe.front.hop_length))


def _front(
    front: SpectrogramConfig, *, sample_rate: int, hop_length: int, n_fft: int, fmin: float, fmax: float
) -> SpectrogramConfig:
    """With frames as short as its bands allow: none may be narrower than what the frames can tell apart."""
    while True:
        try:
            return replace(
                front, sample_rate=sample_rate, hop_length=hop_length, n_fft=n_fft, fmin=fmin, fmax=fmax
            )
        except ConfigError:
            if n_fft >= _FFT * sample_rate / _RATE * 4:
                raise
            n_fft *= 2


def _rate(native: float) -> int:
    if native >= ULTRASOUND:
        return round(native)
    return next((rate for rate in RATES if rate >= 0.99 * native), RATES[-1])


def _power_of_two(n: float) -> int:
    power: int = 2 ** max(6, round(float(n)).bit_length() - 1)
    return power if n / power < 1.5 else 2 * power
