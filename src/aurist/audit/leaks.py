"""Find leaks: sets of rows on both sides of a boundary (folds, parts, a test table)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

COLUMNS = ["between", "what", "sets", "rows", "share", "example"]


def crossing(
    between: str,
    what: str,
    sides: npt.NDArray[np.object_],
    members: npt.NDArray[np.integer],
    names: Sequence[str],
    held_out: str | None = None,
) -> dict[str, object] | None:
    """Find the sets that have rows on more than one side.

    Parameters
    ----------
    between
        The boundary: "folds", "train and valid" ...
    what
        The kind of sets: "group", "identical features" ...
    sides : (n,)
        The side of each row; rows with None are on no side.
    members : (n,)
        The set of each row; -1 for none.
    names : (n,)
        Names of rows for the example.
    held_out
        Count only rows of this side; of all sides by default.

    Returns
    -------
    dict or None
        Count of ``sets`` that cross and of their ``rows``, ``share`` of these among the rows of a side, an
        ``example``; None if nothing crosses.
    """
    assigned = np.array([side is not None for side in sides], dtype=bool) & (members >= 0)
    table = pd.DataFrame({"set": members[assigned], "side": sides[assigned], "row": np.flatnonzero(assigned)})
    n_sides = table.groupby("set", sort=False)["side"].transform("nunique")
    crosses = table[n_sides > 1]
    if crosses.empty:
        return None
    counted = crosses if held_out is None else crosses[crosses["side"] == held_out]
    n_side = sum(side is not None and held_out in (None, side) for side in sides)
    first = crosses[crosses["set"] == crosses["set"].iloc[0]].drop_duplicates("side").head(2)
    example = " and ".join(
        f"{names[row]} ({side})" for row, side in zip(first["row"], first["side"], strict=True)
    )
    return {
        "between": between,
        "what": what,
        "sets": int(crosses["set"].nunique()),
        "rows": len(counted),
        "share": len(counted) / n_side,
        "example": example,
    }


def find_leaks(
    table: pd.DataFrame, kinds: Sequence[tuple[str, npt.NDArray[np.integer]]], names: Sequence[str]
) -> list[dict[str, object]]:
    """Find all sets on both sides of the given folds or parts.

    Parameters
    ----------
    table
        The clips table; ``fold`` and ``part`` are used.
    kinds
        Sets that must not cross, as (name, set of each row or -1).
    names
        Names of the rows.
    """
    part = table["part"].to_numpy(dtype=object)
    boundaries: list[tuple[str, npt.NDArray[np.object_], str | None]] = [
        ("folds", table["fold"].to_numpy(dtype=object), None)
    ]
    for a, b in (("train", "valid"), ("train", "test"), ("valid", "test")):
        sides = part.copy()
        sides[(part != a) & (part != b)] = None
        boundaries.append((f"{a} and {b}", sides, b))
    leaks = []
    for between, sides, held_out in boundaries:
        if len({side for side in sides if side is not None}) > 1:
            leaks += [crossing(between, what, sides, members, names, held_out) for what, members in kinds]
    return [leak for leak in leaks if leak is not None]
