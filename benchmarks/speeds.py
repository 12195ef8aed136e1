"""One table of all speeds: the other benchmarks with small sizes, aurist beside its peers and the floor.

    python benchmarks/speeds.py --output speeds      # continues if it was interrupted; or: make bench-all

Each benchmark compares results before times, and ends if they differ. Its own table and figures are in the folder; a
benchmark whose figures are there is not run again. `--peer peer/bin/python` adds OpenSoundscape, in the environment of
`training_opensoundscape.py`. Ratios are medians over runs in turns: other work on the machine changes them little.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import _common

HERE = Path(__file__).parent
#: What a script wrote: lists and dicts of numbers.
Figures = Any


@dataclass(frozen=True)
class Speed:
    """A row of the table.

    Parameters
    ----------
    what, unit
        What is measured, and in what.
    aurist, peer, floor
        Its figure, that of the peer, and that of the least work that can do it.
    against
        The peer's name.
    ratio, share
        How many times as fast as the peer, and as the floor, aurist is.
    agreement
        How far the results are apart.
    """

    what: str
    unit: str
    aurist: float
    against: str = ""
    peer: float | None = None
    ratio: float | None = None
    floor: float | None = None
    share: float | None = None
    agreement: str = ""


@dataclass(frozen=True)
class Benchmark:
    """A script beside this one, its options for a small size, the file that it writes, and its rows of the table."""

    script: str
    options: str
    written: str
    rows: Callable[[Figures], Iterator[Speed]]


def of_start(figures: Figures) -> Iterator[Speed]:
    of_cores = {one["command"]: one["core"] for one in figures}
    floor = of_cores.pop("`python -c pass`")
    for command, seconds in of_cores.items():
        yield Speed(f"start: {command}", "core s", seconds, floor=floor, share=floor / seconds)


def of_growth(figures: Figures) -> Iterator[Speed]:
    most = max(one["clips"] for one in figures)
    for one in figures:
        if one["clips"] == most:
            rate = most / one["core seconds"]
            yield Speed(f"{one['step']}, {most:,} clips of a second", "clips per core second", rate)


def of_decode(figures: Figures) -> Iterator[Speed]:
    for one in figures:
        if one["rate"] == 22050:
            apart = f"largest difference {one['apart']:.0e}"
            milliseconds = one["ms"]["aurist"], "librosa", one["ms"]["librosa"], one["one"]
            yield Speed(f"decode and resample 5 s of {one['format']}", "ms", *milliseconds, agreement=apart)


def of_spectrograms(figures: Figures) -> Iterator[Speed]:
    for one in figures:
        rates, how = one["clips_per_second"], "clip by clip, without torch"
        apart = f"99.9% within {one['apart']['99.9%']:.0e}"
        speeds = rates[how], "librosa", rates["librosa"], one["times"][how]
        yield Speed(f"image of decoded 5 s: {one['image']}", "clips/s", *speeds, agreement=apart)


def of_augment(figures: Figures) -> Iterator[Speed]:
    rows = {
        one["how"]: one for one in figures["rates"] if (one["what"], one["threads"]) == ("decoding, too", 1)
    }
    peers = [name for name in rows if name.startswith("audiomentations")] or ["librosa"]
    peer = max(peers, key=lambda name: rows[name]["rate"])
    for how in ("by sound", "by spectrum"):
        ours, apart = rows[f"aurist, {how}"], f"mean difference {figures['apart'][how]:.0e}"
        speeds = ours["rate"], peer, rows[peer]["rate"], ours["times"] / rows[peer]["times"]
        yield Speed(f"decode, augment {how}, image of 10 s", "windows/s", *speeds, agreement=apart)


def of_features(figures: Figures) -> Iterator[Speed]:
    apart = f"99.9% within {max(one['99.9%'] for one in figures['agreement'].values()):.0e}"
    for one in figures["speed"]:
        milliseconds = one["ms"]["aurist"], "librosa", one["ms"]["librosa"], one["times"]
        what = f"summary features of {one['set']}, cores: {one['cores']}"
        yield Speed(what, "ms", *milliseconds, agreement=apart)


def of_training(figures: Figures) -> Iterator[Speed]:
    for one in figures:
        speed, ratio = one["clips_per_second"], one["times"]
        yield Speed(
            f"training of {one['network']}, {one['precision']}, augmented",
            "clips/s",
            speed["aurist"],
            "DataLoader, not augmented",
            speed["plain, DataLoader"],
            ratio["plain, DataLoader"],
            speed["plain, ready images"],
            ratio["plain, ready images"],
        )


def of_training_beside_opensoundscape(figures: Figures) -> Iterator[Speed]:
    rounds, name, ready = figures["rounds"], "OpenSoundscape", "plain PyTorch, ready images"
    for precision in ("fp32", "bf16"):
        ours = f"aurist, {precision}"
        speed = {way: median(one[way] for one in rounds) for way in (ours, name, ready)}
        ratio = {way: median(one[ours] / one[way] for one in rounds) for way in (name, ready)}
        what = f"training of resnet18, {precision}, 64 x 216"
        yield Speed(what, "clips/s", speed[ours], name, speed[name], ratio[name], speed[ready], ratio[ready])


def of_detection(figures: Figures) -> Iterator[Speed]:
    parts = ("decode", "images", "networks")
    for case in figures:
        rounds = case["rounds"]
        key, name = ("peer", "OpenSoundscape") if "peer" in rounds[0] else ("torch", "torch")
        floors = [sum(one[part][0] for part in parts) for one in rounds]
        whole = [one["whole"][0] for one in rounds]
        yield Speed(
            f"detection in {MINUTES} minutes of FLAC, {case['case']}",
            "x real time",
            60 * MINUTES / median(whole),
            name,
            60 * MINUTES / median(one[key][0] for one in rounds),
            median(one[key][0] / one["whole"][0] for one in rounds),
            60 * MINUTES / median(floors),
            median(floor / seconds for floor, seconds in zip(floors, whole, strict=True)),
            f"largest difference {case['difference']:.0e}",
        )


def of_serving(figures: Figures) -> Iterator[Speed]:
    speed = {(one["server"], one["clients"]): one["requests_per_second"] for one in figures}
    for clients in sorted({one["clients"] for one in figures}):
        ours, plain = speed["aurist serve", clients], speed["plain, 2 workers", clients]
        what = f"serving {clients} clients"
        yield Speed(what, "requests/s", ours, "plain handler, 2 workers", plain, ours / plain)


MINUTES = 3
#: In this order: serving uses a run and a clip of growth.
BENCHMARKS = (
    Benchmark("start", "--repeats 3", "start.json", of_start),
    Benchmark("growth", "--most 3000 --folder OUT/growth", "growth.json", of_growth),
    Benchmark("decode", "--clips 16", "decode.json", of_decode),
    Benchmark("spectrograms", "--clips 32 --repeats 3", "spectrograms.json", of_spectrograms),
    Benchmark("augment", "--clips 4 --repeats 3", "augment.json", of_augment),
    Benchmark("features", "--clips 8 --repeats 3", "features.json", of_features),
    Benchmark("training", "--clips 32 --repeats 3 --networks resnet18", "training.json", of_training),
    Benchmark(
        "streaming",
        f"--minutes {MINUTES} --cases resnet18 --folder OUT/streaming",
        "streaming.json",
        of_detection,
    ),
    Benchmark(
        "serving",
        "OUT/growth/run OUT/growth/clips/000/000000.wav --seconds 4 --clients 1 8 --json OUT/serving.json",
        "serving.json",
        of_serving,
    ),
)
BESIDE_OPENSOUNDSCAPE = Benchmark(
    "training_opensoundscape",
    "--clips 96",
    "training_opensoundscape_resnet18_64x216.json",
    of_training_beside_opensoundscape,
)
WITH_PEER = ("streaming", BESIDE_OPENSOUNDSCAPE.script)


def run(benchmark: Benchmark, output: Path, peer: Path | None) -> float | None:
    """Run a script unless its figures are there; return its seconds, or None if it failed."""
    if (output / benchmark.written).exists():
        return 0.0
    options = benchmark.options.replace("OUT", str(output)).split()
    if "--json" not in options:
        options += ["--output", str(output)]
    if peer is not None and benchmark.script in WITH_PEER:
        options += ["--peer", str(peer)]
    print(f"== {benchmark.script}", file=sys.stderr, flush=True)
    began = time.monotonic()
    with (output / f"{benchmark.script}.log").open("w") as log:
        ended = subprocess.run(
            [sys.executable, str(HERE / f"{benchmark.script}.py"), *options], stdout=log, stderr=log
        )
    if ended.returncode:
        print(f"{benchmark.script} failed: see {log.name}", file=sys.stderr)
        return None
    return time.monotonic() - began


def speeds_of(benchmark: Benchmark, output: Path) -> list[Speed]:
    document = json.loads((output / benchmark.written).read_text())
    return list(benchmark.rows(document["figures"] if isinstance(document, dict) else document))


def cells(speed: Speed) -> list[str]:
    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"

    return [
        speed.what,
        f"{shown(speed.aurist)} {speed.unit}",
        f"{shown(speed.peer)} ({speed.against})" if speed.against else "",
        "" if speed.ratio is None else f"**{speed.ratio:.2f}**",
        shown(speed.floor),
        "" if speed.share is None else f"{speed.share:.2f}",
        speed.agreement,
    ]


HEADER = ["what", "aurist", "peer", "times the peer", "floor", "times the floor", "results"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("speeds"), help="folder for all figures")
    parser.add_argument("--peer", type=Path, help="the Python of an environment with OpenSoundscape")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    output = given.output.resolve()
    chosen = BENCHMARKS if given.peer is None else (*BENCHMARKS, BESIDE_OPENSOUNDSCAPE)
    rows, failed = [], False
    for benchmark in chosen:
        if run(benchmark, output, given.peer) is None:
            failed = True
            continue
        rows += [cells(speed) for speed in speeds_of(benchmark, output)]
        (output / "speeds.md").write_text(_common.table(HEADER, rows) + "\n")  # as far as it is
    print(_common.table(HEADER, rows))
    print(f"\nCores: {len(os.sched_getaffinity(0))}; load at the end {os.getloadavg()[0]:.1f}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
