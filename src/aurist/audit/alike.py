"""Whether clips that hang together sound alike: what the nearest clip of the same class tells.

Clips cut from one recording are nearer to each other than to other clips of their class, whatever their names say. For
each clip the nearest of its class is looked up, by features; how often that one stands in the same group, or next to it
in the order of the files, is compared with what chance gives: the same share with the clips of each class shuffled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips.guessed_groups import clip_names, groups_by_rule
from aurist.clips.name_search import CLASSES
from aurist.clips.table import Clips
from aurist.features.store import config_for, summary_table

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

#: Clips that are compared, in runs of neighbours by name, and clips in a run.
MOST, RUN = 3000, 60
#: Recordings that are heard for it where no features are there.
MOST_HEARD = 600
#: Fewer tell nothing.
LEAST = 20
#: How far above chance a share must be: by so many deviations of the shuffled shares, and in itself.
DEVIATIONS, EXCESS = 4.0, 0.08
_SHUFFLES = 200
#: Beyond so many deviations a feature's value is no farther.
_FAR = 5.0

Related = Callable[[Rows, Rows], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Alike:
    """How often the nearest clip of the same class is a related one.

    Parameters
    ----------
    share
        Of the clips, those whose nearest clip is related.
    chance
        The same where the clips of each class are shuffled.
    deviation
        Of that chance from shuffle to shuffle.
    n
        Clips that were compared.
    """

    share: float
    chance: float
    deviation: float
    n: int

    @property
    def sure(self) -> bool:
        """Tell whether it is surely above chance, and by enough to matter."""
        excess = self.share - self.chance
        return self.n >= LEAST and excess > max(EXCESS, DEVIATIONS * self.deviation)

    def words(self, where: str) -> str:
        """The share and what chance gives, in a sentence."""
        return (
            f"{self.share:.0%} of {self.n:,} clips have the nearest clip of their class {where} "
            f"(chance: {self.chance:.0%})"
        )


def alike_sentence(clips: Clips, features: pd.DataFrame) -> str | None:
    """Say what nearest clips tell of the groups, known or guessed, or of the order of the files where there are none.

    Parameters
    ----------
    clips
        The clips.
    features
        (n_clips, n_features): of which the columns of numbers count; rows of NaN alone are passed over.
    """
    rows = some_rows(clips, features)
    if len(rows) < LEAST:
        return None
    some, table = clips.take(rows), features.iloc[rows]
    classes = pd.factorize(pd.Series([";".join(labels) for labels in some.table["labels"]]))[0]
    nearest = nearest_in_class(table, classes)
    groups = some.table["group"].tolist()
    if repeated(groups):
        of_group = by_group(nearest, classes, groups)
        if of_group.n < LEAST:
            return None
        tells = (
            "clips of a group sound alike, and are kept together"
            if of_group.sure
            else "no sign that these sound alike"
        )
        return f"{of_group.words('in its group')}: {tells}"
    folds = some.table["fold"].to_numpy(dtype=object)
    apart = pd.factorize(folds)[0] if pd.notna(folds).all() else None
    grouping = some.grouping
    if grouping is not None and grouping.objection != CLASSES:
        by_name = by_group(nearest, classes, groups_by_rule(some, grouping), apart)
        if by_name.sure:
            return (
                f"warning: {by_name.words('in its group by name')}, such as {grouping.example[1]!r} of "
                f"{grouping.example[0]!r}: scores will be too high unless such clips are kept together (--group names, "
                "or a column with --group)"
            )
    in_order = by_order(nearest, classes, apart)
    if in_order.n < LEAST:
        return None
    said = in_order.words(f"beside it in the order of the {'files' if clips.has_audio else 'rows'}")
    if in_order.sure:
        return f"warning: {said}: they may be pieces of longer recordings, and then scores are too high; give --group"
    return f"{said}: no sign of clips cut from longer recordings"


def compare_nearest(
    clips: Clips, usable: npt.NDArray[np.bool_], *, jobs: int = 0, cache_dir: Path | None = None
) -> str | None:
    """Say the same of clips of which no features were computed yet: of a feature table, or of some recordings.

    The features of recordings are stored, so that a fit need not compute them again.
    """
    kept = clips.take(usable)
    if kept.features:
        return alike_sentence(kept, kept.feature_table())
    if not kept.has_audio:
        return None
    some = kept.take(some_rows(kept, most=MOST_HEARD))
    made = summary_table(some, config_for(kept), cache_dir=cache_dir, jobs=jobs)
    return alike_sentence(some, made.features)


def some_rows(clips: Clips, features: pd.DataFrame | None = None, most: int = MOST) -> Rows:
    """Rows to compare: in the order of their names, one of each copy, in runs of neighbours where there are many."""
    names = clip_names(clips)
    order = sorted(range(len(names)), key=lambda row: natural(names[row]))
    if features is not None:
        numbers = features.select_dtypes("number")
        there = (numbers.notna().any(axis=1) & ~numbers.round(6).duplicated()).to_numpy()
        order = [row for row in order if there[row]]
    if len(order) > most:
        step = len(order) * RUN // most
        order = [row for start in range(0, len(order) - RUN, step) for row in order[start : start + RUN]]
    return np.array(order, dtype=np.intp)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key to sort names by, in which 10 comes after 9.

    Examples
    --------
    >>> sorted(["a10", "a9", "b1"], key=natural)
    ['a9', 'a10', 'b1']
    """
    parts = re.split(r"(\d+)", name, flags=re.ASCII)
    return [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts]


def repeated(groups: Sequence[str | None]) -> bool:
    """Tell whether several clips have one group."""
    told = [group for group in groups if group is not None]
    return len(set(told)) < len(told)


def by_group(nearest: Rows, classes: Ints, groups: Sequence[str | None], apart: Ints | None = None) -> Alike:
    """How often the nearest clip of the class is of the same group; with folds, in another fold, too."""
    codes = pd.factorize(pd.Series(list(groups), dtype=object))[0]
    return agreement(
        nearest, classes, lambda a, b: (codes[a] == codes[b]) & (codes[a] >= 0) & _across(apart, a, b)
    )


def by_order(nearest: Rows, classes: Ints, apart: Ints | None = None) -> Alike:
    """How often the nearest clip of the class stands beside it: in a twentieth of the class, five places at most.

    The clips are in order. Those that folds, where some are given, keep together do no harm.
    """
    rank = pd.Series(range(len(classes))).groupby(classes).rank(method="first").to_numpy()
    width = np.clip(np.bincount(classes, minlength=1)[classes] // 20, 1, 5)
    return agreement(
        nearest, classes, lambda a, b: (np.abs(rank[a] - rank[b]) <= width[a]) & _across(apart, a, b)
    )


def _across(apart: Ints | None, a: Rows, b: Rows) -> npt.NDArray[np.bool_]:
    return np.ones(len(a), dtype=bool) if apart is None else apart[a] != apart[b]


def agreement(nearest: Rows, classes: Ints, related: Related, seed: int = 0) -> Alike:
    """The share of clips that are related to their nearest, and that of clips shuffled within their classes."""
    rows = np.flatnonzero(nearest >= 0)
    if not len(rows):
        return Alike(float("nan"), float("nan"), float("nan"), 0)
    rng = np.random.default_rng(seed)
    by_class = np.argsort(classes, kind="stable")
    shuffled = []
    for _ in range(_SHUFFLES):
        stand_in = np.empty(len(classes), dtype=np.intp)
        stand_in[by_class] = by_class[np.lexsort((rng.random(len(classes)), classes[by_class]))]
        shuffled.append(related(stand_in[rows], stand_in[nearest[rows]]).mean())
    share = related(rows, nearest[rows]).mean()
    return Alike(float(share), float(np.mean(shuffled)), float(np.std(shuffled)), len(rows))


def nearest_in_class(features: pd.DataFrame, classes: Ints) -> Rows:
    """The nearest other clip of the same class by distance of scaled features, (n,); -1 where there is none."""
    numbers = features.select_dtypes("number").to_numpy(dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    nearest = np.full(len(numbers), -1, dtype=np.intp)
    if not numbers.size:
        return nearest
    scaled = _scaled(numbers)
    for code in np.unique(classes):
        rows = np.flatnonzero(classes == code)
        if len(rows) < 3:  # of two, each is the other's nearest
            continue
        x = scaled[rows]
        squares = (x**2).sum(axis=1)
        far = squares[:, None] + squares[None, :] - 2 * x @ x.T
        np.fill_diagonal(far, np.inf)
        nearest[rows] = rows[far.argmin(axis=1)]
    return nearest


def _scaled(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    filled = pd.DataFrame(numbers)
    middle, spread = filled.median(), filled.std(ddof=0)
    kept = (spread > 0) & spread.notna()
    scaled = ((filled - middle) / spread).loc[:, kept].fillna(0.0).clip(-_FAR, _FAR)
    return scaled.to_numpy(dtype=np.float32)
