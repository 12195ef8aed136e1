"""What a network hears of a recording in training, for people to judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from aurist.augment import Compose, Drawn, OneOf
from aurist.clips.read import read_clips
from aurist.errors import ConfigError
from aurist.features.waves import store_waves
from aurist.models.training.batches import Batches, Draws, LabelledAudio
from aurist.models.training.fold import front_end
from aurist.models.training.sound import Sound, window_length
from aurist.recipes import Recipe

_UNITS = {
    "snr_db": "dB SNR",
    "db": "dB",
    "seconds": "s",
    "hz": "Hz",
    "low_hz": "Hz",
    "high_hz": "Hz",
    "rate": "times",
}


@dataclass(frozen=True)
class AugmentPreview:
    """One window.

    Parameters
    ----------
    wave
        (n_samples,), its sound. What the recipe does to spectra is done to the sound here, by the same draws; what it
        does to images cannot be heard.
    image
        (rows, frames), exactly what the network sees, the lowest row first; None for networks that take waves.
    changes
        What was drawn, in words.
    """

    wave: npt.NDArray[np.float32]
    image: npt.NDArray[np.float32] | None
    changes: str


def hear_file(path: Path, recipe: Recipe, count: int, seed: int, cache_dir: Path) -> list[AugmentPreview]:
    """A window as it is, then ``count`` as they would be in as many epochs.

    The mixing of clips is left out, as there is only one here.

    Parameters
    ----------
    path
        Of the recording.
    recipe
        Whose window, augmentation and front end to use.
    count, seed
        How many, and of what draws.
    cache_dir
        Where decoded audio is kept.
    """
    if count < 1:
        raise ConfigError(f"The count is {count}, but must be at least 1.")
    clips = read_clips(path, labelled=False)
    waves = store_waves(
        clips, recipe.front.sample_rate, margin=recipe.window.margin, cache_dir=cache_dir, jobs=1
    )
    sound = Sound(waves, recipe.window, window_length(recipe, waves))
    nothing = np.zeros((1, 1), np.float32)
    front = front_end(recipe)
    batches = Batches(
        LabelledAudio(sound, nothing, None, nothing[0]), recipe, front, seed, torch.device("cpu")
    )
    plain = np.empty(sound.n_samples, np.float32)
    sound.read(0, int(sound.starts(0)[0]), plain)
    with torch.inference_mode():
        image = None if front is None else front(torch.from_numpy(plain)[None])[0, 0].numpy()
        return [
            AugmentPreview(plain, image, "as it is"),
            *(_heard(batches, recipe, epoch) for epoch in range(count)),
        ]


def _heard(batches: Batches, recipe: Recipe, epoch: int) -> AugmentPreview:
    draws = batches.draw(epoch, 0)
    wave = batches.wave(0, draws)
    image = batches.make(epoch, 0, np.array([0]), mixed=False).x[0, 0].numpy() if batches.front else None
    audible = recipe.augment.compose("spectrum").apply(wave, recipe.front.sample_rate, draws.spectrum)
    return AugmentPreview(audible, image, _words(recipe, draws) or "nothing drawn")


def _words(recipe: Recipe, draws: Draws) -> str:
    found = []
    for stage in ("wave", "spectrum", "image"):
        found += [_said(recipe.augment.compose(stage), drawn) for drawn in getattr(draws, stage)]
    return ", ".join(found)


def _said(compose: Compose, drawn: Drawn) -> str:
    transform, params = compose.transforms[drawn.step], drawn.params
    while isinstance(transform, OneOf):
        transform, params = transform.of[params.step], params.params
    name = re.sub(r"(?<!^)([A-Z])", r" \1", type(transform).__name__).lower()
    values = params._asdict() if hasattr(params, "_asdict") else {}
    numbers = [
        f"{value:.1f} {_UNITS.get(key, key)}" for key, value in values.items() if isinstance(value, float)
    ]
    return " ".join([name, *numbers])
