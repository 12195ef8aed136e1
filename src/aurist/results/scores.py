"""Summarise a run: its honest score, the score of a random split, and the score to expect on a test table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.crossval import TrainingData
from aurist.embedders import EmbedderRecord
from aurist.ensemble.duplicates import Duplicates, DuplicateScores, overlap
from aurist.features.matrix import row_keys
from aurist.inference.predictor import Predictor
from aurist.metrics import Interval
from aurist.plan import ENSEMBLE
from aurist.results.best_of import best_of
from aurist.results.cautions import (
    about_best,
    about_embedder,
    about_few_groups,
    about_tuned,
    few_groups,
    trials_like,
)
from aurist.results.chance import chance
from aurist.results.out_of_fold import OutOfFold
from aurist.results.random_split import interval
from aurist.results.sites import about_sites
from aurist.results.tuned import tuned_here
from aurist.run import RunData, RunFolder, files_of_run, held_out, read_audit
from aurist.run.scores_file import (
    AgainstSingle,
    Best,
    Decisions,
    HeldOut,
    OnTestTable,
    RunScores,
    Trials,
    TunedMember,
    UnknownScores,
)


def summarise_scores(
    run: RunFolder,
    data: RunData,
    learn: TrainingData,
    oof: OutOfFold,
    as_seen: DuplicateScores,
    seen: Duplicates,
    decisions: Mapping[str, Decisions],
    vs_best_single: AgainstSingle | None,
    unknown: UnknownScores | None = None,
) -> RunScores:
    """Summarise the run: its honest score, the score of a random split, and the scores for the test table."""
    task = learn.task
    held_out_data = held_out(data)
    cautions = _find_cautions(run, learn, oof)
    return RunScores(
        metric=task.metric,
        best=ENSEMBLE,
        score=oof.interval(oof.probas[ENSEMBLE]),
        chance=chance(oof.truth, task.metric, multilabel=task.multilabel),
        n_scored=len(oof.rows),
        n_groups=len(np.unique(oof.groups)),
        groups_known=bool(data.clips.table["group"].notna().any()),
        random_split=run.random_split(),
        tuned=cautions.tuned,
        few_groups=cautions.few_groups,
        few_groups_trials=cautions.trials,
        best_other=cautions.best_other,
        cautions=(
            *cautions.sentences(len(task.classes)),
            *_about_sites(learn, oof, data),
            *_about_embedders(run),
        ),
        test=None if data.test_keys is None else _test_scores(run, data.test_keys, learn, oof, as_seen, seen),
        held_out=None if held_out_data is None else _held_out_scores(run, held_out_data, seen, learn.groups),
        decisions=decisions,
        vs_best_single=vs_best_single,
        unknown=unknown,
    )


@dataclass(frozen=True)
class _Cautions:
    """Reasons to be careful with the scores, as `RunScores` has them."""

    tuned: tuple[TunedMember, ...]
    few_groups: Mapping[str, int]
    trials: tuple[Trials, ...]
    best_other: Best | None

    def sentences(self, n_classes: int) -> list[str]:
        sentences = [about_tuned(member) for member in self.tuned]
        if self.few_groups:
            sentences += about_few_groups(self.few_groups, n_classes, self.trials)
        if self.best_other is not None:
            sentences.append(about_best(self.best_other))
        return sentences


def _find_cautions(run: RunFolder, learn: TrainingData, oof: OutOfFold) -> _Cautions:
    task = learn.task
    few = few_groups(oof.truth, oof.groups, task.classes)
    best = best_of(
        oof.truth,
        {name: proba for name, proba in oof.probas.items() if name != ENSEMBLE},
        oof.groups,
        task.metric,
        seed=task.seed,
        multilabel=task.multilabel,
        weight=oof.weight,
    )
    return _Cautions(
        tuned_here(run, learn, set(oof.probas)),
        few,
        trials_like(few, task.metric, multilabel=task.multilabel) if few else (),
        best,
    )


def _about_sites(learn: TrainingData, oof: OutOfFold, data: RunData) -> list[str]:
    """Score annotated recordings by folder; other folders may be classes."""
    clips = learn.examples.inputs.clips
    if clips is None or data.clips.window is None:
        return []
    sentence = about_sites(oof, ENSEMBLE, clips.table["path"].iloc[oof.rows].tolist())
    return [] if sentence is None else [sentence]


def _about_embedders(run: RunFolder) -> list[str]:
    return [
        about_embedder(network.embedder) for network in run.embedders() if isinstance(network, EmbedderRecord)
    ]


def _held_out_scores(
    run: RunFolder, data: RunData, seen: Duplicates, learnt: npt.NDArray[np.int64]
) -> HeldOut:
    """Score the part "test", which was not used until now; new rows also apart if some rows are not new.

    A row is new if neither the row nor its group (given, or of copies) is in the training data.
    """
    task = data.task
    is_seen = seen.contains(row_keys(data.features)) | np.isin(data.groups, learnt)
    weight = data.clips.table["weight"].to_numpy(dtype=float)
    proba = Predictor(files_of_run(run)).proba(data.inputs())
    truth = data.clips.targets(task.classes)

    def score(rows: npt.NDArray[np.bool_]) -> Interval:
        return interval(task, truth[rows], proba[rows], data.groups[rows], weight[rows])

    return HeldOut(
        len(is_seen),
        int(is_seen.sum()),
        score(np.ones_like(is_seen)),
        score(~is_seen) if is_seen.any() and not is_seen.all() else None,
    )


def _test_scores(
    run: RunFolder,
    test_keys: npt.NDArray[np.uint64],
    learn: TrainingData,
    oof: OutOfFold,
    as_seen: DuplicateScores,
    seen: Duplicates,
) -> OnTestTable:
    """Estimate the score on the new rows of the test table, and on all of its rows."""
    is_seen = seen.contains(test_keys)
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
    return OnTestTable(
        len(test_keys), int(is_seen.sum()), new, both, read_audit(run).test_rows_of_learnt_groups
    )
