"""Findings of the check before the fit, with sound: flawed clips, near duplicates, copies with other labels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.review.journal import key_of
from aurist.run import RunFolder, read_data
from aurist.serve.clip_answers import read_clip
from aurist.serve.decisions import LABELS, OPEN, Decisions
from aurist.serve.refusals import RefusedError
from aurist.serve.sound import Samples

NEAR, CONFLICT = "near duplicates", "other labels"
#: The most findings of a kind, and seconds of a clip to hear.
_MOST, _LONGEST = 200, 30.0
_SHAPE = {
    "broken": [{"clip_id": str, "path": (str, None), "kind": str, "fatal": bool, "detail": str}],
    "findings": [{"detail": str}],
    "near": [
        {
            "in_test": bool,
            "path": str,
            "other_path": str,
            "labels": [str],
            "other_labels": [str],
            "offset": float,
            "overlap": float,
        }
    ],
    "conflicts": [{"kind": str, "set": int, "clip_id": str, "labels": [str]}],
}


@dataclass(frozen=True)
class FoundClip:
    """A clip of a finding: its name, its labels, its file, and the seconds to hear; None: to its end.

    ``clip_ids`` are the clips of the data that are left out with it: all clips of a file that is nearly another one;
    none if it was left out by the check.
    """

    name: str
    labels: str
    file: Path
    start: float
    end: float | None
    clip_ids: tuple[str, ...]


@dataclass(frozen=True)
class FoundItem:
    """A finding: one flawed clip, or two clips to compare, which begin at the same moment of the sound they share."""

    kind: str
    detail: str
    left_out: bool
    clips: tuple[FoundClip, ...]


@dataclass
class CheckFindings:
    """The findings of the check of a run.

    Parameters
    ----------
    run
        The run.
    decisions
        Of the server.
    """

    run: RunFolder
    decisions: Decisions

    @cached_property
    def _audit(self) -> dict[str, Any]:
        audit: dict[str, Any] = self.run.read_json("audit.json", _SHAPE)
        return audit

    @property
    def notes(self) -> list[str]:
        """Sentences about the data as a whole."""
        return [str(finding["detail"]) for finding in self._audit["findings"]]

    @cached_property
    def items(self) -> list[FoundItem]:
        """The findings to hear: pairs first, then flawed clips."""
        return [*self._conflicts(), *self._near(), *self._flaws()]

    def decide(self, item: int, number: int, word: str, labels: Sequence[str]) -> None:
        """Store a decision about a clip of a finding: "labels", "leave out", "keep", or "" to take it back.

        Raises
        ------
        RefusedError
            If there is no such clip, the check left it out, or it has no labels of its own.
        """
        clip = self._found(item, number)
        if not clip.clip_ids:
            raise RefusedError(409, "left_out", f"{clip.name} is not learnt from: the check left it out.")
        if word == LABELS and len(clip.clip_ids) > 1:
            raise RefusedError(409, "many_clips", f"{clip.name} has {len(clip.clip_ids)} clips with labels.")
        words = [word, *labels] if word == LABELS else [word]
        for name in clip.clip_ids:
            self.decisions.decide(_key(name), name, words, clip.labels.split(";") if clip.labels else [])

    def decided(self, clip: FoundClip, decisions: Mapping[str, list[str]]) -> str:
        """Tell what was decided about a clip, among all decisions; "" if nothing."""
        words = {decisions.get(_key(name), [OPEN])[0] for name in clip.clip_ids}
        return words.pop() if len(words) == 1 else OPEN

    def current_labels(self, clip: FoundClip, corrected: Mapping[str, Sequence[str]]) -> str:
        """Give the labels of a clip as they were corrected, with ``;`` between."""
        (name,) = clip.clip_ids if len(clip.clip_ids) == 1 else ("",)
        return ";".join(corrected[name]) if name in corrected else clip.labels

    def clip(self, item: int, number: int) -> Samples:
        """Read the sound of a clip of a finding.

        Raises
        ------
        RefusedError
            If there is none.
        """
        clip = self._found(item, number)
        end = clip.start + _LONGEST if clip.end is None else min(clip.end, clip.start + _LONGEST)
        return read_clip(clip.file, clip.start, end)

    def _found(self, item: int, number: int) -> FoundClip:
        if not (item < len(self.items) and number < len(self.items[item].clips)):
            raise RefusedError(404, "no_finding", "There is no such finding. Load the page again.")
        return self.items[item].clips[number]

    def _near(self) -> list[FoundItem]:
        pairs = [pair for pair in self._audit["near"] if not pair["in_test"]]
        items = []
        for pair in sorted(
            pairs, key=lambda pair: (pair["labels"] == pair["other_labels"], -pair["overlap"])
        ):
            offset = float(pair["offset"])
            overlap = float(pair["overlap"])
            sides = (
                (pair["path"], pair["labels"], max(0.0, offset)),
                (pair["other_path"], pair["other_labels"], max(0.0, -offset)),
            )
            clips = tuple(
                FoundClip(path, ";".join(labels), self._file(path), start, start + overlap, self._ids(path))
                for path, labels, start in sides
            )
            items.append(FoundItem(NEAR, f"{overlap:.1f} s of the same sound", False, clips))
        return items[:_MOST]

    def _conflicts(self) -> list[FoundItem]:
        """Pair the clips of each set of copies whose labels differ; near duplicates are listed as such."""
        exact = [row for row in self._audit["conflicts"] if row["kind"] == "exact"]
        items = []
        for _, rows in itertools.groupby(exact, key=lambda row: row["set"]):
            clips = [clip for row in rows if (clip := self._clip_of(row)) is not None]
            for other in clips[1:]:
                if other.labels != clips[0].labels:
                    items.append(FoundItem(CONFLICT, "the same samples", False, (clips[0], other)))
        return items[:_MOST]

    def _flaws(self) -> list[FoundItem]:
        flaws = sorted(self._audit["broken"], key=lambda flaw: (not flaw["fatal"], flaw["kind"]))
        items = []
        for flaw in flaws[:_MOST]:
            clip = self._clip_of({**flaw, "labels": None})
            if clip is not None:
                items.append(FoundItem(flaw["kind"], flaw["detail"], flaw["fatal"], (clip,)))
        return items

    @cached_property
    def _clips(self) -> pd.DataFrame:
        return read_data(self.run).clips.table.set_index("clip_id")

    def _clip_of(self, row: Mapping[str, Any]) -> FoundClip | None:
        """Look a clip up; one that was left out is in no table any more, and is heard from the begin of its file."""
        name = str(row["clip_id"])
        labels, path, start = row["labels"], row.get("path"), 0.0
        end: float | None = None
        if name in self._clips.index:
            entry = self._clips.loc[name]
            labels = list(entry["labels"]) if labels is None else labels
            path = entry["path"]
            start = 0.0 if pd.isna(entry["start"]) else float(entry["start"])
            end = None if pd.isna(entry["end"]) else float(entry["end"])
        if not isinstance(path, str):
            return None  # a row of a table of features
        ids = (name,) if name in self._clips.index else ()
        return FoundClip(name, ";".join(map(str, labels or ())), self._file(path), start, end, ids)

    def _ids(self, path: str) -> tuple[str, ...]:
        """Give the clips of a file."""
        return tuple(self._clips.index[self._clips["path"] == path])

    @cached_property
    def _root(self) -> Path | None:
        root = self.run.description().root
        return None if root is None else Path(root)

    def _file(self, path: str) -> Path:
        return Path(path) if self._root is None else self._root / path


def _key(clip_id: str) -> str:
    """Give the key of a decision about a clip of a finding; suspicious clips have keys with other times."""
    return key_of(clip_id, -1.0, -1.0, "")
