"""Hours of sound: speed, memory and detected events; with `--peer` against OpenSoundscape.

Sounds of ESC-10 are mixed into quiet noise at known times: in a FLAC at 48 kHz of `--hours`, and in one of an hour. A
small network trains on other sounds in other noise. The command line predicts both recordings. Files in the folder are
used again, and an interrupted prediction continues.

    python benchmarks/long_recordings.py --hours 24 --folder long --output results

With `--peer` a ResNet18 predicts windows of five seconds of one hour of FLAC at 32 kHz instead, on images of 224 x 224:
by OpenSoundscape's `CNN.predict`, with its best numbers of workers and batches, and by aurist, with the same weights,
in turn. The environment is that of `training_opensoundscape.py`.

    python benchmarks/long_recordings.py --peer peer/bin/python --hours 1 --folder long --output results

With `--frames` the small network is `mel-sed`, which predicts frame by frame and trains for 30 epochs.

    python benchmarks/long_recordings.py --frames --hours 4 --folder long --output results
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import soundfile
import torch
from safetensors.torch import load_file

import _common
from _laid import LABELS, drawn, lay, sources
from _peer import SETTINGS, Peer
from _process import PEAK, measured
from aurist.annotations import CutOptions
from aurist.automl.annotated import read_annotated
from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.run import RunFolder, files_of_run, open_run

RATE, PEER_RATE, WINDOW = 48_000, 32_000, 5.0
SMALL = {"rows": 64, "image": "", "backbone": "resnet10t", "epochs": 6}
LARGE = {"rows": 96, "image": "image = [224, 224]", "backbone": "resnet18", "epochs": 1}
RECIPE = """\
name = "small"
[front]
sample_rate = {rate}
n_fft = 2048
hop_length = 1024
n_mels = {rows}
{image}
[window]
seconds = 5.0
[network]
backbone = "{backbone}"
[training]
epochs = {epochs}
batch_size = 16
precision = "bf16"
keep = "last"
"""
FRAMES = """\
base = "mel-sed"
name = "frames"
[front]
sample_rate = 48000
hop_length = 960
[training]
epochs = 30
"""


def fitted(root: Path, data: Path, rate: int, recipe: str, minutes: int) -> RunFolder:
    """Train a network on some of the sounds, or read it if it exists."""
    folder = root.parent
    if (root / "scores.json").exists():
        return open_run(root)
    shutil.rmtree(root, ignore_errors=True)
    learnt = folder / f"learn{rate}"
    learnt.mkdir(parents=True, exist_ok=True)
    sounds = sources(data, test=False, rate=rate)
    # Every sound once: recordings with a common sound would belong to one group.
    tables = [
        lay(learnt / f"{i}.flac", 60.0, rate, sounds[i::minutes], seed=100 + i, gap=4.0)
        for i in range(minutes)
    ]
    pd.concat(tables).to_csv(learnt / "all.csv", index=False)
    written = folder / f"{root.name}.toml"
    written.write_text(recipe, encoding="utf-8")
    clips = read_annotated(learnt, learnt / "all.csv", CutOptions(window=WINDOW, hop=WINDOW / 2))
    config = FitConfig(
        engine="networks",
        recipes=(str(written),),
        folds=2,
        time_limit=3600,
        metric="average_precision",
    )
    return fit(clips, root, config, cache_dir=folder / "cache")


def alone(run: RunFolder) -> RunFolder:
    """Return the run with the network of its first fold only, so that one network is timed."""
    folder = run.folder.with_name(run.folder.name + "_alone")
    if not folder.exists():
        shutil.copytree(run.folder, folder)
        for other in folder.glob("models/*/fold[1-9]*"):
            shutil.rmtree(other)
    return RunFolder(folder)


def seconds_and_memory(run: Path, recording: Path, output: Path) -> tuple[float, float]:
    """Return the seconds of the whole command, and its peak memory in megabytes."""
    command = [sys.executable, "-m", "aurist", "predict", str(run), str(recording), "-o", str(output)]
    figures = measured(command)
    return figures["seconds"], figures[PEAK]


def agreement(events: pd.DataFrame, truth: pd.DataFrame, least: float = 0.3) -> tuple[float, float]:
    """Return precision and recall of events. Each is matched with one true event of its label, best first, by IoU."""
    hits = 0
    for label in LABELS:
        detected, laid = (table[table["label"] == label] for table in (events, truth))
        shared = np.minimum.outer(detected["end"].to_numpy(), laid["end"].to_numpy()) - np.maximum.outer(
            detected["start"].to_numpy(), laid["start"].to_numpy()
        )
        both = np.maximum.outer(detected["end"].to_numpy(), laid["end"].to_numpy()) - np.minimum.outer(
            detected["start"].to_numpy(), laid["start"].to_numpy()
        )
        overlap = np.where(shared > 0, shared / both, 0.0)
        while overlap.size and overlap.max() >= least:
            i, j = np.unravel_index(overlap.argmax(), overlap.shape)
            overlap[i], overlap[:, j] = 0, 0
            hits += 1
    return hits / max(1, len(events)), hits / max(1, len(truth))


def long(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    recipe = FRAMES if options.frames else RECIPE.format(rate=RATE, **SMALL)
    network, ending = ("mel-sed", "_frames") if options.frames else ("a ResNet10-T", "")
    run = fitted(folder / f"run{RATE}{ending}", options.data, RATE, recipe, minutes=30)
    sounds = sources(options.data, test=True, rate=RATE)
    rows, figures = [], []
    for hours in dict.fromkeys([min(1.0, options.hours), options.hours]):
        recording = folder / f"{hours:g}h.flac"
        truth = lay(recording, hours * 3600, RATE, drawn(sounds, 7), seed=7, gap=30.0)
        output = folder / f"detections{hours:g}h{ending}"
        seconds, megabytes = seconds_and_memory(run.folder, recording, output)
        precision, recall = agreement(pd.read_csv(output / "events.csv"), truth)
        figures.append(
            {"hours": hours, "seconds": seconds, "mb": megabytes, "precision": precision, "recall": recall}
        )
        rows.append(
            [
                f"{hours:g} h",
                f"{hours * 3600 / seconds:.0f}",
                f"{megabytes:.0f}",
                str(len(truth)),
                f"{precision:.3f}",
                f"{recall:.3f}",
            ]
        )
    header = ["recording", "x real time", "peak MB", "true events", "precision", "recall"]
    text = (
        f"FLAC at 48 kHz, {network} of each of two folds, windows of {WINDOW:g} s that overlap by half, "
        f"{torch.get_num_threads()} threads; events at an intersection over union of 0.3:"
    )
    text_of_page = text + "\n\n" + _common.table(header, rows)
    _common.publish(f"long_recordings{ending}", text_of_page, figures, options.output)


def as_peer_has_them(weights: Path, to: Path) -> None:
    """Return the same weights under torchvision's names."""
    state = load_file(weights)
    body = {name.removeprefix("body."): value for name, value in state.items() if name.startswith("body.")}
    head = {
        f"fc.{name.rpartition('.')[2]}": value
        for name, value in state.items()
        if not name.startswith("body.")
    }
    torch.save({**body, **head}, to)


def ours(run: RunFolder, recording: Path, output: Path, overlap: float) -> tuple[float, float]:
    """Return seconds, and seconds of all cores, to predict a recording that is not in any store."""
    shutil.rmtree(output, ignore_errors=True)
    began, used = time.perf_counter(), time.process_time()
    listen(
        files_of_run(run),
        [Recording(recording.name, recording)],
        output,
        WindowOptions(WINDOW, overlap),
        progress=False,
    )
    return time.perf_counter() - began, time.process_time() - used


def against_peer(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    recipe = RECIPE.format(rate=PEER_RATE, **LARGE)
    run = alone(fitted(folder / f"run{PEER_RATE}", options.data, PEER_RATE, recipe, minutes=10))
    recording = folder / f"{options.hours:g}h32.flac"
    lay(
        recording,
        options.hours * 3600,
        PEER_RATE,
        sources(options.data, test=True, rate=PEER_RATE),
        seed=8,
        gap=30.0,
    )
    short = folder / "short32.flac"
    soundfile.write(short, soundfile.read(recording, frames=300 * PEER_RATE, dtype="int16")[0], PEER_RATE)
    weights = next(run.folder.glob("models/small/fold0/net0/*.safetensors"))
    as_peer_has_them(weights, folder / "peer.pt")
    settings = {"classes": run.classes(), "seconds": WINDOW, "rate": PEER_RATE, "rows": 224, "frames": 224}
    peer = Peer(options.peer, folder / "peer.pt", settings, folder / "peer.log")
    took = {setting: peer.predict(short, *setting)["seconds"] for setting in SETTINGS}
    best = min(took, key=lambda setting: took[setting])
    _, megabytes = seconds_and_memory(run.folder, recording, folder / "ours_mb")
    shutil.rmtree(folder / "ours_mb")
    rounds = []
    for _ in range(options.repeats):
        scores = peer.predict(recording, *best)
        seconds, cores = ours(run, recording, folder / "ours", 0.0)
        rounds.append({**scores, "aurist": seconds, "aurist_cores": cores})
    length = options.hours * 3600
    most = max(one["mb"] for one in rounds)
    rows = [
        _row("OpenSoundscape", length, rounds, "seconds", "cores", most),
        _row("aurist, bf16", length, rounds, "aurist", "aurist_cores", megabytes),
    ]
    text = (
        f"{options.hours:g} h of FLAC at 32 kHz, a ResNet18, windows of {WINDOW:g} s, images of 224 x 224, "
        f"{torch.get_num_threads()} threads; OpenSoundscape with {best[0]} workers and batches of {best[1]}, the best "
        f"of {len(SETTINGS)} settings on five minutes:"
    )
    table = _common.table(
        [
            "prediction",
            "x real time",
            "x real time per CPU second",
            "peak MB",
            "speed-up over OpenSoundscape",
        ],
        rows,
    )
    figures = {"settings": {str(k): v for k, v in took.items()}, "rounds": rounds, "mb": megabytes}
    _common.publish("long_recordings_opensoundscape", text + "\n\n" + table, figures, options.output)


def _row(
    name: str, length: float, rounds: list[dict[str, float]], wall: str, cores: str, megabytes: float
) -> list[str]:
    speed = [f"{length / median(one[key] for one in rounds):.0f}" for key in (wall, cores)]
    return [
        name,
        *speed,
        f"{megabytes:.0f}",
        f"**{median(one['seconds'] / one[wall] for one in rounds):.1f}**",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--folder", type=Path, default=Path("long_recordings"), help="folder for all files")
    parser.add_argument("--frames", action="store_true", help="with a network that predicts frame by frame")
    parser.add_argument("--peer", type=Path, help="the Python of the environment with OpenSoundscape")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.peer is None:
        long(options)
    else:
        against_peer(options)


if __name__ == "__main__":
    main()
