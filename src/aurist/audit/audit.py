"""Run the audit: describe the data, and find broken, duplicate and leaking clips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.audit.broken import broken_clips, feature_findings
from aurist.audit.content import class_findings, describe, sound_findings
from aurist.audit.duplicates import Ints, Rows, ceiling, conflicting, connect_sets
from aurist.audit.files import FINGERPRINTED
from aurist.audit.leaks import COLUMNS as LEAK_COLUMNS
from aurist.audit.leaks import crossing, find_leaks
from aurist.audit.measure_files import measure_files
from aurist.audit.measured import MeasuredFiles
from aurist.audit.prints import PrintWriter
from aurist.audit.relations import Mask, Relations, relate
from aurist.audit.result import Audit, Finding
from aurist.clips.table import Clips

CONFLICT_COLUMNS = ["kind", "set", "row", "clip_id", "labels"]
NEAR_COLUMNS = [
    *("row", "other_row", "in_test", "path", "other_path", "group", "other_group", "labels", "other_labels"),
    *("offset", "overlap", "error"),
]


def audit(
    clips: Clips,
    test: Clips | None = None,
    *,
    jobs: int = 0,
    cache_dir: Path | None = None,
    progress: bool = True,
    near: bool = True,
) -> Audit:
    """Describe the data, and find broken, duplicate and leaking clips.

    Parameters
    ----------
    clips
        The clips to learn from.
    test
        A table to predict later, compared with the clips.
    jobs
        Files decoded at a time; 0 for as many as there are processors.
    cache_dir
        Folder to remember facts about each file; None: no cache.
    progress
        True: show a progress bar if it takes more than two seconds.
    near
        True: search for near duplicates.

    Raises
    ------
    DataError
        If the test table lacks feature columns of the first.

    Examples
    --------
    >>> from aurist.clips.table import make_clips
    >>> rows = pd.DataFrame({"tempo": [120.0, 90.0, 120.0], "energy": [0.5, 0.2, 0.5]})
    >>> result = audit(make_clips([("rap",), ("emo",), ("trap",)], features=rows))
    >>> result.distinct, [rows.tolist() for rows in result.exact], result.groups.tolist()
    (2, [[0, 2]], [0, 1, 0])
    >>> round(result.ceiling, 3)
    0.667
    """
    tables = [clips] if test is None else [clips, test]
    with PrintWriter(cache_dir) as prints:
        files = measure_files(tables, prints, jobs=jobs, cache_dir=cache_dir, progress=progress, near=near)
        broken = [broken_clips(table, of_table.flaws) for table, of_table in zip(tables, files, strict=True)]
        usable = [_usable(table, flaws) for table, flaws in zip(tables, broken, strict=True)]
        relations = relate(tables, files, usable, prints.prints() if near else None)
    n = len(clips)
    groups = connect_sets(n, _within([*relations.group, *relations.by_sound], n))
    exact = _within(relations.identical, n)
    near_table = _near_table(relations, n)
    leaks = _leaks(clips, relations)
    return Audit(
        content=describe(clips, files[0]),
        broken=broken[0],
        usable=usable[0],
        findings=tuple(_findings(clips, files[0], relations, groups, usable[0])),
        exact=exact,
        distinct=relations.rows["input"][:n][relations.rows["input"][:n] >= 0].nunique(),
        near=near_table,
        conflicts=_conflicts(clips, exact, near_table),
        ceiling=_ceiling(clips, relations),
        leaks=leaks,
        groups=groups,
        seen=_seen(relations, n),
        test_content=describe(test, files[1]) if test is not None else {},
        test_broken=broken[1] if test is not None else broken[0].iloc[:0],
        clip_ids=tuple(clips.table["clip_id"]),
        rows=clips.rows,
        test_rows=() if test is None else test.rows,
    )


def _usable(clips: Clips, broken: pd.DataFrame) -> Mask:
    usable = np.ones(len(clips), dtype=bool)
    usable[broken.loc[broken["fatal"], "row"]] = False
    return usable


def _within(sets: Iterable[Rows], n: int) -> list[Rows]:
    """Limit sets to rows of the first table; sets of one row are dropped."""
    return [rows for rows in (members[members < n] for members in sets) if len(rows) > 1]


def _seen(relations: Relations, n: int) -> Mask:
    seen = np.zeros(len(relations.rows), dtype=bool)
    for rows in relations.by_sound:
        if rows.min() < n:
            seen[rows] = True
    return seen[n:]


def _near_table(relations: Relations, n: int) -> pd.DataFrame:
    pairs = relations.near[relations.near["a"] < n]
    rows, a, b = relations.rows, pairs["a"].to_numpy(), pairs["b"].to_numpy()
    columns = {"row": a, "other_row": np.where(b < n, b, b - n), "in_test": b >= n}
    for name in ("path", "group", "labels"):
        values = rows[name].to_numpy(dtype=object)
        columns |= {name: values[a], f"other_{name}": values[b]}
    for name in ("offset", "overlap", "error"):
        columns[name] = pairs[name].to_numpy()
    return pd.DataFrame(columns)[NEAR_COLUMNS]


def _conflicts(clips: Clips, exact: list[Rows], near: pd.DataFrame) -> pd.DataFrame:
    labels = clips.table["labels"].tolist()
    pairs = near[~near["in_test"].astype(bool)]
    is_only_clip = clips.table["path"].map(clips.table["path"].value_counts()) == 1
    single_pairs = [
        np.array([a, b])
        for a, b in zip(pairs["row"], pairs["other_row"], strict=True)
        if is_only_clip[a] and is_only_clip[b]
    ]
    conflict_rows = []
    for kind, sets in (("exact", exact), ("near", single_pairs)):
        for number, rows in enumerate(conflicting(sets, labels) if clips.labelled else []):
            conflict_rows += [
                (kind, number, int(row), clips.table["clip_id"].iloc[row], labels[row]) for row in rows
            ]
    return pd.DataFrame(conflict_rows, columns=CONFLICT_COLUMNS)


def _ceiling(clips: Clips, relations: Relations) -> float:
    if not clips.labelled:
        return float("nan")
    keys = relations.rows["input"].to_numpy()[: len(clips)]
    labels = clips.table["labels"]
    rows = np.flatnonzero((keys >= 0) & (clips.multilabel | (labels.map(len) > 0).to_numpy()))
    return ceiling(keys[rows], labels.iloc[rows].tolist())


def _leaks(clips: Clips, relations: Relations) -> pd.DataFrame:
    kinds = [
        ("group", relations.members(relations.group)),
        ("recording", relations.members(relations.recording)),
        (
            "identical features" if clips.features else "identical sound",
            relations.members(relations.identical),
        ),
        ("near duplicates", relations.members(relations.near_sets)),
    ]
    n = len(clips)
    names = relations.rows["display_name"].tolist()
    leaks = find_leaks(clips.table, [(kind, members[:n]) for kind, members in kinds], names)
    if len(relations.rows) > n:
        sides = np.where(relations.rows["table"] == 0, "train", "test").astype(object)
        crossings = [
            crossing("the two tables", kind, sides, members, names, "test") for kind, members in kinds
        ]
        leaks += [leak for leak in crossings if leak is not None]
    return pd.DataFrame(leaks, columns=LEAK_COLUMNS)


def _findings(
    clips: Clips, files: MeasuredFiles, relations: Relations, groups: Ints, usable: Mask
) -> Iterator[Finding]:
    for parts_found in (
        feature_findings(clips),
        sound_findings(clips, files) if clips.has_audio else [],
        class_findings(clips, groups, usable),
    ):
        for kind, count, detail in parts_found:
            yield Finding(kind, count, detail)
    inside = relations.near[relations.near["b"] < len(clips)]
    group = relations.rows["group"].to_numpy(dtype=object)
    separated = [
        (a, b) for a, b in zip(inside["a"], inside["b"], strict=True) if group[a] != group[b] and group[a]
    ]
    if separated:
        a, b = separated[0]
        name = relations.rows["display_name"]
        sentence = (
            f"near duplicates with different given groups, as {name[a]} and {name[b]}; they share a group now"
        )
        yield Finding("groups apart", len(separated), sentence)
    n_long = int((files.seconds > FINGERPRINTED).sum())
    if n_long:
        yield Finding("long recordings", n_long, "near duplicates were looked for in their first hour only")
