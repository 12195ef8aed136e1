"""Adapt the default network to the recordings: sample rate, bands, windows, epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aurist.errors import ConfigError
from aurist.features.spectrogram_config import SpectrogramConfig
from aurist.features.summary_config import RATES, ULTRASONIC_RANGE, ULTRASOUND
from aurist.recipes import Recipe

#: Sample rate, n_fft and hop length of the recipe.
_RATE, _FFT, _HOP = 44100, 2048, 441
#: Seconds of the window, and the least number of frames of a shorter one.
_WINDOW, _FEWEST_FRAMES = 2.0, 128
#: Seconds of the shortest window; for ultrasound, of slowed-down sound.
_SHORTEST = 0.05
#: The most windows to predict in one clip.
_MOST_WINDOWS = 24
#: The most training windows in all epochs together: with more clips there are fewer epochs.
_MOST_LEARNT, _FEWEST_EPOCHS = 400_000, 40
#: With fewer clips batches are smaller, or an epoch would have only a few steps.
_FEW_CLIPS = 200


@dataclass(frozen=True)
class SoundFacts:
    """Sample rate and length of the recordings.

    Parameters
    ----------
    sample_rate
        The most common one, in Hz.
    seconds, longest
        The median length of a clip, and a length that 95% of the clips do not exceed.
    clips
        The number of clips.
    """

    sample_rate: float
    seconds: float
    longest: float
    clips: int


def sound_facts(
    sample_rates: Mapping[str, int], clip_seconds: Mapping[str, float], clips: int
) -> SoundFacts | None:
    """Collect facts from the audit: files by sample rate, quantiles of lengths; None if there is no readable sound."""
    if not clip_seconds:
        return None
    common = max(sample_rates, key=lambda rate: (sample_rates[rate], float(rate)))
    return SoundFacts(float(common), clip_seconds["median"], clip_seconds["95%"], clips)


def adapt_to_sound(recipe: Recipe, facts: SoundFacts) -> Recipe:
    """Adapt the recipe `mel-cnn` to these recordings.

    The sample rate is not above that of most recordings. Ultrasound is slowed down, as bat detectors do: frames and
    windows have as many samples as at 44.1 kHz. For short clips the window is shorter, with a shorter hop of frames.
    Long clips are predicted with less overlap of their windows.

    Examples
    --------
    >>> from aurist.recipes import read_recipe
    >>> digits = adapt_to_sound(read_recipe("mel-cnn"), SoundFacts(8000, 0.43, 0.6, 1200))
    >>> digits.front.sample_rate, digits.front.hop_length, digits.front.fmax, digits.window.seconds
    (8000, 37, 3600.0, 0.6)
    """
    rate = _rate(facts.sample_rate)
    slowdown = rate / _RATE if rate >= ULTRASOUND else 1.0
    longest = facts.longest * slowdown
    window = round(min(_WINDOW, max(longest, _SHORTEST)), 3)
    frame_factor = min(1.0, window * _RATE / _HOP / _FEWEST_FRAMES)
    slowed_rate = rate / slowdown
    fmax = min(16000.0, 0.45 * slowed_rate) * slowdown
    front = _front(
        recipe.front,
        sample_rate=rate,
        hop_length=max(1, int(_HOP * frame_factor * slowed_rate / _RATE)),
        n_fft=_power_of_two(max(_FFT * frame_factor, 0.02 * _RATE) * slowed_rate / _RATE),
        fmin=recipe.front.fmin if slowdown == 1 else fmax / ULTRASONIC_RANGE,
        fmax=fmax,
    )
    seconds = window / slowdown
    hop = max(window / 4, facts.seconds * slowdown / _MOST_WINDOWS) / slowdown
    spectrum = tuple(
        {**table, "seconds": [-seconds, seconds]} if table.get("kind") == "time_shift" else table
        for table in recipe.augment.spectrum
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


def with_band(recipe: Recipe, band: tuple[float, float]) -> Recipe:
    """Limit a recipe to a band in Hz, as far as its sample rate reaches.

    Raises
    ------
    ConfigError
        If the sample rate is too low for the whole band.

    Examples
    --------
    >>> from aurist.recipes import read_recipe
    >>> front = with_band(read_recipe("mel-cnn"), (1500.0, 30000.0)).front
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


def without_mixing(recipe: Recipe) -> Recipe:
    """Turn mixing off: it needs many epochs to help."""
    return replace(recipe, augment=replace(recipe.augment, mixing="none"))


def with_half_frame_rate(recipe: Recipe) -> Recipe:
    """Double the hop length: half as many frames per second, and half the time per epoch."""
    return replace(recipe, front=replace(recipe.front, hop_length=2 * recipe.front.hop_length))


def _front(
    front: SpectrogramConfig, *, sample_rate: int, hop_length: int, n_fft: int, fmin: float, fmax: float
) -> SpectrogramConfig:
    """Change the front end; make n_fft longer until its frequency resolution is enough for the lowest bands."""
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
