"""Try a second window before a fit: the same recordings and folds, a quick model, scores by events.

The other window is taken only if it is surely better, so that the choice adds next to nothing to the score that the fit
states: see docs/honest-scores.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations import CutOptions
from aurist.annotations.window_choice import next_window
from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.config import INSTANT, FitConfig, duration
from aurist.ensemble.thresholds import GRID
from aurist.features.store import config_for_clips
from aurist.features.summary_config import SummaryConfig
from aurist.inference.features import raw_features
from aurist.machine import available_cores
from aurist.metrics import Interval
from aurist.models.base import Examples, Inputs, Task
from aurist.models.kernel import LANDMARKS, kernel_proba
from aurist.plan import time_limit
from aurist.results.event_counts import LaidOut, lay_out
from aurist.results.event_matching import area
from aurist.splits import assign_folds

Numbers = npt.NDArray[np.float64]

#: Share of the time limit that a trial may use; so many clips are measured to know its time.
SHARE, _TRIED = 0.1, 16
_FOLDS, _ROUNDS, _LEVEL = 5, 1000, 0.95
#: Seconds of kernel ridge regression for each feature of each pair of rows, as measured on one core.
_SECONDS_A_NUMBER = 1e-9
_THRESHOLDS = GRID[::2]


@dataclass(frozen=True)
class _Features:
    """The features of the trial: their settings, the cache and the cores."""

    summary: SummaryConfig
    jobs: int
    cache_dir: Path | None

    def of(self, clips: Clips) -> pd.DataFrame:
        return raw_features(clips, self.summary, jobs=self.jobs, cache_dir=self.cache_dir).table


def cut_by_better_window(
    cut: Callable[[CutOptions], Clips],
    options: CutOptions,
    config: FitConfig,
    cache_dir: Path | None = None,
) -> Clips:
    """Cut annotated recordings into windows of the proposed length, or of the next one if it is better by events.

    If time is short, they are compared in fewer groups of recordings. Nothing is tried if the window or the hop is
    given, or if less than ten groups could be compared.

    Parameters
    ----------
    cut
        Cuts the recordings.
    options
        How they are cut.
    config
        The settings of the fit that follows. A tenth of its time limit may be used.
    cache_dir
        The folder of computed features, which the fit reads again.

    Returns
    -------
    Clips
        With a note that says what was compared, or why nothing was.
    """
    clips, limit = cut(options), time_limit(config)
    other = None if clips.boxes is None or clips.window is None else next_window(clips.boxes, clips.window)
    is_given = options.window is not None or options.hop is not None
    if is_given or other is None or config.preset == INSTANT:
        return clips
    reason = _reason_against(clips)
    if reason is not None:
        return _noted(clips, f"no second window was tried: {reason}")
    second = cut(replace(options, window=other, hop=other / 2))
    if set(clips.table["group"]) != set(second.table["group"]):
        return _noted(clips, "no second window was tried: its windows would be of other recordings")
    features = _Features(
        config_for_clips(clips, config.sample_rate, level=config.level),
        available_cores(config.jobs),
        cache_dir,
    )
    seconds = _seconds(clips, second, features)
    groups = _drawn_groups(clips, SHARE * limit / seconds, config.seed)
    if len(groups) < 2 * _FOLDS:
        reason = (
            f"it needs about {duration(seconds)}, and a tenth of the time limit is {duration(SHARE * limit)}"
        )
        return _noted(clips, f"no second window was tried: {reason}")
    return _better(clips, second, groups, features, config.seed)


def _better(
    clips: Clips, second: Clips, groups: npt.NDArray[np.object_], features: _Features, seed: int
) -> Clips:
    """Compare the clips of two windows in these groups; return all clips of the second if they are surely better."""
    drawn, others_drawn = (
        one.take(np.flatnonzero(one.table["group"].isin(groups))) for one in (clips, second)
    )
    folds = _folds(drawn, seed)
    scores, others = (event_scores(one, folds, features, seed) for one in (drawn, others_drawn))
    gain = _interval(others - scores)
    taken, left = (second, clips) if gain.low > 0 else (clips, second)
    part = "" if len(drawn) == len(clips) else f" in {len(groups):,} groups, as time is short,"
    return _noted(
        taken,
        f"tried windows of {clips.window:g} s and of {second.window:g} s{part} with kernel ridge regression on the "
        f"same folds: average precision of events {scores[0]:.3f} and {others[0]:.3f}, a difference of "
        f"{gain.score:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]. Windows of {taken.window:g} s are taken"
        + ("" if taken is second else f", as those of {left.window:g} s are not surely better"),
    )


def _reason_against(clips: Clips) -> str | None:
    """Return why events of two windows cannot be compared; None if they can."""
    if clips.unannotated == "unknown":
        return "some labels are unknown, so events cannot be counted"
    if clips.by_time:
        return "folds divide recordings by time, and would differ between windows"
    if clips.table["group"].nunique() < 2 * _FOLDS:
        return f"there are fewer than {2 * _FOLDS} groups of recordings"
    return None


def _drawn_groups(clips: Clips, share: float, seed: int) -> npt.NDArray[np.object_]:
    """Draw this share of the groups at random; all of them from a share of 1 on."""
    groups = clips.table["group"].unique()
    return np.random.default_rng(seed).permutation(groups)[: int(len(groups) * min(share, 1.0))]


def _noted(clips: Clips, note: str) -> Clips:
    return replace(clips, notes=(*clips.notes, note))


def _seconds(first: Clips, second: Clips, features: _Features) -> float:
    """Estimate the seconds of a trial with all groups; the features of the window that is taken serve the fit, too."""
    tried = np.random.default_rng(0).permutation(len(second))[:_TRIED]
    n_features = features.of(second.take(tried[:1])).shape[1]  # also compiles the loops
    began = time.monotonic()
    features.of(second.take(np.sort(tried)))
    each = (time.monotonic() - began) / len(tried)
    pairs = sum(len(clips) * min(len(clips), LANDMARKS) for clips in (first, second))
    return each * max(len(first), len(second)) + _FOLDS * _SECONDS_A_NUMBER * pairs * n_features


def _folds(clips: Clips, seed: int) -> dict[str, int]:
    """Assign whole groups to folds, stratified; return the fold of each group."""
    names, codes = np.unique(clips.table["group"].to_numpy(dtype=str), return_inverse=True)
    folds = assign_folds(clips.targets(), codes.astype(np.int64), _FOLDS, seed)
    return {str(names[code]): int(fold) for code, fold in zip(codes, folds, strict=True)}


def event_scores(clips: Clips, fold_of_group: dict[str, int], features: _Features, seed: int) -> Numbers:
    """Compute the average precision of events, out of fold, and its resamples by group, (1 + rounds,).

    At one threshold for all classes; an event is right at an intersection over union of 0.3 with a box of its class.
    """
    groups = clips.table["group"].to_numpy(dtype=str)
    folds = np.array([fold_of_group[group] for group in groups], dtype=np.int64)
    task = Task(clips.classes, True, "average_precision", seed, features.jobs)
    proba = _out_of_fold(task, features.of(clips), clips, folds)
    assert clips.boxes is not None
    codes = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    laid_out = lay_out(clips.table, folds, codes, clips.boxes, clips.classes)
    assert laid_out is not None
    right, events, boxes = _counts(laid_out, proba, codes.max() + 1)
    draws = np.random.default_rng(0).multinomial(
        len(boxes), np.full(len(boxes), 1 / len(boxes)), size=_ROUNDS
    )
    weights = np.concatenate([np.ones((1, len(boxes))), draws]).T
    hits = right @ weights
    return area(hits / np.maximum(boxes @ weights, 1), hits / np.maximum(events @ weights, 1))


def _out_of_fold(task: Task, table: pd.DataFrame, clips: Clips, folds: npt.NDArray[np.int64]) -> Proba:
    """Predict each fold by kernel ridge regression on the others; clips that cannot be read have probability 0."""
    examples = Examples(Inputs(table), clips.targets(), clips.table["weight"].to_numpy(dtype=float))
    readable = table.notna().any(axis=1).to_numpy()
    proba = np.zeros((len(clips), len(task.classes)))
    for fold in np.unique(folds):
        train, scored = (np.flatnonzero(readable & part) for part in (folds != fold, folds == fold))
        proba[scored] = kernel_proba(task, examples.take(train), examples.inputs.take(scored))
    return proba


def _counts(laid_out: LaidOut, proba: Proba, n_groups: int) -> tuple[Numbers, Numbers, Numbers]:
    """Count right events and events at each threshold, (n_thresholds, n_groups), and boxes, (n_groups,)."""
    right, events = np.zeros((2, len(_THRESHOLDS), n_groups))
    boxes = np.bincount(laid_out.groups[laid_out.boxes["recording"].to_numpy(np.intp)], minlength=n_groups)
    for column in range(proba.shape[1]):
        scores = laid_out.scores(proba, column)
        for row, threshold in enumerate(_THRESHOLDS):
            counts = laid_out.count(scores, column, np.full(len(laid_out.offsets), threshold))
            for out, name in ((right, "right"), (events, "events")):
                out[row] += np.bincount(laid_out.groups, counts[name], minlength=n_groups)
    return right, events, boxes.astype(np.float64)


def _interval(values: Numbers) -> Interval:
    low, high = np.quantile(values[1:], [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(values[0]), float(low), float(high))
