"""Read clips from archives: those with a table inside, and those whose folders are classes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from aurist.archives import ArchiveError, is_archive, open_archive, read_member, table_of
from aurist.clips.folders import read_folder
from aurist.clips.guess import ReadOptions, part_of
from aurist.clips.load_table import load_table
from aurist.clips.suffixes import TABLE_SUFFIXES, is_audio
from aurist.clips.table import Clips
from aurist.clips.table_to_clips import read_table
from aurist.errors import DataError, plural


def archives_in(folder: Path) -> list[Path]:
    """List the archives of recordings in a folder, by name."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and is_archive(path)]


def read_archives(
    paths: Sequence[Path], options: ReadOptions, tables: Sequence[str], *, labelled: bool
) -> Clips:
    """Read clips from archives of one kind; recordings are read in place, one at a time.

    Parameters
    ----------
    paths
        The archives, in one folder.
    options
        Columns and patterns.
    tables
        The names, without ending, of tables inside an archive that list its recordings.
    labelled
        True if labels are needed.

    Raises
    ------
    DataError
        If an archive is damaged, holds no recordings, or rows are wrong.
    """
    tables_of = {path: table_of(path) for path in paths}
    if all(table is not None for table in tables_of.values()):
        return _joined(
            {path: table for path, table in tables_of.items() if table is not None}, options, labelled
        )
    if len(paths) > 1:
        raise DataError(
            f"{paths[0].parent} holds {len(paths)} archives without labels beside the recordings, such as "
            f"{paths[0].name}. Give one of them."
        )
    inside = None if options.label_from else _table_inside(paths[0], tables)
    if inside is None:
        return read_folder(paths[0], options, labelled=labelled)
    with tempfile.TemporaryDirectory(prefix="aurist-table-") as folder:
        copy = Path(folder) / PurePosixPath(inside).name
        copy.write_bytes(read_member(paths[0] / inside) or b"")
        table, notes = load_table(copy, options)
    where = paths[0] / inside
    notes = [f"read from {inside} in {paths[0].name}", *notes]
    return read_table(table, options, where=str(where), root=where.parent, labelled=labelled, notes=notes)


def _joined(tables_of: dict[Path, pd.DataFrame], options: ReadOptions, labelled: bool) -> Clips:
    """Join the tables of archives; their names may tell train, validation and test."""
    root = next(iter(tables_of)).parent
    parts = {path: _part(path) for path in tables_of}
    frames = []
    for path, table in tables_of.items():
        named = table.assign(path=[f"{path.name}/{name}" for name in table["path"]])
        if len(set(parts.values())) > 1 and None not in parts.values() and "split" not in named:
            named["split"] = parts[path]
        frames.append(named)
    joined = pd.concat(frames, ignore_index=True)
    names = ", ".join(path.name for path in list(tables_of)[:3]) + (" ..." if len(tables_of) > 3 else "")
    return read_table(
        joined,
        options,
        where=names,
        root=root,
        labelled=labelled,
        notes=[f"{plural(len(joined), 'recording')} in {plural(len(tables_of), 'archive')}: {names}"],
    )


def _part(path: Path) -> str | None:
    """Read the part of the data from the beginning of a name, as in train-00000-of-00005.parquet.

    Examples
    --------
    >>> _part(Path("validation-00000-of-00001.parquet")), _part(Path("shard-001.tar"))
    ('validation', None)
    """
    word = path.stem.replace("_", "-").split("-")[0]
    return word if part_of(word) else None


def _table_inside(path: Path, tables: Sequence[str]) -> str | None:
    """Return the name of the table that lists the recordings of an archive."""
    members = open_archive(path).names
    names = [
        name
        for name in members
        if PurePosixPath(name).suffix.lower() in TABLE_SUFFIXES and PurePosixPath(name).stem.lower() in tables
    ]
    if len(names) > 1:
        raise DataError(
            f"{path} holds {len(names)} tables: {', '.join(names[:8])}. Unpack the one to read, and give it with "
            f"audio_root={path}."
        )
    if not any(map(is_audio, members)):
        raise ArchiveError(f"{path} holds no recordings (.wav, .flac, .ogg, .mp3 ...).")
    return names[0] if names else None
