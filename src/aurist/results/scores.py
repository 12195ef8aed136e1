"""What a run says of itself: its honest score, the careless one, and what to expect on a test table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.crossval import TrainingData
from aurist.ensemble.duplicates import Duplicates, DuplicateScores, overlap
from aurist.features.schema import row_keys
from aurist.inference.predictor import Predictor
from aurist.plan import ENSEMBLE
from aurist.results.best_of import best_of
from aurist.results.cautions import about_best, about_few_groups, about_tuned, few_groups, trials_like
from aurist.results.chance import chance
from aurist.results.out_of_fold import OutOfFold
from aurist.results.random_split import interval, read_random_split
from aurist.results.tuned import tuned_here
from aurist.run import RunData, RunFolder, held_out


def summarise_scores(
    run: RunFolder,
    data: RunData,
    learn: TrainingData,
    oof: OutOfFold,
    as_seen: DuplicateScores,
    seen: Duplicates,
) -> dict[str, Any]:
    """What the run says of itself: its honest score, the careless one, and those for the test table."""
    task = learn.task
    word: dict[str, Any] = {
        "metric": task.metric,
        "best": ENSEMBLE,
        "score": asdict(oof.interval(oof.probas[ENSEMBLE])),
        "chance": chance(oof.truth, task.metric, multilabel=task.multilabel),
        "n_scored": len(oof.rows),
        "n_groups": len(np.unique(oof.groups)),
        "groups_known": bool(data.clips.table["group"].notna().any()),
        "random_split": read_random_split(run),
    }
    _add_cautions(word, run, learn, oof)
    if data.test_keys is not None:
        word["test"] = _test_word(data.test_keys, learn, oof, as_seen, seen)
        word["test"]["of_learnt_groups"] = _of_learnt_groups(run)
    held = held_out(data)
    if held is not None:
        word["held_out"] = _held_out_word(run, held, seen, learn.groups)
    return word


def _add_cautions(word: dict[str, Any], run: RunFolder, learn: TrainingData, oof: OutOfFold) -> None:
    """Add what makes the scores less sure, as figures and as sentences."""
    task, said = learn.task, []
    tuned = tuned_here(run, learn, set(oof.probas))
    if tuned:
        word["tuned"] = tuned
        said += [about_tuned(one) for one in tuned]
    few = few_groups(oof.truth, oof.groups, task.classes)
    if few:
        word["few_groups"] = few
        trials = trials_like(few, task.metric, multilabel=task.multilabel)
        if trials:
            word["few_groups_trials"] = [asdict(some) for some in trials]
        said += about_few_groups(few, len(task.classes), trials)
    best = best_of(
        oof.truth,
        {name: proba for name, proba in oof.probas.items() if name != ENSEMBLE},
        oof.groups,
        task.metric,
        seed=task.seed,
        multilabel=task.multilabel,
        weight=oof.weight,
    )
    if best is not None:
        word["best_other"] = asdict(best)
        said.append(about_best(best))
    word["cautions"] = said


def _of_learnt_groups(run: RunFolder) -> int:
    """Rows of the test table in a group that is learnt from, by what the audit found."""
    return sum(
        leak["rows"]
        for leak in run.audit()["leaks"]
        if (leak["between"], leak["what"]) == ("the two tables", "group")
    )


def _held_out_word(
    run: RunFolder, held: RunData, seen: Duplicates, learnt: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """The score on the part "test", which had no part in anything until now; new rows apart where some are not.

    New is what stands neither in the training data nor in a group, given or of copies, that was learnt from.
    """
    task = held.task
    known = seen.known(row_keys(held.features)) | np.isin(held.groups, learnt)
    weight = held.clips.table["weight"].to_numpy(dtype=float)
    proba = Predictor(run).proba(held.inputs())
    truth = held.clips.targets(task.classes)

    def score(rows: npt.NDArray[np.bool_]) -> dict[str, float]:
        return asdict(interval(task, truth[rows], proba[rows], held.groups[rows], weight[rows]))

    word: dict[str, Any] = {"n": len(known), "seen": int(known.sum()), "score": score(np.ones_like(known))}
    if known.any() and not known.all():
        word["new"] = score(~known)
    return word


def _test_word(
    test_keys: npt.NDArray[np.uint64],
    learn: TrainingData,
    oof: OutOfFold,
    as_seen: DuplicateScores,
    seen: Duplicates,
) -> dict[str, Any]:
    """The score to expect on the rows of the test table that are new, and on the whole of it."""
    known = seen.known(test_keys)
    found = overlap(as_seen.copies, float(known.mean()))
    weight = oof.weight
    proba = oof.probas[ENSEMBLE]
    task = learn.task
    new = interval(task, oof.truth, proba, oof.groups, weight * found.new_weight, out_of_fold=True)
    both = interval(
        task,
        np.concatenate([oof.truth, oof.truth]),
        np.concatenate([proba, as_seen.proba]),
        np.concatenate([oof.groups, oof.groups]),
        np.concatenate([weight * found.new_weight, weight * found.seen_weight]),
        out_of_fold=True,
    )
    return {
        "rows": len(test_keys),
        "seen": int(known.sum()),
        "expected_new": asdict(new),
        "expected_all": asdict(both),
    }
