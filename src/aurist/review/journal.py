"""Verdicts on detections in a journal: each is safe on the disk before the next, and can be taken back."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aurist.annotations import ABSENT, PRESENT, Annotations, make_annotations
from aurist.files import append_jsonl, read_jsonl
from aurist.review.verdicts import NO, UNSURE, YES
from aurist.stored import check_shape, stored

JOURNAL = "verdicts.jsonl"
#: Taken back.
OPEN = ""
#: Other labels than the detected one are present.
OTHER = "other"
VERDICTS = (YES, NO, UNSURE, OTHER, OPEN)
_LINE = {
    "key": str,
    "recording": str,
    "start": float,
    "end": float,
    "label": str,
    "score": float,
    "verdict": str,
    "labels": [str],
    "revision": int,
    "time": float,
    "surest_start?": (float, None),
    "surest_end?": (float, None),
}
#: A later version may write more.
_NAMES = tuple(name.removesuffix("?") for name in _LINE)


@dataclass(frozen=True)
class Verdict:
    """A person's verdict on a detection.

    Parameters
    ----------
    key
        Of the detection: see `key_of`.
    recording, start, end, label, score
        The detection, in seconds.
    verdict
        "yes", "no", "?", "other", or "" if it was taken back.
    labels
        The labels that are present, for "other".
    revision
        The number of its line in the journal, from 1.
    time
        Seconds since 1970.
    surest_start, surest_end
        Where the score is highest; None: in the whole detection.
    """

    key: str
    recording: str
    start: float
    end: float
    label: str
    score: float
    verdict: str
    labels: tuple[str, ...] = ()
    revision: int = 0
    time: float = 0.0
    surest_start: float | None = None
    surest_end: float | None = None

    def span(self, state: str) -> tuple[float, float]:
        """Give the seconds that a state holds for: a call is somewhere in a long event, and absent in all of it."""
        if state == PRESENT and self.surest_start is not None and self.surest_end is not None:
            return self.surest_start, self.surest_end
        return self.start, self.end

    @property
    def decided(self) -> bool:
        """True if it tells whether the detection is right."""
        return self.verdict in (YES, NO, OTHER)

    @property
    def right(self) -> bool:
        """True if the detected class is present."""
        return self.verdict == YES or (self.verdict == OTHER and self.label in self.labels)

    def states(self) -> list[tuple[str, str]]:
        """Give the labels that it is about, with their states.

        Examples
        --------
        >>> verdict = Verdict("", "a.wav", 0.0, 1.0, "wren", 0.9, "other", ("robin", "owl"))
        >>> verdict.states()
        [('robin', 'present'), ('owl', 'present'), ('wren', 'absent')]
        """
        if not self.decided:
            return []
        present = [(label, PRESENT) for label in self.labels] if self.verdict == OTHER else []
        if self.verdict == YES:
            present = [(self.label, PRESENT)]
        return present if self.right else [*present, (self.label, ABSENT)]


def key_of(recording: str, start: float, end: float, label: str) -> str:
    """Name a detection, the same after every start of the program.

    Examples
    --------
    >>> key_of("a.wav", 0.0, 1.5, "wren") == key_of("a.wav", 0.0, 1.5, "wren")
    True
    """
    text = "\0".join((recording, f"{start:.3f}", f"{end:.3f}", label))
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()


@dataclass
class VerdictJournal:
    """The verdicts in a folder; safe with several threads of one process.

    Parameters
    ----------
    folder
        The folder of detections.
    """

    folder: Path
    _verdicts: dict[str, Verdict] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _revision: int = 0

    def __post_init__(self) -> None:
        path = self.folder / JOURNAL
        for line in read_jsonl(path):
            with stored(path, f"Take the damaged line out of {path}."):
                check_shape(line, _LINE)
            fields = {name: line[name] for name in _NAMES if name in line}
            self._keep(Verdict(**{**fields, "labels": tuple(line["labels"])}))

    def put(self, verdict: Verdict) -> Verdict:
        """Store a verdict; when this returns it is safe on the disk. A later one takes the place of an earlier one."""
        with self._lock:
            record = {**asdict(verdict), "revision": self._revision + 1, "time": time.time()}
            append_jsonl(self.folder / JOURNAL, record)
            return self._keep(Verdict(**record))

    def current(self) -> Mapping[str, Verdict]:
        """Give the verdicts that hold, by the key of the detection."""
        with self._lock:
            return {key: verdict for key, verdict in self._verdicts.items() if verdict.verdict != OPEN}

    def since(self, revision: int) -> list[Verdict]:
        """Give the verdicts after a revision, also those that were taken back, in their order."""
        with self._lock:
            newer = [verdict for verdict in self._verdicts.values() if verdict.revision > revision]
        return sorted(newer, key=lambda verdict: verdict.revision)

    def _keep(self, verdict: Verdict) -> Verdict:
        self._verdicts[verdict.key] = verdict
        self._revision = max(self._revision, verdict.revision)
        return verdict


def annotations_of(verdicts: Iterable[Verdict]) -> Annotations:
    """Turn verdicts into annotations to learn from, as `aurist verdicts` writes them."""
    rows: list[dict[str, Any]] = []
    for verdict in sorted(verdicts, key=lambda one: (one.recording, one.start, one.label)):
        for label, state in verdict.states():
            start, end = verdict.span(state)
            rows.append(
                {"path": verdict.recording, "start": start, "end": end, "label": label, "state": state}
            )
    return make_annotations(rows, JOURNAL)
