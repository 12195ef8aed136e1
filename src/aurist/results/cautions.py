"""What to bear in mind with a run's scores: sentences that the terminal, the report and ``scores.json`` repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.plan import ENSEMBLE
from aurist.results.best_of import Best

#: Of classes in fewer groups than this, scores were surely too low in trials (docs/decisions/0018).
FEW_GROUPS = 5
#: Classes that are named.
_NAMED = 5


def few_groups(
    truth: npt.NDArray[np.int8], groups: npt.NDArray[np.int64], classes: Sequence[str]
) -> dict[str, int]:
    """Count the groups of each class that stands in fewer than `FEW_GROUPS`; the rarest first.

    Examples
    --------
    >>> truth = np.eye(2, dtype=np.int8)[[0, 0, 0, 1, 1, 1, 1, 1]]
    >>> few_groups(truth, np.array([0, 0, 1, 2, 3, 4, 5, 6]), ["cat", "dog"])
    {'cat': 2}
    """
    counts = {name: len(np.unique(groups[truth[:, column] == 1])) for column, name in enumerate(classes)}
    few = {name: count for name, count in counts.items() if count < FEW_GROUPS}
    return dict(sorted(few.items(), key=lambda item: item[1]))


def about_few_groups(few: Mapping[str, int], n_classes: int) -> str:
    """Say which classes stand in few groups, and what follows.

    Examples
    --------
    >>> about_few_groups({"cat": 2}, 3)
    'Few groups: 1 of 3 classes stands in fewer than 5 groups (cat in 2). The score is likely too low (in \
trials with 2 or 3 groups a class by 0.1 to 0.2), and its interval is wide: record more of it, from other recordings, \
sites or days.'
    """
    named = [f"{name} in {count}" for name, count in list(few.items())[:_NAMED]]
    more = f", {len(few) - _NAMED} more" if len(few) > _NAMED else ""
    verb, it = ("stands", "it") if len(few) == 1 else ("stand", "them")
    return (
        f"Few groups: {len(few)} of {n_classes} classes {verb} in fewer than {FEW_GROUPS} groups "
        f"({', '.join(named)}{more}). The score is likely too low (in trials with 2 or 3 groups a class by 0.1 to "
        f"0.2), and its interval is wide: record more of {it}, from other recordings, sites or days."
    )


def about_tuned(tuned: Mapping[str, Any]) -> str:
    """Say that settings were chosen on the clips that are scored; ``tuned`` as `aurist.results.tuned` has it.

    Examples
    --------
    >>> about_tuned({"model": "cnn-tuned", "trials": 30, "metric": "accuracy", "score": 0.81234, "share": 0.8})
    'Tuned on these clips: the settings of cnn-tuned were the best of 30 trials (accuracy 0.812) on about 80% of the \
clips that are scored here. Its score, and that of Ensemble, is too good, nobody knows by how much: quote what `aurist \
tune` found on clips that no trial saw, or score new clips with `aurist evaluate`.'
    """
    share = "the" if tuned["share"] > 0.995 else f"about {tuned['share']:.0%} of the"
    return (
        f"Tuned on these clips: the settings of {tuned['model']} were the best of {tuned['trials']:,} trials "
        f"({tuned['metric']} {tuned['score']:.3f}) on {share} clips that are scored here. Its score, and that of "
        f"{ENSEMBLE}, is too good, nobody knows by how much: quote what `aurist tune` found on clips that no trial "
        "saw, or score new clips with `aurist evaluate`."
    )


def about_best(best: Best) -> str:
    """Say that the best of the other rows is the luckiest, too.

    Examples
    --------
    >>> about_best(Best("LightGBM", 0.612, 6, 0.0341))
    'Of the other 6 rows LightGBM is the best, by luck, too: being picked by its score of 0.612 flatters it by about \
0.034. Ensemble was not picked by its score.'
    """
    return (
        f"Of the other {best.models} rows {best.model} is the best, by luck, too: being picked by its score of "
        f"{best.score:.3f} flatters it by about {best.flatters:.3f}. {ENSEMBLE} was not picked by its score."
    )
