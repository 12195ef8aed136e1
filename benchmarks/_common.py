"""Shared code of the benchmarks: options, interleaved timing, tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

#: Folder of the real data, unless an option names another.
DATA = Path(os.environ.get("AURIST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def arguments(description: str, networks: tuple[str, ...] = ()) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--clips", type=int, default=40, help="clips of each data set")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, help="folder for the table (.md) and the figures (.json)")
    if networks:
        parser.add_argument("--networks", nargs="+", choices=networks, default=networks)
    return parser.parse_args()


def interleaved(tasks: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each task in each round. Every round runs all tasks, so other work slows all of them."""
    for task in tasks.values():
        task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def ratio(slow: list[float], fast: list[float]) -> float:
    """Return the speed-up: the median of the ratios of the rounds."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table_of(rows: list[dict[str, object]]) -> str:
    """Return a table of rows with the same keys."""
    return table(list(rows[0]), [[str(value) for value in row.values()] for row in rows])


def publish(name: str, text: str, figures: object, output: Path | None) -> None:
    packages = {
        package: version(package) for package in ("numpy", "scipy", "numba", "librosa", "soundfile", "soxr")
    }
    print(text)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / f"{name}.md").write_text(text + "\n", encoding="utf-8")
        document = {"python": platform.python_version(), "packages": packages, "figures": figures}
        (output / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
