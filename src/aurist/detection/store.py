"""The folder of detections: the scores of all windows, block by block, and a journal of what is done.

``settings.json  journal.jsonl  scores/<recording>/<block>.npz``, and beside them what people open.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.detection.window_scores import SUREST, Scores
from aurist.errors import ConfigError, DataError, listing, plural
from aurist.features.windows import Block
from aurist.files import append_jsonl, atomic_path, read_jsonl, write_json
from aurist.stored import check_shape, read_arrays, read_json, stored

SETTINGS, JOURNAL, SCORES = "settings.json", "journal.jsonl", "scores"
#: What must be in these files.
_SETTINGS = {
    "run": str,
    "model": str,
    "channel": (int, str),
    "classes": [str],
    "window": float,
    "overlap": float,
}
_LINE = {
    "event": str,
    "recording": str,
    "stamp?": [int],
    "file?": (str, None),
    "block?": int,
    "seconds?": float,
    "note?": str,
    "silenced?": [[float]],
}
_ARRAYS = {"starts": (1,), "ends": (1,), "proba": (2,), "when": (3,)}
_ARRAYS_ALONE = {name: _ARRAYS[name] for name in ("starts", "ends", "proba")}
_NO_SETTINGS = (
    "Take it from a copy of {folder}, or hear the recordings into another folder with `aurist predict`."
)
#: Seconds after which nobody is at work on a file that is written.
_LITTER = 3600


@dataclass(frozen=True)
class Recording:
    """A file to listen to: its name in tables, and where it is."""

    name: str
    file: Path

    def stamp(self) -> list[int]:
        """By which it is known to have changed: its size, and when it was written."""
        found = self.file.stat()
        return [found.st_size, found.st_mtime_ns]


@dataclass
class ScanProgress:
    """What the journal knows of a recording.

    Parameters
    ----------
    stamp
        As it was when its first block was done.
    blocks
        Those that are done.
    seconds
        Its length, where all of it is done.
    note
        What people should know of it: a missing end, damage.
    silenced
        See `aurist.audio.Stretch`.
    file
        Where it was; None in folders of older versions.
    """

    stamp: list[int]
    blocks: set[int] = field(default_factory=set)
    seconds: float | None = None
    note: str = ""
    file: str | None = None
    silenced: list[tuple[float, float]] = field(default_factory=list)


class Detections:
    """A folder that gets scores; one that has some already goes on with them.

    Parameters
    ----------
    folder
        Made where it is not there.
    settings
        On which the scores depend.

    Raises
    ------
    ConfigError
        Where it holds scores by other settings.
    DataError
        Where it holds something else.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)
        _check_settings(folder, settings)
        self._known: dict[str, ScanProgress] = {}
        self._remedy = (
            f"Copy the folder again from where it was made, or hear the recordings into another one: aurist predict "
            f"RUN RECORDINGS -o {folder}-2"
        )
        for line in read_jsonl(folder / JOURNAL):
            with stored(folder / JOURNAL, self._remedy):
                check_shape(line, _LINE)
                self._replay(line)

    def check_names(self, recordings: Sequence[Recording]) -> None:
        """See that none would take the place of another of the same name.

        Raises
        ------
        ConfigError
            Where one would: all of them at once.
        """
        taken = []
        for one in recordings:
            known = self._known.get(one.name)
            if known is None or known.file is None or not one.file.is_file():
                continue
            other = Path(known.file)
            if one.stamp() != known.stamp and one.file.resolve() != other and other.is_file():
                taken.append(f"{one.name}: {other} was heard, {one.file.resolve()} is given now")
        if taken:
            raise ConfigError(
                f"{self.folder} holds {plural(len(taken), 'other recording')} of the same name:\n{listing(taken)}\n"
                "Give another folder with output=, or the folder above with all recordings at once."
            )

    def clear(self) -> None:
        """Take away what is left of writes that a kill has ended; not of those of another process now."""
        for pattern in (".*.part", f"{SCORES}/*/.*.part"):
            for part in self.folder.glob(pattern):
                with suppress(FileNotFoundError):  # by now it is whole
                    if time.time() - part.stat().st_mtime > _LITTER:
                        part.unlink()

    def progress(self, recording: Recording) -> ScanProgress:
        """What is done of a recording; nothing, where it has changed since."""
        known = self._known.get(recording.name)
        stamp = recording.stamp()
        if known is None or known.stamp != stamp:
            file = str(recording.file.resolve())
            self._log({"event": "began", "recording": recording.name, "stamp": stamp, "file": file})
        return self._known[recording.name]

    def keep(
        self,
        recording: Recording,
        number: int,
        block: Block,
        proba: Proba,
        when: Proba | None = None,
        note: str = "",
    ) -> None:
        """Store the scores of a block, with the last one what people should know of the recording.

        When this returns, no kill can take them away.
        """
        if when is None:
            when = np.ones((len(proba), 1, proba.shape[1]))
        with atomic_path(self._part(recording, number)) as part, part.open("wb") as file:
            np.savez(
                file,
                starts=block.starts,
                ends=block.ends,
                proba=proba.astype(np.float32),
                when=np.rint(when * SUREST).astype(np.uint8),  # the largest array by far
            )
        line = {"event": "block", "recording": recording.name, "block": number, "silenced": block.silenced}
        # in the same line: a recording whose last block is done is done, whenever a kill comes
        self._log(line if block.length is None else {**line, "seconds": block.length, "note": note})

    def scores(
        self, recording: Recording, columns: npt.NDArray[np.intp] | None = None, *, when: bool = True
    ) -> Scores:
        """What is stored of a recording, in order.

        Parameters
        ----------
        recording
            Some of which has been heard.
        columns
            The classes wanted; None: all.
        when
            Whether that is wanted too: it is the largest by far. Else it is as where the run cannot tell.
        """
        wanted = slice(None) if columns is None else columns
        parts = []
        blocks = sorted(self._known[recording.name].blocks)
        with stored(self.folder / JOURNAL, self._remedy):
            if not blocks or blocks != list(range(len(blocks))):
                raise ValueError(f"blocks of {recording.name} are missing")
        for number in blocks:
            path = self._part(recording, number)
            kept = read_arrays(path, _ARRAYS if when else _ARRAYS_ALONE, self._remedy)
            with stored(path, self._remedy):
                parts.append(_scores_of(kept, wanted))
        parts = [part for part in parts if len(part.proba)] or parts[:1]
        return Scores(
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.ends for part in parts]),
            np.concatenate([part.proba for part in parts]),
            np.concatenate([part.when for part in parts]),
        )

    def recordings(self, root: Path | None = None) -> list[Recording]:
        """Those that were heard to their end: in the folder ``root``, or where they were.

        Raises
        ------
        DataError
            Where some are not there any more, or are not what was heard: all of them at once.
        """
        found, wrong = [], []
        for name, known in self._known.items():
            if known.seconds is None:
                continue
            file = Path(name if known.file is None else known.file) if root is None else _inside(root, name)
            one = Recording(name, file)
            found.append(one)
            if not file.is_file():
                wrong.append(f"{name}: there is no {file}")
            elif one.stamp()[0] != known.stamp[0]:
                wrong.append(f"{name}: {file} has changed since it was heard")
        if wrong:
            raise DataError(
                f"{plural(len(wrong), 'recording')} of {self.folder} cannot be listened to again:\n{listing(wrong)}\n"
                "Name their folder with audio_root=, or hear them again with `aurist predict`."
            )
        return found

    def _part(self, recording: Recording, number: int) -> Path:
        # names of recordings may hold what names of files may not
        place = hashlib.blake2b(recording.name.encode(), digest_size=8).hexdigest()
        return self.folder / SCORES / place / f"{number:06d}.npz"

    def _log(self, line: dict[str, Any]) -> None:
        append_jsonl(self.folder / JOURNAL, line)
        self._replay(line)

    def _replay(self, line: dict[str, Any]) -> None:
        if line["event"] == "began":
            self._known[line["recording"]] = ScanProgress(line["stamp"], file=line.get("file"))
            return
        if line["recording"] not in self._known:
            raise ValueError(f"{line['recording']!r} was never begun")
        known = self._known[line["recording"]]
        if "block" in line:
            known.blocks.add(line["block"])
            known.silenced += [(start, end) for start, end in line.get("silenced", ())]
        if "seconds" in line:  # in a line of its own in folders of older versions
            known.seconds, known.note = line["seconds"], line.get("note", "")


def open_detections(folder: Path) -> Detections:
    """A folder that `aurist predict` made.

    Raises
    ------
    DataError
        Where it is none.
    """
    path = folder / SETTINGS
    if not path.exists():
        raise DataError(
            f"{folder} is no folder of detections: there is no {SETTINGS} in it. Make one with: aurist predict RUN "
            f"RECORDINGS -o {folder}"
        )
    return Detections(folder, read_json(path, _SETTINGS, _NO_SETTINGS.format(folder=folder)))


def _scores_of(kept: dict[str, npt.NDArray[Any]], wanted: slice | npt.NDArray[np.intp]) -> Scores:
    """Scores as they are stored, of some classes; without ``when`` it is as where the run cannot tell."""
    starts, ends, proba = kept["starts"], kept["ends"], kept["proba"]
    when = kept.get("when", np.full_like(proba[:, None], SUREST, np.uint8))
    if not len(starts) == len(ends) == len(proba) == len(when):
        raise ValueError(
            f"it has {len(starts)} starts, {len(ends)} ends, and scores of the shape {proba.shape}"
        )
    if when.shape[2] != proba.shape[1] or not when.shape[1]:
        raise ValueError(f"when has the shape {when.shape}")
    return Scores(starts, ends, proba[:, wanted], when[:, :, wanted])


def _inside(root: Path, name: str) -> Path:
    """Where a recording should be in a folder: by its name, or by the last part of that."""
    file, alone = root / name, root / PurePath(name).name
    return alone if PurePath(name).is_absolute() or (alone.is_file() and not file.is_file()) else file


def _check_settings(folder: Path, settings: dict[str, Any]) -> None:
    path = folder / SETTINGS
    if not path.exists():
        # hidden are the lock, and what is left of a first write that was killed
        strange = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        if strange:
            raise DataError(
                f"{folder} is no folder of detections: it holds {', '.join(strange[:5])}, and no {SETTINGS}. "
                "Give a new folder with output=."
            )
        write_json(path, settings)
        return
    before = read_json(path, dict, _NO_SETTINGS.format(folder=folder))
    differ = [
        f"{name}: {before.get(name)} there, {settings.get(name)} now"
        for name in {**before, **settings}
        if before.get(name) != settings.get(name)
    ]
    if differ:
        raise ConfigError(
            f"{folder} holds scores by other settings; {plural(len(differ), 'setting')} "
            f"{'differs' if len(differ) == 1 else 'differ'}:\n{listing(differ)}\n"
            "Go on with the settings it was begun with, or give another folder with output=."
        )
