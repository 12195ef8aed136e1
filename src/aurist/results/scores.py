"""Summarise a run: its honest score, the score of a random split, and the score to expect on a test table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.crossval import TrainingData
from aurist.ensemble.duplicates import Duplicates, DuplicateScores, overlap
from aurist.features.matrix import row_keys
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
    """Summarise the run: its honest score, the score of a random split, and the scores for the test table."""
    task = learn.task
    summary: dict[str, Any] = {
        "metric": task.metric,
        "best": ENSEMBLE,
        "score": asdict(oof.interval(oof.probas[ENSEMBLE])),
        "chance": chance(oof.truth, task.metric, multilabel=task.multilabel),
        "n_scored": len(oof.rows),
        "n_groups": len(np.unique(oof.groups)),
        "groups_known": bool(data.clips.table["group"].notna().any()),
        "random_split": read_random_split(run),
    }
    _add_cautions(summary, run, learn, oof)
    if data.test_keys is not None:
        summary["test"] = _test_scores(data.test_keys, learn, oof, as_seen, seen)
        summary["test"]["of_learnt_groups"] = _of_learnt_groups(run)
    held_out_data = held_out(data)
    if held_out_data is not None:
        summary["held_out"] = _held_out_scores(run, held_out_data, seen, learn.groups)
    return summary


def _add_cautions(summary: dict[str, Any], run: RunFolder, learn: TrainingData, oof: OutOfFold) -> None:
    """Add cautions about the scores, as figures and as sentences."""
    task, sentences = learn.task, []
    tuned = tuned_here(run, learn, set(oof.probas))
    if tuned:
        summary["tuned"] = tuned
        sentences += [about_tuned(settings) for settings in tuned]
    few = few_groups(oof.truth, oof.groups, task.classes)
    if few:
        summary["few_groups"] = few
        trials = trials_like(few, task.metric, multilabel=task.multilabel)
        if trials:
            summary["few_groups_trials"] = [asdict(trial) for trial in trials]
        sentences += about_few_groups(few, len(task.classes), trials)
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
        summary["best_other"] = asdict(best)
        sentences.append(about_best(best))
    summary["cautions"] = sentences


def _of_learnt_groups(run: RunFolder) -> int:
    """Count the rows of the test table in a group that is learnt from, as the audit found."""
    return sum(
        leak["rows"]
        for leak in run.audit()["leaks"]
        if (leak["between"], leak["what"]) == ("the two tables", "group")
    )


def _held_out_scores(
    run: RunFolder, data: RunData, seen: Duplicates, learnt: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """Score the part "test", which was not used until now; new rows also apart if some rows are not new.

    A row is new if neither the row nor its group (given, or of copies) is in the training data.
    """
    task = data.task
    is_seen = seen.known(row_keys(data.features)) | np.isin(data.groups, learnt)
    weight = data.clips.table["weight"].to_numpy(dtype=float)
    proba = Predictor(run).proba(data.inputs())
    truth = data.clips.targets(task.classes)

    def score(rows: npt.NDArray[np.bool_]) -> dict[str, float]:
        return asdict(interval(task, truth[rows], proba[rows], data.groups[rows], weight[rows]))

    scores: dict[str, Any] = {
        "n": len(is_seen),
        "seen": int(is_seen.sum()),
        "score": score(np.ones_like(is_seen)),
    }
    if is_seen.any() and not is_seen.all():
        scores["new"] = score(~is_seen)
    return scores


def _test_scores(
    test_keys: npt.NDArray[np.uint64],
    learn: TrainingData,
    oof: OutOfFold,
    as_seen: DuplicateScores,
    seen: Duplicates,
) -> dict[str, Any]:
    """Estimate the score on the new rows of the test table, and on all of its rows."""
    is_seen = seen.known(test_keys)
    overlapping = overlap(as_seen.copies, float(is_seen.mean()))
    weight = oof.weight
    proba = oof.probas[ENSEMBLE]
    task = learn.task
    new = interval(task, oof.truth, proba, oof.groups, weight * overlapping.new_weight, out_of_fold=True)
    both = interval(
        task,
        np.concatenate([oof.truth, oof.truth]),
        np.concatenate([proba, as_seen.proba]),
        np.concatenate([oof.groups, oof.groups]),
        np.concatenate([weight * overlapping.new_weight, weight * overlapping.seen_weight]),
        out_of_fold=True,
    )
    return {
        "rows": len(test_keys),
        "seen": int(is_seen.sum()),
        "expected_new": asdict(new),
        "expected_all": asdict(both),
    }
