"""The files that contests want of recordings: RFCX's and BirdCLEF's, by their sample submissions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations.birdclef import SECONDS
from aurist.detection.scan import ScanResult
from aurist.errors import DataError, listing, plural
from aurist.events import score_of_stretches

#: The first column of a sample: RFCX asks for a recording, BirdCLEF for every five seconds of one.
RECORDING, ROW = "recording_id", "row_id"
_BIRDS, _NOTHING = "birds", "nocall"


def contest_table(
    heard: ScanResult, sample: pd.DataFrame, where: str, thresholds: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """The contest's file: the sample's ids, columns and order.

    RFCX gets the highest score of each recording. BirdCLEF gets the mean score over the five seconds that end with the
    second of the row, which with windows of five seconds that do not overlap is that of the window; in its first years,
    with the one column ``birds``, it got the labels.

    Parameters
    ----------
    heard
        What the run said.
    sample
        The sample submission, its ids as text.
    where
        Its name, for messages.
    thresholds
        (n_classes,): from which score each label is written in a column ``birds``.

    Raises
    ------
    DataError
        Where the sample is of neither contest, or ids or classes of it are missing: all of them at once.
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
    unknown = [] if birds else [name for name in columns if name not in heard.classes]
    ids = sample.iloc[:, 0].astype(str).tolist()
    names, ends, lost = _places(ids, heard, rows=kind == ROW)
    problems = [f"class {name} is none of the run's" for name in unknown] + lost
    if problems:
        raise DataError(
            f"{where} asks for {plural(len(problems), 'thing')} that {'is' if len(problems) == 1 else 'are'} missing:\n"
            f"{listing(problems)}\n"
            f"The run knows: {', '.join(heard.classes[:30])}{' ...' if len(heard.classes) > 30 else ''}."
        )
    found = _values(heard, names, ends, rows=kind == ROW)
    out = sample.copy()
    if birds:
        classes = np.asarray(heard.classes, dtype=object)
        out[_BIRDS] = [" ".join(classes[row >= thresholds]) or _NOTHING for row in found]
        return out
    chosen = [heard.classes.index(name) for name in columns]
    out[sample.columns[1:]] = found[:, chosen].round(6)
    return out


def _places(ids: Sequence[str], heard: ScanResult, *, rows: bool) -> tuple[list[str], list[float], list[str]]:
    """The recording of each id, the second in which its row ends, and what is not there."""
    stems: dict[str, list[str]] = {}
    for one in heard.recordings:
        stems.setdefault(PurePath(one.name).stem, []).append(one.name)
    failed = {PurePath(name).stem: why for name, why in heard.failures.items()}
    names, ends, lost = [], [], []
    for given in ids:
        stem, second = given, ""
        if rows:
            stem, _, second = given.rpartition("_")
        if rows and not second.isdigit():
            lost.append(f"{given}: expected the name of a recording, _ and a second")
            continue
        # BirdCLEF's first years leave the date at the end of a name out
        found = stems.get(stem) or [
            name for s in stems if rows and s.startswith(f"{stem}_") for name in stems[s]
        ]
        if len(found) != 1:
            several = f"may be {' or '.join(found)}" if found else "no such recording was given"
            lost.append(f"{given}: {failed.get(stem, several)}")
            continue
        name = found[0]
        end = float(second or heard.seconds[name])
        if end - SECONDS >= heard.seconds[name] and rows:
            lost.append(f"{given}: {name} ends after {heard.seconds[name]:.1f} s")
            continue
        names.append(name)
        ends.append(end)
    return names, ends, lost


def _values(heard: ScanResult, names: list[str], ends: list[float], *, rows: bool) -> npt.NDArray[np.float64]:
    """(n_ids, n_classes), each recording's scores read once."""
    out = np.zeros((len(names), len(heard.classes)))
    of = np.asarray(names, dtype=object)
    stop = np.asarray(ends, dtype=np.float64)
    for one in heard.recordings:
        here = np.flatnonzero(of == one.name)
        if not len(here):
            continue
        scores = heard.detections.scores(one, when=False)
        if rows:
            out[here] = score_of_stretches(
                scores.starts, scores.ends, scores.proba, np.maximum(stop[here] - SECONDS, 0), stop[here]
            )
        else:
            out[here] = scores.proba.max(axis=0)
    return out
