"""The effect of early stopping on the scored fold: labels shuffled at random must score at chance.

AutoGluon's bagging on given folds (`groups=`) stops each child model early on the fold that it then predicts. aurist
stops it on a validation part of the training folds. Both use the same rows, folds and models.

    python benchmarks/shuffled_labels.py --repeats 6 --output shuffled_labels.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.crossval import TrainingData, fit_member
from aurist.models.base import Examples, ModelSpec, Task
from aurist.splits import assign_folds, cross_splits

N_ROWS, N_FEATURES, N_CLASSES, N_SPLITS = 120, 30, 10, 5


def shuffled_data(seed: int) -> TrainingData:
    """Return random features and random labels."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(
        rng.normal(size=(N_ROWS, N_FEATURES)), columns=[f"f{i}" for i in range(N_FEATURES)]
    )
    targets = np.eye(N_CLASSES, dtype=np.int8)[rng.permutation(np.arange(N_ROWS) % N_CLASSES)]
    groups = np.arange(N_ROWS)
    folds = assign_folds(targets, groups, N_SPLITS, seed)
    return TrainingData(
        Task(tuple("abcdefghij"), False, "accuracy", seed, 1),
        Examples(features, targets, np.ones(N_ROWS)),
        np.arange(N_ROWS).astype(str).astype(object),
        groups,
        folds,
        cross_splits(folds, targets, groups, seed),
    )


def autogluon_accuracy(data: TrainingData, kind: str, folder: str) -> float:
    """Return the out-of-fold accuracy as AutoGluon's bagging on these folds states it."""
    from autogluon.tabular import TabularPredictor

    truth = data.examples.targets.argmax(axis=1)
    table = data.examples.features.assign(label=truth.astype(str), fold=data.folds)
    predictor = TabularPredictor("label", path=folder, groups="fold", eval_metric="accuracy", verbosity=0)
    predictor.fit(
        table,
        hyperparameters={kind: {}},
        fit_weighted_ensemble=False,
        num_bag_folds=N_SPLITS,
        ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
    )
    proba = predictor.predict_oof(predictor.model_names()[0])
    return float((proba.to_numpy() == table["label"].to_numpy()).mean())


def aurist_accuracy(data: TrainingData, kind: str, folder: str) -> float:
    """Return the out-of-fold accuracy as aurist states it."""
    member = ModelSpec(kind, "autogluon", {"kind": kind, "refit": True})
    predictions = fit_member(Path(folder), data, member, 600).oof
    return float(
        (predictions.aligned(data.clip_ids.tolist()).argmax(1) == data.examples.targets.argmax(1)).mean()
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--output", type=Path, default=Path("shuffled_labels.json"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    scores: dict[str, list[float]] = {}
    for seed in range(options.repeats):
        data = shuffled_data(seed)
        for name, measure in (("AutoGluon bagging", autogluon_accuracy), ("aurist", aurist_accuracy)):
            with tempfile.TemporaryDirectory() as folder:
                scores.setdefault(f"LightGBM, {name}", []).append(measure(data, "GBM", folder))
        options.output.write_text(json.dumps(scores, indent=1))
    print(f"| model | accuracy on shuffled labels (chance {1 / N_CLASSES:.3f}) | standard error |")
    print("|---|---|---|")
    for name, values in scores.items():
        print(f"| {name} | {np.mean(values):.3f} | {np.std(values, ddof=1) / np.sqrt(len(values)):.3f} |")


if __name__ == "__main__":
    main()
