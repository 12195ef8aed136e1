"""Score the sites of annotated recordings apart: a good mean may hide a site where nothing is recognised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from aurist.metrics import metric
from aurist.results.out_of_fold import OutOfFold

#: A site needs at least so many recordings, and so many clips with a class, to be scored.
_RECORDINGS, _CLIPS = 2, 10
#: The most sites that are named.
_SHOWN = 5


def about_sites(oof: OutOfFold, name: str, paths: Sequence[str | None]) -> str | None:
    """Write a sentence with the score of each site, the worst first; None if there are fewer than two to score.

    Parameters
    ----------
    oof
        The scored rows.
    name
        A row of the leaderboard.
    paths
        (n,): the recordings. Their folders are the sites.
    """
    sites = np.array(["" if path is None else str(PurePath(path).parent) for path in paths], dtype=object)
    scores: dict[str, float] = {}
    for site in dict.fromkeys(sites.tolist()):
        rows = sites == site
        recordings = {path for path, here in zip(paths, rows, strict=True) if here}
        positive = (oof.truth[rows] == 1).any(axis=1)
        if len(recordings) < _RECORDINGS or positive.sum() < _CLIPS or positive.all():
            continue
        chosen = metric(oof.task.metric)
        score = float(chosen(oof.truth[rows], oof.probas[name][rows], multilabel=oof.task.multilabel))
        if np.isfinite(score):
            scores[site] = score
    if len(scores) < 2:
        return None
    ordered = sorted(scores.items(), key=lambda item: item[1])
    listed = ", ".join(f"{site} {score:.3f}" for site, score in ordered[:_SHOWN])
    rest = f" ... {len(ordered) - _SHOWN} more up to {ordered[-1][1]:.3f}" if len(ordered) > _SHOWN else ""
    return (
        f"By folder of the recordings (site or recorder), the worst first: {oof.task.metric} {listed}{rest}."
    )
