"""Shares of decoding, images and networks in the prediction of a long recording, and the floor of each.

Networks of `--minutes` of FLAC: a ResNet18 on images of 224 x 224 and an EfficientNet-B0 on 128 x 313, both of windows
of five seconds at 32 kHz; and the default, `mel-cnn` of five folds, which cuts windows of two seconds every half second
out of windows of five seconds that overlap by half, at 48 kHz. They are trained for one epoch: speed does not depend on
what they have learnt.

Each part is timed alone on all cores, at its best: the files are decoded in threads, images are made in threads, the
networks run on ready images. Their sum on all cores is the floor of the whole. The whole runs by the engine that the
machine chose, and by torch, with the same answers. Rounds are interleaved: other work on the machine changes times of
the clock, and core seconds less.

With `--peer` OpenSoundscape predicts the same windows, too, with the same networks in torch and images of the same
size, at its best numbers of workers and batches. The networks are compared on the same images first.

    python benchmarks/streaming.py --minutes 60 --folder long --peer peer/bin/python --output results
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
from typing import Any

import numpy as np
import soundfile

import _common
from _laid import drawn, lay, sources
from _peer import Peer
from _streaming_cases import CASES, WINDOW, fitted
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.detection.window_model import WindowModel
from aurist.features.images import ImageMaker
from aurist.features.windows import WindowSettings, read_block
from aurist.machine import available_cores
from aurist.models.network_model import NetworkModel
from aurist.models.onnx_networks.networks import OnnxNetworks, window_images
from aurist.run import RunFolder, files_of_run, read_spec
from aurist.system import cpu_name
from aurist.workers import ahead

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
        self.folds = len(self.models)
        block = read_block(recording, 0, self.windows)
        self.times = self.seconds() / (len(block) * grid.hop)
        self.inputs = window_model._pipeline.transform_windows(block)
        self.cut = self.models[0].windows(self.inputs)
        self.distinct, _ = self.cut.sound.distinct(self.cut.clip, self.cut.start)
        for fold in self.models:
            assert isinstance(fold.networks, OnnxNetworks)
            fold.networks.expect(1_000_000)
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


def peer_of(parts: Parts, name: str, options: argparse.Namespace) -> Peer:
    """Start OpenSoundscape with the network of the first fold, and compare the logits of some images."""
    import torch

    from aurist.models.network_files import read_networks
    from aurist.models.training.onnx_files import load_network

    settings = CASES[name][0]
    folder = parts.run.folder / "models" / parts.model / "fold0"
    files, classes = read_networks(folder), list(read_spec(parts.run).task.classes)
    networks = parts.models[0].networks
    assert isinstance(networks, OnnxNetworks)
    images = parts._images(networks.maker, parts.distinct[: networks.batch])
    script, ready = options.folder / "network.pt.script", options.folder / "images.npy"
    network = load_network(files, files.weights[0][0], len(classes)).eval()
    torch.jit.trace(network, torch.from_numpy(images)).save(str(script))
    np.save(ready, images)
    seconds, step = settings["seconds"], settings["step"]
    overlap = 0.0 if parts.overlap == 0 else seconds - step
    described = {"classes": classes, "seconds": seconds, "overlap": overlap, "rate": settings["rate"],
                 "rows": images.shape[2], "frames": images.shape[3]}  # fmt: skip
    peer = Peer(options.peer, script, described, options.folder / "peer.log")
    apart = np.abs(np.array(peer.logits(ready)) - networks.networks[0][0].run(images)).max()
    # 1e-4 in single precision; bf16, where the machine has it, keeps two digits
    if apart > 0.02:
        raise SystemExit(f"{name}: the networks differ by {apart:.1g}")
    return peer


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


def rounds_of(name: str, parts: Parts, recording: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Time the parts, the whole, torch and the peer in turn: [wall, core] seconds of each, and the load."""
    folder: Path = options.folder
    peer = peer_of(parts, name, options) if options.peer and parts.folds == 1 else None
    if peer:
        short = folder / f"short{CASES[name][2]}.flac"
        rate = CASES[name][2]
        soundfile.write(short, soundfile.read(recording, frames=120 * rate, dtype="int16")[0], rate)
        setting = peer.best_setting(short)
        print(f"{name}: OpenSoundscape with {setting[0]} workers and batches of {setting[1]}", flush=True)
    rounds = []
    for _ in range(options.repeats):
        one: dict[str, Any] = {"load": os.getloadavg()[0]}
        one |= {"decode": parts.decode(), "images": parts.images(), "networks": parts.networks()}
        one["whole"] = parts.whole(folder / "scores")
        one["torch"] = with_torch(partial(parts.whole, folder / "torch"))
        if peer:
            answer = peer.predict(recording, *setting)
            one["peer"], one["peer mb"] = np.array([answer["seconds"], answer["cores"]]), answer["mb"]
        rounds.append(
            {key: value.tolist() if hasattr(value, "tolist") else value for key, value in one.items()}
        )
        print(rounds[-1], flush=True)
    if peer:
        peer.close()
    return rounds


def row_of(
    name: str, rounds: list[dict[str, Any]], length: float, jobs: int, apart: float, mb: float
) -> list[str]:
    """Return the row of a case: core seconds per hour, times real time, ratios within rounds."""
    tasks = ("decode", "images", "networks")
    cores = {key: 3600 / length * median(one[key][1] for one in rounds) for key in (*tasks, "whole", "torch")}
    rest = cores["whole"] - sum(cores[task] for task in tasks)
    share = median(sum(one[task][0] for task in tasks) / one["whole"][0] for one in rounds)

    def against(other: str, at: int) -> str:
        if other not in rounds[0]:
            return "-"
        return f"{median(one[other][at] / one['whole'][at] for one in rounds):.1f}"

    return [
        name,
        *(f"{cores[task]:.1f} ({100 * cores[task] / cores['whole']:.0f}%)" for task in tasks),
        f"{rest:.1f} ({100 * rest / cores['whole']:.0f}%)",
        f"{3600 * jobs / sum(cores[task] for task in tasks):.0f}",
        f"**{length / median(one['whole'][0] for one in rounds):.0f}**",
        f"{100 * share:.0f}%",
        *(f"{against(other, 0)} ({against(other, 1)})" for other in ("torch", "peer")),
        f"{apart:.0e}",
        f"{mb:.0f}",
        "/".join(f"{one['load']:.0f}" for one in rounds),
    ]


HEADER = ["networks", "decode", "images", "network", "rest", "floor", "whole", "of the floor", "against torch (cores)",
          "against OpenSoundscape (cores)", "difference", "peak MB", "load"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, default=Path("streaming"), help="folder for all files")
    parser.add_argument("--peer", type=Path, help="the Python of an environment with OpenSoundscape")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    jobs, length = available_cores(options.jobs), options.minutes * 60
    rows, figures = [], []
    for name in options.cases:
        _, _, rate, overlap = CASES[name]
        run = fitted(options.folder, name)
        recording = options.folder / f"{options.minutes:g}m{rate}.flac"
        lay(recording, length, rate, drawn(sources(options.data, test=True, rate=rate), 8), seed=8, gap=30.0)
        parts = Parts(run, recording, overlap, jobs, name.partition(",")[0])
        rounds = rounds_of(name, parts, recording, options)
        apart = difference(options.folder / "scores", options.folder / "torch")
        mb = peak_memory(run, recording, overlap, options.folder / "memory", parts.model)
        figures.append({"case": name, "rounds": rounds, "difference": apart, "mb": mb})
        rows.append(row_of(name, rounds, length, jobs, apart, mb))
        print(rows[-1], flush=True)
    text = (
        f"{options.minutes:g} minutes of FLAC, {jobs} threads: {cpu_name()[:40]}. Core seconds per hour of sound\n"
        "(decode to rest), times real time (floor, whole), times as fast by the clock and in core seconds\n\n"
    )
    _common.publish("streaming", text + _common.table(HEADER, rows), figures, options.output)


if __name__ == "__main__":
    main()
