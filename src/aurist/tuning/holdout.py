"""Hold out a part of the data from all trials, and score the chosen settings on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.clips import BACKGROUND
from aurist.errors import ConfigError, plural
from aurist.files import atomic_path
from aurist.fold_files import load_folds
from aurist.metrics import Interval
from aurist.models.base import Inputs, ModelSpec, Task
from aurist.records import OPTIONAL, keyed
from aurist.results.differences import Difference, paired
from aurist.results.random_split import interval
from aurist.run import HELD_OUT, RunData
from aurist.splits import NEVER_SCORED, assign_folds, given_folds
from aurist.workers import run_in_processes

#: With fewer groups nothing is held out by default: too few to show which settings are better.
ENOUGH_GROUPS = 40
DEFAULT_SHARE = 0.2
#: The names of the two settings that are compared.
TUNED, BASELINE = "tuned", "as it was"


def hold_out(data: RunData, share: float | None, n_splits: int, seed: int) -> tuple[RunData, str]:
    """Hold out a part of the groups from all trials.

    If the data prescribes three or more folds, whole folds are held out, else whole groups, stratified. The part "test"
    of the data is not used at all.

    Parameters
    ----------
    data
        The data with its folds.
    share
        Share of the groups, or of prescribed folds; 0: none; None: a fifth if there are enough groups.
    n_splits
        The number of folds to make of the rest, if the data prescribes none.
    seed
        The seed of both choices.

    Returns
    -------
    data
        Clips of the holdout have the fold `aurist.run.HELD_OUT`.
    note
        A message for people to read.

    Raises
    ------
    ConfigError
        If the share leaves nothing to learn from or to compare on.
    """
    data = data.take(np.flatnonzero(data.folds != HELD_OUT))
    n_groups = len(np.unique(data.groups))
    if share is None:
        if n_groups < ENOUGH_GROUPS:
            return data, (
                f"held out: nothing, {plural(n_groups, 'group')} are too few to show whether the new settings "
                "are really better (holdout=0.2 holds out a part anyway)"
            )
        share = DEFAULT_SHARE
    if share == 0:
        return (
            data,
            "held out: nothing, as requested: it will not be known whether the new settings are really better",
        )
    if not 0 < share <= 0.5:
        raise ConfigError(
            f"holdout is {share:g}, but must be a share of the groups up to 0.5, such as 0.2, or 0 for none."
        )
    folds = _whole_folds(data, share, seed)
    if folds is None:
        folds = _whole_groups(data, share, n_splits, seed)
    is_held_out, is_kept = folds == HELD_OUT, folds != HELD_OUT
    if len(np.unique(data.groups[is_held_out])) < 2 or len(np.unique(data.groups[is_kept])) < 4:
        raise ConfigError(
            f"holdout is {share:g}, but {plural(n_groups, 'group')} are too few to hold some out: use holdout=0, "
            "or more recordings."
        )
    # prescribed folds may divide a group: clips of a held-out group are not used to learn from
    shares_group = is_kept & np.isin(data.groups, data.groups[is_held_out])
    data = replace(data, folds=folds).take(np.flatnonzero(~shares_group))
    left_out = (
        f"; {plural(int(shares_group.sum()), 'clip')} of the same groups left out"
        if shares_group.any()
        else ""
    )
    groups = plural(len(np.unique(data.groups[data.folds == HELD_OUT])), "group")
    return (
        data,
        f"held out: {plural(int(is_held_out.sum()), 'clip')} in {groups}, which no trial sees{left_out}",
    )


def _whole_folds(data: RunData, share: float, seed: int) -> npt.NDArray[np.int64] | None:
    """Hold out some of the folds and renumber the others. Return None if too few are prescribed."""
    names = np.unique(data.folds[data.folds != NEVER_SCORED])
    n_held_out = max(1, round(share * len(names)))
    if not _prescribed(data) or len(names) - n_held_out < 2:
        return None
    chosen = np.random.default_rng(seed).choice(names, n_held_out, replace=False)
    return _renumbered(np.where(np.isin(data.folds, chosen), HELD_OUT, data.folds))


def _whole_groups(data: RunData, share: float, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    targets = data.clips.targets(data.task.classes)
    parts = assign_folds(targets, data.groups, max(2, round(1 / share)), seed)
    is_background = (data.clips.table["part"] == BACKGROUND).to_numpy()
    folds = np.where((parts == 0) & ~is_background, HELD_OUT, data.folds)
    if not _prescribed(data):
        rest = np.flatnonzero((parts != 0) & ~is_background)
        folds[rest] = assign_folds(targets[rest], data.groups[rest], n_splits, seed)
    return _renumbered(folds)


def _prescribed(data: RunData) -> bool:
    table = data.clips.table[data.clips.table["part"] != BACKGROUND]
    return given_folds(table["fold"].tolist(), table["part"].tolist()) is not None


def _renumbered(folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the folds from 0 again; special values do not change."""
    out = folds.astype(np.int64)
    out[folds >= 0] = np.unique(folds[folds >= 0], return_inverse=True)[1]
    return out


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The scores of the tuned settings and of the original ones, on clips that no trial saw.

    Parameters
    ----------
    trials
        The numbers of the two trials.
    metric
        The metric of the scores.
    clips, groups
        Number of these clips, and of their groups.
    tuned, original
        Both scores; no tuned one if no trial is better than the original settings.
    difference
        The difference of the scores.
    """

    trials: tuple[int, ...]
    metric: str
    clips: int
    groups: int
    tuned: Interval | None = field(default=None, metadata=OPTIONAL)
    original: Interval = field(metadata=keyed(BASELINE))
    difference: Difference | None = field(default=None, metadata=OPTIONAL)


def compare_on_holdout(
    holdout: RunData,
    folders: Mapping[str, tuple[Path, ModelSpec]],
    trials: Sequence[int] = (),
    seconds: float | None = None,
) -> Comparison:
    """Score the tuned settings and the original ones on clips that no trial saw, and their difference.

    Parameters
    ----------
    holdout
        Those clips.
    folders
        The folder of the fold models, and the model, by `TUNED` and `BASELINE`; only `BASELINE` if they are the same.
    trials
        The numbers of the two trials.
    seconds
        The time to predict; None: no limit.

    Raises
    ------
    OutOfTimeError
        If the time was over first.
    """
    task, truth, weight = (
        holdout.task,
        holdout.clips.targets(holdout.task.classes),
        holdout.clips.table["weight"].to_numpy(float),
    )
    calls = [
        partial(_predict, folder, holdout.task, member, holdout.inputs())
        for folder, member in folders.values()
    ]
    run_in_processes(calls, workers=1, seconds=seconds)
    probas = {name: np.load(folder / _PROBA_FILE) for name, (folder, _) in folders.items()}
    scores = {name: interval(task, truth, proba, holdout.groups, weight) for name, proba in probas.items()}
    gap = None
    if len(probas) > 1:
        gap = paired(
            truth,
            probas[TUNED],
            probas[BASELINE],
            holdout.groups,
            task.metric,
            seed=task.seed,
            multilabel=task.multilabel,
            weight=weight,
        )
    return Comparison(
        trials=tuple(trials),
        metric=task.metric,
        clips=len(truth),
        groups=len(np.unique(holdout.groups)),
        tuned=scores.get(TUNED),
        original=scores[BASELINE],
        difference=gap,
    )


_PROBA_FILE = "held.npy"


def _predict(folder: Path, task: Task, member: ModelSpec, inputs: Inputs) -> None:
    """Write the mean prediction of the fold models into their folder."""
    proba = np.mean([model.predict_proba(inputs) for model in load_folds(folder, task, member)], axis=0)
    with atomic_path(folder / _PROBA_FILE) as part, part.open("wb") as file:
        np.save(file, proba)
