"""The folder of detections: the scores of all windows in blocks, and a journal of the finished blocks.

``settings.json  journal.jsonl  scores/<recording>/<block>.npz``, and the files for people.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.archives import exists, stamp
from aurist.arrays import Proba
from aurist.detection.progress import FAILED, LINE, ScanProgress, replay
from aurist.detection.settings import check_settings, read_settings
from aurist.detection.window_scores import SUREST, Scores, scores_of_arrays
from aurist.errors import ConfigError, DataError, listing, plural
from aurist.features.windows import Block
from aurist.files import append_jsonl, read_jsonl, write_arrays
from aurist.progress import logger
from aurist.stored import check_shape, read_arrays, stored

JOURNAL, SCORES = "journal.jsonl", "scores"
#: The expected content of a block.
_ARRAYS = {"starts": (1,), "ends": (1,), "proba": (2,), "likeness": (1,), "when": (3,), "levels": (3,)}
_ARRAYS_ALONE = {name: _ARRAYS[name] for name in ("starts", "ends", "proba", "likeness")}
#: Age in seconds at which an unfinished file is left over from a killed process.
_LITTER = 3600


@dataclass(frozen=True)
class Recording:
    """A recording: its name in tables, and its file."""

    name: str
    file: Path

    def stamp(self) -> list[int]:
        """Give the size and the modification time of the file, or of its archive, to notice changes."""
        return list(stamp(self.file))


class Detections:
    """A folder of scores; a folder with scores is continued.

    Parameters
    ----------
    folder
        The folder; it is created if it does not exist.
    settings
        The settings that the scores depend on.

    Raises
    ------
    ConfigError
        If it holds scores with other settings.
    DataError
        If it holds something else.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)
        check_settings(folder, settings)
        self._known: dict[str, ScanProgress] = {}
        self._remedy = (
            f"Copy the folder again from where it was made, or scan the recordings again into another one: "
            f"aurist predict "
            f"RUN RECORDINGS -o {folder}-2"
        )
        for line in read_jsonl(folder / JOURNAL):
            with stored(folder / JOURNAL, self._remedy):
                check_shape(line, LINE)
                replay(self._known, line)

    def check_names(self, recordings: Sequence[Recording]) -> None:
        """Check that no recording replaces another of the same name.

        Raises
        ------
        ConfigError
            If some would. All of them are listed.
        """
        conflicts = []
        for recording in recordings:
            progress = self._known.get(recording.name)
            if progress is None or progress.file is None or not exists(recording.file):
                continue
            other = Path(progress.file)
            if recording.stamp() != progress.stamp and recording.file.resolve() != other and exists(other):
                conflicts.append(
                    f"{recording.name}: {other} was scanned, {recording.file.resolve()} is given now"
                )
        if conflicts:
            raise ConfigError(
                f"{self.folder} holds {plural(len(conflicts), 'other recording')} of the same name:\n"
                f"{listing(conflicts)}\n"
                "Give another folder with output=, or the folder above with all recordings at once."
            )

    def clear(self) -> None:
        """Remove unfinished files of killed processes; leave the files that another process is writing."""
        for pattern in (".*.part", f"{SCORES}/*/.*.part"):
            for part in self.folder.glob(pattern):
                with suppress(FileNotFoundError):  # it has been finished meanwhile
                    if time.time() - part.stat().st_mtime > _LITTER:
                        part.unlink()

    def progress(self, recording: Recording) -> ScanProgress:
        """Give the progress of a recording; it starts again if the file has changed."""
        progress = self._known.get(recording.name)
        file_stamp = recording.stamp()
        if progress is None or progress.stamp != file_stamp:
            file = str(recording.file.resolve())
            self._log({"event": "began", "recording": recording.name, "stamp": file_stamp, "file": file})
        return self._known[recording.name]

    def keep(
        self,
        recording: Recording,
        number: int,
        block: Block,
        proba: Proba,
        when: Proba | None = None,
        note: str = "",
        likeness: npt.NDArray[np.float64] | None = None,
        levels: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        """Store the scores of a block; the last block also stores the note for people.

        When this returns, the scores are safe on disk.
        """
        if when is None:
            when = np.ones((len(proba), 1, proba.shape[1]))
        arrays: dict[str, npt.NDArray[Any]] = {
            "starts": block.starts,
            "ends": block.ends,
            "proba": proba.astype(np.float32),
            "when": np.rint(when * SUREST).astype(np.uint8),  # the largest array by far
        }
        if likeness is not None:
            arrays["likeness"] = likeness.astype(np.float32)
        if levels is not None:
            arrays["levels"] = levels
        write_arrays(self._part(recording, number), arrays, compress=False)
        line = {"event": "block", "recording": recording.name, "block": number, "silenced": block.silenced}
        # one line for both: a kill cannot separate the last block from the end of the recording
        self._log(line if block.length is None else {**line, "seconds": block.length, "note": note})

    def scores(
        self, recording: Recording, columns: npt.NDArray[np.intp] | None = None, *, when: bool = True
    ) -> Scores:
        """Read the stored scores of a recording, in order.

        Parameters
        ----------
        recording
            A recording with at least one stored block.
        columns
            The columns of the classes to read; None: all.
        when
            Read the times in windows too. They are the largest array. False: as if the run gave no times.
        """
        selection = slice(None) if columns is None else columns
        parts = []
        blocks = sorted(self._known[recording.name].blocks)
        with stored(self.folder / JOURNAL, self._remedy):
            if not blocks or blocks != list(range(len(blocks))):
                raise ValueError(f"blocks of {recording.name} are missing")
        for number in blocks:
            path = self._part(recording, number)
            arrays = read_arrays(
                path, _ARRAYS if when else _ARRAYS_ALONE, self._remedy, optional=("likeness", "levels")
            )
            with stored(path, self._remedy):
                parts.append(scores_of_arrays(arrays, selection))
        parts = [part for part in parts if len(part.proba)] or parts[:1]
        levels = [part.levels for part in parts if part.levels is not None]
        return Scores(
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.ends for part in parts]),
            np.concatenate([part.proba for part in parts]),
            np.concatenate([part.when for part in parts]),
            np.concatenate([part.likeness for part in parts]),
            np.concatenate(levels) if len(levels) == len(parts) else None,
        )

    def fail(self, recording: Recording, message: str) -> None:
        """Note that a recording cannot be read; a later call tries again. One that is missing is not noted."""
        if exists(recording.file) and self.progress(recording).failure != message:
            self._log({"event": FAILED, "recording": recording.name, "note": message})

    def failures(self) -> dict[str, str]:
        """Give the messages of recordings that could not be read at the last try."""
        return {name: progress.failure for name, progress in self._known.items() if progress.failure}

    def lengths(self) -> dict[str, tuple[Path, float]]:
        """Give the file and the length in seconds of each recording that was scored to its end."""
        return {
            name: (Path(progress.file or name), progress.seconds)
            for name, progress in self._known.items()
            if progress.seconds is not None
        }

    def recordings(self, root: Path | None = None) -> list[Recording]:
        """Give the recordings that were scored to their end, in the folder ``root`` or at their old paths.

        Those that are missing or have changed are left out, with a warning.

        Raises
        ------
        DataError
            If all are. They are listed.
        """
        recordings, problems = [], []
        for name, progress in self._known.items():
            if progress.seconds is None:
                continue
            file = (
                Path(name if progress.file is None else progress.file)
                if root is None
                else _inside(root, name)
            )
            recording = Recording(name, file)
            if not exists(file):
                problems.append(f"{name}: there is no {file}")
            elif recording.stamp()[0] != progress.stamp[0]:
                problems.append(f"{name}: {file} has changed since it was scanned")
            else:
                recordings.append(recording)
        if problems:
            message = (
                f"{plural(len(problems), 'recording')} of {self.folder} cannot be read again:\n"
                f"{listing(problems)}\n"
                "Name their folder with audio_root=, or scan them again with `aurist predict`."
            )
            if not recordings:
                raise DataError(message)
            logger.warning(message)
        return recordings

    def _part(self, recording: Recording, number: int) -> Path:
        # names of recordings may hold characters that file names may not
        key = hashlib.blake2b(recording.name.encode(), digest_size=8).hexdigest()
        return self.folder / SCORES / key / f"{number:06d}.npz"

    def _log(self, line: dict[str, Any]) -> None:
        append_jsonl(self.folder / JOURNAL, line)
        replay(self._known, line)


def open_detections(folder: Path) -> Detections:
    """Open a folder that `aurist predict` made.

    Raises
    ------
    DataError
        If it is no such folder.
    """
    return Detections(folder, read_settings(folder))


def _inside(root: Path, name: str) -> Path:
    """Find a recording in a folder by its name, or by the last part of its name."""
    path, by_name = root / name, root / PurePath(name).name
    return by_name if PurePath(name).is_absolute() or (exists(by_name) and not exists(path)) else path
