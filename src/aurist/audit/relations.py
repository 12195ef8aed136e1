"""Relations of rows, within a table and between two: by group, recording, equal input and shared sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.broken import clip_spans
from aurist.audit.duplicates import Ints, Rows, connect_sets, repeated_sets, row_hashes
from aurist.audit.files import FileFacts
from aurist.audit.near import COLUMNS, near_pairs
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
    tables: Sequence[Clips], facts: Sequence[Mapping[str, FileFacts]], usable: Sequence[Mask], *, near: bool
) -> Relations:
    """Find all relations.

    Parameters
    ----------
    tables
        One table or two.
    facts
        For each table, the facts about its paths.
    usable
        For each table, the rows without a fatal flaw; the others are no duplicates.
    near
        True: search for near duplicates.

    Raises
    ------
    DataError
        If the second table lacks features of the first.
    """
    rows = _joint(tables, facts, np.concatenate(usable))
    rows["input"] = _inputs(tables, rows)
    pairs = _near(rows, facts) if near else _near(rows.iloc[:0], facts)
    of_sound = rows.groupby("sound").indices
    sounds = rows["sound"].to_numpy()
    near_sets = [
        np.concatenate([of_sound[sounds[a]], of_sound[sounds[b]]]).astype(np.intp)
        for a, b in zip(pairs["a"], pairs["b"], strict=True)
    ]
    return Relations(
        rows=rows,
        group=_sets(rows["group_code"]),
        recording=_sets(_divided(rows, "file", tables)),
        identical=_sets(rows["input"]),
        near=pairs,
        near_sets=near_sets,
        copies=_sets(_divided(rows, "sound", tables)),
    )


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


def _joint(tables: Sequence[Clips], facts: Sequence[Mapping[str, FileFacts]], usable: Mask) -> pd.DataFrame:
    columns = ["clip_id", "path", "labels", "group", "fold", "part"]
    rows = pd.concat([clips.table[columns] for clips in tables], ignore_index=True)
    rows["table"] = np.repeat(np.arange(len(tables)), [len(clips) for clips in tables])
    rows["display_name"] = [name for clips in tables for name in _display_names(clips)]
    rows["usable"] = usable
    rows["group_code"] = pd.factorize(rows["group"])[0]
    files: list[str | None] = []
    digest: list[str | None] = []
    for clips, table_facts in zip(tables, facts, strict=True):
        absolute = {path: str(clips.file(path).absolute()) for path in table_facts}
        files += [None if path is None else absolute[path] for path in clips.table["path"]]
        digest += [None if path is None else table_facts[path].digest or None for path in clips.table["path"]]
    rows["file"] = pd.factorize(pd.Series(files, dtype=object))[0]
    rows["sound"] = pd.factorize(pd.Series(digest, dtype=object))[0]
    rows.loc[~rows["usable"], "sound"] = -1
    return rows


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
        spans = [span for clips in tables for span in clip_spans(clips)]
        inputs[["start", "end"]] = np.array(spans, dtype=np.float64).reshape(-1, 2)
        inputs["sound"] = rows["sound"].to_numpy()
    codes = inputs.groupby(list(inputs), sort=False, dropna=False).ngroup().to_numpy(dtype=np.int64)
    valid = rows["usable"] if names else rows["sound"] >= 0
    return np.where(valid, codes, -1)


def _near(rows: pd.DataFrame, facts: Sequence[Mapping[str, FileFacts]]) -> pd.DataFrame:
    first = rows[rows["sound"] >= 0].drop_duplicates("sound")
    prints = [facts[table][path].prints for table, path in zip(first["table"], first["path"], strict=True)]
    pairs = near_pairs(prints)
    row = first.index.to_numpy()
    return pairs.assign(a=row[pairs["a"]], b=row[pairs["b"]])[COLUMNS]
