"""Contest files for recordings (RFCX, BirdCLEF), laid out as their sample submissions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations.birdclef import SECONDS
from aurist.detection.result import ScanResult
from aurist.errors import DataError, listing, plural
from aurist.events import score_of_stretches

#: The first column of a sample: RFCX asks for a recording, BirdCLEF for every five seconds of one.
RECORDING, ROW = "recording_id", "row_id"
_BIRDS, _NOTHING = "birds", "nocall"


def contest_table(
    scan: ScanResult, sample: pd.DataFrame, where: str, thresholds: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """Build the contest's file with the sample's ids, columns and order.

    RFCX gets the highest score of each recording. BirdCLEF gets the mean score over the five seconds that end with the
    second of the row. With windows of five seconds that do not overlap this is the score of the window. In its first
    years BirdCLEF had one column, ``birds``: it gets the labels.

    Parameters
    ----------
    scan
        The scores of the run.
    sample
        The sample submission, its ids as text.
    where
        The name of the sample, for messages.
    thresholds
        (n_classes,): the lowest score of each label that is written in a column ``birds``.

    Raises
    ------
    DataError
        If the sample is of neither contest, or its ids or classes are missing. All of them are listed.
    """
    kind, columns = str(sample.columns[0]), [str(name) for name in sample.columns[1:]]
    if kind not in (RECORDING, ROW):
        raise DataError(
            f"{where} begins with the column {kind!r}, but for recordings it must be {RECORDING!r} (RFCX) or {ROW!r} "
            "(BirdCLEF). For a submission of whole clips leave window= out, or set it to 0."
        )
    if kind == ROW and columns == ["target"]:
        raise DataError(
            f"{where} asks for a species in each row, as BirdCLEF did in 2022; that form is not supported. Write the "
            'scores of all windows with formats="windows".'
        )
    birds = kind == ROW and columns == [_BIRDS]
    unknown = [] if birds else [name for name in columns if name not in scan.classes]
    ids = sample.iloc[:, 0].astype(str).tolist()
    names, ends, missing = _places(ids, scan, rows=kind == ROW)
    problems = [f"class {name} is not a class of the run" for name in unknown] + missing
    if problems:
        raise DataError(
            f"{where} asks for {plural(len(problems), 'thing')} that {'is' if len(problems) == 1 else 'are'} missing:\n"
            f"{listing(problems)}\n"
            f"The run knows: {', '.join(scan.classes[:30])}{' ...' if len(scan.classes) > 30 else ''}."
        )
    values = _values(scan, names, ends, rows=kind == ROW)
    table = sample.copy()
    if birds:
        classes = np.asarray(scan.classes, dtype=object)
        table[_BIRDS] = [" ".join(classes[row >= thresholds]) or _NOTHING for row in values]
        return table
    chosen = [scan.classes.index(name) for name in columns]
    table[sample.columns[1:]] = values[:, chosen].round(6)
    return table


def _places(ids: Sequence[str], scan: ScanResult, *, rows: bool) -> tuple[list[str], list[float], list[str]]:
    """Give the recording of each id, the second at which its row ends, and the missing ids with the reason."""
    stems: dict[str, list[str]] = {}
    for recording in scan.recordings:
        stems.setdefault(PurePath(recording.name).stem, []).append(recording.name)
    failed = {PurePath(name).stem: why for name, why in scan.failures.items()}
    names, ends, missing = [], [], []
    for row_id in ids:
        stem, second = row_id, ""
        if rows:
            stem, _, second = row_id.rpartition("_")
        if rows and not second.isdigit():
            missing.append(f"{row_id}: expected the name of a recording, _ and a second")
            continue
        # the first years of BirdCLEF leave out the date at the end of a name
        matches = stems.get(stem) or [
            name for other in stems if rows and other.startswith(f"{stem}_") for name in stems[other]
        ]
        if len(matches) != 1:
            several = f"may be {' or '.join(matches)}" if matches else "no such recording was given"
            missing.append(f"{row_id}: {failed.get(stem, several)}")
            continue
        name = matches[0]
        end = float(second or scan.seconds[name])
        if end - SECONDS >= scan.seconds[name] and rows:
            missing.append(f"{row_id}: {name} ends after {scan.seconds[name]:.1f} s")
            continue
        names.append(name)
        ends.append(end)
    return names, ends, missing


def _values(scan: ScanResult, names: list[str], ends: list[float], *, rows: bool) -> npt.NDArray[np.float64]:
    """Give the scores of the ids, (n_ids, n_classes); the scores of each recording are read once."""
    out = np.zeros((len(names), len(scan.classes)))
    recording_names = np.asarray(names, dtype=object)
    stops = np.asarray(ends, dtype=np.float64)
    for recording in scan.recordings:
        rows_of_recording = np.flatnonzero(recording_names == recording.name)
        if not len(rows_of_recording):
            continue
        scores = scan.scores(recording, when=False)
        if rows:
            out[rows_of_recording] = score_of_stretches(
                scores.starts,
                scores.ends,
                scores.proba,
                np.maximum(stops[rows_of_recording] - SECONDS, 0),
                stops[rows_of_recording],
            )
        else:
            out[rows_of_recording] = scores.proba.max(axis=0)
    return out
