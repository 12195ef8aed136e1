"""Wrong labels put in on purpose: how many are among the likely label errors, by aurist and by cleanlab.

A share of the clips of each set gets the label of another class (with several labels a clip, one of its labels is
replaced). A fit of linear and kernel models predicts every clip out of fold. aurist and cleanlab then rank the clips by
the same predictions. "Of the first n": the share of changed labels among the first n clips of the ranking, where n is
the number of changed labels; "listed": how many clips are listed as likely errors, the share of these that were
changed, and the share of the changed ones that are listed. The sets' own label errors count against both.

    pip install --no-deps cleanlab termcolor
    python benchmarks/label_errors.py esc10 gtzan100 fsdd nips4b --draws 3 --output label_errors
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import aurist
from _common import DATA, table_of
from aurist.plan import ENSEMBLE
from aurist.results.label_errors import likely_label_errors
from aurist.run import open_run, read_data
from equal_time import ONE, SETS, SEVERAL, labels

SHARE = 0.08
Order = npt.NDArray[np.intp]


def changed(table: pd.DataFrame, draw: int) -> tuple[pd.DataFrame, set[str]]:
    """Change labels; return the table and the paths of changed clips."""
    rng = np.random.default_rng(draw)
    names = [label.split(";") for label in table["label"].fillna("").astype(str)]
    classes = sorted({name for row in names for name in row if name})
    candidates = [row for row, own in enumerate(names) if own != [""]]
    rows = rng.choice(candidates, round(SHARE * len(candidates)), replace=False)
    for row in rows.tolist():
        own = names[row]
        own[int(rng.integers(len(own)))] = str(rng.choice([name for name in classes if name not in own]))
    new = table.assign(label=[";".join(own) for own in names])
    return new, set(table["path"].iloc[rows])


def fitted(folder: Path, table: pd.DataFrame, name: str, draw: int) -> Path:
    if not (folder / "scores.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        several = name == "nips4b"
        aurist.fit(
            table,
            folder,
            path="path",
            label="label",
            group="group",
            fold="fold",
            metric=(SEVERAL if several else ONE)[0],
            label_separator=";" if several else "none",
            preset="instant",
            seed=draw,
            jobs=1,
            embeddings=(),
        )
    return folder


def by_cleanlab(
    targets: npt.NDArray[np.int8], proba: npt.NDArray[np.float64], *, several: bool
) -> tuple[Order, Order]:
    """Return the ranking of all rows, and the rows that are listed."""
    if several:
        from cleanlab.multilabel_classification import get_label_quality_scores
        from cleanlab.multilabel_classification.filter import find_label_issues as find

        lists = [np.flatnonzero(row == 1).tolist() for row in targets]
        return np.argsort(get_label_quality_scores(lists, proba)), find(
            lists, proba, return_indices_ranked_by="self_confidence", n_jobs=1
        )
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores as quality

    label = targets.argmax(axis=1)
    listed = find_label_issues(label, proba, return_indices_ranked_by="normalized_margin", n_jobs=1)
    return np.argsort(quality(label, proba, method="normalized_margin")), listed


def measure(folder: Path, name: str, draw: int, data: Path) -> list[dict[str, Any]]:
    table, wrong = changed(labels(data, name), draw)
    run = open_run(fitted(folder / f"{name}{draw}", table, name, draw))
    read = read_data(run)
    oof = run.out_of_fold(read.task.classes)[ENSEMBLE]
    rows = pd.Index(read.clips.table["clip_id"]).get_indexer(pd.Index(oof.clip_id))
    paths = read.clips.table["path"].to_numpy()[rows]
    is_wrong = np.isin(paths, list(wrong))
    targets = read.clips.targets(read.task.classes)[rows]
    own = likely_label_errors(run, most=len(rows))
    listed = pd.Index(oof.clip_id).get_indexer(pd.Index(own["clip_id"].drop_duplicates()))
    ranking, issues = by_cleanlab(targets, oof.proba, several=name == "nips4b")
    out = []
    for who, first, found in (("aurist", listed, listed), ("cleanlab", ranking, issues)):
        n = int(is_wrong.sum())
        out.append(
            {
                "set": name,
                "draw": draw,
                "by": who,
                "changed": n,
                "of the first n": float(is_wrong[first[:n]].sum() / n),
                "listed": len(found),
                "precision": float(is_wrong[found].mean()) if len(found) else float("nan"),
                "recall": float(is_wrong[found].sum() / n),
            }
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", choices=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("label_errors"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    figures: list[dict[str, Any]] = []
    for name in options.sets:
        for draw in range(options.draws):
            figures += measure(options.output, name, draw, options.data)
            (options.output / "figures.json").write_text(json.dumps(figures, indent=1))
    table = pd.DataFrame(figures).groupby(["set", "by"], sort=False).mean(numeric_only=True).round(3)
    print(table_of(table.drop(columns="draw").reset_index().to_dict("records")))


if __name__ == "__main__":
    main()
