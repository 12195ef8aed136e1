"""Training speed of networks: aurist's loop, from stored sound, against plain PyTorch loops with the same network.

The plain loop has its images in memory, so only the network is timed. This is the upper limit if the network stays
unchanged. A second loop makes them in the workers of a DataLoader, with the same front end, as people do. In the same
time aurist reads the sound, augments every clip and makes the images. Every round times all of them in turn.

    python benchmarks/training.py --clips 64 --repeats 3 --output results
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

import _common
from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.features.spectrogram import Spectrogram
from aurist.features.waves import Waves, store_waves
from aurist.models.base import Task
from aurist.models.sound import Sound
from aurist.models.training.batches import LabelledAudio
from aurist.models.training.devices import fabric_for
from aurist.models.training.loop import Plan, Trainer
from aurist.nets.build import build_network
from aurist.nets.losses import loss_function
from aurist.recipes import Recipe, recipe_from

BATCH, RATE, SECONDS = 16, 22050, 5
NETWORKS = ("resnet18", "resnet50", "densenet121")
AUGMENT = {
    "spectrum": [
        {"kind": "time_shift", "seconds": [-2.5, 2.5]},
        {"kind": "pitch_shift", "semitones": [-3, 3]},
        {"kind": "gaussian_noise", "snr_db": [5, 20]},
    ],
    "image": [{"kind": "frequency_mask"}, {"kind": "time_mask"}],
}


def recipe(backbone: str) -> Recipe:
    return recipe_from(
        {
            "name": backbone,
            "front": {"sample_rate": RATE, "n_fft": 1024, "hop_length": 256, "n_mels": 128},
            "window": {"seconds": float(SECONDS)},
            "augment": AUGMENT,
            "network": {"backbone": backbone},
            "training": {"batch_size": BATCH, "schedule": "constant", "keep": "last"},
        },
        backbone,
    )


def network_of(one: Recipe, image: tuple[int, int, int]) -> nn.Module:
    torch.manual_seed(0)
    return build_network(one.network, image, 10, sample_rate=RATE)


class Images(Dataset[tuple[Tensor, Tensor]]):
    """A dataset as people write it: a clip from memory, its image, its label."""

    def __init__(self, waves: Tensor, targets: Tensor, front: Spectrogram) -> None:
        self.waves, self.targets, self.front = waves, targets, front

    def __len__(self) -> int:
        return len(self.waves)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            return self.front(self.waves[i][None])[0], self.targets[i]


def plain_loop(
    network: nn.Module, batches: Callable[[], Iterator[tuple[Tensor, Tensor]]], bf16: bool
) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    network.train()
    for x, y in batches():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        loss.item()


class Ours:
    """Return aurist's own trainer; each call trains one more epoch."""

    def __init__(
        self, one: Recipe, part: LabelledAudio, network: nn.Module, threads: int, bf16: bool
    ) -> None:
        self.waiting: list[float] = []
        self.speed: list[float] = []
        self._make = partial(
            Trainer,
            recipe=one,
            task=Task(tuple("abcdefghij"), False, "accuracy", jobs=threads),
            plan=Plan(1, "bf16" if bf16 else "32", 0.0),
            loss=loss_function("cross_entropy"),
            part=part,
            validation=None,
            front=Spectrogram(one.front),
            seed=0,
            fabric=fabric_for(one.training, "bf16" if bf16 else "32"),
        )
        self._network = network

    def __call__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            trainer = self._make(Path(folder), network=self._network)
            trainer.train(float("inf"))
            self.waiting.append(trainer.history[-1].waiting)
            self.speed.append(trainer.history[-1].clips_per_second)


def ways(
    one: Recipe, part: LabelledAudio, waves: Tensor, threads: int, bf16: bool
) -> tuple[dict[str, Callable], Ours]:
    front = Spectrogram(one.front)
    with torch.inference_mode():
        ready = front(waves).clone()
    targets = torch.from_numpy(part.targets)
    image = (ready.shape[1], ready.shape[2], ready.shape[3])

    def from_memory() -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(ready) // BATCH * BATCH, BATCH):
            yield ready[first : first + BATCH].clone(), targets[first : first + BATCH]

    loader = DataLoader(
        Images(waves, targets, front),
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=threads,
        persistent_workers=True,
    )
    ours = Ours(one, part, network_of(one, image), threads, bf16)
    unchanged = replace(one, augment=replace(one.augment, spectrum=(), image=()))
    tasks = {
        "plain, ready images": partial(plain_loop, network_of(one, image), from_memory, bf16),
        "plain, DataLoader": partial(plain_loop, network_of(one, image), lambda: iter(loader), bf16),
        "aurist": ours,
        "aurist, not augmented": Ours(unchanged, part, network_of(one, image), threads, bf16),
    }
    return tasks, ours


def part_of(clips: Clips, stored: Waves) -> tuple[LabelledAudio, Tensor]:
    """Return the clips to train on, and their sound as one tensor."""
    sound = Sound(stored, recipe("resnet18").window, RATE * SECONDS)
    waves = np.empty((len(clips), RATE * SECONDS), np.float32)
    for i, out in enumerate(waves):
        sound.read(i, 0, out)
    targets = clips.targets().astype(np.float32)
    return LabelledAudio(sound, targets, None, np.ones(len(clips), np.float32)), torch.from_numpy(waves)


def main() -> None:
    options = _common.arguments(__doc__.splitlines()[0], NETWORKS)
    threads = torch.get_num_threads()
    rows, figures = [], []
    with tempfile.TemporaryDirectory() as cache:
        clips = read_clips(options.data / "esc10" / "labels.csv", ReadOptions())
        clips = clips.take(np.linspace(0, len(clips) - 1, options.clips // BATCH * BATCH).astype(int))
        part, waves = part_of(clips, store_waves(clips, RATE, cache_dir=Path(cache), jobs=threads))
        for name in options.networks:
            for bf16 in (False, True):
                tasks, ours = ways(recipe(name), part, waves, threads, bf16)
                seconds = _common.interleaved(tasks, options.repeats)
                speed = {task: len(waves) / median(times) for task, times in seconds.items()}
                against = {task: _common.ratio(times, seconds["aurist"]) for task, times in seconds.items()}
                waiting = median(ours.waiting[1:])
                precision = "bf16" if bf16 else "fp32"
                figures.append(
                    {
                        "network": name,
                        "precision": precision,
                        "clips_per_second": speed,
                        "times": against,
                        "waiting": waiting,
                    }
                )
                rows.append(
                    [name, precision, *(f"{speed[task]:.1f}" for task in tasks)]
                    + [f"**{against[task]:.2f}**" for task in list(tasks)[:2]]
                    + [f"{waiting:.1%}"]
                )
                print(rows[-1], flush=True)
    text = f"{len(waves)} clips of 5 s an epoch, images of 128 x 431, batches of {BATCH}, {threads} threads, clips/s:"
    header = [
        "network",
        "precision",
        *tasks,
        "relative to ready images",
        "relative to DataLoader",
        "waiting for batches",
    ]
    _common.publish("training", text + "\n\n" + _common.table(header, rows), figures, options.output)


if __name__ == "__main__":
    main()
