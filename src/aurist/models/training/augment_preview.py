"""Preview a recipe's augmentation: the sound and the images that a network would get in training."""

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
from aurist.models.sound import Sound, window_length
from aurist.models.training.batches import Batches, Draws, LabelledAudio
from aurist.models.training.fold import front_end
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
        (n_samples,), its sound. Changes to spectra are made to the sound here, with the same random values. Changes to
        images cannot be heard.
    image
        (rows, frames), exactly the network's input, the lowest row first; None for networks that take waves.
    changes
        The random changes, in words.
    """

    wave: npt.NDArray[np.float32]
    image: npt.NDArray[np.float32] | None
    changes: str


def preview_augmentation(
    path: Path, recipe: Recipe, count: int, seed: int, cache_dir: Path
) -> list[AugmentPreview]:
    """Return a window as it is, then as it would be in each of ``count`` epochs.

    Clips are not mixed, as there is only one.

    Parameters
    ----------
    path
        The recording.
    recipe
        Its window, augmentation and front end are used.
    count, seed
        The number of augmented windows, and the seed of the random changes.
    cache_dir
        The folder of decoded audio.
    """
    if count < 1:
        raise ConfigError(f"The count is {count}, but must be at least 1.")
    clips = read_clips(path, labelled=False)
    waves = store_waves(
        clips, recipe.front.sample_rate, margin=recipe.window.margin, cache_dir=cache_dir, jobs=1
    )
    sound = Sound(waves, recipe.window, window_length(recipe, waves))
    no_label = np.zeros((1, 1), np.float32)
    front = front_end(recipe)
    batches = Batches(
        LabelledAudio(sound, no_label, None, no_label[0]), recipe, front, seed, torch.device("cpu")
    )
    plain = np.empty(sound.n_samples, np.float32)
    sound.read(0, int(sound.starts(0)[0]), plain)
    with torch.inference_mode():
        image = None if front is None else front(torch.from_numpy(plain)[None])[0, 0].numpy()
        return [
            AugmentPreview(plain, image, "as it is"),
            *(_augmented(batches, recipe, epoch) for epoch in range(count)),
        ]


def _augmented(batches: Batches, recipe: Recipe, epoch: int) -> AugmentPreview:
    draws = batches.draw(epoch, 0)
    wave = batches.wave(0, draws)
    image = batches.make(epoch, 0, np.array([0]), mixed=False).x[0, 0].numpy() if batches.front else None
    audible = recipe.augment.compose("spectrum").apply(wave, recipe.front.sample_rate, draws.spectrum)
    return AugmentPreview(audible, image, _list_changes(recipe, draws) or "nothing drawn")


def _list_changes(recipe: Recipe, draws: Draws) -> str:
    changes = []
    for stage in ("wave", "spectrum", "image"):
        changes += [_describe(recipe.augment.compose(stage), drawn) for drawn in getattr(draws, stage)]
    return ", ".join(changes)


def _describe(compose: Compose, drawn: Drawn) -> str:
    transform, params = compose.transforms[drawn.step], drawn.params
    while isinstance(transform, OneOf):
        transform, params = transform.of[params.step], params.params
    name = re.sub(r"(?<!^)([A-Z])", r" \1", type(transform).__name__).lower()
    values = params._asdict() if hasattr(params, "_asdict") else {}
    numbers = [
        f"{value:.1f} {_UNITS.get(key, key)}" for key, value in values.items() if isinstance(value, float)
    ]
    return " ".join([name, *numbers])
