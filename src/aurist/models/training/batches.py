"""Make the batches of a network: cut, augment and mix windows. The same seed, epoch and clip give the same batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from aurist.augment import Drawn, clip_rng
from aurist.augment.batch import Pairs, between_class, cutmix, draw_pairs, mixup
from aurist.augment.spectral import augment_image, augment_spectrum
from aurist.features.spectrogram import Spectrogram
from aurist.models.sound import Sound
from aurist.recipes import Recipe

#: Added to the seeds of whole batches, so that they differ from the seeds of clips.
_SHUFFLE, _PAIRS = 2**31 - 1, 2**31 - 2


@dataclass(frozen=True)
class LabelledAudio:
    """Clips with their labels.

    Parameters
    ----------
    sound
        (n,) clips.
    targets
        (n, n_classes), 1 if the class is present.
    known
        (n, n_classes), 1 if the label is known; None if all are.
    weight
        (n,).
    """

    sound: Sound
    targets: npt.NDArray[np.float32]
    known: npt.NDArray[np.float32] | None
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.targets)


class Batch(NamedTuple):
    """``x`` is (batch, channels, rows, frames), or (batch, n_samples) for networks that take waves."""

    x: Tensor
    targets: Tensor
    known: Tensor | None
    weight: Tensor


class Draws(NamedTuple):
    """The random choices for one clip: the start of its window, and its augmentation."""

    start: int
    wave: list[Drawn]
    spectrum: list[Drawn]
    image: list[Drawn]


class Batches:
    """Makes the training batches of an epoch. It has no state that changes, so all threads may share it.

    Parameters
    ----------
    part
        The training clips.
    recipe
        Its augmentation and batch size are used.
    front
        Makes the images; None for networks that take waves.
    seed
        The seed of all random choices.
    device
        Makes the images.
    share
        The number of a process, from 0, and that of all that train together: which clips of each batch it makes.
    """

    def __init__(
        self,
        part: LabelledAudio,
        recipe: Recipe,
        front: Spectrogram | None,
        seed: int,
        device: torch.device,
        *,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.part = part
        self.recipe = recipe
        self.front = front
        self.seed = seed
        self.device = device
        self.size = min(recipe.training.batch_size, len(part))
        self.share = share
        self._wave, self._spectrum, self._image = (
            recipe.augment.compose(stage) for stage in ("wave", "spectrum", "image")
        )

    def __len__(self) -> int:
        """Batches per epoch; clips that do not fill the last batch wait for another epoch."""
        return len(self.part) // self.size

    def epoch(self, epoch: int, *, mixed: bool) -> Iterator[Callable[[], Batch]]:
        """Yield the calls that make the batches of an epoch."""
        order = np.random.default_rng([self.seed, epoch, _SHUFFLE]).permutation(len(self.part))
        for index in range(len(self)):
            first, of = self.share
            rows = order[index * self.size : (index + 1) * self.size][first::of]
            yield partial(self.make, epoch, index, rows, mixed=mixed)

    def make(self, epoch: int, index: int, rows: npt.NDArray[np.intp], *, mixed: bool) -> Batch:
        """Make one batch."""
        draws = [self.draw(epoch, int(row)) for row in rows]
        waves = np.stack([self.wave(int(row), drawn) for row, drawn in zip(rows, draws, strict=True)])
        pairs = self._pairs(epoch, index, len(rows)) if mixed else None
        targets = torch.from_numpy(self.part.targets[rows])
        x, targets = self._input(torch.from_numpy(waves), targets, draws, pairs)
        known = None if self.part.known is None else torch.from_numpy(self.part.known[rows])
        if known is not None and pairs is not None:
            known = known * known[torch.from_numpy(pairs.partner)]
        weight = torch.from_numpy(self.part.weight[rows])
        on = self.device
        return Batch(x.to(on), targets.to(on), None if known is None else known.to(on), weight.to(on))

    def draw(self, epoch: int, row: int) -> Draws:
        """Draw the window and the augmentation of a clip in an epoch."""
        rng = clip_rng(self.seed, epoch, row)
        n, rate = self.part.sound.n_samples, self.recipe.front.sample_rate
        start = self.part.sound.training_start(row, rng)
        return Draws(
            start, *(stage.draw(rng, n, rate) for stage in (self._wave, self._spectrum, self._image))
        )

    def wave(self, row: int, draws: Draws) -> npt.NDArray[np.float32]:
        """Return the window of a clip, (n_samples,), with the changes to its sound."""
        out = np.empty(self.part.sound.n_samples, dtype=np.float32)
        self.part.sound.read(row, draws.start, out)
        return self._wave.apply(out, self.recipe.front.sample_rate, draws.wave) if draws.wave else out

    def _pairs(self, epoch: int, index: int, n_clips: int) -> Pairs | None:
        augment = self.recipe.augment
        rng = np.random.default_rng([self.seed, epoch, _PAIRS, index])
        if augment.mixing == "none" or rng.random() >= augment.mixing_p:
            return None
        return draw_pairs(rng, n_clips, augment.alpha)

    def _input(
        self, waves: Tensor, targets: Tensor, draws: list[Draws], pairs: Pairs | None
    ) -> tuple[Tensor, Tensor]:
        """Turn waves into the network's input, and mix the targets accordingly."""
        augment = self.recipe.augment
        waves = waves.to(self.device)
        if pairs is not None and augment.mixing == "between_class":
            targets = targets.to(self.device)
            waves, targets = between_class(
                waves, targets, pairs, self.recipe.front.sample_rate, augment.mixing_labels
            )
        x = waves if self.front is None else self._images(self.front, waves, draws)
        if pairs is not None and augment.mixing in ("mixup", "cutmix"):
            mix = mixup if augment.mixing == "mixup" else cutmix
            x, targets = mix(x, targets.to(self.device), pairs, augment.mixing_labels)
        return x, targets

    def _images(self, front: Spectrogram, waves: Tensor, draws: list[Draws]) -> Tensor:
        spectrum, bank = front.power(waves), None
        if self._spectrum.transforms:
            spectrum, bank = augment_spectrum(
                spectrum,
                self._spectrum,
                [drawn.spectrum for drawn in draws],
                front.config,
                peaks=waves.abs().amax(dim=1),
            )
        image = front.to_image(spectrum, bank)
        return (
            augment_image(image, self._image, [drawn.image for drawn in draws])
            if self._image.transforms
            else image
        )
