"""From the scores of windows to what people open: tables of scores, of events, and a contest's file."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations import FORMATS as EVENT_FORMATS
from aurist.annotations import Annotations, RecordingFacts, make_annotations, write_annotations
from aurist.audio import probe
from aurist.clips.table import numbered
from aurist.detection.scan import ScanResult
from aurist.errors import ConfigError, DataError, check_one_of, listing, plural
from aurist.files import atomic_path
from aurist.formulas import safe_table

WINDOWS = "windows"
FORMATS = (WINDOWS, *EVENT_FORMATS)
#: How the file of each format is called in the folder; Audacity's are a folder, for each holds one recording.
NAMES = {
    WINDOWS: "windows.csv",
    "csv": "events.csv",
    "raven": "events.selections.txt",
    "audacity": "audacity",
    "jsonl": "events.jsonl",
}
#: Digits of a score behind the point.
_DIGITS = 6


@dataclass(frozen=True)
class ExportOptions:
    """What is written of the scores; changing it needs no recording to be heard again.

    Parameters
    ----------
    formats
        Some of `FORMATS`.
    min_score
        Of an event: the mean score of the windows that hold a moment; None: by ``thresholds``.
    labels
        Classes to write; None: all.
    thresholds
        (n_classes,) the same of each class of the run; None: 0.5.
    safe_csv
        Write text in CSVs that a spreadsheet would take for a formula so that it does not.

    Raises
    ------
    ConfigError
        Where there is no such format, or the score is not from 0 to 1.
    """

    formats: tuple[str, ...] = ("csv",)
    min_score: float | None = None
    labels: tuple[str, ...] | None = None
    thresholds: npt.NDArray[np.float64] | None = None
    safe_csv: bool = False

    def __post_init__(self) -> None:
        for form in self.formats:
            check_one_of("format", form, FORMATS)
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ConfigError(f"min-score is {self.min_score:g}, but must be from 0 to 1.")

    def asked(self, classes: tuple[str, ...]) -> npt.NDArray[np.float64]:
        """(n_classes,): the score from which each class is announced."""
        if self.min_score is None and self.thresholds is not None:
            return self.thresholds
        return np.full(len(classes), 0.5 if self.min_score is None else self.min_score)

    def columns(self, classes: tuple[str, ...]) -> npt.NDArray[np.intp]:
        """The columns of the classes to write.

        Raises
        ------
        ConfigError
            Where the run does not know some of them: all at once.
        """
        wanted = classes if self.labels is None else tuple(dict.fromkeys(self.labels))
        unknown = [name for name in wanted if name not in classes]
        if unknown:
            said = []
            for name in unknown:
                near = difflib.get_close_matches(name, classes, n=1)
                said.append(f"{name}, perhaps {near[0]}" if near else name)
            raise ConfigError(
                f"{plural(len(unknown), 'label')} that the run does not know:\n{listing(said)}\n"
                f"It knows: {', '.join(classes[:20])}{' ...' if len(classes) > 20 else ''}."
            )
        return np.array([i for i, name in enumerate(classes) if name in wanted], dtype=np.intp)


def labels_from(text: str) -> tuple[str, ...]:
    """Labels between commas, or those of a file, one on each line.

    Examples
    --------
    >>> labels_from("wren, robin")
    ('wren', 'robin')
    """
    try:
        is_file = Path(text).is_file()
    except OSError:  # too long for a name
        is_file = False
    found = Path(text).read_text(encoding="utf-8-sig").splitlines() if is_file else text.split(",")
    return tuple(name.strip() for name in found if name.strip())


def write_detections(heard: ScanResult, wanted: ExportOptions) -> list[tuple[Path, int]]:
    """Write what is wanted into the folder of the detections.

    Returns
    -------
    list of (path, int)
        Each file, or folder of files, with the rows in it.
    """
    columns = wanted.columns(heard.classes)
    folder = heard.detections.folder
    written = []
    if WINDOWS in wanted.formats:
        path = folder / NAMES[WINDOWS]
        written.append((path, _write_windows(heard, columns, path, safe=wanted.safe_csv)))
    forms = [form for form in dict.fromkeys(wanted.formats) if form != WINDOWS]
    events = events_of(heard, columns, wanted.asked(heard.classes)) if forms else None
    for form in forms:
        assert events is not None
        path = folder / NAMES[form]
        if form == "audacity":
            _write_audacity(events, path)
        else:
            sounds = _sounds(heard) if form == "raven" else None
            write_annotations(events, path, form, facts=sounds, safe_csv=wanted.safe_csv)
        written.append((path, len(events)))
    return written


def events_of(
    heard: ScanResult, columns: npt.NDArray[np.intp], thresholds: npt.NDArray[np.float64]
) -> Annotations:
    """The events of all recordings, by recording and start; each class from its threshold on, (n_classes,)."""
    rows = []
    for one in heard.recordings:
        for event in heard.detections.scores(one, columns).events(thresholds[columns]):
            rows.append(
                {
                    "path": one.name,
                    "start": event.start,
                    "end": event.end,
                    "label": heard.classes[columns[event.column]],
                    "score": round(event.score, _DIGITS),
                }
            )
    return make_annotations(rows, "the events", recordings=[one.name for one in heard.recordings])


def _write_windows(heard: ScanResult, columns: npt.NDArray[np.intp], path: Path, *, safe: bool) -> int:
    """One row a window, a recording at a time, so that memory is that of one."""
    names = [heard.classes[i] for i in columns]
    names = [f"score_{name}" if name in ("path", "start", "end") else name for name in names]
    n = 0
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        header = pd.DataFrame(columns=["path", "start", "end", *names])
        (safe_table(header) if safe else header).to_csv(file, index=False)
        for one in heard.recordings:
            scores = heard.detections.scores(one, columns, when=False)
            said = scores.proba.astype(np.float64).round(_DIGITS)
            table = pd.DataFrame(said, columns=names)
            table.insert(0, "end", scores.ends)
            table.insert(0, "start", scores.starts)
            table.insert(0, "path", one.name)
            rows = safe_table(table) if safe else table
            rows.to_csv(file, index=False, header=False, float_format="%.12g")
            n += len(table)
    return n


def _write_audacity(events: Annotations, folder: Path) -> None:
    """A label track for each recording, called after it."""
    places = numbered([_place(name) for name in events.recordings])
    for name, place in zip(events.recordings, places, strict=True):
        own = events.table[events.table["path"] == name].reset_index(drop=True)
        write_annotations(Annotations(own, (name,)), folder / f"{place}.txt", "audacity")


def _sounds(heard: ScanResult) -> dict[str, RecordingFacts]:
    """What Raven wants to know of the recordings; it counts channels from 1."""
    channel = heard.detections.settings.get("channel")
    number = channel + 1 if isinstance(channel, int) else 1
    return {
        one.name: RecordingFacts(one.file, heard.seconds[one.name], _nyquist(one.file), number)
        for one in heard.recordings
    }


def _nyquist(file: Path) -> float:
    try:
        return probe(file).sample_rate / 2
    except (DataError, OSError):  # it was heard before, and is no longer there
        return float("nan")


def _place(name: str) -> str:
    """Of a recording's file in a folder, never beside it.

    Examples
    --------
    >>> _place("site 1/a.wav"), _place("../b/a.wav"), _place("/data/a.wav")
    ('site 1/a.wav', 'b/a.wav', 'a.wav')
    """
    path = PurePath(name)
    parts = [part for part in path.parts if part not in ("..", path.anchor)]
    return parts[-1] if path.is_absolute() else "/".join(parts)
