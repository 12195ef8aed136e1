"""The result of an audit, in tables and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from aurist.audit.duplicates import Ints, Rows
from aurist.audit.relations import Mask


@dataclass(frozen=True)
class Finding:
    """A note about the data as a whole.

    Parameters
    ----------
    kind
        "constant", "missing values", "infinite values", "mixed sample rates", "shortcut", "few groups", "groups apart"
        or "long recordings".
    count
        Count of affected columns, cells, clips ...
    detail
        One sentence.
    """

    kind: str
    count: int
    detail: str


@dataclass(frozen=True)
class Audit:
    """The result of the audit.

    Parameters
    ----------
    content
        Description of the table (`aurist.audit.content.describe`).
    broken
        One row per flaw of a clip: ``row, clip_id, path, kind, fatal, detail``.
    usable : (n_clips,)
        True for clips without a fatal flaw.
    findings
        Notes about the data as a whole.
    exact
        Sets of rows with identical inputs: all features equal, or the same decoded samples.
    distinct
        Count of distinct inputs among the usable clips.
    near
        One row per pair of files that share sound: ``row, other_row`` (of ``test`` if ``in_test``), ``path,
        other_path``, ``offset`` (start of the other, in seconds of the first), ``overlap`` (seconds), ``error`` (share
        of differing fingerprint bits), ``labels, other_labels``.
    conflicts
        Sets of rows that are duplicates of each other and have different labels: ``kind`` ("exact" or "near"), ``set``,
        ``row, clip_id, labels``.
    ceiling
        The best possible accuracy, as identical inputs may have different labels.
    leaks
        Sets on both sides of the given folds or parts, or of the two tables: ``between, what, sets, rows, share,
        example``.
    groups : (n_clips,)
        The groups to split by. Rows of one given group, of one file, or duplicates of each other (exact or near,
        directly or through others) have one number.
    seen : (n_test,)
        True for rows of the test table that are also in the other table: the same input, or shared sound; empty without
        a test table.
    test_content, test_broken
        The same as above for the test table; empty without one.
    clip_ids
        The ids of the clips.
    rows, test_rows
        The row of each clip in its file (`aurist.clips.Clips`); empty for folders. In all tables above ``row`` is a
        position, from 0; `with_file_rows` turns it into the row for people.
    """

    content: dict[str, object]
    broken: pd.DataFrame
    usable: Mask
    findings: tuple[Finding, ...]
    exact: list[Rows]
    distinct: int
    near: pd.DataFrame
    conflicts: pd.DataFrame
    ceiling: float
    leaks: pd.DataFrame
    groups: Ints
    seen: Mask
    test_content: dict[str, object]
    test_broken: pd.DataFrame
    clip_ids: tuple[str, ...] = ()
    rows: tuple[int | str, ...] = ()
    test_rows: tuple[int | str, ...] = ()

    @property
    def quarantine(self) -> pd.DataFrame:
        """The fatal flaws: clips to leave out, with the reason."""
        return self.broken[self.broken["fatal"]].reset_index(drop=True)

    def near_table(self) -> pd.DataFrame:
        """Return the pairs of near duplicates for people, with rows of the files instead of positions."""
        other = [
            rows[row] if rows else None
            for row, rows in zip(
                self.near["other_row"],
                (self.test_rows if in_test else self.rows for in_test in self.near["in_test"]),
                strict=True,
            )
        ]
        out = with_file_rows(self.near, self.rows)
        if not self.rows and not self.test_rows:
            return out.drop(columns="other_row")
        return out.assign(other_row=pd.Series(other, index=out.index, dtype=object))

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the groups, for JSON."""
        return {
            "content": self.content,
            "broken": _records(with_file_rows(self.broken, self.rows)),
            "broken_counts": self.broken.groupby("kind")["row"].nunique().to_dict(),
            "left_out": int((~self.usable).sum()),
            "findings": [asdict(finding) for finding in self.findings],
            "distinct": self.distinct,
            "exact_sets": len(self.exact),
            "exact_rows": int(sum(len(rows) for rows in self.exact)),
            "exact": [[(self.rows or self.clip_ids)[row] for row in rows] for rows in self.exact],
            "near": _records(self.near_table()),
            "conflict_sets": len(self.conflicts[["kind", "set"]].drop_duplicates()),
            "conflict_rows": int(self.conflicts["row"].nunique()),
            "conflicts": _records(with_file_rows(self.conflicts, self.rows)),
            "ceiling": None if np.isnan(self.ceiling) else self.ceiling,
            "leaks": _records(self.leaks),
            "groups": len(np.unique(self.groups)),
            "seen": int(self.seen.sum()) if len(self.seen) else None,
            "test_content": self.test_content,
            "test_broken": _records(with_file_rows(self.test_broken, self.test_rows)),
        }


def with_file_rows(table: pd.DataFrame, rows: Sequence[int | str]) -> pd.DataFrame:
    """Turn the column ``row`` from positions, from 0, into rows of the file (the header is row 1).

    Without ``rows``, as for a folder, the column is dropped.

    Examples
    --------
    >>> with_file_rows(pd.DataFrame({"row": [0, 2], "kind": "silent"}), rows=(2, 3, 5))["row"].tolist()
    [2, 5]
    """
    if not rows:
        return table.drop(columns="row")
    return table.assign(row=[rows[row] for row in table["row"]])


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries for JSON."""
    return [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and np.isnan(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
