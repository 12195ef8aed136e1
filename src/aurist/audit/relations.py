"""Relations of rows, within a table and between two: by group, recording, equal input and shared sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.broken import clip_spans
from aurist.audit.duplicates import Ints, Rows, connect_sets, repeated_sets, row_hashes
from aurist.audit.measured import MeasuredFiles
from aurist.audit.near import COLUMNS, near_pairs
from aurist.audit.prints import Prints
from aurist.clips.table import Clips, row_display_name
from aurist.errors import DataError, listing, plural

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Relations:
    """Relations among the rows of one or two tables; rows of the second follow those of the first.

    Parameters
    ----------
    rows
        All rows: the columns of the clips tables, ``display_name`` (names for messages), ``file`` and ``sound`` (a
        number for each distinct file and each distinct decoded content; -1: none) and ``input`` (equal for equal
        inputs of a model; -1 for rows with a fatal flaw).
    group, recording, identical
        Sets of rows of one given group; of one file; with one input.
    near
        Pairs of different files that share sound: ``a, b`` (a row of each), ``offset, overlap, error, bits``.
    near_sets
        For each of these pairs, all rows of the two files.
    copies
        Sets of rows whose files hold the same samples.
    """

    rows: pd.DataFrame
    group: list[Rows]
    recording: list[Rows]
    identical: list[Rows]
    near: pd.DataFrame
    near_sets: list[Rows]
    copies: list[Rows]

    @property
    def by_sound(self) -> list[Rows]:
        """All sets of rows with equal input or shared sound, without the given groups."""
        return [*self.identical, *self.recording, *self.copies, *self.near_sets]

    def members(self, sets: Iterable[Rows]) -> Ints:
        """Number rows, (n_rows,): equal for rows connected by these sets, -1 for rows in no set."""
        sets = list(sets)
        out = connect_sets(len(self.rows), sets)
        alone = np.ones(len(self.rows), dtype=bool)
        for rows in sets:
            alone[rows] = False
        out[alone] = -1
        return out


def relate(
    tables: Sequence[Clips], files: Sequence[MeasuredFiles], usable: Sequence[Mask], prints: Prints | None
) -> Relations:
    """Find all relations.

    Parameters
    ----------
    tables
        One table or two.
    files
        For each table, its files.
    usable
        For each table, the rows without a fatal flaw; the others are no duplicates.
    prints
        The fingerprints of the files, to search for near duplicates; None: do not search.

    Raises
    ------
    DataError
        If the second table lacks features of the first.
    """
    rows = _joint(tables, files, np.concatenate(usable))
    rows["input"] = _inputs(tables, rows)
    pairs = near_pairs([])[COLUMNS] if prints is None else _near(rows, prints)
    return Relations(
        rows=rows,
        group=_sets(rows["group_code"]),
        recording=_sets(_divided(rows, "file", tables)),
        identical=_sets(rows["input"]),
        near=pairs,
        near_sets=_near_sets(rows["sound"].to_numpy(), pairs),
        copies=_sets(_divided(rows, "sound", tables)),
    )


def _near_sets(sound: Ints, pairs: pd.DataFrame) -> list[Rows]:
    """Return, for each pair of rows, all rows with the sound of either."""
    order = np.argsort(sound, kind="stable")
    in_order = sound[order]

    def rows_of(row: int) -> Rows:
        begin, end = np.searchsorted(in_order, [sound[row], sound[row] + 1])
        return order[begin:end]

    return [np.concatenate([rows_of(a), rows_of(b)]) for a, b in zip(pairs["a"], pairs["b"], strict=True)]


def _divided(rows: pd.DataFrame, name: str, tables: Sequence[Clips]) -> pd.Series[int]:
    """Return codes of a column; where groups are stretches of recordings, each stretch has its own."""
    if not any(clips.by_time for clips in tables):
        return rows[name]
    codes = rows.groupby([name, "group_code"], sort=False).ngroup()
    return codes.where(rows[name] >= 0, -1)


def _sets(codes: pd.Series[int]) -> list[Rows]:
    rows = np.flatnonzero(codes >= 0)
    return repeated_sets(codes.to_numpy()[rows], rows)


def _display_names(clips: Clips) -> Iterator[str]:
    rows: Sequence[int | str | None] = clips.rows or [None] * len(clips)
    for name, path, row in zip(clips.table["clip_id"], clips.table["path"], rows, strict=True):
        yield row_display_name(str(name), path, row)


def _joint(tables: Sequence[Clips], files: Sequence[MeasuredFiles], usable: Mask) -> pd.DataFrame:
    columns = ["clip_id", "path", "labels", "group", "fold", "part"]
    rows = pd.concat([clips.table[columns] for clips in tables], ignore_index=True)
    rows["table"] = np.repeat(np.arange(len(tables)), [len(clips) for clips in tables])
    rows["display_name"] = [name for clips in tables for name in _display_names(clips)]
    rows["usable"] = usable
    rows["group_code"] = pd.factorize(rows["group"])[0]
    absolute = [
        str(clips.file(name).absolute())
        for clips, of_table in zip(tables, files, strict=True)
        for name in of_table.names
    ]
    rows["file"] = _by_row(pd.factorize(np.array(absolute, dtype=object))[0], files)
    rows["sound"] = _by_row(_sound_codes(np.concatenate([of_table.digest for of_table in files])), files)
    rows["print"] = _by_row(np.concatenate([of_table.prints for of_table in files]), files)
    rows.loc[~rows["usable"], "sound"] = -1
    return rows


def _by_row(of_files: Ints, files: Sequence[MeasuredFiles]) -> Ints:
    """Turn a column of the files of all tables into one of their rows; -1 for rows without a file."""
    first = np.cumsum([0, *map(len, files)])
    with_none = np.append(of_files, -1)
    positions = [
        np.where(of_table.file < 0, len(of_files), of_table.file + begin)
        for of_table, begin in zip(files, first, strict=False)
    ]
    return np.asarray(with_none[np.concatenate(positions)], dtype=np.int64)


def _sound_codes(digests: npt.NDArray[np.bytes_]) -> Ints:
    """Number files, (n_files,), equal for equal decoded samples; -1 for files without any."""
    _, codes = np.unique(digests, return_inverse=True)
    return np.where(digests == b"", -1, codes)


def _inputs(tables: Sequence[Clips], rows: pd.DataFrame) -> Ints:
    """Number rows by the input of a model: all features, or the samples between start and end."""
    names = list(tables[0].features)
    if names:
        for clips in tables[1:]:
            lacking = [name for name in names if name not in clips.table.columns]
            if lacking:
                raise DataError(
                    f"The second table lacks {len(lacking):,} of {plural(len(names), 'feature column')} of the first:\n"
                    f"{listing([repr(name) for name in lacking])}\n"
                    "Give a table with the same columns."
                )
        keys = row_hashes(pd.concat([clips.table[names] for clips in tables], ignore_index=True))
        inputs = pd.DataFrame({"features": pd.factorize(keys)[0]})
    else:
        inputs = pd.DataFrame(index=range(len(rows)))
    if not names or all(clips.has_audio for clips in tables):
        # exact times: in hours of sound, float32 would round to milliseconds
        inputs[["start", "end"]] = np.concatenate([clip_spans(clips) for clips in tables])
        inputs["sound"] = rows["sound"].to_numpy()
    codes = inputs.groupby(list(inputs), sort=False, dropna=False).ngroup().to_numpy(dtype=np.int64)
    valid = rows["usable"] if names else rows["sound"] >= 0
    return np.where(valid, codes, -1)


def _near(rows: pd.DataFrame, prints: Prints) -> pd.DataFrame:
    first = rows[rows["sound"] >= 0].drop_duplicates("sound")
    pairs = near_pairs(prints.take(first["print"].to_numpy()))
    row = first.index.to_numpy()
    return pairs.assign(a=row[pairs["a"]], b=row[pairs["b"]])[COLUMNS]
