"""The part of the data that no trial sees, and what the chosen settings are worth on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.crossval import load_folds
from aurist.errors import ConfigError, plural
from aurist.files import atomic_path
from aurist.models.base import Inputs, ModelSpec, Task
from aurist.results.differences import paired
from aurist.results.random_split import interval
from aurist.run import HELD_OUT, RunData
from aurist.splits import NEVER_SCORED, assign_folds, given_folds
from aurist.workers import run_in_processes

#: With fewer groups nothing is held out unless it is asked for: of so few nobody could say which settings are better.
ENOUGH_GROUPS = 40
DEFAULT_SHARE = 0.2
#: The names of the two that are compared.
TUNED, AS_IT_WAS = "tuned", "as it was"


def hold_out(data: RunData, share: float | None, n_splits: int, seed: int) -> tuple[RunData, str]:
    """Keep a part of the groups from all trials.

    Whole folds are kept apart where the data prescribes three or more, else whole groups, stratified. What the data
    holds back itself, the part "test", is left out altogether.

    Parameters
    ----------
    data
        With its folds.
    share
        Of the groups, or of prescribed folds; 0: none; None: a fifth where there are groups enough.
    n_splits
        Folds to make of the rest where the data prescribes none.
    seed
        Of both.

    Returns
    -------
    data
        Clips that are kept apart have the fold `aurist.run.HELD_OUT`.
    note
        What was done, for people to read.

    Raises
    ------
    ConfigError
        Where a share was asked for that leaves nothing to learn from or to compare on.
    """
    data = data.take(np.flatnonzero(data.folds != HELD_OUT))
    n_groups = len(np.unique(data.groups))
    if share is None:
        if n_groups < ENOUGH_GROUPS:
            return data, (
                f"held out: nothing, of {plural(n_groups, 'group')}: whether the settings that are found are really "
                "better cannot be said here (--holdout 0.2 asks for it all the same)"
            )
        share = DEFAULT_SHARE
    if share == 0:
        return (
            data,
            "held out: nothing, as was asked: whether the settings found are really better will not be known",
        )
    if not 0 < share <= 0.5:
        raise ConfigError(
            f"holdout is {share:g}, but must be a share of the groups up to 0.5, such as 0.2, or 0 for none."
        )
    folds = _whole_folds(data, share, seed)
    if folds is None:
        folds = _whole_groups(data, share, n_splits, seed)
    held, kept = folds == HELD_OUT, folds != HELD_OUT
    if len(np.unique(data.groups[held])) < 2 or len(np.unique(data.groups[kept])) < 4:
        raise ConfigError(
            f"holdout is {share:g}, but {plural(n_groups, 'group')} are too few to keep some apart: use --holdout 0, "
            "or more recordings."
        )
    # prescribed folds may cut through a group: what belongs to clips that are held out is not learnt from
    cut = kept & np.isin(data.groups, data.groups[held])
    data = replace(data, folds=folds).take(np.flatnonzero(~cut))
    left_out = f"; {plural(int(cut.sum()), 'clip')} of the same groups left out" if cut.any() else ""
    groups = plural(len(np.unique(data.groups[data.folds == HELD_OUT])), "group")
    return data, f"held out: {plural(int(held.sum()), 'clip')} in {groups}, which no trial sees{left_out}"


def _whole_folds(data: RunData, share: float, seed: int) -> npt.NDArray[np.int64] | None:
    """The folds, some of them held out and the others closed up; None where too few are prescribed."""
    names = np.unique(data.folds[data.folds != NEVER_SCORED])
    n_held = max(1, round(share * len(names)))
    if not _prescribed(data) or len(names) - n_held < 2:
        return None
    held = np.random.default_rng(seed).choice(names, n_held, replace=False)
    return _closed_up(np.where(np.isin(data.folds, held), HELD_OUT, data.folds))


def _whole_groups(data: RunData, share: float, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    targets = data.clips.targets(data.task.classes)
    parts = assign_folds(targets, data.groups, max(2, round(1 / share)), seed)
    folds = np.where(parts == 0, HELD_OUT, data.folds)
    if not _prescribed(data):
        rest = np.flatnonzero(parts != 0)
        folds[rest] = assign_folds(targets[rest], data.groups[rest], n_splits, seed)
    return _closed_up(folds)


def _prescribed(data: RunData) -> bool:
    table = data.clips.table
    return given_folds(table["fold"].tolist(), table["part"].tolist()) is not None


def _closed_up(folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Numbered from 0 again, those that mean something else left as they are."""
    out = folds.astype(np.int64)
    out[folds >= 0] = np.unique(folds[folds >= 0], return_inverse=True)[1]
    return out


def compare_on_held(
    held: RunData, places: Mapping[str, tuple[Path, ModelSpec]], seconds: float | None = None
) -> dict[str, Any]:
    """Score the tuned settings and those as they were on clips that no trial saw, and the difference of the two.

    Parameters
    ----------
    held
        Those clips.
    places
        The folder of the fold models, and the member, by `TUNED` and `AS_IT_WAS`; one where they are the same.
    seconds
        For predicting; None: as long as it takes.

    Returns
    -------
    dict
        ``clips``, ``groups``, each score with its interval, and where there are two, ``difference`` (see
        `aurist.results.differences.Difference`).

    Raises
    ------
    OutOfTimeError
        Where the time was up first.
    """
    task, truth, weight = (
        held.task,
        held.clips.targets(held.task.classes),
        held.clips.table["weight"].to_numpy(float),
    )
    calls = [partial(_predict, place, held.task, member, held.inputs()) for place, member in places.values()]
    run_in_processes(calls, workers=1, seconds=seconds)
    said = {name: np.load(place / _SAID) for name, (place, _) in places.items()}
    out: dict[str, Any] = {"clips": len(truth), "groups": len(np.unique(held.groups))}
    for name, proba in said.items():
        out[name] = asdict(interval(task, truth, proba, held.groups, weight))
    if len(said) > 1:
        gap = paired(
            truth,
            said[TUNED],
            said[AS_IT_WAS],
            held.groups,
            task.metric,
            seed=task.seed,
            multilabel=task.multilabel,
            weight=weight,
        )
        out["difference"] = asdict(gap)
    return out


_SAID = "held.npy"


def _predict(place: Path, task: Task, member: ModelSpec, inputs: Inputs) -> None:
    """What the mean of the fold models says, written beside them."""
    proba = np.mean([model.predict_proba(inputs) for model in load_folds(place, task, member)], axis=0)
    with atomic_path(place / _SAID) as part, part.open("wb") as file:
        np.save(file, proba)
