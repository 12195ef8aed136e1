"""Tables of counts to click on: each cell lists its clips, and plays those whose sound the page holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.report.pictures import read_for_page, sound, spectrogram

#: The most sounds of a page beyond the worst mistakes, and characters of them: a page stays below 15 MB.
MOST_SOUNDS, MOST_CHARACTERS = 200, 9_000_000
#: The most sounds of a cell with errors, and of another one.
_OF_WRONG, _OF_RIGHT = 20, 2
_LONGEST = 6.0


@dataclass(frozen=True)
class Entry:
    """A clip in a cell: its row, and what is said about it. Surer entries come first."""

    row: int
    words: str
    sureness: float


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its entries, the surest first, the sentence above them, and whether it holds errors."""

    title: str
    entries: tuple[Entry, ...]
    wrong: bool
    #: Of the row of the table, 0 to 1: the depth of its colour.
    share: float = 0.0


@dataclass(frozen=True)
class CellTable:
    """A table of cells.

    Parameters
    ----------
    name
        A word that is unique on the page.
    corner
        What rows and columns are.
    rows, columns
        Their names.
    cells
        By position of row and column.
    """

    name: str
    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)

    def cell_id(self, row: int, column: int) -> str:
        """Give the name of a cell on the page."""
        return f"{self.name}-{row}-{column}"


def confusion_cells(
    clips: Clips, truth: npt.NDArray[np.int8], proba: Proba, decided: npt.NDArray[np.bool_]
) -> CellTable:
    """Make the confusion matrix; with several labels a clip, a row for each class: right, false and missed ones."""
    if clips.multilabel:
        return _by_class(clips, truth, proba, decided)
    label, taken = truth.argmax(axis=1), decided.argmax(axis=1)
    classes = tuple(clips.classes)
    table = CellTable("matrix", "true class ↓, predicted →", classes, classes)
    totals = np.bincount(label, minlength=len(classes))
    codes = label * len(classes) + taken
    for code in np.unique(codes):
        row, column = divmod(int(code), len(classes))
        entries = [
            Entry(int(i), _sure(classes, proba[i], (column, row)), float(proba[i, column]))
            for i in np.flatnonzero(codes == code)
        ]
        title = (
            f"{classes[row]}, predicted as {classes[column]}" if row != column else f"{classes[row]}, right"
        )
        table.cells[row, column] = _cell(title, entries, row != column, len(entries) / totals[row])
    return table


def _by_class(
    clips: Clips, truth: npt.NDArray[np.int8], proba: Proba, decided: npt.NDArray[np.bool_]
) -> CellTable:
    columns = ("right", "predicted, but not there", "missed")
    table = CellTable("classes", "class", tuple(clips.classes), columns)
    for row, name in enumerate(clips.classes):
        there = truth[:, row] == 1
        parts = (
            decided[:, row] & there,
            decided[:, row] & (truth[:, row] == 0),
            ~decided[:, row] & there,
        )
        for column, chosen in enumerate(parts):
            entries = [
                Entry(
                    int(i),
                    _sure(clips.classes, proba[i], (row,)),
                    float(1 - proba[i, row] if column == 2 else proba[i, row]),
                )
                for i in np.flatnonzero(chosen)
            ]
            if entries:
                total = sum(int(part.sum()) for part in parts)
                table.cells[row, column] = _cell(
                    f"{name}: {columns[column]}", entries, column > 0, len(entries) / total
                )
    return table


def _cell(title: str, entries: Sequence[Entry], wrong: bool, share: float) -> Cell:
    # what is right is heard from the least sure one on
    ordered = sorted(entries, key=lambda entry: -entry.sureness if wrong else entry.sureness)
    return Cell(title, tuple(ordered), wrong, float(share))


def _sure(classes: Sequence[str], proba: Proba, columns: Sequence[int]) -> str:
    return ", ".join(f"{classes[column]} {proba[column]:.2f}" for column in dict.fromkeys(columns))


def common_confusions(table: CellTable, most: int) -> list[tuple[str, Cell]]:
    """List the wrong cells with the most clips, with their ids."""
    wrong = [(table.cell_id(*at), cell) for at, cell in table.cells.items() if cell.wrong]
    return sorted(wrong, key=lambda one: (-len(one[1].entries), one[1].title))[:most]


def payload(
    tables: Sequence[CellTable], clips: Clips, held: Sequence[int], with_sound: bool
) -> dict[str, Any]:
    """Give what the page needs to list and to play the clips of cells, for JSON.

    Parameters
    ----------
    tables
        The tables of the page.
    clips
        Their clips.
    held
        Rows whose sound the page has elsewhere.
    with_sound
        True to add sounds of errors, the surest of each cell first, until there are `MOST_SOUNDS`.
    """
    cells = {
        table.cell_id(*at): {
            "title": cell.title,
            "clips": [[entry.row, entry.words] for entry in cell.entries],
        }
        for table in tables
        for at, cell in table.cells.items()
    }
    sounds = {}
    if with_sound and clips.has_audio:
        wanted = [row for row in _in_turn(tables) if row not in set(held)]
        sounds = _sounds(wanted, lambda row: _sound_of(clips, row))
    return {"names": clips.table["clip_id"].tolist(), "cells": cells, "sounds": sounds}


def _in_turn(tables: Sequence[CellTable]) -> list[int]:
    """List rows to hear: one of each cell with errors, then the second of each ..., then those of right cells."""
    turns = []
    for table in tables:
        for cell in table.cells.values():
            turns += [
                (not cell.wrong, turn, -len(cell.entries), entry.row)
                for turn, entry in enumerate(cell.entries[: _OF_WRONG if cell.wrong else _OF_RIGHT])
            ]
    return list(dict.fromkeys(row for *_, row in sorted(turns)))


def _sounds(
    rows: Sequence[int], sound_of: Callable[[int], dict[str, Any] | None]
) -> dict[int, dict[str, Any]]:
    """Collect sounds until they are too many or too large."""
    sounds: dict[int, dict[str, Any]] = {}
    characters = 0
    for row in rows:
        if len(sounds) == MOST_SOUNDS or characters > MOST_CHARACTERS:
            break
        one = sound_of(row)
        if one is not None:
            sounds[row] = one
            characters += len(one["picture"]) + len(one["sound"])
    return sounds


def _sound_of(clips: Clips, row: int) -> dict[str, Any] | None:
    """Read the sound and the picture of a clip; None if the file was moved since the fit."""
    entry = clips.table.iloc[row]
    start = 0.0 if np.isnan(entry["start"]) else float(entry["start"])
    end = None if np.isnan(entry["end"]) else float(entry["end"])
    try:
        page_sound = read_for_page(clips.file(str(entry["path"])), start=start, end=end, longest=_LONGEST)
        if not len(page_sound.y):
            return None
        return {
            "picture": spectrogram(page_sound, photo=True),
            "sound": sound(page_sound),
            "seconds": round(page_sound.seconds, 2),
            "slowed": round(page_sound.slowed, 1),
        }
    except (DataError, OSError):
        return None
