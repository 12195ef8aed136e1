"""Pool windows to clips by mean, max, vote or the highest few. The choice is made on clips that it does not score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.errors import ConfigError, plural
from aurist.metrics import metric

#: "top3": the mean of each class's three highest windows.
POOLINGS = ("mean", "max", "vote", "top3")
STRONGEST = 3


def window_starts(n_samples: int, window: int, hop: int) -> npt.NDArray[np.int64]:
    """Return the first samples of the windows of a clip. The last window is moved back to end with the clip.

    A clip shorter than a window has one window, at its beginning.

    Examples
    --------
    >>> len(window_starts(30 * 22050, 3 * 22050, 3 * 22050 // 2))
    19
    >>> window_starts(10, 4, 4).tolist(), window_starts(3, 4, 2).tolist()
    ([0, 4, 6], [0])
    """
    if window < 1 or hop < 1:
        raise ConfigError(f"The window is {window} samples and the hop {hop}, but both must be at least 1.")
    last = max(0, n_samples - window)
    starts = np.arange(0, last + 1, hop, dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)


def pool(proba: Proba, clip: npt.NDArray[np.intp], n_clips: int, how: str, *, multilabel: bool) -> Proba:
    """Pool the rows of windows to one row per clip.

    Parameters
    ----------
    proba : (n_windows, n_classes)
        Probabilities.
    clip : (n_windows,)
        The clip of each window, 0 to ``n_clips - 1``; every clip has at least one window.
    n_clips
        The number of clips.
    how
        One of `POOLINGS`. A vote counts the windows in which a class has the highest probability; with several
        labels, those with 0.5 or more.
    multilabel
        If False, the rows sum to 1 again.

    Returns
    -------
    (n_clips, n_classes)

    Examples
    --------
    >>> windows = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    >>> pool(windows, np.array([0, 0, 0, 1]), 2, "vote", multilabel=False).round(2).tolist()
    [[0.33, 0.67], [0.0, 1.0]]
    """
    count = np.bincount(clip, minlength=n_clips)
    if len(count) != n_clips or (count == 0).any():
        raise ConfigError(
            f"Found windows for {plural(int((count > 0).sum()), 'clip')}, but there are {n_clips}: "
            "each needs at least one."
        )
    if how == "vote":
        first = proba >= 0.5 if multilabel else np.eye(proba.shape[1])[proba.argmax(axis=1)]
        return _sum_by_clip(first.astype(np.float64), clip, n_clips) / count[:, None]
    if how == "mean":
        out = _sum_by_clip(proba, clip, n_clips) / count[:, None]
    elif how == "max":
        out = _mean_of_highest(proba, clip, n_clips, 1)
    elif how == "top3":
        out = _mean_of_highest(proba, clip, n_clips, STRONGEST)
    else:
        raise ConfigError(f"The pooling is {how!r}, but must be one of: {', '.join(POOLINGS)}.")
    return out if multilabel else out / np.maximum(out.sum(axis=1, keepdims=True), 1e-300)


def parts_of_clips(
    frames: Proba,
    clip: npt.NDArray[np.intp],
    start: npt.NDArray[np.int64],
    window: int,
    begin: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    n_parts: int,
) -> Proba:
    """Average the frames of windows over equal parts of their clips.

    Parameters
    ----------
    frames : (n_windows, n_frames, n_classes)
        Probabilities; the frames of a window are equally long.
    clip, start : (n_windows,)
        The clip of each window, and its first sample.
    window
        Samples of a window.
    begin, end : (n_clips,)
        The samples of each clip.
    n_parts
        The number of parts of a clip.

    Returns
    -------
    (n_clips, n_parts, n_classes)
        The mean over the windows that contain the centre of a part; 0 if none does.

    Examples
    --------
    >>> frames = np.array([[[0.0], [0.5]], [[1.0], [0.0]]])  # two windows of 4 samples, the second from sample 2 on
    >>> parts_of_clips(frames, np.array([0, 0]), np.array([0, 2]), 4, np.array([0]), np.array([6]), 3)[0, :, 0].tolist()
    [0.0, 0.75, 0.0]
    """
    n_frames = frames.shape[1]
    centre = begin[:, None] + (np.arange(n_parts) + 0.5) / n_parts * (end - begin)[:, None]
    frame = np.floor((centre[clip] - start[:, None]) * n_frames / window).astype(np.intp)
    is_inside = (frame >= 0) & (frame < n_frames)
    values = (
        np.take_along_axis(frames, frame.clip(0, n_frames - 1)[:, :, None], axis=1) * is_inside[:, :, None]
    )
    out = np.zeros((len(begin), n_parts, frames.shape[2]))
    count = np.zeros((len(begin), n_parts, 1))
    np.add.at(out, clip, values)
    np.add.at(count, clip, is_inside[:, :, None])
    return out / np.maximum(count, 1)


def best_pooling(
    pooled: Mapping[str, Proba], truth: npt.NDArray[np.int8], metric_name: str, *, multilabel: bool
) -> str:
    """Return the name of the pooling with the best score. If several are equal or none is defined, it is the first."""
    names, score = list(pooled), metric(metric_name)
    values = [score(truth, pooled[name], multilabel=multilabel) for name in names]
    return names[int(np.nanargmax(values))] if np.isfinite(values).any() else names[0]


def choose_pooling(
    pooled: Mapping[str, Proba],
    truth: npt.NDArray[np.int8],
    folds: npt.NDArray[np.int64],
    metric_name: str,
    *,
    multilabel: bool,
) -> tuple[str, Proba]:
    """Choose the pooling with the best score; pool each fold by the choice on the other folds.

    Parameters
    ----------
    pooled
        Out-of-fold probabilities (n_clips, n_classes) by pooling. Of equal ones the first is chosen.
    truth : (n_clips, n_classes)
        Indicator matrix.
    folds : (n_clips,)
        The fold in which each clip was scored.
    metric_name
        The metric to maximise.

    Returns
    -------
    name
        The best on all clips, for new clips.
    proba
        (n_clips, n_classes): each fold is pooled by the best pooling of the other folds, so its score is honest. A
        single fold gets the first pooling, because there is nothing to choose on.
    """
    names = list(pooled)

    def best(rows: npt.NDArray[np.bool_]) -> str:
        of_rows = {name: proba[rows] for name, proba in pooled.items()}
        return best_pooling(of_rows, truth[rows], metric_name, multilabel=multilabel)

    out = pooled[names[0]].copy()
    for fold in np.unique(folds):
        in_fold = folds == fold
        if not in_fold.all():
            out[in_fold] = pooled[best(~in_fold)][in_fold]
    return best(np.ones(len(truth), dtype=bool)) if len(np.unique(folds)) > 1 else names[0], out


def _sum_by_clip(values: Proba, clip: npt.NDArray[np.intp], n_clips: int) -> Proba:
    out = np.zeros((n_clips, values.shape[1]))
    np.add.at(out, clip, values)
    return out


def _mean_of_highest(proba: Proba, clip: npt.NDArray[np.intp], n_clips: int, most: int) -> Proba:
    """Average the ``most`` highest windows of each clip, class by class."""
    order = np.argsort(clip, kind="stable")
    ends: Sequence[int] = np.cumsum(np.bincount(clip, minlength=n_clips))[:-1].tolist()
    rows = [np.sort(part, axis=0)[::-1][:most].mean(axis=0) for part in np.split(proba[order], ends)]
    return np.asarray(rows, dtype=np.float64)
