"""Labels without meaning, in all kinds of folds and groups, for `noise.py`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aurist.crossval import TrainingData
from aurist.models.base import Examples, Inputs, Task
from aurist.splits import assign_folds, cross_splits

N_ROWS, N_FEATURES, N_CLASSES, N_FOLDS = 240, 8, 3, 4
SCHEMES = (
    "own folds",
    "given folds, Dirichlet 1",
    "given folds, Dirichlet 0.3",
    "groups of one class",
    "groups of mixed classes",
    "several labels",
    "several labels, given folds",
)


@dataclass(frozen=True)
class Draw:
    """Noise for training, and noise without labels."""

    learn: TrainingData
    unlabelled: pd.DataFrame


def draw(scheme: str, seed: int) -> Draw:
    """Draw noise of a scheme. The same seed gives the same noise."""
    rng = np.random.default_rng([SCHEMES.index(scheme), seed])
    several, given = scheme.startswith("several"), "given" in scheme
    rows = np.arange(N_ROWS)
    features = rng.normal(size=(N_ROWS, N_FEATURES))
    groups, folds = rows, rows % N_FOLDS
    site = folds
    if scheme.startswith("groups"):
        # Features show the group, as with recordings and sites.
        one = scheme.endswith("one class")
        site = groups = rows // (4 if one else 12)
        features += 2 * rng.normal(size=(groups.max() + 1, N_FEATURES))[groups]
    spread = {"Dirichlet 0.3": 0.3, "one class": 1e-3}.get(
        scheme.split(", ")[-1].removeprefix("groups of "), 1.0
    )
    mixed = given or scheme.startswith("groups")
    shares = (
        rng.dirichlet(np.full(N_CLASSES, spread), site.max() + 1) if mixed else np.full((N_FOLDS, 3), 1 / 3)
    )
    if several:
        shares = rng.beta(0.5, 0.5, shares.shape) if given else np.full((N_FOLDS, 3), [0.5, 0.3, 0.1])
        targets = (rng.random((N_ROWS, N_CLASSES)) < shares[site]).astype(np.int8)
    else:
        targets = np.eye(N_CLASSES, dtype=np.int8)[[rng.choice(N_CLASSES, p=shares[one]) for one in site]]
    if not given:
        folds = assign_folds(targets, groups, N_FOLDS, seed)
    learn = TrainingData(
        Task(tuple("abc"), several, "average_precision" if several else "accuracy", seed, 1),
        Examples(Inputs(pd.DataFrame(features).add_prefix("f")), targets, np.ones(N_ROWS)),
        rows.astype(str).astype(object),
        groups,
        folds,
        cross_splits(folds, targets, groups, seed),
        prescribed=given,
    )
    return Draw(learn, pd.DataFrame(rng.normal(size=(N_ROWS, N_FEATURES))).add_prefix("f"))
