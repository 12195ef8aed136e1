"""Write the summary features of a set of clips as a table of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import ConfigError, DataError, about, listing, plural
from aurist.extras import need_extra
from aurist.features.store import config_for_clips, summary_table
from aurist.features.summary import SummaryConfig
from aurist.files import atomic_path, write_csv
from aurist.folders import check_output

#: Columns of the clips beside their features; ``label`` comes after ``end``.
_COLUMNS = ("clip_id", "path", "start", "end", "group", "fold", "part")


@dataclass(frozen=True)
class FeatureFile:
    """The written table: numbers of rows and feature columns, unreadable clips with the reason, and notes."""

    rows: int
    columns: int
    failures: dict[str, str]
    notes: tuple[str, ...] = ()


def feature_file(
    source: Path,
    output: Path,
    options: ReadOptions,
    *,
    sample_rate: int | None = None,
    level: str = "relative",
    jobs: int = 0,
    cache_dir: Path | None = None,
    safe_csv: bool = False,
) -> FeatureFile:
    """Write ``path, start, end, label, group, fold`` (if they exist) and the features, one row per clip.

    A clip that cannot be read has empty features; the table keeps its row. ``safe_csv`` protects text in a CSV
    that a spreadsheet would read as a formula.

    Raises
    ------
    ConfigError
        If the output is neither ``.parquet`` nor ``.csv``.
    DataError
        If there is no audio, or none of it can be read.
    """
    check_form(output)
    clips = clips_to_describe(source, options)
    config = config_for_clips(clips, sample_rate, level=level)
    table, failures = feature_rows(clips, config, jobs=jobs, cache_dir=cache_dir)
    return write_features(table, failures, output, clips.notes, safe_csv=safe_csv)


def check_form(output: Path) -> None:
    """Check that a table of features can be written to a path.

    Raises
    ------
    ConfigError
        If the path ends neither in ``.parquet`` nor in ``.csv``.
    """
    if output.suffix.lower() not in (".parquet", ".csv"):
        raise ConfigError(f"{output}: a feature table is written as .parquet or .csv, by its ending.")
    if output.suffix.lower() == ".parquet":
        need_extra("parquet", "A Parquet file")
    check_output(output)


def clips_to_describe(source: Path, options: ReadOptions) -> Clips:
    """Read clips that have sound.

    Raises
    ------
    DataError
        If there is no audio.
    """
    clips = read_clips(source, options, labelled=False)
    if not clips.has_audio:
        raise DataError(f"{source} is a table of features already: it has no column of audio files.")
    return clips


def feature_rows(
    clips: Clips, config: SummaryConfig, *, jobs: int, cache_dir: Path | None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a row for each clip, with all columns of the clips, and the failures by clip."""
    computed = summary_table(clips, config, cache_dir=cache_dir, jobs=jobs, by_column=True)
    failures = {str(clips.table["clip_id"].iloc[row]): message for row, message in computed.failures.items()}
    table = clips.table[list(_COLUMNS)].reset_index(drop=True)
    table.insert(4, "label", [";".join(labels) for labels in clips.table["labels"]])
    return pd.concat([table, computed.features], axis=1, copy=False), failures


def write_features(
    table: pd.DataFrame, failures: dict[str, str], output: Path, notes: tuple[str, ...], *, safe_csv: bool
) -> FeatureFile:
    """Write the rows of `feature_rows`, without the columns of clips that are empty.

    Raises
    ------
    DataError
        If no clip could be read.
    """
    if len(failures) == len(table):
        raise DataError(
            f"None of {plural(len(table), 'clip')} can be read:\n{listing([about(*pair) for pair in failures.items()])}"
        )
    columns = (*_COLUMNS, "label")
    empty = [name for name in columns if (table[name].isna() | (table[name] == "")).all()]
    n_features = table.shape[1] - len(columns)
    table = table.copy(deep=False)
    for name in empty:  # drop() would copy all features
        del table[name]
    if output.suffix.lower() == ".csv":
        write_csv(table, output, safe=safe_csv)
    else:
        with atomic_path(output) as part:
            table.to_parquet(part)
    return FeatureFile(len(table), n_features, failures, notes)
