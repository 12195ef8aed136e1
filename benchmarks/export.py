"""Runs against the model folders that are exported from them: answers, sizes, cold and warm seconds.

Five runs: ESC-10, gtzan100, nips4b, the contest's table, and annotated birdsong with a network that scores frames. The
clips to predict had no part in the fit. With --base, cold predictions also run in another environment: a virtual
environment in which only the base of aurist is installed.

    python benchmarks/export.py --minutes 3 --base /tmp/base/bin/python --output results
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import _common
import aurist
from aurist.clips import Clips

Data = pd.DataFrame | Clips


def listed(data: Path, name: str) -> pd.DataFrame:
    labels = pd.read_csv(data / name / "labels.csv").drop(columns=["fold", "part", "take"], errors="ignore")
    labels["path"] = [str((data / name / path).resolve()) for path in labels["path"]]
    return labels


def apart(table: pd.DataFrame, key: str, share: float = 0.2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the rows of some groups apart."""
    groups = np.random.default_rng(0).permutation(table[key].unique())
    held = table[key].isin(groups[: round(share * len(groups))])
    return table[~held].reset_index(drop=True), table[held].reset_index(drop=True)


def learn(name: str, data: Path, folder: Path, limit: str) -> tuple[aurist.Run, Data, Data]:
    """Fit a run; return it with its own clips and with clips that it has not seen."""
    settings = {"time_limit": limit, "jobs": 2, "cache_dir": folder.parent / "cache", "embeddings": ()}
    if name == "bengalese":
        recordings = data / name / "audio"
        table = pd.read_csv(data / name / "labels.csv")
        parts = apart(table, "path", 0.3)
        for part, rows in zip(("train", "new"), parts, strict=True):
            rows.to_csv(folder / f"{part}.csv", index=False)
        train, new = (
            aurist.read_annotated(data / name, folder / f"{part}.csv", window=2.0)
            for part in ("train", "new")
        )
        assert recordings.is_dir()
        return aurist.fit(train, folder / "run", recipes=["mel-sed"], **settings), train, new
    if name == "spotify-genres":
        table = pd.read_csv(data / name / "train.csv")
        train, new = apart(table.assign(row=range(len(table))), "row", 0.25)
        train, new = train.drop(columns="row"), new.drop(columns="row")
        run = aurist.fit(train, folder / "run", label="genre", metric="f1_macro", **settings)
        return run, train.drop(columns="genre"), new.drop(columns="genre")
    table = listed(data, name)
    key = "group" if "group" in table else "path"
    train, new = apart(table, key)
    recipes = {"recipes": ["mel-cnn"]} if name == "esc10" else {}
    run = aurist.fit(
        train, folder / "run", label="label", group="group" if key == "group" else None, **recipes, **settings
    )
    return run, train.drop(columns="label"), new.drop(columns="label")


def difference(a: aurist.Run, b: aurist.Run, data: Data, cache: Path) -> float:
    """Return the largest difference of a probability."""
    probas = [model.predict_proba(data, cache_dir=cache).to_numpy() for model in (a, b)]
    return float(np.nanmax(np.abs(probas[0] - probas[1])))


def cold(python: str, model: Path, data: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of a prediction in a new process."""
    began = time.perf_counter()
    command = ["/usr/bin/env", "time", "-f", "%M", python, "-m", "aurist", "predict", str(model), str(data)]
    out = subprocess.run([*command, "--window", "0"], capture_output=True, text=True, check=False)
    if out.returncode:
        sys.exit(f"{' '.join(command)}\n{out.stderr}")
    return time.perf_counter() - began, int(out.stderr.split()[-1]) / 1024


def warm(model: aurist.Run, data: Path | pd.DataFrame, folder: Path, rounds: int) -> float:
    """Return the median milliseconds of a prediction whose features are not stored."""
    source = [data] if isinstance(data, Path) else data
    seconds = []
    for _ in range(rounds + 2):
        cache = Path(tempfile.mkdtemp(dir=folder))
        began = time.perf_counter()
        model.predict(source, cache_dir=cache)
        seconds.append(time.perf_counter() - began)
    return 1e3 * statistics.median(seconds[2:])


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def measure(name: str, args: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Fit, export, compare."""
    folder.mkdir(parents=True)
    run, train, new = learn(name, args.data, folder, f"{args.minutes:g}m")
    command = [sys.executable, "-m", "aurist", "export", str(run.folder), "--json", "-o"]
    outputs = [
        subprocess.run(
            [*command, str(folder / title), *more], capture_output=True, text=True, check=True
        ).stdout
        for title, more in (("model", []), ("with", ["--with-duplicates"]))
    ]
    exported = json.loads(outputs[0])
    model, full = aurist.load(folder / "model"), aurist.load(folder / "with")
    cache = folder.parent / "cache"
    seen = (
        run.predict_proba(new, cache_dir=cache).to_numpy()
        != model.predict_proba(new, cache_dir=cache).to_numpy()
    )
    figures: dict[str, object] = {
        "members": exported["members"],
        "left_out": exported["left_out"],
        "score": exported["score"],
        "n_new": len(new),
        "rows_that_differ": int(seen.any(axis=1).sum()),
        "new": difference(run, model, new, cache),
        "new_with_duplicates": difference(run, full, new, cache),
        "own_with_duplicates": difference(run, full, train, cache),
        "run_mb": megabytes(run.folder),
        "model_mb": megabytes(folder / "model"),
        "with_mb": megabytes(folder / "with"),
    }
    one = new.iloc[:1] if isinstance(new, pd.DataFrame) else None
    if name == "spotify-genres":
        first = folder / "one.csv"
        one.to_csv(first, index=False)
        source: Path | pd.DataFrame = one
    else:
        first = Path(one["path"][0]) if one is not None else new.file(str(new.table["path"][0]))
        source = first
    pythons = {"run": (sys.executable, run.folder), "model": (sys.executable, folder / "model")}
    if args.base:
        pythons["model, base only"] = (args.base, folder / "model")
    rounds = [
        {title: cold(*pair, first) for title, pair in pythons.items()} for _ in range(args.repeats + 1)
    ][1:]
    for title in pythons:
        figures[f"cold {title}"] = [
            statistics.median(values) for values in zip(*(r[title] for r in rounds), strict=True)
        ]
    figures["warm run"] = warm(run, source, folder, 4 * args.repeats)
    figures["warm model"] = warm(model, source, folder, 4 * args.repeats)
    return figures


def main() -> None:
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    sets = ["esc10", "gtzan100", "nips4b", "spotify-genres", "bengalese"]
    parser.add_argument("sets", nargs="*", default=sets, help="data sets; all by default")
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--minutes", type=float, default=3, help="time limit of each fit")
    parser.add_argument("--base", help="Python of an environment with the base install alone")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    every: dict[str, dict[str, object]] = {}
    for name in args.sets:
        with tempfile.TemporaryDirectory() as folder:
            every[name] = measure(name, args, Path(folder) / name)
        print(name, json.dumps(every[name]), flush=True)
        if args.output:
            args.output.mkdir(parents=True, exist_ok=True)
            (args.output / "export.json").write_text(json.dumps(every, indent=2))
    header = ["", *every]
    lines = [
        ["models left out", *(", ".join(f["left_out"]) or "none" for f in every.values())],
        ["largest difference, new clips", *(f"{f['new_with_duplicates']:.1g}" for f in every.values())],
        ["largest difference, training clips", *(f"{f['own_with_duplicates']:.1g}" for f in every.values())],
        ["without the rows for duplicates: new clips", *(f"{f['new']:.1g}" for f in every.values())],
        ["run, MB", *(f"{f['run_mb']:.1f}" for f in every.values())],
        ["model folder, MB", *(f"{f['model_mb']:.1f}" for f in every.values())],
        ["with the rows for duplicates, MB", *(f"{f['with_mb']:.1f}" for f in every.values())],
    ]
    for title in ("run", "model", "model, base only"):
        if f"cold {title}" in next(iter(every.values())):
            values = [f[f"cold {title}"] for f in every.values()]
            lines.append([f"cold, {title}: seconds, MB", *(f"{s:.1f}, {mb:.0f}" for s, mb in values)])
    for title in ("run", "model"):
        lines.append([f"warm, {title}: ms", *(f"{f[f'warm {title}']:.0f}" for f in every.values())])
    _common.publish("export", _common.table(header, lines), every, args.output)


if __name__ == "__main__":
    main()
