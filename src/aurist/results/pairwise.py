"""Compare the ensemble with the best single model on the same resamples of the groups."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from aurist.plan import ENSEMBLE
from aurist.run.scores_file import AgainstSingle


def against_best_single(pairs: pd.DataFrame, singles: Collection[str]) -> AgainstSingle | None:
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
    AgainstSingle or None
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
            return AgainstSingle(single[0], sign * row["difference"], bounds[0], bounds[1], better)
    return None
