"""Cut detections into short files of sound for a person to judge: active learning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aurist.audio import read
from aurist.audio.writing import write_sound
from aurist.clips.table import numbered
from aurist.detection.export import ExportOptions
from aurist.detection.store import Recording, open_detections
from aurist.errors import ConfigError, DataError, check_one_of
from aurist.events import Event
from aurist.files import write_csv
from aurist.inference.thresholds import thresholds_of
from aurist.review.sampling import Detection, Sampling, draw_detections
from aurist.run import ModelFiles
from aurist.search import IndexedVectors, WindowIndex, open_index

COLUMNS = (
    *("file", "recording", "start", "end", "surest_start", "surest_end", "label", "score", "selected_by"),
    "verdict",
)
TABLE = "clips.csv"
FORMS = ("wav", "flac")


@dataclass(frozen=True)
class ToReview:
    """The sampled detections, highest score first; the class names; the channel that was scored, None: all."""

    drawn: list[Detection]
    classes: tuple[str, ...]
    channel: int | None


def detections_to_review(
    files: ModelFiles,
    folder: Path,
    sampling: Sampling,
    *,
    labels: Sequence[str] | None = None,
    min_score: float | None = None,
    precision: float | None = None,
    audio_root: Path | None = None,
    index: Path | None = None,
) -> ToReview:
    """Sample detections from a folder of detections.

    Parameters
    ----------
    files
        Of the run, or the model folder, that made the scores.
    folder
        The folder of detections.
    sampling
        Numbers of detections to sample per class.
    labels
        The classes; None: all.
    min_score
        The lowest score of a detection; None: the thresholds of the run, as for written detections.
    precision
        The precision that these thresholds aim at; None: the best F1.
    audio_root
        Folder of the recordings; None: their old paths.
    index
        Folder of an index of the recordings: of the best and the uncertain detections that sound almost the same, one
        is sampled. None: all may be.

    Raises
    ------
    ConfigError
        If the run lacks some labels, the scores are of another run, or the index lacks some recordings.
    RunError
        If there is no index.
    DataError
        If there are no detections, or recordings are missing.
    """
    detections = open_detections(folder)
    if detections.settings["run"] != files.key():
        raise ConfigError(
            f"{folder} holds scores of another run than {files.folder}, or of this run before it was fitted "
            f"again."
        )
    classes = tuple(detections.settings["classes"])
    thresholds = thresholds_of(files, detections.settings["model"], precision)
    options = ExportOptions(
        min_score=min_score, labels=None if labels is None else tuple(labels), thresholds=thresholds
    )
    columns = options.columns(classes)
    recordings = detections.recordings(audio_root)
    vectors = None if index is None else IndexedVectors(open_index(index), {r.file for r in recordings})
    drawn = draw_detections(
        detections, recordings, columns, options.lowest_scores(classes), sampling, vectors
    )
    channel = detections.settings["channel"]
    return ToReview(drawn, classes, None if channel == "mixed" else int(channel))


def windows_to_review(similar: pd.DataFrame, index: WindowIndex) -> list[Detection]:
    """Turn the windows that `aurist.search.search` found in an index into detections of one class to judge.

    Recordings have their names in the index, as in detections, so that verdicts on both go together; those of the same
    name have their paths.
    """
    counts = Counter(recording.name for recording in index.recordings)
    names = {
        str(recording.file): recording.name for recording in index.recordings if counts[recording.name] == 1
    }
    return [
        Detection(
            Recording(names.get(path, path), Path(path)), Event(start, end, 0, similarity), ("similar",)
        )
        for path, start, end, similarity in similar.itertuples(index=False)
    ]


def cut_clips(
    drawn: Sequence[Detection],
    classes: Sequence[str],
    output: Path,
    *,
    padding: float = 1.0,
    form: str = "wav",
    channel: int | None = None,
) -> pd.DataFrame:
    """Cut detections out of their recordings; `write_clips` then writes the table to fill in.

    Parameters
    ----------
    drawn
        The detections to cut, highest score first.
    classes
        The class names.
    output
        Folder for the files.
    padding
        Seconds of sound before and after each detection.
    form
        The file format, one of `FORMS`.
    channel
        Counted from 0; None: the mean of all.

    Returns
    -------
    pandas.DataFrame
        The table: `COLUMNS`, with ``start`` and ``end`` of the detection without padding, in seconds of the
        recording, ``surest_start`` and ``surest_end`` of its highest score, and an empty ``verdict``.

    Raises
    ------
    ConfigError
        If the settings make no sense.
    DataError
        If the folder holds clips already, which somebody may have judged, or there is nothing to cut.
    """
    check_one_of("format", form, FORMS)
    if not 0 <= padding < float("inf"):
        raise ConfigError(f"padding is {padding:g} s, but must be 0 or more.")
    if (output / TABLE).exists():
        raise DataError(
            f"{output} holds clips already, which somebody may have listened to: give another folder with output=."
        )
    if not drawn:
        raise DataError("There is no detection to cut: no score of these classes is near the threshold.")
    names = numbered([_name(detection, classes) for detection in drawn])
    rows = []
    for detection, name in zip(drawn, names, strict=True):
        start, end, column, score = detection.event
        samples, rate = read(
            detection.recording.file, start=max(0.0, start - padding), end=end + padding, channel=channel
        )
        file = f"{name}.{form}"
        write_sound(output / file, samples, rate)
        rows.append(
            (
                file,
                detection.recording.name,
                start,
                end,
                *(detection.surest or (start, end)),
                classes[column],
                round(score, 6),
                ";".join(detection.drawn),
                "",
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_clips(table: pd.DataFrame, output: Path, *, safe_csv: bool = False) -> None:
    """Write ``clips.csv``, the last file of a folder of clips: without it the folder is filled again."""
    write_csv(table, output / TABLE, safe=safe_csv, float_format="%.9g")


def _name(detection: Detection, classes: Sequence[str]) -> str:
    """Name the file of a detection; the score comes first, so that files sort by score.

    Examples
    --------
    >>> from aurist.detection.store import Recording
    >>> from aurist.events import Event
    >>> night = Recording("site 1/night.flac", Path("night.flac"))
    >>> _name(Detection(night, Event(61.5, 63.0, 0, 0.9716)), ["Wren/song"])
    '0.972_Wren-song_site-1-night_61.5s'
    """
    parts = (classes[detection.event.column], str(Path(detection.recording.name).with_suffix("")))
    slugs = [_end(re.sub(r"[^\w.]+", "-", part).strip("-."), 90) for part in parts]
    return f"{detection.event.score:.3f}_{slugs[0]}_{slugs[1]}_{detection.event.start:.1f}s"


def _end(word: str, size: int) -> str:
    """Shorten a word to its last ``size`` bytes; a file name has at most 255, and a character takes up to four.

    Examples
    --------
    >>> _end("Turdus merula", 6), _end("ウグイス", 7)
    ('merula', 'イス')
    """
    return word.encode()[-size:].decode(errors="ignore")
