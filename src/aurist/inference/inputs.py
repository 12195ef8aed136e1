"""Read new data like the data of a run: the run determines the feature columns and their types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from aurist.clips import Clips, make_clips
from aurist.clips.guessed_groups import without_guessed_groups
from aurist.clips.multilabel import NONE as ONE_LABEL
from aurist.clips.read import TABLE_SUFFIXES, ReadOptions, check_names, read_clips
from aurist.errors import DataError, listing
from aurist.features.schema import Schema, infer_schema
from aurist.run import RunSpec


def like_run(options: ReadOptions, spec: RunSpec) -> ReadOptions:
    """Give the settings to read new data like the data of the run."""
    if options.label_separator is None and not spec.task.multilabel:
        options = replace(options, label_separator=ONE_LABEL)
    return options if spec.summary is not None else _with_columns(options, spec.schema)


def read_inputs(source: Sequence[Path] | pd.DataFrame, options: ReadOptions, spec: RunSpec) -> Clips:
    """Read data for a run to predict: one table or folder, or any number of recordings.

    Raises
    ------
    DataError
        If several inputs are not all recordings.
    """
    return without_guessed_groups(read_sources(source, like_run(options, spec)))


def read_sources(source: Sequence[Path] | pd.DataFrame, options: ReadOptions) -> Clips:
    """Read data that may have no labels: one table or folder, or any number of recordings.

    Raises
    ------
    DataError
        If several inputs are not all recordings.
    """
    if isinstance(source, pd.DataFrame):
        return read_clips(source, options, labelled=False)
    if len(source) == 1:
        return read_clips(source[0], options, labelled=False)
    not_recordings = [str(path) for path in source if path.is_dir() or path.suffix.lower() in TABLE_SUFFIXES]
    if not_recordings:
        raise DataError(
            f"Several inputs can only be recordings, but found:\n{listing(not_recordings)}\n"
            "Give one folder or table at a time."
        )
    check_names(source)
    return make_clips([()] * len(source), paths=[str(path) for path in source])


def like_clips(options: ReadOptions, clips: Clips) -> ReadOptions:
    """Give the settings to read further data like the clips to learn from."""
    if not clips.features:
        return options
    return _with_columns(options, infer_schema(clips.feature_table(), clips.decimal_commas))


def _with_columns(options: ReadOptions, schema: Schema) -> ReadOptions:
    columns = schema.without_embeddings().columns
    return replace(
        options,
        fitted=tuple((column.name, "decimal" if column.decimal_comma else column.kind) for column in columns),
    )
