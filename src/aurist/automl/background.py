"""Clips with calls, mixed with background of other recordings: examples to learn from that are never scored.

Calls of few recordings are learnt with the noise of these recordings. Mixed with other background they are learnt as
they sound elsewhere and from farther away. What it gains is in docs/decisions/0044.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.audio import probe, read
from aurist.audio.writing import write_sound
from aurist.augment.noise import mixed
from aurist.automl.level import answers_of_forest
from aurist.clips import Clips
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.folders import remove_folder
from aurist.inference.features import FeaturePipeline
from aurist.models.base import Examples
from aurist.predictions import from_frame
from aurist.progress import logger
from aurist.results.event_counts import merged
from aurist.run import RunData, RunFolder, read_data
from aurist.tables import read_table, table_path, write_table

Rows = npt.NDArray[np.intp]

#: Level of a clip above the background that is added to it, in dB.
SNR = (3.0, 20.0)
#: The most mixtures; the share of the time limit that they may take; so many are made first, to measure their time.
MOST, SHARE, _TRIED = 2000, 0.1, 16
#: The variant of the forest that learnt from no mixture.
NOT_MIXED = "not mixed"
_FOLDER, _EVENT, _FILE = "mixed", "mixed", "not_mixed.parquet"
#: The highest sample rate of FLAC, in Hz.
_FLAC = 655_350


@dataclass(frozen=True)
class Mixtures:
    """Examples of n mixtures, and the rows of their calls and their background among the training data, (n,) each."""

    examples: Examples
    calls: Rows
    background: Rows

    def within(self, rows: Rows) -> Examples:
        """Take the mixtures of which both clips are among these rows."""
        both = np.isin(self.calls, rows) & np.isin(self.background, rows)
        return self.examples.take(np.flatnonzero(both))


def with_mixtures(run: RunFolder, data: RunData, learn: TrainingData, limit: float) -> TrainingData:
    """Add mixtures to the training part of each fold, if the data has annotated recordings or gaps without a call.

    A mixture is learnt from if both of its clips are in the training part: it is near neither the scored nor the
    validation part. There are fewer of them if they would take more than a tenth of the ``limit`` in seconds.
    """
    pairs = draw_pairs(learn, run.config().mix_background)
    if data.clips.window is None or not len(pairs[0]):
        return learn
    n = n_mixed(run)
    if n is None:
        began, tried = time.monotonic(), min(_TRIED, len(pairs[0]))
        mixtures_of(run, data, learn, tried, run.folder / _FOLDER)
        each = (time.monotonic() - began) / tried
        n = len(pairs[0]) if math.isinf(limit) else min(len(pairs[0]), max(tried, int(SHARE * limit / each)))
        run.log(_EVENT, {"clips": n})
    mixtures = mixtures_of(run, data, learn, n, run.folder / _FOLDER)
    logger.info(
        f"mixed: {len(mixtures.calls):,} clips with calls and background of other recordings to learn from, which are "
        "never scored; mix_background=0 leaves them out"
    )
    return replace(learn, added={split.fold: mixtures.within(split.train) for split in learn.splits})


def without_files(run: RunFolder) -> None:
    """Remove the sound of the mixtures, when nothing will learn from it again."""
    remove_folder(run.folder / _FOLDER)


def n_mixed(run: RunFolder) -> int | None:
    """Read the number of mixtures that a run learnt from; None if it was not decided."""
    decided = [event.get("clips") for event in run.journal() if event.get("event") == _EVENT]
    return int(decided[-1]) if decided and isinstance(decided[-1], int) else None


def mixtures_again(run: RunFolder, learn: TrainingData, folder: Path) -> Mixtures | None:
    """Make the mixtures that a run learnt from once more; None if there were none."""
    n = n_mixed(run)
    return mixtures_of(run, read_data(run), learn, n, folder) if n else None


def mixtures_of(run: RunFolder, data: RunData, learn: TrainingData, n: int, folder: Path) -> Mixtures:
    """Mix the first n pairs into sound files, unless they are there, and compute their features."""
    clips = learn.examples.inputs.clips
    assert clips is not None
    calls, background = (rows[:n] for rows in draw_pairs(learn, run.config().mix_background))
    folder.mkdir(parents=True, exist_ok=True)
    paths = list(_written(folder, clips, calls, background, learn.task.seed))
    table = clips.table.iloc[calls].reset_index(drop=True)
    ids = [f"{name}+{number}" for number, name in enumerate(table["clip_id"])]
    table = table.assign(clip_id=ids, path=paths, start=np.nan, end=np.nan)
    sound = replace(clips, table=table, rows=(), given_ids=(), names=())
    pipeline = FeaturePipeline(run.folder, data.schema, data.summary, tuple(run.embedders()))
    made = pipeline.transform(sound, jobs=learn.task.jobs, cache_dir=data.cache_dir)
    calls, background = calls[made.rows], background[made.rows]
    examples = Examples(made.inputs, learn.examples.targets[calls], learn.examples.weight[calls])
    return Mixtures(examples, calls, background)


def draw_pairs(learn: TrainingData, copies: int) -> tuple[Rows, Rows]:
    """Draw ``copies`` clips of background for each clip with a call, in random order.

    Background is of recordings in which nothing was annotated, of the same fold as the call. If there are none, it is
    of gaps between the calls of other groups.

    Returns
    -------
    calls, background
        (n,) each: rows of the training data.
    """
    rng = np.random.default_rng(learn.task.seed)
    targets, groups = learn.examples.targets, learn.groups
    has_call = (targets == 1).any(axis=1)
    is_background = (targets == 0).all(axis=1) & ~np.isin(groups, groups[has_call])
    if not is_background.any():
        is_background = (targets == 0).all(axis=1) & gaps_between_calls(
            learn.examples.inputs.clips, len(groups)
        )
    by_fold = {fold: np.flatnonzero(is_background & (learn.folds == fold)) for fold in np.unique(learn.folds)}
    calls, background = [], []
    for row in np.flatnonzero(has_call):
        free = by_fold[learn.folds[row]]
        free = free[groups[free] != groups[row]]
        if len(free):
            calls += [row] * copies
            background += rng.choice(free, copies).tolist()
    order = rng.permutation(len(calls))[:MOST]
    return np.array(calls, dtype=np.intp)[order], np.array(background, dtype=np.intp)[order]


def gaps_between_calls(clips: Clips | None, n: int) -> npt.NDArray[np.bool_]:
    """Tell which of n clips share no time with any box, (n,); none if parts of a recording may not be annotated."""
    out = np.zeros(n, dtype=bool)
    if clips is None or clips.boxes is None or clips.unannotated != "absent":
        return out
    boxes = {str(path): table for path, table in clips.boxes.groupby("path")}
    for path, rows in clips.table.groupby("path").indices.items():
        table = boxes.get(str(path), clips.boxes.iloc[:0])
        first, last = merged(table["start"].to_numpy(float), table["end"].to_numpy(float))
        start, end = (clips.table[name].to_numpy(float)[rows] for name in ("start", "end"))
        following = np.searchsorted(last, start, side="right")
        out[rows] = np.append(first, np.inf)[following] >= end
    return out


def _written(folder: Path, clips: Clips, calls: Rows, background: Rows, seed: int) -> Iterator[str]:
    rng = np.random.default_rng([seed, 1])
    for number, (call, empty) in enumerate(zip(calls.tolist(), background.tolist(), strict=True)):
        snr = rng.uniform(*SNR)
        y, rate = _sound(clips, call, None)
        path = folder / f"{number:05}.{'flac' if rate <= _FLAC else 'wav'}"
        if not path.exists():
            noise, _ = _sound(clips, empty, rate)
            mixture = mixed(y, np.resize(noise, len(y)), snr, "power")
            peak = float(np.abs(mixture).max(initial=0))
            write_sound(path, mixture * np.float32(min(1.0, 0.99 / max(peak, 1e-9))), rate)
        yield str(path.resolve())


def _sound(clips: Clips, row: int, rate: int | None) -> tuple[npt.NDArray[np.float32], int]:
    path, start, end = (clips.table[name].iloc[row] for name in ("path", "start", "end"))
    file = clips.file(str(path))
    return read(file, rate or probe(file).sample_rate, start=float(start), end=float(end))


def with_not_mixed(
    run: RunFolder, learn: TrainingData, forest: CrossValidationResult
) -> CrossValidationResult:
    """Add a variant to the forest that learnt from no mixture, on the same folds."""
    path = run.folder / _FILE
    if table_path(path).exists():
        other = from_frame(read_table(path), learn.task.classes)[0]
    else:
        other = answers_of_forest(NOT_MIXED, learn, learn.examples.features)
        write_table(other.to_frame(), path)
    return replace(forest, variants={**forest.variants, NOT_MIXED: other})
