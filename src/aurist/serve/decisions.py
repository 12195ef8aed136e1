"""What people decided about clips of the training data: a journal, each line safe on the disk before the next."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from aurist.files import append_jsonl, read_jsonl
from aurist.results.corrections import Corrections

#: Words of decisions: the right labels follow the first one; the last one takes a decision back.
LABELS, LEAVE_OUT, KEEP, OPEN = "labels", "leave out", "keep", ""
_JOURNAL = "corrections.jsonl"


@dataclass
class Decisions:
    """The decisions of a server.

    Parameters
    ----------
    folder
        Holds the journal.
    """

    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> dict[str, list[str]]:
        """Give the decisions by their keys: one word, or the right labels after the word "labels"."""
        return {key: words for key, (_, words) in self._all().items()}

    def decide(self, key: str, clip_id: str, words: list[str]) -> None:
        """Store a decision about a clip; when this returns, it is on the disk."""
        with self._lock:
            append_jsonl(self.folder / _JOURNAL, {"key": key, "clip_id": clip_id, "decision": words})

    def corrections(self) -> Corrections:
        """Give what they change."""
        labels: dict[str, list[str]] = {}
        left_out: list[str] = []
        for clip_id, words in self._all().values():
            if words[0] == LABELS:
                labels[clip_id] = words[1:]
            elif words[0] == LEAVE_OUT:
                left_out.append(clip_id)
        return Corrections(labels, left_out)

    def _all(self) -> dict[str, tuple[str, list[str]]]:
        """Give the clip and the words of each decision that was not taken back."""
        decided = {
            str(line["key"]): (str(line["clip_id"]), [str(word) for word in line["decision"]])
            for line in read_jsonl(self.folder / _JOURNAL)
        }
        return {key: decision for key, decision in decided.items() if decision[1] != [OPEN]}
