"""Write the scores of windows as files for people: tables of scores and files of events."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations import CLOCK, Annotations, RecordingFacts, make_annotations, write_annotations
from aurist.annotations import FORMATS as EVENT_FORMATS
from aurist.audio import probe
from aurist.clips.table import numbered
from aurist.detection.priors import clock_of
from aurist.detection.result import ScanResult, began_of
from aurist.errors import ConfigError, DataError, check_one_of, listing, plural
from aurist.files import atomic_path
from aurist.folders import remove_folder
from aurist.formulas import safe_table
from aurist.openset import unlike_note
from aurist.progress import logger

WINDOWS = "windows"
FORMATS = (WINDOWS, *EVENT_FORMATS)
#: The file name of each format. Audacity gets a folder, because each of its files holds one recording.
NAMES = {
    WINDOWS: "windows.csv",
    "csv": "events.csv",
    "raven": "events.selections.txt",
    "audacity": "audacity",
    "jsonl": "events.jsonl",
    "kaleidoscope": "events.kaleidoscope.csv",
    "parquet": "events.parquet",
}
#: Decimal digits of a score.
_DIGITS = 6
_DIGITS_OF_LIKENESS = 4
#: Columns of the table of windows, before those of the classes; the last one if recordings have clock times.
_OF_WINDOWS = ("start", "end", "likeness", CLOCK)


@dataclass(frozen=True)
class ExportOptions:
    """Settings of the files to write. Recordings are not scored again if they change.

    Parameters
    ----------
    formats
        Some of `FORMATS`.
    min_score
        The lowest score of an event: the mean score of the windows that hold a moment. None: ``thresholds``.
    labels
        Classes to write; None: all.
    thresholds
        (n_classes,): the lowest score of each class of the run; None: 0.5.
    safe_csv
        Protect text in CSV files that a spreadsheet would read as a formula.
    unknown
        Windows with a likeness of at most this share count for no event; None: all windows count.

    Raises
    ------
    ConfigError
        If there is no such format, or the score is not between 0 and 1.
    """

    formats: tuple[str, ...] = ("csv",)
    min_score: float | None = None
    labels: tuple[str, ...] | None = None
    thresholds: npt.NDArray[np.float64] | None = None
    safe_csv: bool = False
    unknown: float | None = None

    def __post_init__(self) -> None:
        for form in self.formats:
            check_one_of("format", form, FORMATS)
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ConfigError(f"min-score is {self.min_score:g}, but must be from 0 to 1.")

    def lowest_scores(self, classes: tuple[str, ...]) -> npt.NDArray[np.float64]:
        """Give the lowest score at which each class is reported, (n_classes,)."""
        if self.min_score is None and self.thresholds is not None:
            return self.thresholds
        return np.full(len(classes), 0.5 if self.min_score is None else self.min_score)

    def columns(self, classes: tuple[str, ...]) -> npt.NDArray[np.intp]:
        """Give the column numbers of the classes to write.

        Raises
        ------
        ConfigError
            If the run lacks some of the classes. All of them are listed.
        """
        labels = classes if self.labels is None else tuple(dict.fromkeys(self.labels))
        unknown = [name for name in labels if name not in classes]
        if unknown:
            suggestions = []
            for name in unknown:
                similar = difflib.get_close_matches(name, classes, n=1)
                suggestions.append(f"{name}, perhaps {similar[0]}" if similar else name)
            raise ConfigError(
                f"{plural(len(unknown), 'label')} that the run does not know:\n{listing(suggestions)}\n"
                f"It knows: {', '.join(classes[:20])}{' ...' if len(classes) > 20 else ''}."
            )
        return np.array([i for i, name in enumerate(classes) if name in labels], dtype=np.intp)


def labels_from(text: str) -> tuple[str, ...]:
    """Read labels from text with commas, or from a file with one label per line.

    Examples
    --------
    >>> labels_from("wren, robin")
    ('wren', 'robin')
    """
    try:
        is_file = Path(text).is_file()
    except OSError:  # too long for a name
        is_file = False
    names = Path(text).read_text(encoding="utf-8-sig").splitlines() if is_file else text.split(",")
    return tuple(label.strip() for label in names if label.strip())


def write_detections(
    scan: ScanResult,
    options: ExportOptions,
    folder: Path | None = None,
    facts: Mapping[str, RecordingFacts] | None = None,
    events: Annotations | None = None,
) -> list[tuple[Path, int]]:
    """Write the files of the options into a folder; None: that of the detections.

    ``facts`` are of recordings whose files have other names than those that people know; None: read from the files.
    ``events`` are those of `chosen_events`; None: found here, if a format needs them.

    Returns
    -------
    list of (path, int)
        Each file, or folder of files, with its number of rows.
    """
    columns = options.columns(scan.classes)
    folder = folder or scan.detections.folder
    facts = _facts(scan, bands="raven" in options.formats) if facts is None else facts
    written = []
    if WINDOWS in options.formats:
        path = folder / NAMES[WINDOWS]
        written.append((path, _write_windows(scan, columns, facts, path, safe=options.safe_csv)))
    formats = [format_name for format_name in dict.fromkeys(options.formats) if format_name != WINDOWS]
    if formats and events is None:
        events = chosen_events(scan, options)
    for format_name in formats:
        assert events is not None
        path = folder / NAMES[format_name]
        if format_name == "audacity":
            _write_audacity(events, path)
        else:
            write_annotations(events, path, format_name, facts=facts, safe_csv=options.safe_csv)
        written.append((path, len(events)))
    if folder == scan.detections.folder:
        _remove_others(folder, options.formats)
    return written


def _remove_others(folder: Path, formats: Sequence[str]) -> None:
    """Remove files of other formats, which an earlier call wrote, perhaps with other thresholds or classes."""
    for format_name in set(FORMATS) - set(formats):
        path = folder / NAMES[format_name]
        if path.is_dir():
            remove_folder(path)
        elif path.exists():
            path.unlink()
        else:
            continue
        logger.info(f'removed: {path}, of an earlier call; formats="{format_name}" writes it again')


def chosen_events(scan: ScanResult, options: ExportOptions) -> Annotations:
    """Find the events of all recordings with the classes and the thresholds of the options: see `events_of`."""
    classes = scan.classes
    return events_of(scan, options.columns(classes), options.lowest_scores(classes), options.unknown)


def events_of(
    scan: ScanResult,
    columns: npt.NDArray[np.intp],
    thresholds: npt.NDArray[np.float64],
    unknown: float | None = None,
) -> Annotations:
    """Find the events of all recordings, ordered by recording and start; ``thresholds`` is (n_classes,)."""
    rows: list[dict[str, Any]] = []
    priors: list[float] = []
    for recording in scan.recordings:
        scores = scan.scores(recording, columns).without_unlike(unknown)
        began = None if scan.priors is None else began_of(recording)
        for event in scores.events(thresholds[columns]):
            rows.append(
                {
                    "path": recording.name,
                    "start": event.start,
                    "end": event.end,
                    "label": scan.classes[columns[event.column]],
                    "score": round(event.score, _DIGITS),
                }
            )
            if scan.priors is not None:
                clock = clock_of(began, event.start)
                priors.append(scan.priors.of(recording.name, rows[-1]["label"], clock))
    events = make_annotations(
        rows, "the events", recordings=[recording.name for recording in scan.recordings]
    )
    if scan.priors is None:
        return events
    return replace(events, table=events.table.assign(**{scan.priors.column: priors}))


def unlike_windows(scan: ScanResult, unknown: float | None) -> str | None:
    """Write a sentence if more windows are unlike the training clips than would of clips like these; else None."""
    none = np.zeros(0, dtype=np.intp)
    parts = [scan.detections.scores(recording, none, when=False).likeness for recording in scan.recordings]
    return unlike_note(np.concatenate(parts), "window", unknown) if parts else None


def _write_windows(
    scan: ScanResult,
    columns: npt.NDArray[np.intp],
    facts: Mapping[str, RecordingFacts],
    path: Path,
    *,
    safe: bool,
) -> int:
    """Write one row per window. One recording is in memory at a time."""
    names = [scan.classes[i] for i in columns]
    names = [f"score_{name}" if name in ("path", *_OF_WINDOWS) else name for name in names]
    n_rows = 0
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        dated = any(recording.began is not None for recording in facts.values())
        header = pd.DataFrame(columns=["path", *_OF_WINDOWS[: None if dated else -1], *names])
        (safe_table(header) if safe else header).to_csv(file, index=False)
        for recording in scan.recordings:
            scores = scan.scores(recording, columns, when=False)
            proba = scores.proba.astype(np.float64).round(_DIGITS)
            table = pd.DataFrame(proba, columns=names)
            if dated:
                table.insert(
                    0, CLOCK, [facts[recording.name].clock(start) for start in scores.starts.tolist()]
                )
            table.insert(0, "likeness", scores.likeness.astype(np.float64).round(_DIGITS_OF_LIKENESS))
            table.insert(0, "end", scores.ends)
            table.insert(0, "start", scores.starts)
            table.insert(0, "path", recording.name)
            rows = safe_table(table) if safe else table
            rows.to_csv(file, index=False, header=False, float_format="%.12g")
            n_rows += len(table)
    return n_rows


def _write_audacity(events: Annotations, folder: Path) -> None:
    """Write a label track for each recording, named after it."""
    paths = numbered([_place(name) for name in events.recordings])
    for name, path in zip(events.recordings, paths, strict=True):
        events_of_recording = events.table[events.table["path"] == name].reset_index(drop=True)
        write_annotations(Annotations(events_of_recording, (name,)), folder / f"{path}.txt", "audacity")


def _facts(scan: ScanResult, *, bands: bool) -> dict[str, RecordingFacts]:
    """Collect the facts about recordings; channels are counted from 1, and bands are read from the files."""
    channel = scan.detections.settings.get("channel")
    number = channel + 1 if isinstance(channel, int) else 1
    return {
        recording.name: RecordingFacts(
            recording.file.absolute(),
            scan.seconds[recording.name],
            _nyquist(recording.file) if bands else math.nan,
            number,
            began_of(recording),
        )
        for recording in scan.recordings
    }


def _nyquist(file: Path) -> float:
    try:
        return probe(file).sample_rate / 2
    except (DataError, OSError):  # it was scored before, and has been removed since
        return float("nan")


def _place(name: str) -> str:
    """Give the path of a recording's file inside a folder, never outside it.

    Examples
    --------
    >>> _place("site 1/a.wav"), _place("../b/a.wav"), _place("/data/a.wav")
    ('site 1/a.wav', 'b/a.wav', 'a.wav')
    """
    path = PurePath(name)
    parts = [part for part in path.parts if part not in ("..", path.anchor)]
    return parts[-1] if path.is_absolute() else "/".join(parts)
