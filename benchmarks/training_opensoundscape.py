"""Training speed against OpenSoundscape: the same ResNet18 on the same 5-s clips and images, in 32 bits.

Both change every clip in every epoch (gain, noise, a roll in time, a mask of time, a mask of frequencies).
OpenSoundscape decodes and preprocesses clip by clip, in a DataLoader; its best number of workers and batch are found
first. aurist reads the sound from its store; the seconds to fill it, once, are stated. bf16, which OpenSoundscape does
not offer on CPUs, is stated apart. OpenSoundscape needs an environment of its own:

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
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import IO

import pandas as pd
import torch

import _common
from aurist.clips.read import ReadOptions, read_clips
from aurist.features.waves import store_waves
from aurist.recipes import Augment
from training import RATE, SECONDS, Ours, network_of, part_of, recipe

AUGMENT = Augment(
    spectrum=(
        {"kind": "volume", "db": [-10.0, 10.0], "p": 1.0},
        {"kind": "gaussian_noise", "snr_db": [5.0, 30.0], "p": 1.0},
        {"kind": "time_shift", "seconds": [-2.5, 2.5], "p": 1.0},
    ),
    image=({"kind": "time_mask", "p": 1.0}, {"kind": "frequency_mask", "p": 1.0}),
)
#: Images as small as suit a network that is to learn on two cores.
ROWS, HOP = 64, 512
FRAMES = 1 + SECONDS * RATE // HOP
#: Clips without digital silence, on which the peer's noise fails.
LABELS = ("Rain", "Sea waves", "Chainsaw", "Helicopter", "Fire crackling")
SETTINGS = [(workers, batch) for workers in (0, 1, 2) for batch in (16, 32)]


class Peer:
    """A process of the peer's environment, which trains when it is asked to."""

    def __init__(self, python: Path, labels: pd.DataFrame, folder: Path) -> None:
        labels.to_csv(folder / "labels.csv", index_label="file")
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
        """Clips/s, once what its workers make ahead (two batches each) is used up."""
        task = {
            "seconds": SECONDS,
            "rate": RATE,
            "rows": ROWS,
            "frames": FRAMES,
            "workers": workers,
            "batch": batch,
        }
        task["ahead"] = 2 * workers + 1
        task["steps"] = task["ahead"] + max(4, self._n // batch)
        into, out = self._process.stdin, self._process.stdout
        assert into is not None and out is not None
        _write_line(into, json.dumps(task))
        return float(json.loads(out.readline()))


def _write_line(file: IO[str], line: str) -> None:
    file.write(line + "\n")
    file.flush()


def our_speed(ours: Ours) -> float:
    """Of an epoch, without the making of the trainer and its last checkpoint."""
    ours()
    return ours.speed[-1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, required=True, help="the Python that has OpenSoundscape")
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--clips", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    clips = read_clips(options.data / "esc10" / "labels.csv", ReadOptions())
    steady = clips.table["labels"].map(lambda labels: labels[0] in LABELS).to_numpy().nonzero()[0]
    clips = clips.take(steady[:: max(1, len(steady) // options.clips)][: options.clips])
    one = recipe("resnet18")
    one = replace(one, augment=AUGMENT, front=replace(one.front, n_mels=ROWS, hop_length=HOP))
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        waves = store_waves(clips, RATE, cache_dir=Path(place), jobs=torch.get_num_threads())
        stored = time.perf_counter() - began
        part, _ = part_of(clips, waves)
        ours = {
            name: Ours(one, part, network_of(one, (1, ROWS, FRAMES)), torch.get_num_threads(), name == "bf16")
            for name in ("fp32", "bf16")
        }
        labels = pd.DataFrame(
            clips.targets(), index=[str(p) for p in clips.files()], columns=list(clips.classes)
        )
        peer = Peer(options.peer, labels.loc[:, labels.any()], Path(place))
        found = {setting: peer.speed(*setting) for setting in SETTINGS}
        best = max(found, key=lambda setting: found[setting])
        for one_way in ours.values():
            one_way()
        rounds = [
            {
                "OpenSoundscape": peer.speed(*best),
                "aurist, fp32": our_speed(ours["fp32"]),
                "aurist, bf16": our_speed(ours["bf16"]),
            }
            for _ in range(options.repeats)
        ]
    rows = [
        [
            way,
            f"{median(r[way] for r in rounds):.1f}",
            f"**{median(r[way] / r['OpenSoundscape'] for r in rounds):.2f}**",
        ]
        for way in rounds[0]
    ]
    text = (
        f"{len(clips)} clips of ESC-10, images of {ROWS} x {FRAMES}, {torch.get_num_threads()} threads. OpenSoundscape "
        f"with {best[0]} workers and batches of {best[1]}, the best of {len(SETTINGS)} settings; aurist with batches "
        f"of 16, its store filled in {stored:.1f} s once, waiting for batches "
        f"{median(ours['fp32'].waiting[1:]):.1%} of the time:"
    )
    figures = {"settings": {str(k): v for k, v in found.items()}, "rounds": rounds, "store_seconds": stored}
    table = _common.table(["training", "clips/s", "times OpenSoundscape"], rows)
    _common.publish("training_opensoundscape", text + "\n\n" + table, figures, options.output)


if __name__ == "__main__":
    main()
