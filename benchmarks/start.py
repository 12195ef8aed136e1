"""Start-up: seconds of a core, and memory, of commands in fresh processes, before and now, in turns.

    git worktree add /tmp/before COMMIT
    python benchmarks/start.py --before /tmp/before --repeats 5 [--python BASE_INSTALLATION/bin/python]

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
    parser.add_argument("--before", type=Path, required=True, help="checkout to compare with")
    parser.add_argument("--python", help="interpreter of a base installation, for the exported model")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    now = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise_demo(folder, 0)
        (folder / "plan.toml").write_text(PLAN)
        clip = str(next((folder / "unseen").rglob("*.wav")))
        for version, source in (("before", arguments.before), ("now", now)):
            fit = (
                "fit",
                "music",
                "--plan",
                "plan.toml",
                "--folds",
                "5",
                "--jobs",
                "2",
                "--cache-dir",
                "cache",
            )
            run(source, sys.executable, folder, "-m", "aurist", *fit, "-o", version)
        run(now, sys.executable, folder, "-m", "aurist", "export", "now", "-o", "model")
        predict = ("-m", "aurist", "predict", "--cache-dir", "nothing")
        commands = {
            "`python -c 'import aurist'`": [
                ("before", ("-c", "import aurist")),
                ("now", ("-c", "import aurist")),
            ],
            "`aurist --help`": [("before", ("-m", "aurist", "--help")), ("now", ("-m", "aurist", "--help"))],
            "`aurist predict run clip.wav`": [
                (v, (*predict, v, clip, "-o", "a.csv")) for v in ("before", "now")
            ],
            "`aurist predict model clip.wav`": [("now", (*predict, "model", clip, "-o", "a.csv"))],
        }
        rounds: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for number in range(arguments.repeats + 1):
            for title, versions in commands.items():
                for version, command in versions:
                    python = arguments.python if "model" in title and arguments.python else sys.executable
                    source = arguments.before if version == "before" else now
                    subprocess.run(["rm", "-rf", folder / "nothing"], check=True)
                    figures = run(source, python, folder, *command)
                    if number:  # the first round stores bytecode and compiled loops
                        rounds.setdefault((title, version), []).append(figures)
    print("| command | version | seconds of a core | wall, s | memory, MB |\n|---|---|---|---|---|")
    for (title, version), rows in rounds.items():
        wall, core, memory = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {title} | {version} | {core:.2f} | {wall:.2f} | {memory:.0f} |")
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
