"""The one door in: a folder, a recording, a table of any known kind, or a DataFrame, to clips."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from aurist.clips.arff import read_arff
from aurist.clips.folders import AUDIO_SUFFIXES, read_folder
from aurist.clips.guess import ReadOptions, find_roles
from aurist.clips.table import Clips, make_clips
from aurist.clips.tables import load_table, read_table
from aurist.errors import DataError

__all__ = ["TABLE_SUFFIXES", "ReadOptions", "read_clips"]

TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".parquet", ".arff"))
#: Tables that a folder of recordings may come with.
_TABLE_NAMES = ("labels", "metadata", "meta", "annotations", "train", "clips", "index")


def read_clips(
    source: Path | str | pd.DataFrame, options: ReadOptions | None = None, *, labelled: bool = True
) -> Clips:
    """Read clips from a folder of recordings, one recording, a table, or a DataFrame.

    Parameters
    ----------
    source
        Where they are.
    options
        Columns and patterns; what is not given is guessed, and each guess is in the notes of the result.
    labelled
        Whether labels are needed, to learn or to score.

    Raises
    ------
    DataError
        Where there is nothing to read, or rows are not what they must be: all of them at once.

    Examples
    --------
    >>> table = pd.DataFrame({"tempo": [120.0, 90.0], "genre": ["rock", "folk"]})
    >>> clips = read_clips(table)
    >>> clips.features, clips.classes, clips.notes
    (('tempo',), ('folk', 'rock'), ('label column: genre (guessed)',))
    """
    options = options or ReadOptions()
    if isinstance(source, pd.DataFrame):
        return read_table(
            source.rename(columns=str), options, where="the table", root=None, labelled=labelled
        )
    path = Path(source)
    if not path.exists():
        raise DataError(
            f"{path} does not exist. Expected a folder of recordings, or a table (csv, tsv, parquet, arff)."
        )
    if path.is_dir():
        table = None if options.label_from else _table_inside(path, options)
        return (
            read_folder(path, options, labelled=labelled)
            if table is None
            else _from_file(table, options, labelled)
        )
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return _from_file(path, options, labelled)
    if suffix in AUDIO_SUFFIXES and not labelled:
        return make_clips([()], paths=[str(path)])
    raise DataError(
        f"{path} is neither a folder nor a table. Expected one of: {', '.join(sorted(TABLE_SUFFIXES))}"
        + ("; a single recording can be predicted, not learnt from." if suffix in AUDIO_SUFFIXES else ".")
    )


def _from_file(path: Path, options: ReadOptions, labelled: bool) -> Clips:
    if path.suffix.lower() == ".arff":
        return read_arff(path, options, labelled=labelled)
    table, notes = load_table(path)
    return read_table(table, options, where=str(path), root=path.parent, labelled=labelled, notes=notes)


def _table_inside(folder: Path, options: ReadOptions) -> Path | None:
    """The table that lists a folder's recordings, where it holds exactly one whose paths are there."""
    tables = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".csv", ".tsv", ".parquet")]
    named = [p for p in tables if p.stem.lower() in _TABLE_NAMES]
    listing_audio = [p for p in named if _lists_recordings(p, options)]
    if len(listing_audio) == 1:
        return listing_audio[0]
    if tables and not any(p.is_dir() or p.suffix.lower() in AUDIO_SUFFIXES for p in folder.iterdir()):
        raise DataError(
            f"{folder} is a folder of tables, not of recordings. Give the one to learn from, such as: {tables[-1]}"
        )
    return None


def _lists_recordings(path: Path, options: ReadOptions) -> bool:
    table, _ = load_table(path)
    column = find_roles(table, ReadOptions(path=options.path), str(path)).get("path")
    if column is None:
        return False
    root = options.audio_root or path.parent
    first = [str(cell).replace("\\", "/") for cell in table[column].dropna().head(20)]
    return any((root / name).exists() for name in first)
