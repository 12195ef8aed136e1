"""Read clips from a folder, a recording, a table file, or a DataFrame: the entry point of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from aurist.archives import is_archive, link, url_of
from aurist.clips.archived import archives_in, read_archives
from aurist.clips.arff import read_arff
from aurist.clips.folders import find_audio, read_folder
from aurist.clips.guess import ReadOptions, find_roles
from aurist.clips.labels import cell_text
from aurist.clips.listed_files import ListedRecordings
from aurist.clips.load_table import load_table
from aurist.clips.multilabel import missing_names
from aurist.clips.suffixes import AUDIO_SUFFIXES, TABLE_SUFFIXES, in_utf8, with_bytes_shown
from aurist.clips.table import Clips, make_clips
from aurist.clips.table_to_clips import read_table
from aurist.errors import DataError, listing, plural
from aurist.files import is_file

__all__ = ["AUDIO_SUFFIXES", "TABLE_SUFFIXES", "ReadOptions", "Source", "read_clips"]

#: A path, a table in memory, or clips that are read already.
Source = Path | str | pd.DataFrame | Clips

#: Tables that a folder of recordings may come with.
_TABLE_NAMES = (
    "labels",
    "metadata",
    "meta",
    "annotations",
    "train",
    "test",
    "clips",
    "index",
    "train_metadata",
)


def read_clips(source: Source, options: ReadOptions | None = None, *, labelled: bool = True) -> Clips:
    """Read clips from a folder of recordings, one recording, a table, or a DataFrame.

    Parameters
    ----------
    source
        The data. A folder is read by its levels. If a table in it (``labels.csv``, ``metadata.csv`` ...) lists its
        recordings, that table is read instead. Clips that were read before stay as they are.
    options
        Columns and patterns. What is not given is guessed. Each guess is in the notes of the result.
    labelled
        True if labels are needed, to learn or to score.

    Raises
    ------
    DataError
        If there is nothing to read, or rows are wrong: all of them at once.

    Examples
    --------
    >>> table = pd.DataFrame({"tempo": [120.0, 90.0], "genre": ["rock", "folk"]})
    >>> clips = read_clips(table)
    >>> clips.features, clips.classes, clips.notes
    (('tempo',), ('folk', 'rock'), ('label column: genre (guessed; label= names another, or none)',))
    """
    if isinstance(source, Clips):
        return source
    clips = _read(source, options or ReadOptions(), labelled)
    return replace(clips, notes=(*clips.notes, *missing_names(clips.classes)))


def _read(source: Path | str | pd.DataFrame, options: ReadOptions, labelled: bool) -> Clips:
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, options, labelled)
    if (url := url_of(str(source))) is not None:
        archives = link(url)
        if not all(map(is_archive, archives)):
            raise DataError(
                f"{url} is no archive of recordings. At a URL expected: .zip, .tar, .tfrecord or .parquet."
            )
        return read_archives(archives, options, _TABLE_NAMES, labelled=labelled)
    path = Path(source)
    if not path.exists():
        raise DataError(
            f"{path} does not exist. Expected a folder of recordings, a table (csv, tsv, parquet, arff), or an "
            "archive (zip, tar, tfrecord, parquet)."
        )
    if path.is_dir():
        return _from_folder(path, options, labelled)
    if is_archive(path):
        return read_archives([path], options, _TABLE_NAMES, labelled=labelled)
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return _from_file(path, options, labelled)
    if suffix in AUDIO_SUFFIXES and not labelled:
        check_names([path])
        return make_clips([()], paths=[str(path)])
    if suffix in AUDIO_SUFFIXES:
        raise DataError(
            f"{path} is a single recording, which can be predicted but not learnt from. "
            "Expected a folder of recordings, or a table that lists them."
        )
    raise DataError(
        f"{path} is neither a folder, nor a recording, nor a table, nor an archive. Tables end in: "
        f"{', '.join(sorted(TABLE_SUFFIXES))}; archives in: .zip, .tar, .tfrecord, .parquet."
    )


def check_names(paths: Sequence[Path]) -> None:
    """Raise DataError if names of files are not UTF-8."""
    strange = [with_bytes_shown(str(path)) for path in paths if not in_utf8(str(path))]
    if strange:
        raise DataError(
            f"{plural(len(strange), 'name')} {'is' if len(strange) == 1 else 'are'} not UTF-8, which neither "
            f"libsndfile nor a table can hold:\n{listing(strange)}\nRename them."
        )


def _from_frame(source: pd.DataFrame, options: ReadOptions, labelled: bool) -> Clips:
    table = source.rename(columns=str)
    repeated = sorted(set(table.columns[table.columns.duplicated()]))
    if repeated:
        raise DataError(f"The table has more than one column called: {', '.join(repeated)}.")
    if len(table) == 0:
        raise DataError("The table has no rows.")
    return read_table(table, options, where="the table", root=None, labelled=labelled)


def _from_file(path: Path, options: ReadOptions, labelled: bool) -> Clips:
    if path.suffix.lower() == ".arff":
        return read_arff(path, options, labelled=labelled)
    table, notes = load_table(path, options)
    return read_table(table, options, where=str(path), root=path.parent, labelled=labelled, notes=notes)


def _from_folder(folder: Path, options: ReadOptions, labelled: bool) -> Clips:
    paths, _ = find_audio(folder)
    if not paths and (archives := archives_in(folder)):
        return read_archives(archives, options, _TABLE_NAMES, labelled=labelled)
    tables = _tables_in(folder)
    if not paths and tables:
        suggested = next((table for table in tables if table.stem.lower() == "train"), tables[0])
        raise DataError(
            f"{folder} holds tables and no recordings: {', '.join(table.name for table in tables[:8])}. "
            f"Give the one to read, such as {suggested}."
        )
    if options.label_from:
        return read_folder(folder, options, labelled=labelled)
    lists = [table for table in tables if _lists_recordings(table, options)]
    if len(lists) > 1:
        raise DataError(
            f"{folder} holds {len(lists)} tables that list its recordings: "
            f"{', '.join(table.name for table in lists)}. Give the one to read, such as {lists[0]}."
        )
    if not lists:
        return read_folder(folder, options, labelled=labelled)
    clips = _from_file(lists[0], options, labelled)
    listed = {file.resolve() for file in clips.files()}
    unlisted = sum((folder / path).resolve() not in listed for path in paths)
    notes = [f"read from {lists[0].name} in {folder}"]
    if unlisted:
        notes.append(
            f"{unlisted:,} of {plural(len(paths), 'recording')} in {folder} {'is' if unlisted == 1 else 'are'} not in "
            f"{lists[0].name}: left out"
        )
    return replace(clips, notes=(*notes, *clips.notes))


def _tables_in(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (".csv", ".tsv", ".parquet", ".arff")
        and path.is_file()
        and not path.name.startswith(".")
    ]


def _lists_recordings(path: Path, options: ReadOptions) -> bool:
    if path.suffix.lower() == ".arff" or path.stem.lower() not in _TABLE_NAMES:
        return False
    table, _ = load_table(path, options)
    only_path = ReadOptions(path=options.path, start="none", end="none")
    column = find_roles(table, only_path, str(path)).get("path")
    if column is None:
        return False
    root = options.audio_root or path.parent
    first = [cell_text(cell).replace("\\", "/") for cell in table[column].head(20)]
    recordings = ListedRecordings(root, given=options.audio_root is not None)
    return any(name and (is_file(root / name) or len(recordings.of(name)) == 1) for name in first)
