"""Few examples: a model from 5, 10 or 20 clips a class by `--preset instant`, and its score on all other clips.

Ten draws of so many clips of each class. Every draw is fitted, and its stated score and 95% interval are compared with
the score on all clips that were not drawn, without groups (recordings) of the training clips. These other clips
have no influence on anything.

- `esc10`: ten environmental sounds; the groups are the source recordings, and a group gives one clip to a draw.
- `nips4b`: the twelve commonest birds, several labels a clip, LWLRAP. They have 18 to 20 clips each, so that 20 cannot
  be drawn. As many clips of none of them are added to the training clips, and all others are scored.

Features are stored by the first draw, so that seconds are those of checks, models and scores, of one core.

An interrupted command continues: every draw is a line of the output.

    python benchmarks/few_shot.py --output few_shot/
    python benchmarks/few_shot.py --output few_shot/ --embed yamnet
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import _common
import aurist
from aurist.results.bootstrap import bootstrap

SIZES = (5, 10, 20)
COMMONEST = 12


def esc10(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "esc10" / "labels.csv", dtype=str)
    return absolute(table[["path", "label", "group"]], data / "esc10")


def nips4b(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "nips4b" / "labels.csv", dtype=str).fillna("")
    labels = table["label"].str.split(";")
    counts = Counter(label for row in labels for label in row if label)
    common = {label for label, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]}
    kept = [";".join(label for label in row if label in common) for row in labels]
    return absolute(table.assign(label=kept, group=table["path"]), data / "nips4b")


def absolute(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    return table.assign(path=[str((root / path).resolve()) for path in table["path"]]).reset_index(drop=True)


SETS = {"esc10": esc10, "nips4b": nips4b}
METRICS = {"esc10": "accuracy", "nips4b": "lwlrap"}


def drawn(table: pd.DataFrame, size: int, draw: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw so many clips of each class, at most one of a group; give the clips of all other groups, too."""
    rng = np.random.default_rng([size, draw])
    one_each = table.iloc[rng.permutation(len(table))].drop_duplicates("group")
    labels = one_each["label"].str.split(";")
    counts = Counter(label for row in labels for label in row)
    chosen: set[Any] = set()
    for name in sorted(counts, key=lambda label: (counts[label], label)):
        rows = [row for row, names in labels.items() if name in names]
        missing = size - sum(row in chosen for row in rows)
        chosen.update([row for row in rows if row not in chosen][: max(0, missing)])
    train = table.loc[sorted(chosen)]
    return train, table[~table["group"].isin(train["group"])]


def measure(
    name: str, table: pd.DataFrame, size: int, draw: int, options: argparse.Namespace, work: Path
) -> dict[str, Any]:
    train, rest = drawn(table, size, draw)
    shutil.rmtree(work / "run", ignore_errors=True)
    began, began_cpu = time.perf_counter(), time.process_time()
    run = aurist.fit(
        train,
        work / "run",
        label="label",
        group="group",
        path="path",
        metric=METRICS[name],
        label_separator=";" if name == "nips4b" else "none",
        preset="instant",
        seed=draw,
        jobs=1,
        cache_dir=options.cache_dir,
        embeddings=tuple(options.embed),
    )
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    proba = run.predict_proba(rest, path="path", jobs=1, cache_dir=options.cache_dir)
    named = [set(label.split(";")) for label in rest["label"]]
    truth = np.array([[label in names for label in proba.columns] for names in named]).astype(np.int8)
    actual = bootstrap(truth, proba.to_numpy(), rest["group"].tolist(), METRICS[name])
    return {
        "size": size,
        "draw": draw,
        "train": len(train),
        "rest": len(rest),
        "stated": run.score.score,
        "low": run.score.low,
        "high": run.score.high,
        "actual": actual.score,
        "error": (actual.high - actual.low) / 3.92,
        "members": {row.model: round(float(row.score), 4) for row in run.leaderboard().itertuples()},
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


def summary(name: str, rows: list[dict[str, Any]]) -> list[list[str]]:
    lines = []
    for size in sorted({row["size"] for row in rows}):
        part = pd.DataFrame([row for row in rows if row["size"] == size])
        gap = part["stated"] - part["actual"]
        inside = (part["low"] <= part["actual"]) & (part["actual"] <= part["high"])
        seconds = part["cpu_seconds" if "cpu_seconds" in part else "seconds"].median()
        lines.append(
            [
                name,
                str(size),
                f"{part['actual'].mean():.3f} ± {part['actual'].std():.3f}",
                f"{part['stated'].mean():.3f}",
                f"{gap.mean():+.3f} ± {2 * gap.std() / np.sqrt(len(gap)):.3f}",
                f"{(part['high'] - part['low']).mean():.2f}",
                f"{inside.sum()} of {len(part)}",
                f"{seconds:.0f}",
            ]
        )
    return lines


HEADER = [
    "data",
    "clips a class",
    "score on the rest, ± standard deviation of draws",
    "stated",
    "stated minus actual",
    "width",
    "intervals that hold it",
    "seconds of one core",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--sets", nargs="+", choices=sorted(SETS), default=sorted(SETS))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument(
        "--embed", action="append", default=[], help="an embedder, as of `aurist fit --embed`"
    )
    parser.add_argument("--cache-dir")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    logging.getLogger("aurist").setLevel(logging.ERROR)
    options.output.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in options.sets:
        suffix = "".join(f"+{Path(embedder).stem}" for embedder in options.embed)
        path = options.output / f"few_shot-{name}{suffix}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        done = {(row["size"], row["draw"]) for row in rows}
        table = SETS[name](options.data)
        with tempfile.TemporaryDirectory() as work, path.open("a") as file:
            for draw in range(options.draws):
                for size in SIZES[: 2 if name == "nips4b" else 3]:
                    if (size, draw) in done:
                        continue
                    row = measure(name, table, size, draw, options, Path(work))
                    rows.append(row)
                    file.write(json.dumps(row) + "\n")
                    file.flush()
        lines += summary(name + suffix, rows)
    print(_common.table(HEADER, lines))


if __name__ == "__main__":
    main()
