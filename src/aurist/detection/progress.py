"""The progress of each recording of a scan, as the lines of its journal tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The event of a recording that cannot be read.
FAILED = "failed"
#: The expected content of a line.
LINE = {
    "event": str,
    "recording": str,
    "stamp?": [int],
    "file?": (str, None),
    "block?": int,
    "seconds?": float,
    "note?": str,
    "silenced?": [[float]],
}


@dataclass
class ScanProgress:
    """The progress of a recording, as the journal tells it.

    Parameters
    ----------
    stamp
        The stamp of the file when its first block was scored.
    blocks
        The numbers of the finished blocks.
    seconds
        Its length, if all of it is scored; else None.
    note
        A note for people, such as a missing end or damage.
    silenced
        See `aurist.audio.Stretch`.
    file
        The path of the recording; None in folders of older versions.
    failure
        The message of a recording that cannot be read; "" otherwise.
    """

    stamp: list[int]
    blocks: set[int] = field(default_factory=set)
    seconds: float | None = None
    note: str = ""
    file: str | None = None
    failure: str = ""
    silenced: list[tuple[float, float]] = field(default_factory=list)


def replay(recordings: dict[str, ScanProgress], line: dict[str, Any]) -> None:
    """Bring the progress of a line's recording up to date.

    Raises
    ------
    ValueError
        If the journal never began this recording.
    """
    if line["event"] == "began":
        recordings[line["recording"]] = ScanProgress(line["stamp"], file=line.get("file"))
        return
    if line["recording"] not in recordings:
        raise ValueError(f"{line['recording']!r} was never begun")
    progress = recordings[line["recording"]]
    progress.failure = line.get("note", "") if line["event"] == FAILED else ""
    if "block" in line:
        progress.blocks.add(line["block"])
        progress.silenced += [(start, end) for start, end in line.get("silenced", ())]
    if "seconds" in line:  # a separate line in folders of older versions
        progress.seconds, progress.note = line["seconds"], line.get("note", "")
