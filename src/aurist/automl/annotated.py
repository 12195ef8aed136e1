"""Cut annotated recordings into clips to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aurist.annotations import (
    Annotations,
    CutOptions,
    Recordings,
    join_annotations,
    read_annotations,
    to_clips,
)
from aurist.annotations.survey import (
    Survey,
    similar_labels,
    survey,
    unused_recordings,
    without_recordings,
)
from aurist.archives import exists
from aurist.audio import AudioInfo, describe_lost_end, probe
from aurist.clips import Clips
from aurist.errors import ConfigError, DataError, listing, plural

#: Largest number of notes on damaged recordings.
_NOTES = 5

#: Recordings of a folder that a message names.
_SHOWN = 5


def read_annotated(
    recordings: Path,
    annotations: Path | None,
    options: CutOptions | None = None,
    *,
    label: str | None = None,
    verdicts: Path | None = None,
    allow_missing: bool = False,
) -> Clips:
    """Cut annotated recordings into clips; recordings without a file of annotations are skipped, with a note.

    Parameters
    ----------
    recordings
        Folder of the recordings.
    annotations
        A file of annotations, or a folder of them (see `aurist.annotations.read_annotations`). If a recording is
        not at its stated path, the whole folder is searched by the end of the path. None: there are only verdicts.
    options
        Options for cutting; windows of five seconds by default.
    label
        Column of the labels, if a format has several.
    verdicts
        Annotations such as `aurist.review.verdicts.read_verdicts` returns. If a recording is only in these, parts
        without annotation are unknown, and some of them serve as background.
    allow_missing
        Leave out annotations of recordings that are not in the folder, with a note.

    Raises
    ------
    DataError
        If annotations cannot be read, or recordings are missing or broken; the error lists all of them.
    """
    _need_folder(recordings)
    audio_root = Recordings(recordings, annotations or verdicts, length=_seconds)
    parts = [
        read_annotations(tables, audio_root=audio_root, label=label)
        for tables in (annotations, verdicts)
        if tables is not None
    ]
    if not parts:
        raise ConfigError("Neither annotations= nor verdicts= is given: there is nothing to learn from.")
    merged = join_annotations(parts)
    whole = () if annotations is None else parts[0].recordings
    partial = set(merged.recordings) - set(whole)
    infos: dict[str, AudioInfo] = {}
    missing, broken = [], []
    for path in merged.recordings:
        file = recordings / path
        if not exists(file):
            missing.append(path)
            continue
        try:
            infos[path] = probe(file)
        except (DataError, OSError) as error:
            broken.append(f"{path}: {error}")
    if missing and not (allow_missing and infos):
        raise DataError(
            f"{plural(len(missing), 'recording')} of the annotations {'is' if len(missing) == 1 else 'are'} not in "
            f"{recordings}:\n{listing(missing)}\n"
            f"{_contents(audio_root.names)} A table without a name of a recording belongs to the recording with its "
            "own name. Give the folder that holds the recordings of all annotations and verdicts, at any depth, or "
            "leave out the annotations of missing ones with allow_missing=True."
        )
    if broken:
        raise DataError(f"{plural(len(broken), 'recording')} cannot be read:\n{listing(broken)}")
    merged, missing_notes = without_recordings(merged, missing)
    merged, notes = _without_lost_ends(merged, infos)
    notes = (
        *missing_notes,
        *unused_recordings(audio_root.names, merged.recordings),
        *similar_labels(merged),
        *notes,
    )
    durations = {path: info.duration for path, info in infos.items()}
    clips = to_clips(replace(merged, root=recordings), durations, options or CutOptions(), partial=partial)
    hours = sum(durations.values()) / 3600
    cut = f"{plural(len(clips), 'clip')} of {plural(len(durations), 'annotated recording')}, {hours:.1f} h"
    return replace(clips, notes=(cut, *notes, *clips.notes))


def survey_annotated(recordings: Path, annotations: Path, *, label: str | None = None) -> Survey:
    """Look at annotations before learning from them: see `aurist.annotations.survey.survey`.

    Raises
    ------
    DataError
        If annotations cannot be read.
    """
    _need_folder(recordings)
    audio_root = Recordings(recordings, annotations, length=_seconds)
    read = read_annotations(annotations, audio_root=audio_root, label=label)
    seconds = {path: _seconds(recordings / path) for path in read.recordings}
    missing = [path for path, length in seconds.items() if length is None]
    read, notes = without_recordings(read, missing)
    lengths = {path: length for path, length in seconds.items() if length is not None}
    surveyed = survey(read, lengths, audio_root.names)
    return replace(surveyed, notes=(*notes, *surveyed.notes))


def _need_folder(recordings: Path) -> None:
    if not recordings.exists():
        raise DataError(
            f"{recordings} does not exist. With annotations= it must be the folder of the recordings."
        )
    if not recordings.is_dir():
        raise DataError(f"{recordings} is no folder: with annotations= it must be that of the recordings.")


def _contents(names: Sequence[str]) -> str:
    """Name some recordings of a folder, to compare with the expected names."""
    if not names:
        return "There is no recording there."
    more = " ..." if len(names) > _SHOWN else "."
    return f"There {'is' if len(names) == 1 else 'are'} {', '.join(names[:_SHOWN])}{more}"


def _seconds(file: Path) -> float | None:
    try:
        return probe(file).duration
    except (DataError, OSError):  # reported with all others that cannot be read
        return None


def _without_lost_ends(
    annotations: Annotations, infos: Mapping[str, AudioInfo]
) -> tuple[Annotations, tuple[str, ...]]:
    """Drop annotations in the missing end of a recording, and describe damaged recordings in notes."""
    table = annotations.table
    length = table["path"].map({path: info.duration for path, info in infos.items()})
    stated = table["path"].map({path: info.promised_duration for path, info in infos.items()})
    lost = (table["start"] >= length) & (table["start"] < stated)
    notes = []
    for path, info in infos.items():
        if clause := describe_lost_end(info.duration, info.promised_duration):
            n = int((lost & (table["path"] == path)).sum())
            notes.append(
                f"{path} {clause}" + (f", and {plural(n, 'annotation')} there left out" if n else "")
            )
        if info.note:
            notes.append(f"{path}: {info.note}")
    if len(notes) > _NOTES:
        notes = [
            *notes[:_NOTES],
            f"{len(notes) - _NOTES} more recordings with wrong headers or without their end",
        ]
    return replace(annotations, table=table[~lost].reset_index(drop=True)), tuple(notes)
