"""Sounds that were never learnt: how well they are noticed, and how often known sounds are called unknown.

Two of ten classes are kept out, in ten draws. A quarter of the groups of the other classes is kept out, too. The rest
is fitted with `--preset instant`, and the likeness of all clips that were kept out is scored:

- AUROC of the likeness: known clips against clips of the two classes;
- the share of known clips with a likeness of at most 0.05 (stated: about 0.05);
- the share of clips of the two classes that are called unknown so, against what `scores.json` states, measured
  by leaving out each learnt class in turn.

With `--soundscapes`, false alarms: clips of five seconds of tropical soundscapes that are given a class of ESC-10 with
a probability of a half or more, per hour. Half of the recordings are kept apart, in four draws. One model has learnt
ten clips of each class of ESC-10 alone, the other also the other half of the soundscapes, as a class `background`.
Stated for the first: its alarms without `--unknown`, times the share not called unknown of classes left out; for
the second: its alarms on the soundscapes in its training data, out of fold. Nobody has listened to each of them: where
it rains, "Rain" is right.

An interrupted command continues: every draw is a line of the output.

    python benchmarks/unknown.py --output unknown/
    python benchmarks/unknown.py --output unknown/ --embed yamnet
    python benchmarks/unknown.py --output unknown/ --soundscapes
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

import _common
import aurist
from aurist.run import open_run, read_data

SETS = ("esc10", "gtzan100")
SHARE = 0.05
OUT = 2
SOUNDSCAPE_DRAWS = 4


def read(data: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(data / name / "labels.csv", dtype=str)
    paths = [str((data / name / path).resolve()) for path in table["path"]]
    return pd.DataFrame({"path": paths, "label": table["label"], "group": table["group"]})


def fitted(train: pd.DataFrame, options: argparse.Namespace, folder: Path, seed: int) -> aurist.Run:
    shutil.rmtree(folder, ignore_errors=True)
    return aurist.fit(
        train,
        folder,
        label="label",
        group="group",
        path="path",
        label_separator="none",
        preset="instant",
        seed=seed,
        jobs=1,
        cache_dir=options.cache_dir,
        embeddings=tuple(options.embed),
    )


def measure(table: pd.DataFrame, draw: int, options: argparse.Namespace, work: Path) -> dict[str, Any]:
    rng = np.random.default_rng([18, draw])
    never = rng.choice(np.unique(table["label"]), OUT, replace=False)
    is_never = table["label"].isin(never)
    groups = rng.permutation(np.unique(table["group"][~is_never]))
    kept_out = table["group"].isin(groups[: len(groups) // 4]) & ~is_never
    run = fitted(
        table[~is_never & ~kept_out & ~table["group"].isin(table["group"][is_never])], options, work, draw
    )
    rest = table[is_never | kept_out]
    likeness = run.likeness(rest, path="path", jobs=1, cache_dir=options.cache_dir).to_numpy()
    proba = run.predict_proba(rest, path="path", jobs=1, cache_dir=options.cache_dir).to_numpy()
    unknown = rest["label"].isin(never).to_numpy()
    stated = json.loads((Path(run.folder) / "scores.json").read_text())["unknown"]
    return {
        "draw": draw,
        "never": sorted(never),
        "clips": int((~is_never & ~kept_out).sum()),
        "known": int((~unknown).sum()),
        "unknown": int(unknown.sum()),
        "auc": float(roc_auc_score(unknown, -likeness)),
        "auc_of_probability": float(roc_auc_score(unknown, -proba.max(axis=1))),
        "known_called": float((likeness[~unknown] <= SHARE).mean()),
        "unknown_called": float((likeness[unknown] <= SHARE).mean()),
        "stated_called": stated["called_unknown"],
        "stated_auc": stated["auc"],
    }


def mean(values: pd.Series[float], digits: int = 3) -> str:
    return f"{values.mean():.{digits}f} ± {2 * values.std() / np.sqrt(len(values)):.{digits}f}"


HEADER = [
    "data",
    "AUROC of the likeness",
    "stated",
    "AUROC of the highest probability",
    f"known clips called unknown at {SHARE:g}",
    "never learnt, called unknown",
    "stated",
]


def summary(name: str, rows: list[dict[str, Any]]) -> list[str]:
    table = pd.DataFrame(rows)
    names = (
        "auc",
        "stated_auc",
        "auc_of_probability",
        "known_called",
        "unknown_called",
        "stated_called",
    )
    return [name, *(mean(table[column]) for column in names)]


def soundscape_clips(data: Path) -> pd.DataFrame:
    files = sorted((data / "soundscapes").glob("S4A*.ogg"))
    rows = [
        (str(file.resolve()), start, start + 5.0, "background", file.stem)
        for file in files
        for start in (0.0, 5.0)
    ]
    return pd.DataFrame(rows, columns=["path", "start", "end", "label", "group"])


def alarms(labels: npt.NDArray[np.object_], proba: pd.DataFrame) -> float:
    """Return false alarms per hour of clips of five seconds."""
    sure = proba.drop(columns="background", errors="ignore").max(axis=1).to_numpy() >= 0.5
    return float((sure & ~np.isin(labels, ("background", "unknown"))).mean() * 720)


def measure_soundscapes(draw: int, options: argparse.Namespace, work: Path) -> dict[str, Any]:
    rng = np.random.default_rng([19, draw])
    esc10, night = read(options.data, "esc10"), soundscape_clips(options.data)
    esc10 = esc10.iloc[rng.permutation(len(esc10))].groupby("label").head(10).assign(start=0.0, end=5.0)
    groups = rng.permutation(night["group"].unique())
    is_apart = night["group"].isin(groups[: len(groups) // 2])
    apart, result = night[is_apart], {"draw": draw, "hours_apart": is_apart.sum() * 5 / 3600}
    for name, train in (("esc10", esc10), ("with background", pd.concat([esc10, night[~is_apart]]))):
        run = fitted(train, options, work, draw)
        common: dict[str, Any] = {"path": "path", "jobs": 1, "cache_dir": options.cache_dir}
        proba = run.predict_proba(apart, **common)
        labels = [run.predict(apart, unknown=share, **common).to_numpy() for share in (None, SHARE)]
        found = [alarms(of_clips, proba) for of_clips in labels]
        unknown = json.loads((Path(run.folder) / "scores.json").read_text())["unknown"]
        result[name] = {"plain": found[0], "unknown": found[1]}
        if name == "esc10":
            result[name]["stated"] = found[0] * (1 - unknown["called_unknown"])
        else:
            opened = open_run(Path(run.folder))
            rows = opened.out_of_fold(run.classes)["Ensemble"]
            learnt = read_data(opened).clips.table.set_index("clip_id")["labels"]
            of_night = np.array([learnt[one] == ("background",) for one in rows.clip_id])
            table = pd.DataFrame(rows.proba[of_night], columns=list(run.classes))
            result[name]["stated"] = alarms(table.idxmax(axis=1).to_numpy(), table)
    return result


def soundscape_summary(rows: list[dict[str, Any]]) -> list[list[str]]:
    lines = []
    for name in ("esc10", "with background"):
        table = pd.DataFrame([row[name] for row in rows])
        stated = mean(table["stated"], 0)
        cells = [mean(table["plain"], 0), mean(table["unknown"], 0)]
        lines.append([name, *cells, *((stated, "") if name == "esc10" else ("", stated))])
    return lines


SOUNDSCAPES = [
    "learnt",
    "false alarms per hour",
    f"with --unknown {SHARE:g}",
    "stated, with --unknown",
    "stated, without",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument(
        "--embed", action="append", default=[], help="an embedder, as of `aurist fit --embed`"
    )
    parser.add_argument("--soundscapes", action="store_true")
    parser.add_argument("--cache-dir")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    logging.getLogger("aurist").setLevel(logging.ERROR)
    options.output.mkdir(parents=True, exist_ok=True)
    suffix = "".join(f"+{Path(embedder).stem}" for embedder in options.embed)
    if options.soundscapes:
        path = options.output / f"unknown-soundscapes{suffix}.jsonl"
        rows = resumed(path, SOUNDSCAPE_DRAWS, lambda draw, work: measure_soundscapes(draw, options, work))
        print(_common.table(SOUNDSCAPES, soundscape_summary(rows)))
        return
    lines = []
    for name in options.sets:
        table = read(options.data, name)
        path = options.output / f"unknown-{name}{suffix}.jsonl"
        rows = resumed(path, options.draws, lambda draw, work: measure(table, draw, options, work))  # noqa: B023
        lines.append(summary(name + suffix, rows))
    print(_common.table(HEADER, lines))


def resumed(path: Path, draws: int, one: Callable[[int, Path], dict[str, Any]]) -> list[dict[str, Any]]:
    """Measure the draws that the file does not have yet; return all of them."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {row["draw"] for row in rows}
    with tempfile.TemporaryDirectory() as work, path.open("a") as file:
        for draw in range(draws):
            if draw not in done:
                rows.append(one(draw, Path(work) / "run"))
                file.write(json.dumps(rows[-1]) + "\n")
                file.flush()
    return rows


if __name__ == "__main__":
    main()
