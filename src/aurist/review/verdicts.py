"""What a person said of clips, back to annotations."""

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
    """What was said.

    Parameters
    ----------
    annotations
        ``yes``: present. ``no``: absent. Another label: that is present, and what was announced is absent.
    precision
        ``label, drawn, judged, right, precision, low, high``: of each class and way of drawing, with the 95% interval
        (see `aurist.metrics.proportion.wilson`). Those drawn at random say how often the class is announced rightly.
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
        What a verdict may name beside ``yes``, ``no`` and ``?``.

    Raises
    ------
    DataError
        Where columns are missing, or verdicts are none of these: all of them at once, with their rows.
    """
    table = read_text_table(path).with_points(("start", "end"))
    table.need(_NEEDED, "table of clips")
    said = [_spelt(row["verdict"], classes) for row in table.rows]
    _check(table, said, classes)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for row, verdict, number in zip(table.rows, said, table.numbers, strict=True):
        for label, state in _states(row["label"], verdict):
            where = {"path": row["recording"], "start": row["start"], "end": row["end"]}
            rows.append({**where, "label": label, "state": state})
            lines.append(number)
    made = make_annotations(rows, str(path), lines=lines, notes=table.notes)
    judged = [(row, v) for row, v in zip(table.rows, said, strict=True) if v not in ("", UNSURE)]
    return Verdicts(made, _precision(judged), len(said) - len(judged))


def _spelt(verdict: str, classes: Sequence[str]) -> str:
    """``yes``, ``no`` and ``?`` as here, whatever their case; labels as they are."""
    return verdict.lower() if verdict.lower() in (YES, NO) and verdict not in classes else verdict


def _check(table: TextTable, said: Sequence[str], classes: Sequence[str]) -> None:
    known = {"", YES, NO, UNSURE, *classes}
    wrong = []
    for row, verdict, number in zip(table.rows, said, table.numbers, strict=True):
        if verdict not in known:
            near = difflib.get_close_matches(verdict, [YES, NO, *classes], n=1)
            perhaps = f", perhaps {near[0]}" if near else ""
            wrong.append(f"row {number}, {row.get('file', row['recording'])}: {verdict!r}{perhaps}")
    if wrong:
        raise DataError(
            f"{table.where}: {plural(len(wrong), 'verdict')} that cannot be:\n{listing(wrong)}\n"
            f"Expected yes, no, ? or nothing, or a label: {', '.join(classes[:20])}"
            f"{' ...' if len(classes) > 20 else ''}. Name labels that are new with labels=."
        )


def _states(label: str, verdict: str) -> list[tuple[str, str]]:
    """What a verdict says of which labels.

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
    counted = [
        (row["label"], way, verdict in (YES, row["label"]))
        for row, verdict in judged
        for way in row.get("selected_by", "").split(";")
    ]
    table = pd.DataFrame(counted, columns=["label", "selected_by", "right"]).astype({"right": int})
    found = table.groupby(["label", "selected_by"])["right"].agg(judged="count", right="sum").reset_index()
    low, high = wilson(found["right"], found["judged"])
    return found.assign(precision=found["right"] / found["judged"], low=low, high=high)
