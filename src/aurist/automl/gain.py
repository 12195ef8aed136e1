"""Whether the ensemble is better than the best single model, on the same resamples of the groups."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aurist.evaluate import paired
from aurist.plan import ENSEMBLE, GLUON_ENSEMBLE
from aurist.predictions import from_frame
from aurist.run import Run, read_data


def ensemble_gain(run: Run) -> dict[str, Any] | None:
    """The score of the ensemble minus that of the best single model, with the interval of the difference.

    The best is the best by the scores compared here, which flatters it a little: the gain is a cautious one.

    Returns
    -------
    dict or None
        ``model`` (the best single one), ``score, low, high, better`` (see `aurist.evaluate.Difference`); None where
        there is no ensemble, or nothing to compare it with.
    """
    board = run.leaderboard()
    single = board[~board["model"].isin([ENSEMBLE, GLUON_ENSEMBLE])]
    if len(single) < 2 or ENSEMBLE not in set(board["model"]):
        return None
    best = str(single["model"].iloc[0])
    data = read_data(run)
    told = from_frame(run.predictions(), data.task.classes)
    said = {found.model: found for found in told if found.part == "oof"}
    ids = said[ENSEMBLE].clip_id.tolist()
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(ids))
    found = paired(
        data.clips.targets(data.task.classes)[rows],
        said[ENSEMBLE].aligned(ids),
        said[best].aligned(ids),
        data.groups[rows],
        data.task.metric,
        seed=data.task.seed,
        multilabel=data.task.multilabel,
        weight=data.clips.table["weight"].to_numpy(dtype=float)[rows],
    )
    return {"model": best, "score": found.score, "low": found.low, "high": found.high, "better": found.better}
