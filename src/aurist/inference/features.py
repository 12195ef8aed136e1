"""Compute the features that the models of a run need, for new clips or for windows in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.errors import DataError, plural
from aurist.features.matrix import EMBEDDED, row_keys
from aurist.features.schema import Schema
from aurist.features.store import summary_of_waves, summary_table, table_of_vectors
from aurist.features.summary_config import SummaryConfig
from aurist.features.windows import Block
from aurist.inference.embedding import Embedded, with_embeddings
from aurist.models.base import Inputs
from aurist.progress import Advance
from aurist.run import ModelFiles
from aurist.run.embedders_file import FeatureNetwork


@dataclass(frozen=True)
class RawFeatures:
    """Features as they are computed, before the schema of a run prepares them.

    Parameters
    ----------
    table
        (n_clips, n_features); NaN for a clip that cannot be read.
    level
        (n_clips,): level of the recordings in dB; None for a table of features.
    failures
        Row -> reason why it cannot be read.
    """

    table: pd.DataFrame
    level: npt.NDArray[np.float32] | None
    failures: dict[int, str]


def raw_features(
    clips: Clips,
    summary: SummaryConfig | None,
    *,
    jobs: int = 0,
    cache_dir: Path | None = None,
    keep: bool = True,
    progress: bool | Advance = True,
) -> RawFeatures:
    """Compute the summary features of recordings; without ``summary`` take the feature columns as they are."""
    if summary is None:
        return RawFeatures(clips.feature_table(), None, {})
    computed = summary_table(clips, summary, cache_dir=cache_dir, jobs=jobs, keep=keep, progress=progress)
    return RawFeatures(computed.features, computed.level, dict(computed.failures))


def raw_of_vectors(vectors: npt.NDArray[np.float32], summary: SummaryConfig) -> RawFeatures:
    """Give features that were computed elsewhere by `aurist.features.summary.measure_both`, (n, n_features + 1)."""
    table = table_of_vectors(vectors, summary)
    return RawFeatures(table.features, table.level, {})


@dataclass(frozen=True)
class ClipFeatures:
    """The features of clips, as inputs of models.

    Parameters
    ----------
    inputs
        Inputs for the usable clips, in their order.
    rows
        (n_usable,): their rows among the clips.
    failures
        Row -> reason why it cannot be used.
    notes
        Notes for people, such as on categories that the training data lacks.
    """

    inputs: Inputs
    rows: npt.NDArray[np.intp]
    failures: dict[int, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FeaturePipeline:
    """The features of a run: from recordings, windows or tables to the columns that its models learnt from.

    Parameters
    ----------
    folder
        The run folder, which keeps the networks that make embeddings.
    schema
        The columns.
    summary
        Settings of the summary features; None for a table of features.
    embedders
        Networks that make features of recordings.
    """

    folder: Path
    schema: Schema
    summary: SummaryConfig | None
    embedders: Sequence[FeatureNetwork] = ()

    def transform(
        self,
        clips: Clips,
        *,
        jobs: int = 0,
        cache_dir: Path | None = None,
        raw: RawFeatures | None = None,
        progress: bool | Advance = True,
    ) -> ClipFeatures:
        """Make the features of clips.

        Parameters
        ----------
        clips
            Recordings, or a table of features, as the run was fitted on.
        jobs
            Cores; 0: all.
        cache_dir
            Folder of the features of recordings; None: the default folder.
        raw
            The features as `raw_features` gives them, if they are computed already.
        progress
            True: show a progress bar of the features. Or the bar of a job that these clips are a part of.

        Raises
        ------
        DataError
            If feature columns are missing or are not numbers, or if these are recordings and the run was fitted on a
            table, or the other way round.
        """
        self._check_kind(clips)
        if raw is None:
            raw = raw_features(clips, self.summary, jobs=jobs, cache_dir=cache_dir, progress=progress)
        failures, table = dict(raw.failures), raw.table
        if self.embedders:
            embedded = self._embed(table, _without(failures, len(clips)), clips, jobs, cache_dir)
            table, failures = embedded.table, failures | embedded.failures
        table = self._with_unused(table)
        prepared, notes = self.schema.apply(table, clips.rows)
        for row in np.flatnonzero(prepared.isna().to_numpy().all(axis=1)):
            failures.setdefault(int(row), "all of its features are missing")
        rows = _without(failures, len(clips))
        inputs = Inputs(prepared.reset_index(drop=True), clips if clips.has_audio else None, cache_dir)
        if len(rows) < len(clips):
            inputs = inputs.take(rows)
        return ClipFeatures(inputs, rows, failures, tuple(notes))

    def keys(self, clips: Clips, *, jobs: int = 0, cache_dir: Path | None = None) -> npt.NDArray[np.uint64]:
        """Hash the features of each clip without embeddings, (n_clips,), to recognise rows of a table."""
        table = clips.table
        if self.summary is not None:
            table = raw_features(clips, self.summary, jobs=jobs, cache_dir=cache_dir).table
        prepared, _ = self.schema.without_embeddings().apply(table, clips.rows)
        return row_keys(prepared)

    def transform_windows(self, block: Block, *, jobs: int = 0) -> Inputs:
        """Make the features of windows in memory; without ``summary`` the inputs are the sound alone."""
        inputs = Inputs(pd.DataFrame(index=range(len(block))), in_memory=block.waves)
        if self.summary is None:
            return inputs
        table = summary_of_waves(block.waves[self.summary.sample_rate], self.summary, jobs=jobs)
        embedded = with_embeddings(table, inputs, self.folder, self.embedders, jobs)
        prepared, _ = self.schema.apply(self._with_unused(embedded.table))
        return replace(inputs, features=prepared)

    def _embed(
        self,
        table: pd.DataFrame,
        rows: npt.NDArray[np.intp],
        clips: Clips,
        jobs: int,
        cache_dir: Path | None,
    ) -> Embedded:
        """Add the embeddings of the clips that can be read; NaN for the others."""
        if not len(rows):
            return Embedded(table, {})
        if not clips.has_audio:
            raise DataError(
                "Networks of this run make features of the recordings, but the table that was given has no column of "
                "audio files. Name it with path=."
            )
        readable = table.iloc[rows]
        inputs = Inputs(readable, clips.take(rows), cache_dir)
        made = with_embeddings(readable, inputs, self.folder, self.embedders, jobs)
        failures = {int(rows[row]): reason for row, reason in made.failures.items()}
        return Embedded(made.table.reindex(table.index), failures)

    def _with_unused(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the embeddings that no model of the chosen row sees, as NaN."""
        present = set(table.columns)
        unused = [name for name in self.schema.names if name.startswith(EMBEDDED) and name not in present]
        if not unused:
            return table
        empty = np.full((len(table), len(unused)), np.nan, np.float32)
        return pd.concat([table, pd.DataFrame(empty, columns=unused, index=table.index)], axis=1)

    def _check_kind(self, clips: Clips) -> None:
        """Check that these are recordings if the run needs recordings, and features if it needs features."""
        if self.summary is not None and not clips.has_audio:
            raise DataError(
                "This run was fitted on recordings, but the table that was given has no column of audio files.\n"
                f"  found the columns: {_some(clips.features)}\n"
                "Give recordings, a folder of them, or a table with their paths (path= names the column)."
            )
        expected = self.schema.names
        if self.summary is not None or set(expected) & set(clips.features):
            return  # the schema names the columns that are missing
        fitted_on = f"This run was fitted on a table of {plural(len(expected), 'feature')}, but"
        if clips.has_audio and not clips.features:
            raise DataError(
                f"{fitted_on} recordings were given, such as {clips.table['path'].iloc[0]}.\n"
                f"  expected the columns: {_some(expected)}\n"
                'Give a table with these columns; if it also has a column of audio files, add path="none".'
            )
        raise DataError(
            f"{fitted_on} the table that was given has none of them.\n"
            f"  expected the columns: {_some(expected)}\n"
            f"  found the columns:    {_some(clips.features)}\n"
            "Give a table with the same columns as the training data."
        )


def pipeline_of(files: ModelFiles, row: str) -> FeaturePipeline:
    """Make the feature pipeline of a row of the leaderboard, with the embedders that its models see."""
    seen = [network for network in files.embedders if files.ensemble.sees(row, network.name)]
    return FeaturePipeline(files.folder, files.spec.schema, files.spec.summary, seen)


def _without(failures: dict[int, str], n_clips: int) -> npt.NDArray[np.intp]:
    return np.array([row for row in range(n_clips) if row not in failures], dtype=np.intp)


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" ... ({len(names)} in all)" if len(names) > most else "")
