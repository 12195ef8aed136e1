"""Sounds that were never learnt: how well they are noticed, and how often known sounds are called unknown.

Two of ten classes are kept out, in ten draws. A quarter of the groups of the other classes is kept out, too. The rest
is fitted with `--preset instant`, and the likeness of all clips that were kept out is scored:

- AUROC of the likeness: known clips against clips of the two classes;
- the share of known clips with a likeness of at most 0.05 (stated: about 0.05);
- the share of clips of the two classes that are called unknown so, against what `scores.json` states, measured
  by leaving out each learnt class in turn.

An interrupted command continues: every draw is a line of the output.

    python benchmarks/unknown.py --output unknown/
    python benchmarks/unknown.py --output unknown/ --embed yamnet
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import _common
import aurist

SETS = ("esc10", "gtzan100")
SHARE = 0.05
OUT = 2


def read(data: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(data / name / "labels.csv", dtype=str)
    paths = [str((data / name / path).resolve()) for path in table["path"]]
    return pd.DataFrame({"path": paths, "label": table["label"], "group": table["group"]})


def fitted(train: pd.DataFrame, options: argparse.Namespace, folder: Path, seed: int) -> aurist.Run:
    shutil.rmtree(folder, ignore_errors=True)
    extra = {"embed": tuple(options.embed)} if options.embed else {}
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
        **extra,
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


def mean(values: pd.Series[float]) -> str:
    return f"{values.mean():.3f} ± {2 * values.std() / np.sqrt(len(values)):.3f}"


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
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
        path = options.output / f"unknown-{name}{suffix}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        done = {row["draw"] for row in rows}
        table = read(options.data, name)
        with tempfile.TemporaryDirectory() as work, path.open("a") as file:
            for draw in range(options.draws):
                if draw not in done:
                    rows.append(measure(table, draw, options, Path(work) / "run"))
                    file.write(json.dumps(rows[-1]) + "\n")
                    file.flush()
        lines.append(summary(name + suffix, rows))
    print(_common.table(HEADER, lines))


if __name__ == "__main__":
    main()
