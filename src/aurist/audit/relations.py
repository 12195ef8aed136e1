"""How rows are related, within a table and across two: by group, by recording, by input, by sound in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.broken import clip_spans
from aurist.audit.duplicates import Ints, Rows, joined, repeated_sets, row_hashes
from aurist.audit.files import FileFacts
from aurist.audit.near import COLUMNS, near_pairs
from aurist.clips.table import Clips, row_display_name
from aurist.errors import DataError, listing, plural

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Relations:
    """Relations among the rows of one table, or of two, the second's rows counted on from the first's.

    Parameters
    ----------
    rows
        All rows: the columns of the clips tables, ``display_name`` (their names in messages), ``file`` and ``sound`` (a
        number for each distinct file and each distinct decoded content; -1 for none) and ``input`` (the same where a
        model would see the same; -1 where a fatal flaw leaves nothing to see).
    group, recording, identical
        Sets of rows of one given group; of one file; with one input.
    near
        Pairs of files that share sound without being the same: ``a, b`` (a row of each),
        ``offset, overlap, error, bits``.
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
        """All sets of rows that have input or sound in common, the given groups aside."""
        return [*self.identical, *self.recording, *self.copies, *self.near_sets]

    def members(self, sets: Iterable[Rows]) -> Ints:
        """A number for each row, the same for all that hang together by these sets; -1 for a row in none, (n_rows,)."""
        sets = list(sets)
        out = joined(len(self.rows), sets)
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
        For each, what is known of its paths.
    usable
        For each, the rows without a fatal flaw: the others are nobody's duplicates.
    near
        Whether to look for near duplicates.

    Raises
    ------
    DataError
        Where the second table lacks features of the first.
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
        recording=_sets(rows["file"]),
        identical=_sets(rows["input"]),
        near=pairs,
        near_sets=near_sets,
        copies=_sets(rows["sound"]),
    )


def _sets(codes: pd.Series[int]) -> list[Rows]:
    rows = np.flatnonzero(codes >= 0)
    return repeated_sets(codes.to_numpy()[rows], rows)


def _called(clips: Clips) -> Iterator[str]:
    rows: Sequence[int | str | None] = clips.rows or [None] * len(clips)
    for name, path, row in zip(clips.table["clip_id"], clips.table["path"], rows, strict=True):
        yield row_display_name(str(name), path, row)


def _joint(tables: Sequence[Clips], facts: Sequence[Mapping[str, FileFacts]], usable: Mask) -> pd.DataFrame:
    plain = ["clip_id", "path", "labels", "group", "fold", "part"]
    rows = pd.concat([clips.table[plain] for clips in tables], ignore_index=True)
    rows["table"] = np.repeat(np.arange(len(tables)), [len(clips) for clips in tables])
    rows["called"] = [name for clips in tables for name in _called(clips)]
    rows["usable"] = usable
    rows["group_code"] = pd.factorize(rows["group"])[0]
    where: list[str | None] = []
    digest: list[str | None] = []
    for clips, of in zip(tables, facts, strict=True):
        absolute = {path: str(clips.file(path).absolute()) for path in of}
        where += [None if path is None else absolute[path] for path in clips.table["path"]]
        digest += [None if path is None else of[path].digest or None for path in clips.table["path"]]
    rows["file"] = pd.factorize(pd.Series(where, dtype=object))[0]
    rows["sound"] = pd.factorize(pd.Series(digest, dtype=object))[0]
    rows.loc[~rows["usable"], "sound"] = -1
    return rows


def _inputs(tables: Sequence[Clips], rows: pd.DataFrame) -> Ints:
    """The same number where a model would see the same: all features, or the samples between start and end."""
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
        parts = pd.DataFrame({"features": pd.factorize(keys)[0]})
    else:
        parts = pd.DataFrame(index=range(len(rows)))
    if not names or all(clips.has_audio for clips in tables):
        # to the last bit: in hours of sound, times of float32 would be milliseconds apart
        spans = [span for clips in tables for span in clip_spans(clips)]
        parts[["start", "end"]] = np.array(spans, dtype=np.float64).reshape(-1, 2)
        parts["sound"] = rows["sound"].to_numpy()
    codes = parts.groupby(list(parts), sort=False, dropna=False).ngroup().to_numpy(dtype=np.int64)
    seen = rows["usable"] if names else rows["sound"] >= 0
    return np.where(seen, codes, -1)


def _near(rows: pd.DataFrame, facts: Sequence[Mapping[str, FileFacts]]) -> pd.DataFrame:
    first = rows[rows["sound"] >= 0].drop_duplicates("sound")
    prints = [facts[table][path].prints for table, path in zip(first["table"], first["path"], strict=True)]
    pairs = near_pairs(prints)
    row = first.index.to_numpy()
    return pairs.assign(a=row[pairs["a"]], b=row[pairs["b"]])[COLUMNS]
