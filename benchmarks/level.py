"""How many predictions depend on the gain of the recorder, and the cost of features without the level.

A fifth of the groups of each data set is set aside, and a run is fitted on the others: extra-trees, kernel ridge,
logistic regression and, with --epochs, a short training of the default network. The clips set aside are then predicted
unchanged, louder and softer, with an offset and with 8 bits. The result is the share of predictions that change. Scores
are those of the leaderboard, out of fold. Then the run of nips4b scans ten minutes of background at several gains, and
events are counted. An interrupted command continues.

Only commands are used that older versions have too: PYTHONPATH=OLDER/src measures an older version.

    python benchmarks/level.py esc10 gtzan100 nips4b --output level/
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile

from _common import DATA, table
from aurist.audio import read
from aurist.clips.read import read_clips
from aurist.inference.predict import predict_clips
from aurist.run import RunFolder, files_of_run, open_run
from equal_time import labels

PLAN = """\
[[member]]
name = "ExtraTrees"
engine = "forest"

[[member]]
name = "KernelRidge"
engine = "kernel"

[[member]]
name = "Logistic"
engine = "classic"
settings = { kind = "logistic" }
"""
NETWORK = """
[[member]]
name = "mel-cnn"
engine = "network"
recipe = "RECIPE"
"""
SHORT = """\
base = "mel-cnn"
name = "mel-cnn"

[front]
sample_rate = 22050
n_fft = 1024
hop_length = 220
fmax = 10000.0

[training]
epochs = EPOCHS
"""
#: Gain in dB; offset and bits relative to full scale.
GAINS = (-40, -20, -10, 10, 20)
BACKGROUND = (0, -10, -20, -40)
MOST = 100


def turned(y: npt.NDArray[np.float32], how: str) -> tuple[npt.NDArray[np.float32], str]:
    """Write a clip with another gain, an offset or fewer bits, and choose the kind of file that can hold it."""
    if how == "offset":
        return y + np.float32(0.1), "FLOAT"
    if how == "8 bit":
        return y / max(1e-9, float(np.abs(y).max())), "PCM_U8"
    return y * np.float32(10 ** (float(how) / 20)), "FLOAT"


def fit(folder: Path, name: str, data: Path, epochs: int, level: str) -> tuple[RunFolder, pd.DataFrame]:
    """Return the run on four fifths, and the clips that it has not seen."""
    clips = labels(data, name)
    groups = np.random.default_rng(0).permutation(clips["group"].unique())
    apart = clips["group"].isin(groups[: len(groups) // 5]).to_numpy()
    if not (folder / "run" / "leaderboard.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "short.toml").write_text(SHORT.replace("EPOCHS", str(epochs)))
        network = NETWORK.replace("RECIPE", str(folder.resolve() / "short.toml"))
        (folder / "plan.toml").write_text(PLAN + (network if epochs else ""))
        clips[~apart].to_csv(folder / "train.csv", index=False)
        metric = "lwlrap" if name == "nips4b" else "accuracy"
        command = [sys.executable, "-m", "aurist", "fit", str(folder / "train.csv"), "--metric", metric]
        options = [] if level == "relative" else ["--level", level]
        command += ["--plan", str(folder / "plan.toml"), *options, "-o", str(folder / "run")]
        subprocess.run(command, check=True)
    return open_run(folder / "run"), clips[apart].iloc[:MOST].reset_index(drop=True)


def answers(
    run: RunFolder, root: Path, apart: pd.DataFrame, model: str
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the predictions of a model for the clips set aside, by their change."""
    out = {}
    for how in ("0", *map(str, GAINS), "offset", "8 bit"):
        folder = root / "turned" / how.replace(" ", "_")
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{number}.wav" for number in range(len(apart))]
        for row, file in zip(apart.itertuples(), files, strict=True):
            if not file.exists():
                bounds = {name: getattr(row, name) for name in ("start", "end") if hasattr(row, name)}
                y, rate = read(Path(str(row.path)), **bounds)
                sound, kind = turned(y, how)
                soundfile.write(file, sound, rate, subtype=kind)
        clips = read_clips(pd.DataFrame({"path": [str(file) for file in files]}), labelled=False)
        out[how] = predict_clips(files_of_run(run), clips, model=model, cache_dir=root / "cache").proba
    return out


def measure(folder: Path, name: str, data: Path, epochs: int, level: str) -> dict[str, dict[str, float]]:
    """Return for each model its out-of-fold score and the share of predictions that change."""
    run, apart = fit(folder, name, data, epochs, level)
    board = run.leaderboard().set_index("model")["score"]
    scores: dict[str, dict[str, float]] = {}
    for model in board.index:
        proba = answers(run, folder, apart, str(model))
        top = proba["0"].argmax(axis=1)
        scores[str(model)] = {"score": float(board[model])}
        for how, other in proba.items():
            if how != "0":
                scores[str(model)][how] = float((other.argmax(axis=1) != top).mean())
                scores[str(model)][f"{how} moved"] = float(np.abs(other - proba["0"]).max())
    return scores


def events(folder: Path, data: Path) -> dict[str, dict[str, int]]:
    """Count the events of the run of nips4b in ten minutes of background, at several gains."""
    parts = sorted((data / "soundscapes").rglob("*.[wo][ag][vg]"))
    y = np.concatenate([read(path, 22050)[0] for path in parts if path.stem != "spinetail"])
    y = np.resize(y, 600 * 22050)
    counts: dict[str, dict[str, int]] = {}
    for model in ("ensemble", "ExtraTrees", "KernelRidge"):
        for gain in BACKGROUND:
            file, out = folder / "background" / f"{gain}.wav", folder / "events" / model / str(gain)
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                soundfile.write(file, y * np.float32(10 ** (gain / 20)), 22050, subtype="FLOAT")
            if not (out / "events.csv").exists():
                command = [sys.executable, "-m", "aurist", "predict", str(folder / "run"), str(file)]
                chosen = [] if model == "ensemble" else ["--model", model]
                subprocess.run([*command, *chosen, "--window", "5", "-o", str(out)], check=True)
            counts.setdefault(model, {})[str(gain)] = len(pd.read_csv(out / "events.csv"))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", choices=("esc10", "gtzan100", "nips4b"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--level", default="relative")
    parser.add_argument("--output", type=Path, default=Path("level"))
    options = parser.parse_args()
    columns = [*map(str, GAINS), "offset", "8 bit"]
    rows = []
    for name in options.sets:
        folder = options.output / name
        path = folder / "level.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = measure(folder, name, options.data, options.epochs, options.level)
            path.write_text(json.dumps(made, indent=2))
        for model, figures in json.loads(path.read_text()).items():
            rows.append([name, model, f"{figures['score']:.3f}", *(f"{figures[how]:.0%}" for how in columns)])
    text = table(
        ["data set", "model", "score", *(f"{c} dB" if c[-1].isdigit() else c for c in columns)], rows
    )
    if "nips4b" in options.sets:
        counted = events(options.output / "nips4b", options.data)
        lines = [[model, *(str(n) for n in gains.values())] for model, gains in counted.items()]
        text += "\n\n" + table(
            ["events in ten minutes of background", *(f"{g} dB" for g in BACKGROUND)], lines
        )
    (options.output / "level.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
