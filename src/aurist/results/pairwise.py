"""Which rows of the leaderboard are really better than which, on the same resamples of the groups."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from aurist.files import atomic_path
from aurist.plan import ENSEMBLE
from aurist.results.differences import pairwise
from aurist.run import RunFolder, read_data


def compare_rows(run: RunFolder) -> pd.DataFrame:
    """Every pair of the leaderboard's rows (see `aurist.results.differences.pairwise`), written to ``pairwise.csv``."""
    data = read_data(run)
    said = run.out_of_fold(data.task.classes)
    ids = next(iter(said.values())).clip_id.tolist()
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(ids))
    pairs = pairwise(
        data.clips.targets(data.task.classes)[rows],
        {name: one.aligned(ids) for name, one in said.items()},
        data.groups[rows],
        data.task.metric,
        seed=data.task.seed,
        multilabel=data.task.multilabel,
        weight=data.clips.table["weight"].to_numpy(dtype=float)[rows],
    )
    with atomic_path(run.folder / "pairwise.csv") as part:
        pairs.to_csv(part, index=False, float_format="%.6g")
    return pairs


def against_best_single(pairs: pd.DataFrame, singles: Collection[str]) -> dict[str, Any] | None:
    """The score of the ensemble minus that of the best single model, with the interval of the difference.

    The best is the best by the scores compared here, which flatters it a little: the gain is a cautious one.

    Parameters
    ----------
    pairs
        As `compare_rows` has them.
    singles
        The models that ask no others.

    Returns
    -------
    dict or None
        ``model`` (the best single one), ``score, low, high, better`` (see `aurist.results.differences.Difference`);
        None where there is no ensemble, or nothing to compare it with.
    """
    order = list(dict.fromkeys([*pairs["model"], *pairs["other"]]))
    single = [name for name in order if name in singles]
    if len(single) < 2 or ENSEMBLE not in order:
        return None
    for row in pairs.to_dict("records"):
        if {row["model"], row["other"]} == {ENSEMBLE, single[0]}:
            ours = row["model"] == ENSEMBLE
            sign = 1 if ours else -1
            bounds = sorted([sign * row["low"], sign * row["high"]])
            better = row["better"] if ours else 1 - row["better"]
            return {
                "model": single[0],
                "score": sign * row["difference"],
                "low": bounds[0],
                "high": bounds[1],
                "better": better,
            }
    return None
