"""Read a person's verdicts on clips, and turn them into annotations."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.annotations import ABSENT, PRESENT, Annotations, make_annotations
from aurist.annotations.text_table import TextTable, read_text_table
from aurist.errors import DataError, listing, plural
from aurist.metrics.proportion import wilson

YES, NO, UNSURE = "yes", "no", "?"
_NEEDED = ("recording", "start", "end", "label", "verdict")


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of a person.

    Parameters
    ----------
    annotations
        ``yes``: present. ``no``: absent. Another label: that label is present, and the detected one is absent.
    precision
        ``label, drawn, judged, right, precision, low, high``: of each class and kind of sample, with the 95% interval
        (see `aurist.metrics.proportion.wilson`). The random sample estimates the precision of the class.
    open
        Rows without a verdict, or with ``?``.
    """

    annotations: Annotations
    precision: pd.DataFrame
    open: int


def read_verdicts(path: Path, classes: Sequence[str]) -> Verdicts:
    """Read a table of clips that a person has filled in.

    Parameters
    ----------
    path
        ``clips.csv``, as `aurist.automl.cut_clips` wrote it, with verdicts; a spreadsheet may have saved it.
    classes
        Labels that a verdict may name besides ``yes``, ``no`` and ``?``.

    Raises
    ------
    DataError
        If columns are missing, or verdicts are none of these. All of them are listed, with their rows.
    """
    table = read_text_table(path).with_points(("start", "end"))
    table.need(_NEEDED, "table of clips")
    verdicts = [_spelt(row["verdict"], classes) for row in table.rows]
    _check(table, verdicts, classes)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for row, verdict, number in zip(table.rows, verdicts, table.numbers, strict=True):
        for label, state in _states(row["label"], verdict):
            span = {"path": row["recording"], "start": row["start"], "end": row["end"]}
            rows.append({**span, "label": label, "state": state})
            lines.append(number)
    annotations = make_annotations(rows, str(path), lines=lines, notes=table.notes)
    judged = [
        (row, verdict_of_row)
        for row, verdict_of_row in zip(table.rows, verdicts, strict=True)
        if verdict_of_row not in ("", UNSURE)
    ]
    return Verdicts(annotations, _precision(judged), len(verdicts) - len(judged))


def _spelt(verdict: str, classes: Sequence[str]) -> str:
    """Write ``yes`` and ``no`` in lower case; leave labels as they are."""
    return verdict.lower() if verdict.lower() in (YES, NO) and verdict not in classes else verdict


def _check(table: TextTable, verdicts: Sequence[str], classes: Sequence[str]) -> None:
    allowed = {"", YES, NO, UNSURE, *classes}
    problems = []
    for row, verdict, number in zip(table.rows, verdicts, table.numbers, strict=True):
        if verdict not in allowed:
            similar = difflib.get_close_matches(verdict, [YES, NO, *classes], n=1)
            perhaps = f", perhaps {similar[0]}" if similar else ""
            problems.append(f"row {number}, {row.get('file', row['recording'])}: {verdict!r}{perhaps}")
    if problems:
        raise DataError(
            f"{table.where}: {plural(len(problems), 'invalid verdict')}:\n{listing(problems)}\n"
            f"Expected yes, no, ? or nothing, or a label: {', '.join(classes[:20])}"
            f"{' ...' if len(classes) > 20 else ''}. Name labels that are new with labels=."
        )


def _states(label: str, verdict: str) -> list[tuple[str, str]]:
    """Give the labels that a verdict is about, with their states.

    Examples
    --------
    >>> _states("wren", "yes"), _states("wren", "robin"), _states("wren", "?")
    ([('wren', 'present')], [('robin', 'present'), ('wren', 'absent')], [])
    """
    if verdict in ("", UNSURE):
        return []
    if verdict in (YES, label):
        return [(label, PRESENT)]
    return [(label, ABSENT)] if verdict == NO else [(verdict, PRESENT), (label, ABSENT)]


def _precision(judged: Sequence[tuple[dict[str, str], str]]) -> pd.DataFrame:
    rows = [
        (row["label"], sample, verdict in (YES, row["label"]))
        for row, verdict in judged
        for sample in row.get("selected_by", "").split(";")
    ]
    table = pd.DataFrame(rows, columns=["label", "selected_by", "right"]).astype({"right": int})
    counts = table.groupby(["label", "selected_by"])["right"].agg(judged="count", right="sum").reset_index()
    low, high = wilson(counts["right"], counts["judged"])
    return counts.assign(precision=counts["right"] / counts["judged"], low=low, high=high)
