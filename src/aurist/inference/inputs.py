"""Read new data as a run's own was: which columns are features, and what they hold, is the run's to say."""

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
    """Give the settings that read new data as the run's own was read."""
    if options.label_separator is None and not spec.task.multilabel:
        options = replace(options, label_separator=ONE_LABEL)
    return options if spec.summary is not None else _with_columns(options, spec.schema)


def read_inputs(source: Sequence[Path] | pd.DataFrame, options: ReadOptions, spec: RunSpec) -> Clips:
    """Read what a run shall predict: one table or folder, or any number of recordings.

    Raises
    ------
    DataError
        Where several inputs are not all recordings.
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
    strange = [str(path) for path in source if path.is_dir() or path.suffix.lower() in TABLE_SUFFIXES]
    if strange:
        raise DataError(
            f"Several inputs can only be recordings, but found:\n{listing(strange)}\n"
            "Give one folder or table at a time."
        )
    check_names(source)
    return make_clips([()] * len(source), paths=[str(path) for path in source])


def like_clips(options: ReadOptions, clips: Clips) -> ReadOptions:
    """The settings to read further data with, beside clips that are learnt from."""
    if not clips.features:
        return options
    return _with_columns(options, infer_schema(clips.feature_table(), clips.decimal_commas))


def _with_columns(options: ReadOptions, schema: Schema) -> ReadOptions:
    columns = schema.without_embeddings().columns
    return replace(
        options, fitted=tuple((one.name, "decimal" if one.decimal_comma else one.kind) for one in columns)
    )
