"""Write the summary features of a set of clips as a table of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import ConfigError, DataError, about, listing, plural
from aurist.extras import need_extra
from aurist.features.store import config_for_clips, summary_table
from aurist.features.summary import SummaryConfig
from aurist.files import atomic_path
from aurist.folders import check_output
from aurist.formulas import safe_table
from aurist.progress import Advance

#: Clips whose features are in memory at a time, and rows of a row group of a Parquet file.
PART = 8192
#: Columns of the clips beside their features.
DESCRIBED = ("clip_id", "path", "start", "end", "label", "group", "fold", "part")


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
    failures: dict[str, str] = {}

    def parts() -> Iterator[pd.DataFrame]:
        with Advance(len(clips), True, "features") as advance:
            for rows in parts_of(len(clips)):
                table, failed = feature_rows(
                    clips.take(rows), config, jobs=jobs, cache_dir=cache_dir, progress=advance
                )
                failures.update(failed)
                yield table

    written = write_features(_described(clips), parts(), failures, output, safe_csv=safe_csv)
    return replace(written, notes=clips.notes)


def parts_of(n: int) -> Iterator[npt.NDArray[np.intp]]:
    """Divide rows: only so many have their features in memory."""
    return (np.arange(begin, min(begin + PART, n)) for begin in range(0, n, PART))


def _described(clips: Clips) -> pd.DataFrame:
    """Return the columns of clips beside their features."""
    table = clips.table[[name for name in DESCRIBED if name != "label"]].reset_index(drop=True)
    table.insert(DESCRIBED.index("label"), "label", [";".join(labels) for labels in clips.table["labels"]])
    return table


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
    clips: Clips,
    config: SummaryConfig,
    *,
    jobs: int,
    cache_dir: Path | None,
    progress: bool | Advance = True,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a row for each clip, with all columns of the clips, and the failures by clip."""
    computed = summary_table(clips, config, cache_dir=cache_dir, jobs=jobs, by_column=True, progress=progress)
    failures = {str(clips.table["clip_id"].iloc[row]): message for row, message in computed.failures.items()}
    return pd.concat([_described(clips), computed.features], axis=1, copy=False), failures


def write_features(
    described: pd.DataFrame,
    parts: Iterable[pd.DataFrame],
    failures: Mapping[str, str],
    output: Path,
    *,
    safe_csv: bool,
) -> FeatureFile:
    """Write the rows of `feature_rows`, part by part, without the columns of clips that are empty.

    Parameters
    ----------
    described
        The columns of all clips, without features.
    parts
        The rows in order, in parts of `PART` rows.
    failures
        By clip, why it could not be read; complete when the last part is.
    output, safe_csv
        As for `feature_file`.

    Raises
    ------
    DataError
        If no clip could be read.
    """
    empty = [name for name in described.columns if (described[name].isna() | (described[name] == "")).all()]
    n_features = 0
    with atomic_path(output) as path, _writer(path, output.suffix.lower(), described, safe_csv) as write:
        for part in parts:
            n_features = part.shape[1] - described.shape[1]
            table = part.copy(deep=False)
            for name in empty:  # drop() would copy all features
                del table[name]
            write(table)
        if len(failures) == len(described):
            raise DataError(
                f"None of {plural(len(described), 'clip')} can be read:\n"
                f"{listing([about(*pair) for pair in failures.items()])}"
            )
    return FeatureFile(len(described), n_features, dict(failures))


@contextmanager
def _writer(
    path: Path, suffix: str, described: pd.DataFrame, safe_csv: bool
) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Give a function that writes the next rows of a table; each call is a row group of a Parquet file."""
    if suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:

            def append(part: pd.DataFrame) -> None:
                (safe_table(part) if safe_csv else part).to_csv(file, index=False, header=file.tell() == 0)

            yield append
        return
    import pyarrow as pa
    import pyarrow.parquet

    parquet: Any = pyarrow.parquet
    writer: Any = None
    try:

        def write(part: pd.DataFrame) -> None:
            nonlocal writer
            if writer is None:
                writer = parquet.ParquetWriter(path, _schema(part, described))
            writer.write_table(pa.Table.from_pandas(part, writer.schema, preserve_index=False))

        yield write
    finally:
        if writer is not None:
            writer.close()


def _schema(part: pd.DataFrame, described: pd.DataFrame) -> Any:
    """Return the schema of the whole table: a part does not show the type of a column that is empty in it."""
    import pyarrow as pa

    features = [name for name in part.columns if name not in described.columns]
    # of features only the type counts: one zero stands for all of their cells
    zeros = np.broadcast_to(np.zeros((), dtype=np.float32), (len(described), len(features)))
    kept = [name for name in described.columns if name in part.columns]
    return pa.Schema.from_pandas(
        pd.concat([described[kept], pd.DataFrame(zeros, columns=features, copy=False)], axis=1, copy=False)
    )
