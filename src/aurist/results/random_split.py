"""Score a careless random split, to compare it with the honest score of the same model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.metrics import Interval, metric
from aurist.models.base import Examples, Task
from aurist.models.forest import forest_proba
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import RunFolder
from aurist.run.scores_file import RANDOM_SPLIT, RandomSplit, write_random_split
from aurist.splits import Groups, Split, assign_folds, cross_splits

#: Number of times that features are shuffled, to measure the effect of unequal class shares alone.
_SHUFFLES = 2
#: Largest number of rows for this measurement.
_ROWS = 2500


def compare_with_random_split(run: RunFolder, learn: TrainingData, forest: CrossValidationResult) -> None:
    """Score the forest on as many random folds, and write both scores, unless they are written already.

    Nothing is done if a random split is honest: no group has two rows, and no folds are prescribed. If the random split
    scores higher, a further test separates a leak from class shares that differ between the folds.
    """
    task, targets, weight = learn.task, learn.examples.targets, learn.examples.weight
    scored = np.flatnonzero(learn.folds >= 0)
    alone = np.arange(len(targets))
    prescribed = learn.prescribed and len(learn.splits) > 1
    nothing_shared = len(np.unique(learn.groups)) == len(targets)
    if (nothing_shared and not prescribed) or len(learn.splits) < 2 or (run.folder / RANDOM_SPLIT).exists():
        return
    random = _forest_of(learn, _random_splits(learn), learn.examples)
    honest = forest.oof.aligned(learn.clip_ids[scored].tolist())
    comparison = RandomSplit(
        forest.member.name,
        interval(task, targets[scored], honest, learn.groups[scored], weight[scored], out_of_fold=True),
        interval(task, targets, random, alone, weight, out_of_fold=True),
    )
    if comparison.random.score > max(comparison.honest.high, comparison.honest.score):
        gap = paired(
            targets[scored],
            random[scored],
            honest,
            learn.groups[scored],
            task.metric,
            level=0.99,
            seed=task.seed,
            multilabel=task.multilabel,
            weight=weight[scored],
        )
        by_shares = _gap_by_shares(_some_rows(learn))
        # without bounds the whole difference is compared
        low = gap.low if np.isfinite(gap.low) else gap.score
        comparison = replace(comparison, by_shares=by_shares, leak=bool(low > by_shares))
    write_random_split(run.folder, comparison)


def _random_splits(learn: TrainingData) -> list[Split]:
    """Make random folds of single rows, as many as the data has."""
    targets, alone = learn.examples.targets, np.arange(len(learn.examples.targets))
    folds = assign_folds(targets, alone, len(learn.splits), learn.task.seed)
    return cross_splits(folds, targets, alone, learn.task.seed)


def _forest_of(learn: TrainingData, splits: Sequence[Split], examples: Examples) -> Proba:
    """Predict out of fold by the forest, (n, n_classes); 0 for rows that no fold scores."""
    out = np.zeros(examples.targets.shape)
    for split in splits:
        rows = np.sort(np.concatenate([split.train, split.validation]))
        out[split.scored] = forest_proba(learn.task, examples.take(rows), examples.inputs.take(split.scored))
    return out


def _some_rows(learn: TrainingData) -> TrainingData:
    """Sample at most `_ROWS` of the scored rows, equally from each fold, and keep the folds."""
    rng, most = np.random.default_rng(learn.task.seed), -(-_ROWS // len(learn.splits))
    rows = np.sort(np.concatenate([rng.permutation(split.scored)[:most] for split in learn.splits]))
    examples, groups, folds = learn.examples.take(rows), learn.groups[rows], learn.folds[rows]
    splits = cross_splits(folds, examples.targets, groups, learn.task.seed)
    return replace(
        learn, examples=examples, clip_ids=learn.clip_ids[rows], groups=groups, folds=folds, splits=splits
    )


def _gap_by_shares(learn: TrainingData) -> float:
    """Measure how much higher random folds score than the given folds on shuffled features, without any leak.

    If class shares differ between the folds, a model trained on the other folds expects the wrong shares. Random folds
    all have the same shares. This alone makes a difference, even on noise, and is no leak.
    """
    task, truth, weight = learn.task, learn.examples.targets, learn.examples.weight
    score, gaps = metric(task.metric), []
    for draw in range(_SHUFFLES):
        order = np.random.default_rng([task.seed, draw]).permutation(len(weight))
        shuffled = replace(learn.examples, inputs=learn.examples.inputs.take(order))
        honest, random = (
            score(truth, _forest_of(learn, splits, shuffled), weight, multilabel=task.multilabel)
            for splits in (learn.splits, _random_splits(learn))
        )
        gaps.append(random - honest)
    return float(np.mean(gaps))


def interval(
    task: Task,
    truth: npt.NDArray[np.int8],
    proba: Proba,
    groups: Groups,
    weight: npt.NDArray[np.float64] | None = None,
    *,
    out_of_fold: bool = False,
) -> Interval:
    """Score rows by the task's metric, with the interval over groups of `aurist.results.bootstrap`."""
    return bootstrap(
        truth,
        proba,
        groups,
        task.metric,
        weight=weight,
        seed=task.seed,
        multilabel=task.multilabel,
        out_of_fold=out_of_fold,
    )
