"""Detections to short files of sound, for a person to say of each whether it is right: active learning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aurist.audio import read
from aurist.audio.writing import write_sound
from aurist.clips.table import numbered
from aurist.detection.export import ExportOptions
from aurist.detection.scan import run_key
from aurist.detection.store import open_detections
from aurist.errors import ConfigError, DataError, check_one_of
from aurist.files import write_csv
from aurist.inference.thresholds import thresholds_of
from aurist.review.sampling import Detection, Sampling, draw_detections
from aurist.run import RunFolder

COLUMNS = ("file", "recording", "start", "end", "label", "score", "selected_by", "verdict")
TABLE = "clips.csv"
FORMS = ("wav", "flac")


@dataclass(frozen=True)
class ToReview:
    """What was drawn, the highest score first; the names of its columns; the channel that was heard, None: all."""

    drawn: list[Detection]
    classes: tuple[str, ...]
    channel: int | None


def detections_to_review(
    run: RunFolder,
    folder: Path,
    sampling: Sampling,
    *,
    labels: Sequence[str] | None = None,
    min_score: float | None = None,
    precision: float | None = None,
    audio_root: Path | None = None,
) -> ToReview:
    """Draw from a folder that `aurist.automl.listen` made.

    Parameters
    ----------
    run
        By which the scores are.
    folder
        Of the scores.
    sampling
        How many of each class.
    labels
        The classes; None: all.
    min_score
        From which a class is announced; None: by the run's thresholds, as when detections are written.
    precision
        Wanted of these thresholds.
    audio_root
        Folder of the recordings; None: where they were.

    Raises
    ------
    ConfigError
        Where the run does not know some labels, or the scores are by another run.
    DataError
        Where there are no detections, or recordings are gone.
    """
    detections = open_detections(folder)
    if detections.settings["run"] != run_key(run):
        raise ConfigError(
            f"{folder} holds scores by another run than {run.folder}, or by it before it was fitted anew."
        )
    classes = tuple(detections.settings["classes"])
    thresholds = thresholds_of(run, detections.settings["model"], precision)
    wanted = ExportOptions(
        min_score=min_score, labels=None if labels is None else tuple(labels), thresholds=thresholds
    )
    columns = wanted.columns(classes)
    drawn = draw_detections(
        detections, detections.recordings(audio_root), columns, wanted.asked(classes), sampling
    )
    channel = detections.settings["channel"]
    return ToReview(drawn, classes, None if channel == "mixed" else int(channel))


def cut_clips(
    drawn: Sequence[Detection],
    classes: Sequence[str],
    output: Path,
    *,
    padding: float = 1.0,
    form: str = "wav",
    channel: int | None = None,
    safe_csv: bool = False,
) -> pd.DataFrame:
    """Cut detections out of their recordings, as they are, and write a table to be filled in.

    Parameters
    ----------
    drawn
        What to cut, the highest score first.
    classes
        Names of the columns of events.
    output
        Folder for the files and ``clips.csv``, written last.
    padding
        Seconds of sound before and behind each.
    form
        Of `FORMS`.
    channel
        Counted from 0; None: the mean of all.

    Returns
    -------
    pandas.DataFrame
        As written: `COLUMNS`, with ``start`` and ``end`` of the detection, without what is around it, in seconds of the
        recording, and an empty ``verdict``.

    Raises
    ------
    ConfigError
        Where the settings make no sense.
    DataError
        Where the folder holds clips already, on which somebody may have worked, or there is nothing to cut.
    """
    check_one_of("format", form, FORMS)
    if not 0 <= padding < float("inf"):
        raise ConfigError(f"padding is {padding:g} s, but must be 0 or more.")
    if (output / TABLE).exists():
        raise DataError(
            f"{output} holds clips already, which somebody may have listened to: give another folder with output=."
        )
    if not drawn:
        raise DataError("There is no detection to cut: none of these classes comes near to being announced.")
    names = numbered([_name(one, classes) for one in drawn])
    rows = []
    for one, name in zip(drawn, names, strict=True):
        start, end, column, score = one.event
        y, rate = read(
            one.recording.file, start=max(0.0, start - padding), end=end + padding, channel=channel
        )
        file = f"{name}.{form}"
        write_sound(output / file, y, rate)
        rows.append(
            (file, one.recording.name, start, end, classes[column], round(score, 6), ";".join(one.drawn), "")
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    write_csv(table, output / TABLE, safe=safe_csv, float_format="%.9g")
    return table


def _name(one: Detection, classes: Sequence[str]) -> str:
    """Of the file: by score first, so that files are in the order of their scores.

    Examples
    --------
    >>> from aurist.detection.store import Recording
    >>> from aurist.events import Event
    >>> night = Recording("site 1/night.flac", Path("night.flac"))
    >>> _name(Detection(night, Event(61.5, 63.0, 0, 0.9716)), ["Wren/song"])
    '0.972_Wren-song_site-1-night_61.5s'
    """
    parts = (classes[one.event.column], str(Path(one.recording.name).with_suffix("")))
    words = [_end(re.sub(r"[^\w.]+", "-", part).strip("-."), 90) for part in parts]
    return f"{one.event.score:.3f}_{words[0]}_{words[1]}_{one.event.start:.1f}s"


def _end(word: str, size: int) -> str:
    """The end of a word, of so many bytes at the most: a character may take four of the 255 of a file's name.

    Examples
    --------
    >>> _end("Turdus merula", 6), _end("ウグイス", 7)
    ('merula', 'イス')
    """
    return word.encode()[-size:].decode(errors="ignore")
