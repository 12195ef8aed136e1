"""Decisions of people about clips of the training data: a journal, each line safe on the disk before the next."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aurist.files import append_jsonl, read_jsonl
from aurist.results.corrections import Corrections
from aurist.stored import check_shape, stored

#: Words of decisions: the right labels follow the first one; the last one takes a decision back.
LABELS, LEAVE_OUT, KEEP, OPEN = "labels", "leave out", "keep", ""
_JOURNAL = "corrections.jsonl"
_LINE = {"key": str, "clip_id": str, "decision": [str], "given?": [str]}


def tidy_labels(labels: Sequence[str]) -> list[str]:
    """Give each label once, without spaces around it, and no empty one.

    Examples
    --------
    >>> tidy_labels(["dog ", "", "dog", "cat"])
    ['dog', 'cat']
    """
    return list(dict.fromkeys(label.strip() for label in labels if label.strip()))


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
        return {key: line["decision"] for key, line in self._all().items()}

    def decide(self, key: str, clip_id: str, words: Sequence[str], given: Sequence[str] = ()) -> None:
        """Store a decision about a clip with these labels; when this returns, it is on the disk."""
        line = {"key": key, "clip_id": clip_id, "decision": list(words), "given": list(given)}
        with self._lock:
            append_jsonl(self.folder / _JOURNAL, line)

    def corrections(self) -> Corrections:
        """Give what they change. Several decisions may be about one clip, each about another of its labels."""
        labels: dict[str, list[str]] = {}
        left_out: list[str] = []
        for line in self._all().values():
            clip_id, (word, *right), given = line["clip_id"], line["decision"], line.get("given", [])
            if word == LABELS:
                changed = labels.get(clip_id, given)
                kept = [label for label in changed if label in right or label not in given]
                labels[clip_id] = list(dict.fromkeys([*kept, *(one for one in right if one not in given)]))
            elif word == LEAVE_OUT:
                left_out.append(clip_id)
        return Corrections(labels, left_out)

    def _all(self) -> dict[str, dict[str, Any]]:
        """Give the lines of the decisions that were not taken back.

        Raises
        ------
        RunError
            If a line has another form.
        """
        path = self.folder / _JOURNAL
        decided: dict[str, dict[str, Any]] = {}
        for line in read_jsonl(path):
            with stored(path, f"Take the damaged line out of {path}."):
                check_shape(line, _LINE)
                if not line["decision"]:
                    raise ValueError("a decision is empty")
            decided[line["key"]] = line
        return {key: line for key, line in decided.items() if line["decision"] != [OPEN]}
