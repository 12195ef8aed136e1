"""Scan a part of the recordings on each of several machines, and merge the folders of detections."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aurist.clips import Clips
from aurist.detection.scan import recordings_of
from aurist.detection.settings import SETTINGS, read_settings
from aurist.detection.store import JOURNAL, SCORES, open_detections
from aurist.errors import ConfigError, DataError, listing, plural
from aurist.files import atomic_path, folder_lock, write_json
from aurist.folders import check_output, remove_folder
from aurist.records import read_record, write_record
from aurist.sharding import gaps, parse_shard

#: The record of a shard. It is hidden: the folder may get it before it has settings.
NAME = ".shard.json"
_REMEDY = "Scan its recordings again into another folder with `aurist predict --shard`."


@dataclass(frozen=True)
class Shard:
    """A part of the recordings of a scan.

    Parameters
    ----------
    number, of
        The number of the part, from 1, and the number of parts.
    recordings
        A hash of the names of all recordings, in order.
    names
        The recordings of this part.
    """

    number: int
    of: int
    recordings: str
    names: tuple[str, ...]


def begin_shard(text: str, clips: Clips, folder: Path) -> Clips:
    """Take the part of the recordings that a shard scans, and note it in its folder of detections.

    The parts are even: a part takes every n-th recording in the order of the names.

    Parameters
    ----------
    text
        The number of the part and the number of parts, such as "2/16".
    clips
        All recordings, the same for each shard.
    folder
        The folder of detections of this shard alone.

    Raises
    ------
    ConfigError
        If the text is no such number, or the folder belongs to another shard or other recordings.
    """
    number, of = parse_shard(text)
    names = sorted(recording.name for recording in recordings_of(clips))
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    shard = Shard(number, of, digest, tuple(names[number - 1 :: of]))
    if not shard.names:
        raise ConfigError(f"shard is {text}, but there are only {plural(len(names), 'recording')}.")
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / NAME).exists():
        before = read_record(folder / NAME, Shard, _REMEDY)
        if before != shard:
            raise ConfigError(
                f"{folder} holds shard {before.number}/{before.of}"
                + (" of other recordings" if before.recordings != digest else "")
                + f", and {text} is given now. Give each shard a folder of its own."
            )
    elif (folder / SETTINGS).exists():
        raise ConfigError(f"{folder} holds detections that are no shard. Give another folder with output=.")
    write_record(folder / NAME, shard)
    return clips.take(clips.table["path"].isin(shard.names).to_numpy())


def merge_shards(folders: Sequence[Path], output: Path) -> list[str]:
    """Merge the folders of all shards of a scan into one, as if one machine had scanned all recordings.

    Parameters
    ----------
    folders
        The folders of detections, in any order.
    output
        The folder to make. One that was made of the same shards stays as it is.

    Returns
    -------
    list of str
        Messages about recordings that cannot be read.

    Raises
    ------
    DataError
        If a folder is no shard, shards are missing, given twice, unfinished, or of different scans. All are listed.
    """
    check_output(output, folder=True)
    shards = {folder: _read(folder) for folder in folders}
    problems = _gaps(shards)
    unreadable: list[str] = []
    for folder, shard in shards.items():
        unfinished = _unfinished(folder, shard, unreadable)
        if unfinished:
            problems.append(
                f"{folder}: {plural(len(unfinished), 'recording')} not scanned to the end, such as {unfinished[0]}; "
                "give its command again"
            )
    if problems:
        raise DataError(f"These shards cannot be merged:\n{listing(problems)}")
    output.mkdir(parents=True, exist_ok=True)
    with folder_lock(output):
        # scores without settings are of a merge that was interrupted: a scan writes its settings first
        names = {path.name for path in output.iterdir() if not path.name.startswith(".")}
        if _is_merged(folders, output):
            return unreadable
        if not names <= {SCORES, JOURNAL}:
            raise DataError(f"{output} is not empty. Give a new folder with output=.")
        remove_folder(output / SCORES)
        for folder in shards:
            for scores in sorted((folder / SCORES).glob("*")):
                shutil.copytree(scores, output / SCORES / scores.name, dirs_exist_ok=True)
        with atomic_path(output / JOURNAL) as part, part.open("wb") as journal:
            journal.writelines(map(_whole_lines, folders))
        write_json(output / SETTINGS, read_settings(folders[0]))  # the last file: the folder is whole
    return unreadable


def _is_merged(folders: Sequence[Path], output: Path) -> bool:
    """Tell whether a folder is whole, and of these shards: a merge may be killed after its last file."""
    if not ((output / SETTINGS).exists() and (output / JOURNAL).exists()):
        return False
    same_settings = read_settings(output) == read_settings(folders[0])
    return same_settings and (output / JOURNAL).read_bytes() == b"".join(map(_whole_lines, folders))


def _whole_lines(folder: Path) -> bytes:
    """Return the journal of a folder, without a line that a kill cut short."""
    content = (folder / JOURNAL).read_bytes()
    return content[: content.rfind(b"\n") + 1]


def is_finished(folder: Path) -> bool:
    """Return True for the folder of a shard whose recordings were all scanned, or cannot be read."""
    if not ((folder / NAME).exists() and (folder / SETTINGS).exists()):
        return False
    return not _unfinished(folder, _read(folder), [])


def _read(folder: Path) -> Shard:
    read_settings(folder)
    if not (folder / NAME).exists():
        raise DataError(f"{folder} is no shard: make one with `aurist predict RUN RECORDINGS --shard 1/4`.")
    return read_record(folder / NAME, Shard, _REMEDY)


def _gaps(shards: dict[Path, Shard]) -> list[str]:
    """List what is missing, given twice, or of another scan than the first folder."""
    first_folder, first = next(iter(shards.items()))
    settings = read_settings(first_folder)

    def difference(folder: Path) -> str | None:
        shard = shards[folder]
        if (shard.of, shard.recordings) != (first.of, first.recordings):
            return f"of other recordings, or of another number of shards, than {first_folder}"
        if read_settings(folder) != settings:
            return f"another run, model, window, overlap or channel than {first_folder}"
        return None

    return gaps(shards, difference)


def _unfinished(folder: Path, shard: Shard, unreadable: list[str]) -> list[str]:
    """List the recordings that have no end in the journal; those that cannot be read are not waited for."""
    detections = open_detections(folder)
    finished, failures = detections.lengths(), detections.failures()
    unreadable += [failures[name] for name in shard.names if name in failures]
    return [name for name in shard.names if name not in finished and name not in failures]
