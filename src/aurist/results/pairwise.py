"""Compare the ensemble with the best single model on the same resamples of the groups."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from aurist.plan import ENSEMBLE


def against_best_single(pairs: pd.DataFrame, singles: Collection[str]) -> dict[str, Any] | None:
    """Compute the score of the ensemble minus that of the best single model, with the interval of the difference.

    The best single model is chosen by the scores compared here. This flatters it a little, so the gain is cautious.

    Parameters
    ----------
    pairs
        Pairs of models, as `aurist.results.out_of_fold.OutOfFold.pairwise` returns them.
    singles
        Models without base models.

    Returns
    -------
    dict or None
        ``model`` (the best single one), ``score, low, high, better`` (see `aurist.results.differences.Difference`);
        None if there is no ensemble, or nothing to compare it with.
    """
    order = list(dict.fromkeys([*pairs["model"], *pairs["other"]]))
    single = [name for name in order if name in singles]
    if len(single) < 2 or ENSEMBLE not in order:
        return None
    for row in pairs.to_dict("records"):
        if {row["model"], row["other"]} == {ENSEMBLE, single[0]}:
            ensemble_first = row["model"] == ENSEMBLE
            sign = 1 if ensemble_first else -1
            bounds = sorted([sign * row["low"], sign * row["high"]])
            better = row["better"] if ensemble_first else 1 - row["better"]
            return {
                "model": single[0],
                "score": sign * row["difference"],
                "low": bounds[0],
                "high": bounds[1],
                "better": better,
            }
    return None
