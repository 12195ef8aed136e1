"""The page that compares two runs on the clips that both have scored."""

from __future__ import annotations

import datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from aurist.extras import need_extra
from aurist.files import write_text
from aurist.folders import check_output
from aurist.report.cells import Cell, CellTable, Entry, payload
from aurist.report.templates import as_json, template
from aurist.results.comparison import RunComparison, compare_runs
from aurist.run import RunFolder

_ROWS, _COLUMNS = ("first right", "first wrong"), ("second right", "second wrong")


def write_comparison(first: RunFolder, second: RunFolder, path: Path, *, with_sound: bool = True) -> None:
    """Write a comparison of two runs as one HTML file that needs no other file and no connection.

    Parameters
    ----------
    first, second
        Finished runs. Differences are the second one minus the first one.
    path
        The file; replaced as a whole.
    with_sound
        True to include sounds of clips that one run has right and the other wrong.

    Raises
    ------
    DataError
        If the runs share no clip or no class.
    RunError
        If one of them is not finished.
    MissingExtraError
        If matplotlib is not installed, which draws the spectrograms.
    """
    need_extra("plots", "A comparison")
    check_output(path)
    compared = compare_runs(first, second)
    cells = right_and_wrong(compared)
    page = template("compare.html").render(
        version=metadata.version("aurist"),
        made=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        names=_names(first, second),
        compared=compared,
        verdict=verdict(compared),
        per_class=compared.per_class.to_dict("records"),
        cells=cells,
        cell_data=as_json(payload([cells], compared.clips, (), with_sound)),
        with_sound=with_sound,
    )
    write_text(path, page)


def verdict(compared: RunComparison) -> str:
    """Say which run is better by the first score, if that is clear."""
    one = compared.scores[0]
    gap = one.difference
    if gap.low != gap.low:
        return f"{one.metric} {gap.score:+.3f}; there are too few groups for an interval."
    answer = (
        "The second run is better"
        if gap.low > 0
        else "The first run is better"
        if gap.high < 0
        else "No clear difference"
    )
    return f"{answer}: {one.metric} {gap.score:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]."


def right_and_wrong(compared: RunComparison) -> CellTable:
    """Count the clips by which run has them right; with several labels, clips with their classes."""
    table = CellTable("runs", "clips with labels" if compared.multilabel else "clips", _ROWS, _COLUMNS)
    decided, truth = compared.decided, compared.truth
    if compared.multilabel:
        # of classes that are neither there nor predicted, there is nothing to hear
        counted = (truth >= 0) & ((truth == 1) | decided[0] | decided[1])
        rows, columns = np.nonzero(counted)
        right = [one[rows, columns] == (truth[rows, columns] == 1) for one in decided]
    else:
        rows, columns = np.arange(len(truth)), truth.argmax(axis=1)
        right = [one[rows, columns] for one in decided]
    for at in np.ndindex(2, 2):
        chosen = np.flatnonzero((right[0] == (at[0] == 0)) & (right[1] == (at[1] == 0)))
        if len(chosen):
            entries = [_entry(compared, int(rows[i]), int(columns[i])) for i in chosen]
            entries.sort(key=lambda entry: -entry.sureness)
            table.cells[at] = Cell(
                f"{_ROWS[at[0]]}, {_COLUMNS[at[1]]}", tuple(entries), sum(at) > 0, len(chosen) / len(rows)
            )
    # sounds of clips on which the runs differ come first
    table.cells.update({at: table.cells.pop(at) for at in ((1, 1), (0, 0)) if at in table.cells})
    return table


def _entry(compared: RunComparison, row: int, column: int) -> Entry:
    """Describe a clip; the surer one run and the less sure the other, the earlier it comes."""
    words = []
    for name, decided, proba in zip(("first", "second"), compared.decided, compared.proba, strict=True):
        if compared.multilabel:
            words.append(f"{name}: {'yes' if decided[row, column] else 'no'} {proba[row, column]:.2f}")
        else:
            taken = int(decided[row].argmax())
            words.append(f"{name}: {compared.classes[taken]} {proba[row, taken]:.2f}")
    label = compared.classes[column]
    if compared.multilabel:
        label += ", there" if compared.truth[row, column] == 1 else ", not there"
    gap = abs(float(compared.proba[0][row, column] - compared.proba[1][row, column]))
    return Entry(row, f"{label}. {'; '.join(words)}", gap)


def _names(first: RunFolder, second: RunFolder) -> list[str]:
    names = [run.folder.resolve().name for run in (first, second)]
    if names[0] != names[1]:
        return names
    return [str(run.folder.resolve()) for run in (first, second)]
