"""The level of each class's sound in the parts of annotated windows, by bands that other folds have taught."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.crossval import TrainingData
from aurist.events import parts_of
from aurist.features.call_spectra import learn_spectra
from aurist.features.part_levels import LevelConfig, levels_of_clips
from aurist.run import RunData, RunFolder
from aurist.run.call_spectra_file import write_spectra


def levels_out_of_fold(
    run: RunFolder, data: RunData, learn: TrainingData, rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.uint8] | None:
    """Measure the level of each class in parts of windows, and keep the bands of all folds in the run.

    Parameters
    ----------
    run, data, learn
        A run on annotated recordings.
    rows
        The n rows of the training data to measure; all of them are scored in some fold.

    Returns
    -------
    (n, n_parts, n_classes)
        As of `aurist.features.call_spectra.CallSpectra.levels`; None if the run has no features of sound.
    """
    clips, boxes = learn.examples.inputs.clips, data.clips.boxes
    if clips is None or boxes is None or data.summary is None:
        return None
    config = LevelConfig(data.summary.sample_rate)
    clips = clips.take(rows)
    of_bands = levels_of_clips(clips, config, cache_dir=data.cache_dir, jobs=learn.task.jobs)
    is_call = _calling(clips.table, boxes, learn.task.classes, config.n_parts)
    paths, folds = clips.table["path"].to_numpy(dtype=object), learn.folds[rows]
    out = np.zeros(is_call.shape, dtype=np.uint8)
    for fold in np.unique(folds):
        rest = folds != fold
        spectra = learn_spectra(of_bands[rest], is_call[rest], paths[rest], config)
        out[~rest] = spectra.levels(of_bands[~rest])
    write_spectra(run.folder, learn_spectra(of_bands, is_call, paths, config))
    return out


def _calling(
    table: pd.DataFrame, boxes: pd.DataFrame, classes: tuple[str, ...], n_parts: int
) -> npt.NDArray[np.bool_]:
    """Tell if a box of each class covers the middle of each part, (n_windows, n_parts, n_classes)."""
    starts, ends = parts_of(table["start"].to_numpy(float), table["end"].to_numpy(float), n_parts)
    middle = (starts + ends) / 2
    out = np.zeros((*middle.shape, len(classes)), dtype=bool)
    columns = pd.Index(classes).get_indexer(pd.Index(boxes["label"]))
    rows_of = table.groupby("path").indices
    for path, start, end, column in zip(boxes["path"], boxes["start"], boxes["end"], columns, strict=True):
        if column >= 0 and path in rows_of:
            rows = rows_of[path]
            out[rows, :, column] |= (middle[rows] >= start) & (middle[rows] <= end)
    return out
