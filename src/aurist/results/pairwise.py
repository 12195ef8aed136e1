"""The ensemble against the best single model, on the same resamples of the groups."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from aurist.plan import ENSEMBLE


def against_best_single(pairs: pd.DataFrame, singles: Collection[str]) -> dict[str, Any] | None:
    """The score of the ensemble minus that of the best single model, with the interval of the difference.

    The best is the best by the scores compared here, which flatters it a little: the gain is a cautious one.

    Parameters
    ----------
    pairs
        As `aurist.results.out_of_fold.OutOfFold.pairwise` gives them.
    singles
        The models that need no others.

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
