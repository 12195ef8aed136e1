"""Few groups, small data sets: stated against actual scores on new groups, and other ways to state them.

Each division draws a small data set (from a synthetic family, or some groups of a real data set). It fits extra-trees,
discriminants and kernel ridge on its folds, blends them as a fit does, and scores the mean of the fold models on groups
that none of them saw. This is done with 5 folds, with 5 other folds (a second division) and with up to 10 folds. The
out-of-fold predictions are stored, so that ways to state the score and its interval can be compared on the same fits
(`few_groups_table.py`).

An interrupted command continues: every division is a file.

    python benchmarks/few_groups.py --passes 5 --output few_groups/
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import solve
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.preprocessing import StandardScaler

import _common
from aurist.errors import DataError
from aurist.splits import assign_folds, cross_splits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: Groups per class.
FEW = (2, 3, 5, 8, 15, 30, 60)
REAL = (3, 5, 8)
#: Larger data sets take long and show little: they are used only once in so many passes.
EVERY = {30: 2, 60: 4}
#: With more groups per class ten folds are left out.
MORE_FOLDS = 15


@dataclass(frozen=True)
class Family:
    """Classes of groups of clips in a Gaussian space.

    ``apart`` is the spread of the class centres (of their ``types``, if each group has one type), ``group`` that of
    groups within a class. The spread of clips within a group is 1. In ``mixed`` families a group contains all classes.
    """

    classes: int
    dims: int
    clips: int
    apart: float
    group: float = 1.0
    types: int = 1
    unequal: bool = False
    mixed: bool = False


FAMILIES = {
    "recordings": Family(4, 12, 3, 0.7),
    "many classes": Family(10, 20, 2, 0.8),
    "two classes": Family(2, 10, 4, 0.5),
    "easy": Family(5, 12, 3, 1.6),
    "types": Family(4, 10, 2, 1.6, 0.6, types=6),
    "unequal": Family(4, 12, 3, 0.8, unequal=True),
    "speakers": Family(5, 12, 10, 0.8, mixed=True),
    "noise": Family(4, 12, 3, 0.0),
}
#: Approximate number of groups in the test part of a synthetic division.
TEST_GROUPS = 300


@dataclass(frozen=True)
class Part:
    """Rows: features, class and group of each."""

    features: Floats
    label: Ints
    group: Ints


def drawn(family: Family, n_groups: int, rng: np.random.Generator) -> tuple[Part, Part]:
    """Draw a training part with so many groups per class, and a test part from the same distribution."""
    middles = rng.normal(0, family.apart, (family.classes, family.types, family.dims))
    shares = np.array([1, 1, 2, 4])[: family.classes] if family.unequal else np.ones(family.classes)

    def part(of_each: float) -> Part:
        if family.mixed:
            owner = np.repeat(np.arange(max(2, round(of_each))), family.clips)
            label = np.tile(np.arange(family.classes).repeat(family.clips // family.classes), owner.max() + 1)
        else:
            counts = np.maximum(1, np.round(shares * of_each)).astype(int)
            kinds = np.repeat(np.arange(family.classes), counts)
            owner = np.repeat(np.arange(len(kinds)), family.clips)
            label = kinds[owner]
        own = rng.normal(0, family.group, (owner.max() + 1, family.dims))
        type_of = rng.integers(family.types, size=owner.max() + 1)
        clips = middles[label, type_of[owner]] + own[owner] + rng.normal(0, 1, (len(owner), family.dims))
        return Part(clips, label.astype(np.int64), owner.astype(np.int64))

    of_test = TEST_GROUPS / (1 if family.mixed else shares.sum())
    return part(n_groups), part(of_test / (5 if family.mixed else 1))


def taken(table: pd.DataFrame, n_groups: int, rng: np.random.Generator) -> tuple[Part, Part]:
    """Draw so many groups per class of a real data set for training (all but one for rarer classes); test on the
    rest.
    """
    names = sorted(table["label"].unique())
    label = table["label"].map({name: i for i, name in enumerate(names)}).to_numpy(np.int64)
    group = pd.factorize(table["group"])[0].astype(np.int64)
    chosen: set[int] = set()
    for one in range(len(names)):
        own = np.unique(group[label == one])
        wanted = min(n_groups, len(own) - 1) - len(chosen & set(own.tolist()))
        free = np.array([g for g in own if g not in chosen])
        chosen |= set(rng.permutation(free)[: max(wanted, 0)].tolist())
    features = table.drop(columns=["label", "group"]).to_numpy(float)
    train = np.isin(group, list(chosen))
    test = ~train & np.isin(label, np.unique(label[train]))
    return tuple(Part(features[rows], label[rows], group[rows]) for rows in (train, test))  # type: ignore[return-value]


@dataclass(frozen=True)
class Folds:
    """Predictions of the models of some folds: out of fold, and of each fold for the test part."""

    folds: Ints
    oof: Floats
    test: Floats
    seconds: float


def fitted(train: Part, test: Part, n_splits: int, seed: int, n_classes: int) -> Folds:
    """Fit on the folds that a fit makes; all members have equal weights."""
    began = time.perf_counter()
    targets = np.eye(n_classes, dtype=np.int8)[train.label]
    folds = assign_folds(targets, train.group, n_splits, seed)
    oof, new = np.zeros(targets.shape), []
    for split in cross_splits(folds, targets, train.group, seed):
        rows = np.sort(np.concatenate([split.train, split.validation]))
        queries = np.concatenate([train.features[split.scored], test.features])
        proba = answers(train.features[rows], train.label[rows], queries, n_classes, seed)
        oof[split.scored] = proba[: len(split.scored)]
        new.append(proba[len(split.scored) :])
    return Folds(folds, oof, np.array(new), time.perf_counter() - began)


def answers(shown: Floats, label: Ints, queries: Floats, n_classes: int, seed: int) -> Floats:
    """Return the mean of extra-trees, discriminants and kernel ridge, (n, n_classes)."""
    ready = StandardScaler().fit(shown)
    shown, queries = np.clip(ready.transform(shown), -5, 5), np.clip(ready.transform(queries), -5, 5)
    out = np.zeros((len(queries), n_classes))
    seen = np.unique(label)
    for learner in (
        ExtraTreesClassifier(30, random_state=seed, max_features="sqrt"),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out[:, seen] += learner.fit(shown, label).predict_proba(queries)
    among, across = cdist(shown, shown, "cityblock"), cdist(queries, shown, "cityblock")
    middle = float(np.median(among)) or 1.0
    kernel = np.exp(-among / middle)
    kernel[np.diag_indices_from(kernel)] += 0.3
    truth = np.eye(n_classes)[label][:, seen]
    prior = truth.mean(axis=0)
    logits = 12 * (prior + np.exp(-across / middle) @ solve(kernel, truth - prior, assume_a="pos"))
    out[:, seen] += softmax(logits, axis=1)
    return out / 3


def divided(
    train: Part, test: Part, seed: int
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    """Return everything that is stored of a division."""
    n_classes = int(max(train.label.max(), test.label.max())) + 1
    kept: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
        "label": train.label,
        "group": train.group,
        "test_label": test.label,
        "test_group": test.group,
    }
    counts = [len(np.unique(train.group[train.label == one])) for one in np.unique(train.label)]
    numbers = {"five": 5, "five again": 5}
    if min(counts) < 5:
        numbers |= {"level": max(2, min(counts)), "level again": max(2, min(counts))}
    if 5 < max(counts) <= MORE_FOLDS:
        numbers["ten"] = min(10, max(counts))
    for name, n_splits in numbers.items():
        made = fitted(train, test, n_splits, seed + 1000 * name.endswith("again"), n_classes)
        kept |= {f"{name} folds": made.folds, f"{name} oof": made.oof.astype(np.float32)}
        kept[f"{name} seconds"] = np.array(made.seconds)
        kept[f"{name} alone"] = (made.test.argmax(axis=2) == test.label).mean(axis=1)
        kept[f"{name} new"] = made.test.mean(axis=0).astype(np.float32)
    return kept


def real_sets(data: Path) -> dict[str, pd.DataFrame]:
    from honesty import frogs, recordings

    return {
        "esc10": recordings(data, "esc10"),
        "gtzan100": recordings(data, "gtzan100"),
        "frogs": frogs(data),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--passes", type=int, default=5, help="divisions of each kind and number of groups")
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="stop after so many minutes; the same command continues"
    )
    parser.add_argument("--output", type=Path, default=Path("few_groups"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * options.minutes
    tables = real_sets(options.data) if options.data.exists() else {}
    for seed in range(options.passes):
        sizes = [n for n in FEW if seed % EVERY.get(n, 1) == 0]
        kinds = [(name, n) for n in sizes for name in FAMILIES] + [(name, n) for n in REAL for name in tables]
        for name, n_groups in kinds:
            path = options.output / f"{name.replace(' ', '-')}_{n_groups}_{seed}.npz"
            if path.exists():
                continue
            if time.monotonic() > until:
                return
            rng = np.random.default_rng([seed, n_groups, *name.encode()])
            parts = (
                drawn(FAMILIES[name], n_groups, rng)
                if name in FAMILIES
                else taken(tables[name], n_groups, rng)
            )
            try:
                kept = divided(*parts, seed)
            except DataError:  # If only two groups contain all classes, one is left for training.
                continue
            part = path.with_suffix(".part.npz")
            np.savez_compressed(part, **kept)
            part.rename(path)


if __name__ == "__main__":
    main()
