"""A clip as it is written into a shard: the bytes of its recording, and its labels and other facts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from aurist.archives import read_member
from aurist.audio import probe, read
from aurist.clips import Clips

_FINE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
#: The names of the facts, in order.
FACTS = ("id", "label", "group", "fold", "split", "file")


@dataclass(frozen=True)
class Example:
    """A clip.

    Parameters
    ----------
    key
        Its name, without a point.
    ending
        Of the recording, such as ``.wav``.
    sound
        The bytes of the recording.
    facts
        By `FACTS`; what the clip lacks is left out.
    """

    key: str
    ending: str
    sound: bytes
    facts: dict[str, str]

    @property
    def name(self) -> str:
        """The name of the recording."""
        return f"{self.key}{self.ending}"


def examples(clips: Clips, rows: range, keys: Sequence[str], sample_rate: int | None) -> Iterator[Example]:
    """Yield clips: whole files byte for byte; parts of files, and all clips if there is a rate, as FLAC."""
    for row in rows:
        clip = clips.table.iloc[row]
        path = clips.file(str(clip["path"]))
        facts = {
            "id": clip["clip_id"],
            "label": ";".join(clip["labels"]) if clips.labelled else None,
            "group": clip["group"],
            "fold": clip["fold"],
            "split": clip["part"],
            "file": PurePath(str(clip["path"])).as_posix(),
        }
        ending, sound = _sound(path, float(clip["start"]), float(clip["end"]), sample_rate)
        yield Example(
            keys[row], ending, sound, {name: value for name, value in facts.items() if value is not None}
        )


def _sound(path: Path, start: float, end: float, sample_rate: int | None) -> tuple[str, bytes]:
    if sample_rate is None and np.isnan(start) and np.isnan(end):
        member = read_member(path)
        return path.suffix.lower(), path.read_bytes() if member is None else member
    return ".flac", _decoded(path, start, end, sample_rate)


def _decoded(path: Path, start: float, end: float, sample_rate: int | None) -> bytes:
    import soundfile

    y, rate = read(
        path, sample_rate, start=0.0 if np.isnan(start) else start, end=None if np.isnan(end) else end
    )
    out = io.BytesIO()
    subtype = "PCM_24" if probe(path).subtype in _FINE else "PCM_16"
    soundfile.write(out, np.clip(y, -1, 1), rate, format="FLAC", subtype=subtype)
    return out.getvalue()
