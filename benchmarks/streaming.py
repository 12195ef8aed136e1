"""Shares of decoding, images and networks in the prediction of a long recording, and the floor of each.

Networks of `--minutes` of FLAC: a ResNet18 on images of 224 x 224 and an EfficientNet-B0 on 128 x 313, both of windows
of five seconds at 32 kHz; and the default, `mel-cnn` of five folds, which cuts windows of two seconds every half second
out of windows of five seconds that overlap by half, at 48 kHz. They are trained for one epoch: speed does not depend on
what they have learnt.

Each part is timed alone on all cores, at its best: the files are decoded in threads, images are made in threads, the
networks run on ready images. The sum of their core seconds, on all cores, is the floor of the whole. The whole runs by
the engine that the machine chose, and by torch (in bf16 where that was faster in training). Rounds are interleaved.
Other work on the machine changes times of the clock, and core seconds hardly.

    python benchmarks/streaming.py --minutes 60 --folder long --output results
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import soundfile

import _common
from _laid import drawn, lay, sources
from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.detection.window_model import WindowModel
from aurist.features.images import ImageMaker
from aurist.features.windows import WindowSettings, read_block
from aurist.machine import available_cores
from aurist.models.network_model import NetworkModel
from aurist.models.onnx_networks.networks import OnnxNetworks, window_images
from aurist.run import RunFolder, files_of_run, open_run, read_spec
from aurist.system import cpu_name
from aurist.workers import ahead

WINDOW = 5.0
RECIPE = """\
base = "mel-cnn"
name = "{name}"
[front]
sample_rate = {rate}
n_fft = {n_fft}
hop_length = {hop}
n_mels = {rows}
{image}
[window]
seconds = {seconds}
hop = {step}
skip_silence = {skip}
[network]
backbone = "{backbone}"
[training]
epochs = 1
"""
LARGE = {"rate": 32_000, "n_fft": 1024, "hop": 512, "rows": 128, "seconds": 5.0, "step": 2.5, "skip": "false"}
SMALL = {"rate": 44_100, "n_fft": 2048, "hop": 441, "rows": 64, "seconds": 2.0, "step": 0.5, "skip": "true"}
#: By name: the recipe, the folds, the rate of the recording, the overlap of its windows.
CASES = {
    "resnet18": ({**LARGE, "image": "image = [224, 224]", "backbone": "resnet18"}, 1, 32_000, 0.0),
    "efficientnet_b0": ({**LARGE, "image": "", "backbone": "efficientnet_b0"}, 1, 32_000, 0.0),
    "mel-cnn": ({**SMALL, "image": "", "backbone": "mel_cnn"}, 5, 48_000, WINDOW / 2),
    "mel-cnn, one fold": ({**SMALL, "image": "", "backbone": "mel_cnn"}, 1, 48_000, WINDOW / 2),
}


def tones(folder: Path) -> Path:
    """Write a few clips of two classes to train on."""
    rng, time_axis = np.random.default_rng(0), np.arange(round(WINDOW * 16_000)) / 16_000
    for label, hertz in (("low", 400), ("high", 3000)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(15):
            wave = 0.3 * np.sin(2 * np.pi * hertz * rng.uniform(0.8, 1.2) * time_axis)
            wave += 0.02 * rng.standard_normal(len(wave))
            soundfile.write(folder / label / f"{label}{number}.wav", wave, 16_000)
    return folder


def fitted(folder: Path, name: str) -> RunFolder:
    """Train the networks of a case for an epoch, or read them if they exist."""
    settings, folds, _, _ = CASES[name]
    root = folder / f"run {name.partition(',')[0]}"
    if not (root / "scores.json").exists():
        shutil.rmtree(root, ignore_errors=True)
        recipe = folder / f"{root.name}.toml"
        recipe.write_text(RECIPE.format(name=name.partition(",")[0], **settings), encoding="utf-8")
        config = FitConfig(engine="networks", recipes=(str(recipe),), folds=max(2, folds), time_limit=3600)
        fit(tones(folder / "tones"), root, config, cache_dir=folder / "cache")
    if folds > 1:
        return open_run(root)
    alone = folder / f"{root.name}, one fold"
    if not alone.exists():
        shutil.copytree(root, alone)
        for other in alone.glob("models/*/fold[1-9]*"):
            shutil.rmtree(other)
    return RunFolder(alone)


#: Seconds of the clock, and of all cores.
Seconds = np.ndarray


def now() -> Seconds:
    return np.array([time.perf_counter(), time.process_time()])


def in_threads(calls: list[Callable[[], object]], jobs: int) -> Seconds:
    began = now()
    for _, future in ahead(((None, call) for call in calls), jobs):
        future.result()
    return now() - began


class Parts:
    """The parts of a scan, to run each alone."""

    def __init__(self, run: RunFolder, recording: Path, overlap: float, jobs: int, model: str) -> None:
        self.recording, self.jobs, self.run, self.overlap, self.model = recording, jobs, run, overlap, model
        window_model = WindowModel(files_of_run(run), model, jobs)
        grid = WindowOptions(WINDOW, overlap).grid(read_spec(run).window)
        self.windows = WindowSettings(grid, window_model.rates, window_model.margin)
        self.blocks = -(-grid.count(self.seconds()) // self.windows.block)
        folds = window_model._predictor.models._models[model]
        self.models = [fold for fold in folds if isinstance(fold, NetworkModel)]
        block = read_block(recording, 0, self.windows)
        self.times = self.seconds() / (len(block) * grid.hop)
        self.inputs = window_model._pipeline.transform_windows(block)
        self.cut = self.models[0].windows(self.inputs)
        self.distinct, _ = self.cut.sound.distinct(self.cut.clip, self.cut.start)
        self.models[0].predict_proba(self.inputs)  # loads the compiled loops

    def seconds(self) -> float:
        from aurist.audio import probe

        return probe(self.recording).duration

    def decode(self) -> Seconds:
        calls = [partial(read_block, self.recording, n, self.windows) for n in range(self.blocks)]
        return in_threads(calls, self.jobs)

    def images(self) -> Seconds:
        """Time the images of a block, for the whole recording."""
        network = self.models[0].networks
        assert isinstance(network, OnnxNetworks)
        size = network.batch
        batches = [self.distinct[first : first + size] for first in range(0, len(self.distinct), size)]
        calls = [partial(self._images, network.maker, batch) for batch in batches]
        return in_threads(calls, self.jobs) * self.times

    def _images(self, maker: ImageMaker, numbers: np.ndarray) -> np.ndarray:
        cut = self.cut
        return window_images(maker, cut.sound, cut.clip[numbers], cut.start[numbers])

    def networks(self) -> Seconds:
        """Time the networks on the windows of a block, with ready images, for the whole recording."""
        first = self.models[0].networks
        assert isinstance(first, OnnxNetworks)
        images = self._images(first.maker, self.distinct[: first.batch])
        sessions = [
            session
            for model in self.models
            if isinstance(model.networks, OnnxNetworks)
            for net in model.networks.networks
            for session in net
        ]
        batches = -(-len(self.distinct) // first.batch)
        calls = [partial(session.run, images) for _ in range(batches) for session in sessions]
        seconds = in_threads(calls, self.jobs)
        return seconds * len(self.distinct) / (batches * first.batch) * self.times

    def whole(self, output: Path) -> Seconds:
        shutil.rmtree(output, ignore_errors=True)
        began = now()
        options = WindowOptions(WINDOW, self.overlap)
        recording = Recording(self.recording.name, self.recording)
        files = files_of_run(self.run)
        listen(files, [recording], output, options, model=self.model, jobs=self.jobs, progress=False)
        return now() - began


def with_torch(call: Callable[[], Seconds]) -> Seconds:
    os.environ["AURIST_ENGINE"] = "torch"
    try:
        return call()
    finally:
        del os.environ["AURIST_ENGINE"]


def difference(ours: Path, theirs: Path) -> float:
    """Return the largest difference of probabilities between two folders of scores."""
    blocks = [sorted((folder / "scores").rglob("*.npz")) for folder in (ours, theirs)]
    return max(
        float(np.abs(np.load(a)["proba"] - np.load(b)["proba"]).max()) for a, b in zip(*blocks, strict=True)
    )


def peak_memory(run: RunFolder, recording: Path, overlap: float, output: Path, model: str) -> float:
    """Return the peak memory of the whole command, in megabytes."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "aurist", "predict", str(run.folder), str(recording), "-o", str(output)]
    command += ["--window", str(WINDOW), "--overlap", str(overlap), "--model", model]
    # a process starts with the memory of its parent, so that a small one starts it
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    measured = subprocess.run([sys.executable, "-c", script, *command], check=True, capture_output=True)
    return int(measured.stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, default=Path("streaming"), help="folder for all files")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    jobs = available_cores(options.jobs)
    rows, figures = [], []
    for name in options.cases:
        _, _, rate, overlap = CASES[name]
        run = fitted(options.folder, name)
        recording = options.folder / f"{options.minutes:g}m{rate}.flac"
        sounds = sources(options.data, test=True, rate=rate)
        lay(recording, options.minutes * 60, rate, drawn(sounds, 8), seed=8, gap=30.0)
        model = name.partition(",")[0]
        parts = Parts(run, recording, overlap, jobs, model)
        tasks = {"decode": parts.decode, "images": parts.images, "networks": parts.networks}
        output = options.folder / "scores"
        rounds = []
        for _ in range(options.repeats):
            rounds.append({task: call() for task, call in tasks.items()})
            rounds[-1]["whole"] = parts.whole(output)
            rounds[-1]["torch"] = with_torch(partial(parts.whole, options.folder / "torch"))
        apart = difference(output, options.folder / "torch")
        megabytes = peak_memory(run, recording, overlap, options.folder / "memory", model)
        figures.append(
            {
                "case": name,
                "rounds": [{task: list(seconds) for task, seconds in one.items()} for one in rounds],
                "difference": apart,
                "mb": megabytes,
            }
        )
        length = options.minutes * 60
        wall = {task: length / median(one[task][0] for one in rounds) for task in rounds[0]}
        cores = {task: 3600 / length * median(one[task][1] for one in rounds) for task in rounds[0]}
        rest = cores["whole"] - sum(cores[task] for task in tasks)
        floor = length * jobs / sum(median(one[task][1] for one in rounds) for task in tasks)
        rows.append(
            [
                name,
                *(f"{cores[task]:.1f} ({100 * cores[task] / cores['whole']:.0f}%)" for task in tasks),
                f"{rest:.1f} ({100 * rest / cores['whole']:.0f}%)",
                f"{floor:.0f}",
                f"**{wall['whole']:.0f}**",
                f"{wall['torch']:.0f}",
                f"**{median(one['torch'][0] / one['whole'][0] for one in rounds):.1f}**",
                f"{cores['torch'] / cores['whole']:.1f}",
                f"{apart:.0e}",
                f"{megabytes:.0f}",
            ]
        )
        print(rows[-1], flush=True)
    header = ["networks", "decode", "images", "networks alone", "rest", "floor", "whole", "with torch"]
    header += ["speed-up", "speed-up, core seconds", "difference", "peak MB"]
    text = (
        f"{options.minutes:g} minutes of FLAC, {jobs} threads. Core seconds per hour of sound (decode to rest), times "
        f"real time (floor to torch): {cpu_name()[:40]}\n\n"
    )
    _common.publish("streaming", text + _common.table(header, rows), figures, options.output)


if __name__ == "__main__":
    main()
