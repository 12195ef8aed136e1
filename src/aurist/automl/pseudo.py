"""Learn from unlabelled recordings: confident predictions become labels for the next round.

The teacher of a fold blends the models of that fold. They have not seen the labels of its scored rows, and so the
labels for the students do not depend on them. The score of a student is as honest as that of its teachers.

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
from aurist.inference.features import FeaturePipeline
from aurist.inference.inputs import read_inputs
from aurist.metrics import metric
from aurist.models.base import Examples, Inputs
from aurist.results.out_of_fold import OutOfFold, out_of_fold
from aurist.results.pooling_choice import pooled_as_others_would
from aurist.run import RunData, RunFolder

#: Weight of a pseudo-label, and largest weight of all of them relative to the labelled clips.
_WEIGHT, _TOGETHER = 0.5, 0.5
#: Models with a smaller weight in the blend are left out of the teacher.
_LEAST_SAY = 0.05


def unlabelled_inputs(run: RunFolder, data: RunData) -> Inputs:
    """Read the unlabelled recordings or rows that the run's settings name.

    Raises
    ------
    DataError
        If none of them can be used.
    """
    source = run.config().unlabelled
    assert source is not None
    clips = read_inputs([Path(source)], ReadOptions(label=None), data.spec)
    features = FeaturePipeline(run.folder, data.schema, data.summary, tuple(run.embedders())).transform(
        clips, jobs=data.task.jobs
    )
    if not len(features.inputs):
        reason = next(iter(features.failures.values()), "there is nothing in it")
        raise DataError(f"No clip of {source} can be used, such as: {reason}.")
    return features.inputs


def with_pseudo_labels(
    run: RunFolder,
    learn: TrainingData,
    fitted: Sequence[CrossValidationResult],
    unlabelled: Inputs,
    threshold: float,
) -> TrainingData:
    """Add each fold's pseudo-labelled examples to the training data.

    Parameters
    ----------
    run, learn
        The run, and its labelled training data.
    fitted
        Members to blend into the teacher.
    unlabelled
        The n unlabelled inputs.
    threshold
        Smallest probability for a class to count as present. With several labels a clip, each class must be present or
        absent with this confidence.
    """
    oof = out_of_fold(learn, fitted)
    multilabel = learn.task.multilabel
    added = {}
    for index, split in enumerate(learn.splits):
        proba = teacher_proba(run, learn, fitted, oof, index, unlabelled)
        labelled = float(learn.examples.weight[split.train].sum())
        added[split.fold] = pseudo_examples(
            unlabelled, proba, learn.task.classes, threshold, labelled, multilabel=multilabel
        )
    return replace(learn, added=added)


def teacher_proba(
    run: RunFolder,
    learn: TrainingData,
    fitted: Sequence[CrossValidationResult],
    oof: OutOfFold,
    index: int,
    inputs: Inputs,
) -> Proba:
    """Predict with the teacher of a fold: its models, blended as is best on the other folds.

    Parameters
    ----------
    run, learn, fitted, oof
        The run, its training data, the members of the teacher, and their out-of-fold predictions.
    index
        The number of the fold's split.
    inputs
        n inputs.

    Returns
    -------
    (n, n_classes)
    """
    fold = learn.splits[index].fold
    models = {result.member.name: result for result in fitted}
    teacher = _teacher(oof, fold)
    blend = Blend(np.array([w for w, _ in teacher.values()]), np.array([t for _, t in teacher.values()]))
    members = [pooled_as_others_would(models[name], learn, fold) for name in teacher]
    probas = [
        load_fold(run.models / member.name, learn.task, member, index).predict_proba(inputs)
        for member in members
    ]
    return blend.apply(probas, multilabel=learn.task.multilabel)


def _teacher(oof: OutOfFold, fold: int) -> dict[str, tuple[float, float]]:
    """Choose the weight and the temperature of each member of the teacher on the other folds.

    If there is only one fold, all members have the same weight.
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
    inputs: Inputs,
    proba: Proba,
    classes: Sequence[str],
    threshold: float,
    labelled: float,
    *,
    multilabel: bool,
) -> Examples:
    """Select the inputs that a teacher is sure of, with its labels.

    Parameters
    ----------
    inputs, proba
        n inputs, and the teacher's probabilities for them, (n, n_classes).
    classes
        Names of the columns.
    threshold
        See `with_pseudo_labels`.
    labelled
        Weight of the labelled clips. All selected inputs together weigh at most half of it.
    multilabel
        Whether a clip may have several labels.
    """
    present = proba >= threshold
    if not multilabel:
        present &= proba == proba.max(axis=1, keepdims=True)
    is_sure = (present | (proba <= 1 - threshold)).all(axis=1) if multilabel else present.any(axis=1)
    rows = np.flatnonzero(is_sure)
    targets: npt.NDArray[np.int8] = present[rows].astype(np.int8)
    chosen = inputs.take(rows)
    if chosen.clips is not None:
        names = np.asarray(classes, dtype=object)
        labels = pd.Series([tuple(str(name) for name in names[row > 0]) for row in targets], dtype=object)
        # they are joined with clips of another folder
        paths = [str(file.resolve()) for file in chosen.clips.files()]
        table = chosen.clips.table.assign(labels=labels, path=paths)
        chosen = replace(chosen, clips=replace(chosen.clips, table=table))
    weight = min(_WEIGHT, _TOGETHER * labelled / max(1, len(rows)))
    return Examples(chosen, targets, np.full(len(rows), weight))


def pseudo_label_message(learn: TrainingData, n: int, number: int) -> str:
    """Describe the pseudo-labels of a round in one line."""
    counts = [len(examples.targets) for examples in learn.added.values()]
    labelled = f"{min(counts):,} to {max(counts):,} of {plural(n, 'unlabelled clip')}"
    return f"round {number}: the models of a fold are confident about {labelled}"
