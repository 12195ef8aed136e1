"""Apply a run to data that it has not been fitted on: predictions, a contest's submission, an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.clips.table import numbered
from aurist.ensemble.duplicates import DuplicateRule, Duplicates
from aurist.errors import DataError, about, listing, plural
from aurist.features.schema import row_keys
from aurist.features.store import summary_table
from aurist.features.summary import SummaryConfig
from aurist.inference.embedding import with_embeddings
from aurist.inference.inputs import like_run
from aurist.inference.predictor import Predictor
from aurist.inference.thresholds import never_named, thresholds_of
from aurist.models.base import Inputs
from aurist.plan import ENSEMBLE
from aurist.run import RunData, RunFolder, read_data
from aurist.run.shapes import SEEN
from aurist.stored import read_arrays, stored

#: How probabilities are written: a row still sums to 1 within 1e-6, and times of a day are exact to the millisecond.
PROBABILITY = "%.9g"


@dataclass(frozen=True)
class ClipPredictions:
    """What a run says of some clips.

    Parameters
    ----------
    clips
        The clips, in the order given.
    classes
        The columns of ``proba``.
    proba
        (n_clips, n_classes); NaN for a clip that could not be read.
    seen
        (n_clips,): which clips stand in the training data.
    failures
        Row -> why it could not be read.
    notes
        What was passed over.
    thresholds
        (n_classes,): the probability from which each class is named where clips may have several; None: above one half.
    """

    clips: Clips
    classes: tuple[str, ...]
    multilabel: bool
    proba: Proba
    seen: npt.NDArray[np.bool_]
    failures: dict[int, str]
    notes: tuple[str, ...]
    thresholds: npt.NDArray[np.float64] | None = None

    def named(self) -> npt.NDArray[np.bool_]:
        """(n_clips, n_classes): which classes are named, where clips may have several."""
        proba = np.nan_to_num(self.proba)
        return np.asarray(proba > 0.5 if self.thresholds is None else proba >= self.thresholds)

    def labels(self) -> list[str]:
        """The label of each clip: the most probable class, or with several labels a clip all from their thresholds
        on, joined by ``;``. Empty for a clip that could not be read."""
        names = np.asarray(self.classes, dtype=object)
        if self.multilabel:
            return [";".join(names[row]) for row in self.named()]
        return ["" if np.isnan(row).any() else str(names[row.argmax()]) for row in self.proba]

    def to_frame(self) -> pd.DataFrame:
        """One row a clip, in the order given: its id or path, ``label``, and a probability a class."""
        table = self.clips.table
        first = "path" if self.clips.has_audio else "id"
        # ids that the table repeats stand here as it has them
        ids = table["path"] if self.clips.has_audio else list(self.clips.given_ids) or table["clip_id"]
        out: dict[str, object] = {first: ids}
        if table["start"].notna().any():
            out |= {"start": table["start"], "end": table["end"]}
        out["label"] = self.labels()
        frame = pd.DataFrame(out)
        # a class may be called like one of our own columns
        names = [f"proba_{name}" if name in frame.columns else name for name in self.classes]
        return pd.concat([frame, pd.DataFrame(self.proba, columns=names)], axis=1)


def predict_clips(
    run: RunFolder,
    clips: Clips | Path | str | pd.DataFrame,
    *,
    model: str | None = None,
    precision: float | None = None,
    jobs: int = 0,
    cache_dir: Path | None = None,
) -> ClipPredictions:
    """Predict clips with a model of the run, the ensemble by default.

    What is not clips yet is read as the run's own data was: its feature columns stay features.

    Where clips may have several labels these are named by the run's thresholds, or by those for a ``precision``: see
    `aurist.inference.thresholds.thresholds_of`.

    Raises
    ------
    ConfigError
        Where there is no such model, or no such precision.
    DataError
        Where feature columns are missing or are no numbers.
    """
    data = read_data(run)
    clips = read_clips(clips, like_run(ReadOptions(), run), labelled=False)
    return predict_with(clips, run, data, model=model, precision=precision, jobs=jobs, cache_dir=cache_dir)


def predict_with(
    clips: Clips,
    run: RunFolder,
    data: RunData,
    *,
    model: str | None = None,
    precision: float | None = None,
    jobs: int = 0,
    cache_dir: Path | None = None,
) -> ClipPredictions:
    """Predict clips as `predict_clips` does, with what the run was fitted on at hand."""
    thresholds = thresholds_of(run, model, precision)
    usable, failures, found = usable_inputs(run, data, clips, jobs, cache_dir)
    notes = [*never_named(data.task.classes, thresholds, precision), *found]
    rows = np.array([row for row in range(len(clips)) if row not in failures], dtype=np.intp)
    proba = np.full((len(clips), len(data.task.classes)), np.nan)
    seen = load_duplicates(run)
    known = np.zeros(len(clips), dtype=bool)
    known[rows] = seen.known(row_keys(usable.features))
    if len(rows):
        answers = Predictor(run, data, model or ENSEMBLE)
        with stored(run.models, run.remedy):
            proba[rows] = answers.proba(usable, seen)
    return ClipPredictions(
        clips, data.task.classes, data.task.multilabel, proba, known, failures, tuple(notes), thresholds
    )


def usable_inputs(
    run: RunFolder, data: RunData, clips: Clips, jobs: int = 0, cache_dir: Path | None = None
) -> tuple[Inputs, dict[int, str], list[str]]:
    """What models may look at of the clips that can be read; why the others cannot, by row; and what is to be said.

    Raises
    ------
    DataError
        Where feature columns are missing or are no numbers.
    """
    jobs = jobs or data.task.jobs
    table, failures = _features(data, clips, jobs, cache_dir)
    table = _with_embeddings(run, table, failures, clips, jobs, cache_dir)
    ready, notes = data.schema.apply(table, clips.rows)
    for row in np.flatnonzero(ready.isna().all(axis=1)):
        failures.setdefault(int(row), "all of its features are missing")
    rows = np.array([row for row in range(len(clips)) if row not in failures], dtype=np.intp)
    inputs = Inputs(ready, clips if clips.has_audio else None, cache_dir).take(rows)
    return inputs, failures, list(notes)


def _features(
    data: RunData, clips: Clips, jobs: int, cache_dir: Path | None
) -> tuple[pd.DataFrame, dict[int, str]]:
    if data.summary is None:
        _check_same_kind(data.schema.names, clips)
        return clips.table[[c for c in clips.table.columns if c in set(clips.features)]], {}
    if not clips.has_audio:
        raise DataError(
            "This run was fitted on recordings, but the table that was given has no column of audio files.\n"
            f"  found the columns: {_some(clips.features)}\n"
            "Give recordings, a folder of them, or a table with their paths (path= names the column)."
        )
    made = summary_table(clips, SummaryConfig(**data.summary), cache_dir=cache_dir, jobs=jobs)
    return made.features, dict(made.failures)


def _with_embeddings(
    run: RunFolder,
    table: pd.DataFrame,
    failures: dict[int, str],
    clips: Clips,
    jobs: int,
    cache_dir: Path | None,
) -> pd.DataFrame:
    """The features with those that the run's networks make of the recordings; NaN where one cannot be read."""
    embedders = run.embedders()
    rows = np.array([row for row in range(len(clips)) if row not in failures], dtype=np.intp)
    if not embedders or not len(rows):
        return table
    if not clips.has_audio:
        raise DataError(
            "Networks of this run make features of the recordings, but the table that was given has no column of audio "
            "files. Name it with path=."
        )
    readable = table.iloc[rows]
    inputs = Inputs(readable, clips.take(rows), cache_dir)
    return with_embeddings(readable, inputs, run.folder, embedders, jobs).reindex(table.index)


def _check_same_kind(expected: Sequence[str], clips: Clips) -> None:
    """Whether there is any of the feature columns; what is missing of some, the schema says."""
    if set(expected) & set(clips.features):
        return
    of = f"This run was fitted on a table of {plural(len(expected), 'feature')}, but"
    if clips.has_audio and not clips.features:
        raise DataError(
            f"{of} recordings were given, such as {clips.table['path'].iloc[0]}.\n"
            f"  expected the columns: {_some(expected)}\n"
            'Give a table with these columns; where they stand beside a column of audio files, add path="none".'
        )
    raise DataError(
        f"{of} the table that was given has none of them.\n"
        f"  expected the columns: {_some(expected)}\n"
        f"  found the columns:    {_some(clips.features)}\n"
        "Give a table with the same columns as the training data."
    )


def _some(names: Sequence[str], shown: int = 8) -> str:
    return ", ".join(names[:shown]) + (f" ... ({len(names)} in all)" if len(names) > shown else "")


def load_duplicates(run: RunFolder) -> Duplicates:
    """The rows that the run was fitted on, and what is known of them."""
    path = run.folder / "duplicates.npz"
    kept = read_arrays(path, SEEN, run.remedy, optional=("logits",))
    with stored(path, run.remedy):
        n, n_classes, logits = len(kept["keys"]), len(run.classes()), kept.get("logits", np.zeros((0, 0)))
        if not kept["proba"].shape == kept["counts"].shape == (n, n_classes):
            raise ValueError(f"it is of {kept['proba'].shape[1]} classes, and the run of {n_classes}")
        if logits.size and logits.shape != (n_classes, n_classes):
            raise ValueError(f"logits has the shape {logits.shape}")
        return Duplicates(
            kept["keys"],
            kept["proba"],
            kept["counts"],
            kept["rows"].reshape(n, -1),  # one a row in runs of before
            DuplicateRule(float(kept["strength"]), logits),
            kept["unscored"],
        )


def submission(applied: ClipPredictions, sample: pd.DataFrame, where: str) -> pd.DataFrame:
    """The contest's file: the sample's columns, ids and order, with the predicted labels or probabilities.

    Parameters
    ----------
    applied
        Predictions of the contest's test table.
    sample
        The sample submission: its first column holds the ids. Further columns are one for the label, or one
        for each class.
    where
        The sample's name, for messages.

    Raises
    ------
    DataError
        Where ids of the sample have no prediction, or its columns are neither.
    """
    ids = sample.iloc[:, 0].astype(str)
    known = pd.Index(applied.clips.table["clip_id"].astype(str))
    # the second row of an id in the sample is the second in the table, where that has it twice too
    rows = known.get_indexer(pd.Index(numbered(ids.tolist())))
    rows = np.where(rows < 0, known.get_indexer(pd.Index(ids)), rows)
    _check_ids(ids, rows, applied, where)
    columns = [str(name) for name in sample.columns[1:]]
    out = sample.copy()
    if len(columns) == 1 and columns[0] not in applied.classes:
        out[sample.columns[1]] = np.asarray(applied.labels(), dtype=object)[rows]
        return out
    unknown = [name for name in columns if name not in applied.classes]
    if unknown:
        raise DataError(
            f"{where}: {plural(len(unknown), 'column')} {'is no class' if len(unknown) == 1 else 'are no classes'} of "
            f"this run:\n{listing(unknown)}\n"
            f"Expected one column for the label, or columns among: {', '.join(applied.classes)}."
        )
    for name in columns:
        out[name] = applied.proba[rows, applied.classes.index(name)]
    return out


def _check_ids(ids: pd.Series[str], rows: npt.NDArray[np.intp], applied: ClipPredictions, where: str) -> None:
    missing: Sequence[str] = ids[rows < 0].tolist()
    if missing:
        raise DataError(
            f"{where}: {len(missing):,} of its {plural(len(ids), 'id')} {'was' if len(missing) == 1 else 'were'} not "
            f"predicted:\n{listing(missing, limit=10)}\n"
            f"The predicted table has ids such as {applied.clips.table['clip_id'].iloc[0]!r}. "
            "Give the table that the sample belongs to, or name its id column with id=."
        )
    failed = [
        about(
            display_name if display_name.startswith(name) else f"{name} ({display_name})",
            applied.failures[row],
        )
        for name, row in zip(ids, rows.tolist(), strict=True)
        if row in applied.failures and (display_name := applied.clips.display_name(row))
    ]
    if failed:
        raise DataError(
            f"{plural(len(failed), 'row')} of the submission could not be predicted:\n{listing(failed)}"
        )
