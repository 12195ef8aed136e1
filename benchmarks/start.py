"""Start-up: seconds of a core, and memory, of commands in fresh processes, before and now, in turns.

    git worktree add /tmp/before COMMIT
    python benchmarks/start.py --before /tmp/before --repeats 5 [--python BASE_INSTALLATION/bin/python]

Without `--before` only this version is measured.

Each version predicts with a run of its own, of the same models. Seconds of a core hardly depend on other work beside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import _common
from _process import PEAK, measured
from aurist.synth import synthesise_demo

PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
[[member]]
name = "LightGBM"
engine = "autogluon"
settings = {kind = "GBM", refit = true}
[[member]]
name = "SVM"
engine = "classic"
settings = {kind = "svm"}
[[member]]
name = "KernelRidge"
engine = "kernel"
"""


def run(source: Path, python: str, folder: Path, *command: str) -> tuple[float, float, float]:
    """Run a command with the code of a checkout; return its wall seconds, seconds of a core, and peak memory in MB."""
    environment = {"PYTHONPATH": str(source / "src"), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
    figures = measured([python, *command], environment=environment, folder=folder)
    return figures["seconds"], figures["core seconds"], figures[PEAK]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="checkout to compare with")
    parser.add_argument("--python", help="interpreter of a base installation, for the exported model")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, help="folder for the table and the figures")
    arguments = parser.parse_args()
    sources = {"before": arguments.before, "now": Path(__file__).parents[1]}
    sources = {version: source for version, source in sources.items() if source is not None}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise_demo(folder, 0)
        (folder / "plan.toml").write_text(PLAN)
        clip = str(next((folder / "unseen").rglob("*.wav")))
        settings = ("--plan", "plan.toml", "--folds", "5", "--jobs", "2", "--cache-dir", "cache")
        for version, source in sources.items():
            run(source, sys.executable, folder, "-m", "aurist", "fit", "music", *settings, "-o", version)
        run(sources["now"], sys.executable, folder, "-m", "aurist", "export", "now", "-o", "model")
        predict = ("-m", "aurist", "predict", "--cache-dir", "nothing")
        commands = {
            "`python -c pass`": [("now", ("-c", "pass"))],
            "`python -c 'import aurist'`": [(version, ("-c", "import aurist")) for version in sources],
            "`aurist --help`": [(version, ("-m", "aurist", "--help")) for version in sources],
            "`aurist predict run clip.wav`": [
                (version, (*predict, version, clip, "-o", "a.csv")) for version in sources
            ],
            "`aurist predict model clip.wav`": [("now", (*predict, "model", clip, "-o", "a.csv"))],
        }
        rounds: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for number in range(arguments.repeats + 1):
            for title, versions in commands.items():
                for version, command in versions:
                    python = arguments.python if "model" in title and arguments.python else sys.executable
                    subprocess.run(["rm", "-rf", folder / "nothing"], check=True)
                    once = run(sources[version], python, folder, *command)
                    if number:  # the first round stores bytecode and compiled loops
                        rounds.setdefault((title, version), []).append(once)
    figures = []
    for (title, version), measurements in rounds.items():
        wall, core, memory = (statistics.median(column) for column in zip(*measurements, strict=True))
        figures.append({"command": title, "version": version, "core": core, "wall": wall, "mb": memory})
    rows = [
        [one["command"], one["version"], f"{one['core']:.2f}", f"{one['wall']:.2f}", f"{one['mb']:.0f}"]
        for one in figures
    ]
    text = _common.table(["command", "version", "seconds of a core", "wall, s", "memory, MB"], rows)
    text += f"\n\nload of the machine: {os.getloadavg()[0]:.1f}"
    _common.publish("start", text, figures, arguments.output)


if __name__ == "__main__":
    main()
