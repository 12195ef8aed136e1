"""Check by nearest clips whether clips of a group, or neighbours in the order of files, sound alike.

Clips cut from one recording are nearer to each other than to other clips of their class. For each clip the nearest clip
of its class is found by features. The share of nearest clips in the same group, or next to it in the order of the
files, is compared with chance: the same share with the clips of each class shuffled.
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
from aurist.features.store import config_for_clips, summary_table

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

#: Clips to compare, in runs of neighbours by name, and clips per run.
MOST, RUN = 3000, 60
#: Recordings to compute features for, if there are none.
MOST_HEARD = 600
#: Fewer clips are no evidence.
LEAST = 20
#: Minimum excess of a share over chance: in deviations of the shuffled shares, and absolute.
DEVIATIONS, EXCESS = 4.0, 0.08
_SHUFFLES = 200
#: Scaled features are clipped at so many deviations.
_FAR = 5.0

Related = Callable[[Rows, Rows], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class NearestShare:
    """Share of clips whose nearest clip of the same class is related.

    Parameters
    ----------
    share
        Share of clips with a related nearest clip.
    chance
        The same share with the clips of each class shuffled.
    deviation
        Standard deviation of the shuffled shares.
    n
        Count of compared clips.
    """

    share: float
    chance: float
    deviation: float
    n: int

    @property
    def significant(self) -> bool:
        """True if the share is significantly above chance, and by enough to matter."""
        excess = self.share - self.chance
        return self.n >= LEAST and excess > max(EXCESS, DEVIATIONS * self.deviation)

    def sentence(self, where: str) -> str:
        """Describe the share and chance in a sentence."""
        return (
            f"{self.share:.0%} of {self.n:,} clips have the nearest clip of their class {where} "
            f"(chance: {self.chance:.0%})"
        )


def nearest_sentence(clips: Clips, features: pd.DataFrame) -> str | None:
    """Describe if clips of a group sound alike (given or guessed groups), or neighbours in the order of files.

    Parameters
    ----------
    clips
        The clips.
    features
        (n_clips, n_features). Only columns of numbers are used; rows of only NaN are skipped.
    """
    rows = sample_rows(clips, features)
    if len(rows) < LEAST:
        return None
    sample, table = clips.take(rows), features.iloc[rows]
    classes = pd.factorize(pd.Series([";".join(labels) for labels in sample.table["labels"]]))[0]
    nearest = nearest_in_class(table, classes)
    groups = sample.table["group"].tolist()
    if repeated(groups):
        of_group = by_group(nearest, classes, groups)
        if of_group.n < LEAST:
            return None
        conclusion = (
            "clips of a group sound alike, and are kept together"
            if of_group.significant
            else "no sign that these sound alike"
        )
        return f"{of_group.sentence('in its group')}: {conclusion}"
    folds = sample.table["fold"].to_numpy(dtype=object)
    fold_codes = pd.factorize(folds)[0] if pd.notna(folds).all() else None
    grouping = sample.grouping
    if grouping is not None and grouping.objection != CLASSES:
        by_name = by_group(nearest, classes, groups_by_rule(sample, grouping), fold_codes)
        if by_name.significant:
            return (
                f"warning: {by_name.sentence('in its group by name')}, such as {grouping.example[1]!r} of "
                f'{grouping.example[0]!r}: scores will be too high unless such clips are kept together (group="names", '
                "or a column with group=)"
            )
    in_order = by_order(nearest, classes, fold_codes)
    if in_order.n < LEAST:
        return None
    description = in_order.sentence(
        f"next to it in the order of the {'files' if clips.has_audio else 'rows'}"
    )
    if in_order.significant:
        return (
            f"warning: {description}: they may be pieces of longer recordings, and then scores are too high; "
            "give group="
        )
    return f"{description}: no sign of clips cut from longer recordings"


def compare_nearest(
    clips: Clips, usable: npt.NDArray[np.bool_], *, jobs: int = 0, cache_dir: Path | None = None
) -> str | None:
    """Describe the same for clips without computed features: a feature table, or some recordings.

    Features of recordings are stored for a later fit.
    """
    usable_clips = clips.take(usable)
    if usable_clips.features:
        return nearest_sentence(usable_clips, usable_clips.feature_table())
    if not usable_clips.has_audio:
        return None
    sample = usable_clips.take(sample_rows(usable_clips, most=MOST_HEARD))
    computed = summary_table(sample, config_for_clips(usable_clips), cache_dir=cache_dir, jobs=jobs)
    return nearest_sentence(sample, computed.features)


def sample_rows(clips: Clips, features: pd.DataFrame | None = None, most: int = MOST) -> Rows:
    """Choose rows to compare: ordered by name, without copies, and in runs of neighbours if there are many."""
    names = clip_names(clips)
    order = sorted(range(len(names)), key=lambda row: natural(names[row]))
    if features is not None:
        numbers = features.select_dtypes("number")
        wanted_rows = (numbers.notna().any(axis=1) & ~numbers.round(6).duplicated()).to_numpy()
        order = [row for row in order if wanted_rows[row]]
    if len(order) > most:
        step = len(order) * RUN // most
        order = [row for start in range(0, len(order) - RUN, step) for row in order[start : start + RUN]]
    return np.array(order, dtype=np.intp)


def natural(name: str) -> bytes:
    """Return a key that sorts names with 10 after 9.

    Examples
    --------
    >>> sorted(["a10", "a9", "b1"], key=natural)
    ['a9', 'a10', 'b1']
    """
    pieces = re.split(r"(\d+)", name, flags=re.ASCII)
    texts = [piece.encode(errors="surrogatepass") + b"\0" for piece in pieces[::2]]
    numbers = [piece.lstrip("0").encode() for piece in pieces[1::2]]
    # a longer number is larger; bytes take a tenth of the memory of tuples
    return b"".join(
        text + len(number).to_bytes(4) + number for text, number in zip(texts, [*numbers, b""], strict=True)
    )


def repeated(groups: Sequence[str | None]) -> bool:
    """Tell whether several clips have one group."""
    named = [group for group in groups if group is not None]
    return len(set(named)) < len(named)


def by_group(
    nearest: Rows, classes: Ints, groups: Sequence[str | None], fold_codes: Ints | None = None
) -> NearestShare:
    """Measure how often the nearest clip of the class is in the same group; with folds, also in another fold."""
    codes = pd.factorize(pd.Series(list(groups), dtype=object))[0]
    return agreement(
        nearest, classes, lambda a, b: (codes[a] == codes[b]) & (codes[a] >= 0) & _across(fold_codes, a, b)
    )


def by_order(nearest: Rows, classes: Ints, fold_codes: Ints | None = None) -> NearestShare:
    """Measure how often the nearest clip of the class is a neighbour: within 1/20 of the class, at most five positions.

    The clips are in order. With given folds, only neighbours in different folds count.
    """
    rank = pd.Series(range(len(classes))).groupby(classes).rank(method="first").to_numpy()
    width = np.clip(np.bincount(classes, minlength=1)[classes] // 20, 1, 5)
    return agreement(
        nearest, classes, lambda a, b: (np.abs(rank[a] - rank[b]) <= width[a]) & _across(fold_codes, a, b)
    )


def _across(fold_codes: Ints | None, a: Rows, b: Rows) -> npt.NDArray[np.bool_]:
    return np.ones(len(a), dtype=bool) if fold_codes is None else fold_codes[a] != fold_codes[b]


def agreement(nearest: Rows, classes: Ints, related: Related, seed: int = 0) -> NearestShare:
    """Return the share of clips that are related to their nearest clip, and the same for shuffled clips."""
    rows = np.flatnonzero(nearest >= 0)
    if not len(rows):
        return NearestShare(float("nan"), float("nan"), float("nan"), 0)
    rng = np.random.default_rng(seed)
    by_class = np.argsort(classes, kind="stable")
    shuffled = []
    for _ in range(_SHUFFLES):
        substitute = np.empty(len(classes), dtype=np.intp)
        substitute[by_class] = by_class[np.lexsort((rng.random(len(classes)), classes[by_class]))]
        shuffled.append(related(substitute[rows], substitute[nearest[rows]]).mean())
    share = related(rows, nearest[rows]).mean()
    return NearestShare(float(share), float(np.mean(shuffled)), float(np.std(shuffled)), len(rows))


def nearest_in_class(features: pd.DataFrame, classes: Ints) -> Rows:
    """Find the nearest other clip of the same class by scaled features, (n,); -1 if there is none."""
    numbers = features.select_dtypes("number").to_numpy(dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    nearest = np.full(len(numbers), -1, dtype=np.intp)
    if not numbers.size:
        return nearest
    scaled = _scaled(numbers)
    for code in np.unique(classes):
        rows = np.flatnonzero(classes == code)
        if len(rows) < 3:  # of two clips, each is always the nearest of the other
            continue
        x = scaled[rows]
        squares = (x**2).sum(axis=1)
        distances = squares[:, None] + squares[None, :] - 2 * x @ x.T
        np.fill_diagonal(distances, np.inf)
        nearest[rows] = rows[distances.argmin(axis=1)]
    return nearest


def _scaled(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    filled = pd.DataFrame(numbers)
    median, deviation = filled.median(), filled.std(ddof=0)
    varying = (deviation > 0) & deviation.notna()
    scaled = ((filled - median) / deviation).loc[:, varying].fillna(0.0).clip(-_FAR, _FAR)
    return scaled.to_numpy(dtype=np.float32)
