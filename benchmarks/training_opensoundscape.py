"""Training speed against OpenSoundscape: the same network on the same 5-s clips and images, in 32 bits.

Both augment every clip in every epoch (gain, noise, a roll in time, a mask in time, a mask in frequency).
OpenSoundscape decodes and preprocesses clip by clip in a DataLoader; its best numbers of workers and batches are found
first. aurist reads the sound from its store; the time to fill it once is printed. bf16 is printed separately, because
OpenSoundscape does not offer it on CPUs. A plain PyTorch loop over images in memory shows the upper limit for this
network. With `--recordings` the clips are windows of FLAC recordings at 48 kHz, ten minutes long. OpenSoundscape needs
its own environment:

    python -m venv peer
    peer/bin/pip install opensoundscape==0.13.2 torch==2.11.* torchvision==0.26.* torchaudio==2.11.*
    python benchmarks/training_opensoundscape.py --peer peer/bin/python --clips 96 --repeats 3 --output results
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import IO

import numpy as np
import pandas as pd
import soundfile
import torch
from torch import Tensor

import _common
from aurist.audio import read
from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.features.spectrogram import Spectrogram
from aurist.features.waves import store_waves
from aurist.models.training.batches import LabelledAudio
from aurist.nets import mel_cnn
from aurist.recipes import Augment, Recipe
from training import BATCH, RATE, SECONDS, Ours, network_of, part_of, plain_loop, recipe

AUGMENT = Augment(
    spectrum=(
        {"kind": "volume", "db": [-10.0, 10.0], "p": 1.0},
        {"kind": "gaussian_noise", "snr_db": [5.0, 30.0], "p": 1.0},
        {"kind": "time_shift", "seconds": [-2.5, 2.5], "p": 1.0},
    ),
    image=({"kind": "time_mask", "p": 1.0}, {"kind": "frequency_mask", "p": 1.0}),
)
#: Rate in Hz and length in seconds of the recordings made of the clips.
FIELD_RATE, FIELD_SECONDS = 48_000, 600
#: Clips without digital silence: the noise of OpenSoundscape fails on it.
LABELS = ("Rain", "Sea waves", "Chainsaw", "Helicopter", "Fire crackling")
SETTINGS = [(workers, batch) for workers in (0, 1, 2) for batch in (16, 32)]


class Peer:
    """A process in the peer's environment, which trains on request."""

    def __init__(
        self, python: Path, labels: pd.DataFrame, image: tuple[int, int], network: str, folder: Path
    ) -> None:
        labels.to_csv(folder / "labels.csv")
        self._image = image
        self._network = network if network == "resnet18" else str(Path(mel_cnn.__file__).resolve())
        script = Path(__file__).with_name("_opensoundscape.py")
        self._process = subprocess.Popen(
            [str(python), str(script), str(folder / "labels.csv")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "peer.log").open("w"),
            text=True,
            env={**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"},
        )
        self._n = len(labels)

    def speed(self, workers: int, batch: int) -> float:
        """Return clips/s, after the batches that its workers made in advance (two each) are used up."""
        task = {
            "seconds": SECONDS,
            "rate": RATE,
            "rows": self._image[0],
            "frames": self._image[1],
            "network": self._network,
            "workers": workers,
            "batch": batch,
        }
        task["ahead"] = 2 * workers + 1
        task["steps"] = task["ahead"] + max(6, self._n // batch)
        into, out = self._process.stdin, self._process.stdout
        assert into is not None and out is not None
        _write_line(into, json.dumps(task))
        return float(json.loads(out.readline()))


def _write_line(file: IO[str], line: str) -> None:
    file.write(line + "\n")
    file.flush()


def our_speed(ours: Ours) -> float:
    """Return the seconds of an epoch, without the start of the trainer and its last checkpoint."""
    ours()
    return ours.speed[-1]


def steady_clips(data: Path, n: int) -> Clips:
    """Return clips without digital silence, evenly spread."""
    clips = read_clips(data / "esc10" / "labels.csv", ReadOptions())
    steady = clips.table["labels"].map(lambda labels: labels[0] in LABELS).to_numpy().nonzero()[0]
    return clips.take(steady[:: max(1, len(steady) // n)][:n])


def as_recordings(clips: Clips, folder: Path) -> Clips:
    """Join the same sounds into long recordings; each clip is a window of one."""
    waves = [read(path, sample_rate=FIELD_RATE)[0] for path in clips.files()]
    length = SECONDS * FIELD_RATE
    waves = [np.resize(wave, length) for wave in waves]
    each = FIELD_SECONDS // SECONDS
    rows = []
    for i in range(len(waves)):
        path = folder / f"recording{i // each}.flac"
        if not path.exists():
            whole = [waves[(i + k) % len(waves)] for k in range(each)]
            soundfile.write(path, np.concatenate(whole), FIELD_RATE)
        start = i % each * SECONDS
        rows.append((str(path), start, start + SECONDS, clips.table["labels"].iloc[i][0]))
    listed = read_clips(pd.DataFrame(rows, columns=["path", "start", "end", "label"]), ReadOptions())
    return replace(listed, classes=clips.classes)


def peer_labels(clips: Clips) -> pd.DataFrame:
    """Return indicators by file and, for windows, start and end, as OpenSoundscape needs them."""
    table = pd.DataFrame(clips.targets(), columns=list(clips.classes))
    index = [str(path) for path in clips.files()]
    starts, ends = clips.table["start"].to_numpy(), clips.table["end"].to_numpy()
    if pd.isna(ends).all():
        table.index = pd.Index(index, name="file")
    else:
        names = ["file", "start_time", "end_time"]
        table.index = pd.MultiIndex.from_arrays([index, starts, ends], names=names)
    return table.loc[:, table.any()]


def ceiling(one: Recipe, part: LabelledAudio, waves: Tensor) -> Callable[[], float]:
    """Return clips/s of a plain loop in 32 bits with all images in memory."""
    with torch.inference_mode():
        ready = Spectrogram(one.front)(waves).clone()
    network, targets = network_of(one, tuple(ready.shape[1:])), torch.from_numpy(part.targets)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(ready) // BATCH * BATCH, BATCH):
            yield ready[first : first + BATCH].clone(), targets[first : first + BATCH]

    def speed() -> float:
        began = time.perf_counter()
        plain_loop(network, batches, bf16=False)
        return len(ready) // BATCH * BATCH / (time.perf_counter() - began)

    return speed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peer", type=Path, required=True, help="the Python of the environment with OpenSoundscape"
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--clips", type=int, default=192)
    parser.add_argument("--rows", type=int, default=64, help="mel bands")
    parser.add_argument("--hop", type=int, default=512, help="samples from frame to frame")
    parser.add_argument("--network", choices=["resnet18", "mel_cnn"], default="resnet18")
    parser.add_argument("--recordings", action="store_true", help="windows of long recordings")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rows, frames = options.rows, 1 + SECONDS * RATE // options.hop
    one = recipe(options.network)
    one = replace(one, augment=AUGMENT, front=replace(one.front, n_mels=rows, hop_length=options.hop))
    with tempfile.TemporaryDirectory() as temporary:
        clips = steady_clips(options.data, options.clips)
        if options.recordings:
            clips = as_recordings(clips, Path(temporary))
        began = time.perf_counter()
        waves = store_waves(clips, RATE, cache_dir=Path(temporary), jobs=torch.get_num_threads())
        stored = time.perf_counter() - began
        part, sound = part_of(clips, waves)
        plain = ceiling(one, part, sound)
        ours = {
            name: Ours(one, part, network_of(one, (1, rows, frames)), torch.get_num_threads(), name == "bf16")
            for name in ("fp32", "bf16")
        }
        peer = Peer(options.peer, peer_labels(clips), (rows, frames), options.network, Path(temporary))
        speeds = {setting: peer.speed(*setting) for setting in SETTINGS}
        best = max(speeds, key=lambda setting: speeds[setting])
        for one_way in ours.values():
            one_way()
        rounds = [
            {
                "OpenSoundscape": peer.speed(*best),
                "plain PyTorch, ready images": plain(),
                "aurist, fp32": our_speed(ours["fp32"]),
                "aurist, bf16": our_speed(ours["bf16"]),
            }
            for _ in range(options.repeats)
        ]
    lines = [
        [
            way,
            f"{median(r[way] for r in rounds):.1f}",
            f"**{median(r[way] / r['OpenSoundscape'] for r in rounds):.2f}**",
        ]
        for way in rounds[0]
    ]
    what = "windows of 48 kHz FLAC recordings" if options.recordings else "clips of ESC-10"
    text = (
        f"{len(clips)} {what}, {options.network}, images of {rows} x {frames}, {torch.get_num_threads()} threads. "
        f"OpenSoundscape with {best[0]} workers and batches of {best[1]}, the best of {len(SETTINGS)} settings; aurist "
        f"with batches of 16, its store filled in {stored:.1f} s once, waiting for batches "
        f"{median(ours['fp32'].waiting[1:]):.1%} of the time:"
    )
    figures = {"settings": {str(k): v for k, v in speeds.items()}, "rounds": rounds, "store_seconds": stored}
    table = _common.table(["training", "clips/s", "relative to OpenSoundscape"], lines)
    name = f"training_opensoundscape_{options.network}_{rows}x{frames}{'_recordings' if options.recordings else ''}"
    _common.publish(name, text + "\n\n" + table, figures, options.output)


if __name__ == "__main__":
    main()
