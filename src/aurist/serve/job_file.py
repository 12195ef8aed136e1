"""A detection job, and its file."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aurist.clips.table import numbered
from aurist.detection.store import Recording
from aurist.serve.decoders import Sound
from aurist.stored import read_json, stored

WAITING, RUNNING, DONE, FAILED = STATES = ("waiting", "running", "done", "failed")
JOB, SOUNDS, DETECTIONS = "job.json", "sounds", "detections"
ID = re.compile(r"[0-9a-f]{16}")
_SHAPE = {
    "id": str,
    "created": float,
    "state": str,
    "window": float,
    "overlap": (float, None),
    "sounds": [
        {"name": str, "file": str, "sample_rate": int, "frames": int, "note": str, "began?": str},
    ],
    "model": str,
    "message": str,
}


@dataclass(frozen=True)
class Job:
    """A detection job.

    Parameters
    ----------
    id
        16 hexadecimal digits, drawn at random.
    created
        Seconds since 1970.
    window, overlap
        Seconds of a window, and of its overlap; None: half a window.
    sounds
        The recordings.
    model
        The key of the model.
    state
        "waiting", "running", "done" or "failed".
    message
        Why it failed, or which recordings of it did.
    seconds_done
        Seconds of sound that are scored.
    """

    id: str
    created: float
    window: float
    overlap: float | None
    sounds: tuple[Sound, ...]
    model: str
    state: str = WAITING
    message: str = ""
    seconds_done: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of sound in all."""
        return sum(sound.seconds for sound in self.sounds)

    @property
    def recordings(self) -> list[Recording]:
        """The recordings by the names that the client gave, made unique."""
        names = numbered([sound.name for sound in self.sounds])
        return [Recording(name, sound.file) for name, sound in zip(names, self.sounds, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Give the content of its file; files are named inside its folder."""
        record = {key: value for key, value in asdict(self).items() if key != "seconds_done"}
        record["sounds"] = [{**asdict(sound), "file": sound.file.name} for sound in self.sounds]
        return record


def read_job(folder: Path) -> Job:
    """Read the job of a folder.

    Raises
    ------
    RunError
        If its file is damaged.
    """
    remedy = f"Remove {folder}, and send the recordings again."
    record = read_json(folder / JOB, _SHAPE, remedy)
    sounds = tuple(
        Sound(
            sound["name"],
            folder / SOUNDS / Path(sound["file"]).name,
            sound["sample_rate"],
            sound["frames"],
            sound["note"],
            sound.get("began", ""),
        )
        for sound in record["sounds"]
    )
    job = Job(**{name: record[name] for name in _SHAPE} | {"sounds": sounds, "id": folder.name})
    with stored(folder / JOB, remedy):
        if job.state not in STATES or any(sound.sample_rate <= 0 for sound in sounds):
            raise ValueError(f"it has the state {job.state[:20]!r}, or a sample rate below 1")
    return replace(job, seconds_done=job.seconds if job.state == DONE else 0.0)
