"""Score events of annotated recordings out of fold, and decide what tells their times.

Every choice is made on the other folds: the thresholds by `default_thresholds`. Frames of networks and the sound of the
class are used only if they surely time events better than windows do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.crossval import TrainingData
from aurist.ensemble.thresholds import GRID, default_thresholds
from aurist.inference.frames import frames_out_of_fold, rows_with_frames
from aurist.metrics import UNKNOWN, Interval
from aurist.plan import ENSEMBLE
from aurist.results.call_levels import levels_out_of_fold
from aurist.results.event_counts import COUNTS, WINDOWS, InWindows, LaidOut, lay_out
from aurist.run import RunData, RunFolder, files_of_run
from aurist.run.events_file import (
    EventScores,
    FrameScores,
    SoundScores,
    TimesOf,
    better_times,
    remove_events,
    write_events,
)

#: Thresholds of the curve.
CURVE_THRESHOLDS = GRID[::2]
_ROUNDS, _LEVEL = 1000, 0.95
#: By `COUNTS`, (n_groups,) each, all classes together; and the hours of background.
Counts = Mapping[str, npt.NDArray[np.float64]]


def write_event_scores(run: RunFolder, data: RunData, learn: TrainingData) -> None:
    """Score the events of the ensemble of a finished run, and write them; nothing without annotated windows."""
    remove_events(run.folder)
    if data.clips.boxes is None or data.clips.window is None or not learn.task.multilabel:
        return
    rows = np.flatnonzero(learn.folds >= 0)
    truth = learn.examples.targets[rows]
    complete = (truth != UNKNOWN).all(axis=1)
    clips = learn.examples.inputs.clips
    if clips is None or not complete.any():
        return
    table = clips.table.iloc[rows[complete]].reset_index(drop=True)
    folds, groups = learn.folds[rows[complete]], learn.groups[rows[complete]]
    laid_out = lay_out(table, folds, groups, data.clips.boxes, learn.task.classes)
    if laid_out is None:
        return
    ids = learn.clip_ids[rows[complete]].tolist()
    probas = {name: made.aligned(ids) for name, made in run.out_of_fold(learn.task.classes).items()}
    truth = truth[complete]
    decide = partial(_decided, laid_out, truth=truth)
    counts, inside = decide(probas[ENSEMBLE]), WINDOWS
    times: TimesOf = "windows"
    levels, sound = levels_out_of_fold(run, data, learn, rows[complete]), None
    if levels is not None:
        trimmed = decide(probas[ENSEMBLE], inside=InWindows(levels=levels))
        sound = SoundScores(*_compared(counts, trimmed))
        if sound.is_better:
            counts, inside, times = trimmed, InWindows(levels=levels), "sound"
    frames = {}
    for name in rows_with_frames(files_of_run(run)):
        when = InWindows(when=frames_out_of_fold(files_of_run(run), name, learn, rows[complete]))
        by_frames = decide(probas[name], inside=when)
        frames[name] = FrameScores(*_compared(decide(probas[name]), by_frames))
        if name == ENSEMBLE and better_times(frames[name], sound) == "frames":
            counts, inside, times = by_frames, when, "frames"
    scores = _scores(counts, data.clips.window, _hop(table))
    scores = replace(scores, frames=frames, sound=sound, times=times)
    write_events(run.folder, scores, event_curve(laid_out, probas[ENSEMBLE], inside))


def event_curve(laid_out: LaidOut, proba: Proba, inside: InWindows = WINDOWS) -> pd.DataFrame:
    """Count events of each class at each threshold of `CURVE_THRESHOLDS`: ``column, threshold`` and `COUNTS`."""
    rows = []
    for column in range(proba.shape[1]):
        scores = laid_out.scores(proba, column, inside)
        for threshold in CURVE_THRESHOLDS:
            counts = laid_out.count(scores, column, np.full(len(laid_out.offsets), threshold))
            rows.append((column, threshold, *(int(counts[name].sum()) for name in COUNTS)))
    return pd.DataFrame(rows, columns=["column", "threshold", *COUNTS])


def _scores(counts: Counts, window: float, hop: float) -> EventScores:
    draws = _draws(len(counts["events"]))
    return EventScores(
        window=window,
        hop=hop,
        precision=_ratio(counts["right"], counts["events"], draws),
        recall=_ratio(counts["right"], counts["boxes"], draws),
        touching=_ratio(counts["touching"], counts["events"], draws),
        touched=_ratio(counts["touched"], counts["boxes"], draws),
        false_alarms=_ratio(counts["alarms"], counts["hours"], draws),
        hours=float(counts["hours"].sum()),
        events=int(counts["events"].sum()),
        boxes=int(counts["boxes"].sum()),
    )


def _compared(by_windows: Counts, by_other: Counts) -> tuple[float, float, Interval]:
    """Return F1 of events of windows alone, F1 of the other events, and their difference."""
    draws = _draws(len(by_windows["events"]))
    alone, other = _f1(by_windows, draws), _f1(by_other, draws)
    return float(alone[0]), float(other[0]), _interval(other - alone)


def _decided(
    laid_out: LaidOut, proba: Proba, *, truth: npt.NDArray[np.int8], inside: InWindows = WINDOWS
) -> Counts:
    """Count the events of all classes by group, with the thresholds that the other folds choose."""
    folds, groups = np.empty((2, len(proba)), dtype=np.int64)
    of_window = np.searchsorted(laid_out.offsets, laid_out.starts + 1e-6, side="right") - 1
    folds[laid_out.rows], groups[laid_out.rows] = laid_out.folds[of_window], laid_out.groups[of_window]
    thresholds = np.full((len(laid_out.offsets), proba.shape[1]), 0.5)
    for fold in np.unique(laid_out.folds):
        rest = folds != fold
        if rest.any():
            thresholds[laid_out.folds == fold] = default_thresholds(
                proba[rest], truth[rest], groups[rest], folds[rest]
            )
    by_recording = {name: np.zeros(len(laid_out.offsets)) for name in COUNTS}
    for column in range(proba.shape[1]):
        counted = laid_out.count(laid_out.scores(proba, column, inside), column, thresholds[:, column])
        for name in COUNTS:
            by_recording[name] += counted[name]
    by_recording["hours"] = laid_out.hours
    member = np.unique(laid_out.groups, return_inverse=True)[1]
    return {name: np.bincount(member, values).astype(np.float64) for name, values in by_recording.items()}


def _draws(n: int) -> npt.NDArray[np.float64]:
    """Draw groups with replacement: their weights, (1 + rounds, n); the first row counts each once."""
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_ROUNDS)
    return np.concatenate([np.ones((1, n)), drawn])


def _ratio(
    above: npt.NDArray[np.float64], below: npt.NDArray[np.float64], draws: npt.NDArray[np.float64]
) -> Interval:
    total = draws @ below
    with np.errstate(invalid="ignore", divide="ignore"):
        return _interval(np.where(total > 0, (draws @ above) / total, np.nan))


def _f1(counts: Counts, draws: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = draws @ (counts["events"] + counts["boxes"])
    return np.asarray(2 * (draws @ counts["right"]) / np.maximum(total, 1))


def _interval(values: npt.NDArray[np.float64]) -> Interval:
    """Make an interval of a score and its resamples; 0 for a score that is not defined."""
    defined = values[1:][np.isfinite(values[1:])]
    low, high = (
        np.quantile(defined, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]) if len(defined) else (np.nan, np.nan)
    )
    return Interval(float(np.nan_to_num(values[0])), float(low), float(high))


def _hop(table: pd.DataFrame) -> float:
    """Return the median seconds from one window to the next, 0 if no recording has two."""
    steps = table.sort_values(["path", "start"]).groupby("path")["start"].diff().dropna()
    return round(float(steps.median()), 3) if len(steps) else 0.0
