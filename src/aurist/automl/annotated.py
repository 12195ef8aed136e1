"""Recordings with annotations, to clips that can be learnt from."""

from __future__ import annotations

from collections.abc import Mapping
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
from aurist.audio import AudioInfo, describe_lost_end, probe
from aurist.clips import Clips
from aurist.errors import DataError, listing, plural

#: Recordings of which it is told what is wrong with them.
_NOTES = 5


def read_annotated(
    recordings: Path,
    annotations: Path,
    options: CutOptions | None = None,
    *,
    label: str | None = None,
    verdicts: Path | None = None,
) -> Clips:
    """Cut annotated recordings into clips; recordings without a file of annotations are passed over.

    Parameters
    ----------
    recordings
        Their folder.
    annotations
        A file of annotations, or a folder of them (see `aurist.annotations.read_annotations`). A recording that is not
        where they say is looked for by the end of its path in all of the folder.
    options
        How to cut; windows of five seconds by default.
    label
        Column of the labels, where a format has several.
    verdicts
        More annotations, such as `aurist.automl.read_verdicts` gives: of recordings that stand in these alone, what is
        not annotated is unknown.

    Raises
    ------
    DataError
        Where annotations cannot be read, or their recordings are not there: all of them at once.
    """
    if not recordings.is_dir():
        raise DataError(f"{recordings} is no folder: with annotations= it must be that of the recordings.")
    there = Recordings(recordings, annotations, length=_seconds)
    found = read_annotations(annotations, audio_root=there, label=label)
    partial: set[str] = set()
    if verdicts is not None:
        more = read_annotations(verdicts, audio_root=there, label=label)
        partial = set(more.recordings) - set(found.recordings)
        found = join_annotations([found, more])
    infos: dict[str, AudioInfo] = {}
    missing, broken = [], []
    for path in found.recordings:
        file = recordings / path
        if not file.is_file():
            missing.append(path)
            continue
        try:
            infos[path] = probe(file)
        except (DataError, OSError) as error:
            broken.append(f"{path}: {error}")
    if missing:
        raise DataError(
            f"{plural(len(missing), 'recording')} of the annotations {'is' if len(missing) == 1 else 'are'} not in "
            f"{recordings}:\n{listing(missing)}"
        )
    if broken:
        raise DataError(f"{plural(len(broken), 'recording')} cannot be read:\n{listing(broken)}")
    found, notes = _without_lost_ends(found, infos)
    durations = {path: info.duration for path, info in infos.items()}
    clips = to_clips(replace(found, root=recordings), durations, options or CutOptions(), partial=partial)
    hours = sum(durations.values()) / 3600
    cut = f"{plural(len(clips), 'clip')} of {plural(len(durations), 'annotated recording')}, {hours:.1f} h"
    return replace(clips, notes=(cut, *notes, *clips.notes))


def _seconds(file: Path) -> float | None:
    try:
        return probe(file).duration
    except (DataError, OSError):  # is said with all others that cannot be read
        return None


def _without_lost_ends(
    found: Annotations, infos: Mapping[str, AudioInfo]
) -> tuple[Annotations, tuple[str, ...]]:
    """Leave out annotations of what is missing at the end of a recording, and say what is wrong with recordings."""
    table = found.table
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
    return replace(found, table=table[~lost].reset_index(drop=True)), tuple(notes)
