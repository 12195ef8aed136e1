"""Learn from recordings that nobody has labelled: what models are sure of becomes labels for the next round.

The teacher of a fold is made of that fold's own models, which never met its labels, and so are the labels that its
students get: the score of a student is as honest as that of its teachers.

Source: D.-H. Lee, "Pseudo-label", ICML workshop 2013.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips.read import ReadOptions
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.blend import Blend, choose_blend
from aurist.errors import DataError, plural
from aurist.fold_files import load_fold
from aurist.inference.features import pipeline_of
from aurist.inference.inputs import read_inputs
from aurist.metrics import metric
from aurist.models.base import Examples, Inputs
from aurist.results.out_of_fold import OutOfFold, out_of_fold
from aurist.results.pooling_choice import pooled_as_others_would
from aurist.run import RunData, RunFolder

#: A guessed label counts half, and all of them together no more than half of the labels that people gave.
_WEIGHT, _TOGETHER = 0.5, 0.5
#: Models of less weight in the blend are not worth asking.
_LEAST_SAY = 0.05


def unlabelled_inputs(run: RunFolder, data: RunData) -> Inputs:
    """What models may look at of the recordings, or rows, that the run's settings name.

    Raises
    ------
    DataError
        Where none of them can be used.
    """
    source = run.config().unlabelled
    assert source is not None
    clips = read_inputs([Path(source)], ReadOptions(label=None), data.spec)
    features = pipeline_of(run, data.spec).transform(clips, jobs=data.task.jobs)
    if not len(features.inputs):
        why = next(iter(features.failures.values()), "there is nothing in it")
        raise DataError(f"Nothing of {source} can be learnt from, such as: {why}.")
    return features.inputs


def with_pseudo_labels(
    run: RunFolder,
    learn: TrainingData,
    fitted: Sequence[CrossValidationResult],
    unlabelled: Inputs,
    sure: float,
) -> TrainingData:
    """The training data with what each fold's teacher is sure of beside it.

    Parameters
    ----------
    run, learn
        The run, and what its labelled clips are.
    fitted
        The members whose blend is the teacher.
    unlabelled
        n inputs.
    sure
        Probability from which a class is taken to be there; with several labels a clip, every class must be as sure to
        be there or not.
    """
    oof = out_of_fold(learn, fitted)
    teachers = {split.fold: _teacher(oof, split.fold) for split in learn.splits}
    models = {found.member.name: found for found in fitted}
    several = learn.task.multilabel
    pseudo_labelled = {}
    for place, split in enumerate(learn.splits):
        teacher = teachers[split.fold]
        blend = Blend(np.array([w for w, _ in teacher.values()]), np.array([t for _, t in teacher.values()]))
        members = [pooled_as_others_would(models[name], learn, split.fold) for name in teacher]
        said = [
            load_fold(run.models / one.name, learn.task, one, place).predict_proba(unlabelled)
            for one in members
        ]
        taught = blend.apply(said, multilabel=several)
        labelled = float(learn.examples.weight[split.train].sum())
        pseudo_labelled[split.fold] = pseudo_examples(
            unlabelled, taught, learn.task.classes, sure, labelled, multilabel=several
        )
    return replace(learn, pseudo_labelled=pseudo_labelled)


def _teacher(oof: OutOfFold, fold: int) -> dict[str, tuple[float, float]]:
    """The weight and the temperature of each member worth asking, as the other folds would have them.

    A single fold has no others to choose by: there all members have the same say.
    """
    others = oof.folds != fold
    names = list(oof.probas)
    blend = choose_blend(
        [oof.probas[name][others] for name in names],
        oof.truth[others],
        oof.groups[others],
        metric(oof.task.metric),
        multilabel=oof.task.multilabel,
        seed=oof.task.seed,
        row_weight=oof.weight[others],
    )
    weights = np.where(blend.weights >= min(_LEAST_SAY, blend.weights.max()), blend.weights, 0.0)
    weights /= weights.sum()
    return {
        name: (float(w), float(t))
        for name, w, t in zip(names, weights, blend.temperatures, strict=True)
        if w > 0
    }


def pseudo_examples(
    inputs: Inputs, proba: Proba, classes: Sequence[str], sure: float, labelled: float, *, multilabel: bool
) -> Examples:
    """The inputs that a teacher is sure of, with its labels.

    Parameters
    ----------
    inputs, proba
        n inputs, and what the teacher says of them, (n, n_classes).
    classes
        Names of the columns.
    sure
        See `with_pseudo_labels`.
    labelled
        Weight of the labelled clips, beside which all of these weigh half at the most.
    multilabel
        Whether a clip may have several labels.
    """
    there = proba >= sure
    if not multilabel:
        there &= proba == proba.max(axis=1, keepdims=True)
    certain = (there | (proba <= 1 - sure)).all(axis=1) if multilabel else there.any(axis=1)
    rows = np.flatnonzero(certain)
    targets: npt.NDArray[np.int8] = there[rows].astype(np.int8)
    chosen = inputs.take(rows)
    if chosen.clips is not None:
        names = np.asarray(classes, dtype=object)
        labels = pd.Series([tuple(str(name) for name in names[row > 0]) for row in targets], dtype=object)
        # they stand beside clips of another folder
        paths = [str(file.resolve()) for file in chosen.clips.files()]
        table = chosen.clips.table.assign(labels=labels, path=paths)
        chosen = replace(chosen, clips=replace(chosen.clips, table=table))
    weight = min(_WEIGHT, _TOGETHER * labelled / max(1, len(rows)))
    return Examples(chosen, targets, np.full(len(rows), weight))


def told(learn: TrainingData, n: int, number: int) -> str:
    """A line about the labels of a round."""
    counts = [len(examples.targets) for examples in learn.pseudo_labelled.values()]
    found = f"{min(counts):,} to {max(counts):,} of {plural(n, 'unlabelled clip')}"
    return f"round {number}: the models of a fold are sure of {found}"
