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
#: Other ways to write these.
_SPELLINGS = {
    **dict.fromkeys(("yes", "y"), YES),
    **dict.fromkeys(("no", "n"), NO),
    **dict.fromkeys(("?", "unsure", "cannot tell", "can't tell"), UNSURE),
}
_SUREST = ("surest_start", "surest_end")
_NEEDED = ("recording", "start", "end", "label", "verdict")


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of a person.

    Parameters
    ----------
    annotations
        ``yes``: present where the score is highest; elsewhere in the event it is unknown. ``no``: absent in the whole
        event. Other labels, such as ``robin;owl``: they are present, and the detected one is absent unless it is named.
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
        Labels that a verdict may name besides ``yes``, ``no`` and ``?``; several are separated by ``;``.

    Raises
    ------
    DataError
        If columns are missing, or verdicts are none of these. All of them are listed, with their rows.
    """
    table = read_text_table(path).with_points(("start", "end", *_SUREST))
    table.need(_NEEDED, "table of clips")
    verdicts = [_spelt(row["verdict"], row["label"], classes) for row in table.rows]
    _check(table, verdicts, classes)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for row, verdict, number in zip(table.rows, verdicts, table.numbers, strict=True):
        for label, state in _states(row["label"], verdict):
            # a call is somewhere in a long event, most likely where the score is highest
            names = (
                _SUREST if state == PRESENT and all(row.get(name) for name in _SUREST) else ("start", "end")
            )
            start, end = (row[name] for name in names)
            rows.append(
                {"path": row["recording"], "start": start, "end": end, "label": label, "state": state}
            )
            lines.append(number)
    annotations = make_annotations(rows, str(path), lines=lines, notes=table.notes)
    judged = [
        (row, verdict_of_row)
        for row, verdict_of_row in zip(table.rows, verdicts, strict=True)
        if verdict_of_row not in ((), (UNSURE,))
    ]
    return Verdicts(annotations, _precision(judged), len(verdicts) - len(judged))


def _spelt(verdict: str, label: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Split a verdict into words: ``yes``, ``no``, ``?``, or labels; ``yes`` next to a label is the detected one.

    Examples
    --------
    >>> [_spelt(verdict, "wren", ["robin"]) for verdict in ("Y", "n", "cannot tell", "", "yes; robin")]
    [('yes',), ('no',), ('?',), (), ('wren', 'robin')]
    """
    if verdict in classes:
        return (verdict,)
    words = [word.strip() for word in verdict.split(";") if word.strip()]
    words = [word if word in classes else _SPELLINGS.get(word.lower(), word) for word in words]
    return tuple(words) if len(words) < 2 else tuple(label if word == YES else word for word in words)


def _check(table: TextTable, verdicts: Sequence[tuple[str, ...]], classes: Sequence[str]) -> None:
    problems = []
    for row, words, number in zip(table.rows, verdicts, table.numbers, strict=True):
        allowed = {*classes, row["label"]} if len(words) > 1 else {YES, NO, UNSURE, *classes, row["label"]}
        for word in words:
            if word not in allowed:
                similar = difflib.get_close_matches(word, [YES, NO, *classes], n=1)
                perhaps = f", perhaps {similar[0]}" if similar else ""
                problems.append(f"row {number}, {row.get('file', row['recording'])}: {word!r}{perhaps}")
    if problems:
        raise DataError(
            f"{table.where}: {plural(len(problems), 'invalid verdict')}:\n{listing(problems)}\n"
            f"Expected yes, no, ? or nothing, or labels such as a;b: {', '.join(classes[:20])}"
            f"{' ...' if len(classes) > 20 else ''}. Name labels that are new with labels=."
        )


def _states(label: str, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give the labels that a verdict is about, with their states.

    Examples
    --------
    >>> _states("wren", ("yes",)), _states("wren", ("robin", "owl")), _states("wren", ("?",))
    ([('wren', 'present')], [('robin', 'present'), ('owl', 'present'), ('wren', 'absent')], [])
    """
    if words in ((), (UNSURE,)):
        return []
    if words == (NO,):
        return [(label, ABSENT)]
    present = [(label if word == YES else word, PRESENT) for word in dict.fromkeys(words)]
    return present if (label, PRESENT) in present else [*present, (label, ABSENT)]


def _precision(judged: Sequence[tuple[dict[str, str], tuple[str, ...]]]) -> pd.DataFrame:
    rows = [
        (row["label"], sample, YES in verdict or row["label"] in verdict)
        for row, verdict in judged
        for sample in row.get("selected_by", "").split(";")
    ]
    table = pd.DataFrame(rows, columns=["label", "selected_by", "right"]).astype({"right": int})
    counts = table.groupby(["label", "selected_by"])["right"].agg(judged="count", right="sum").reset_index()
    low, high = wilson(counts["right"], counts["judged"])
    return counts.assign(precision=counts["right"] / counts["judged"], low=low, high=high)
