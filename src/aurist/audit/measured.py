"""Facts that the audit keeps of the files of a table: columns of some 40 bytes a file, and the flaws of clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.broken import clip_flaws, clip_spans
from aurist.audit.files import FileFacts, SpanFacts
from aurist.audit.prints import I64, PrintWriter
from aurist.clips.table import Clips

#: A flaw of a clip: its row, the kind, whether it is fatal, and the detail.
RowFlaw = tuple[int, str, bool, str]
Spans = tuple[tuple[float, float], ...]


class Kind(NamedTuple):
    """The technical properties of a file; those of most files are the same."""

    format: str
    encoding: str
    sample_rate: float
    channels: int


@dataclass(frozen=True)
class MeasuredFiles:
    """The files of a table, in the order in which it names them.

    Parameters
    ----------
    names : (n_files,)
        Their paths in the table.
    file : (n_clips,)
        The number of each clip's file; -1 for none.
    readable : (n_files,)
        True for files that could be decoded.
    seconds : (n_files,)
        Seconds that were decoded.
    digest : (n_files,)
        Hash of the decoded samples, 16 bytes; zeros if there are none.
    prints : (n_files,)
        The number of the fingerprint; -1: none.
    kind : (n_files,)
        The number of the technical properties in ``kinds``.
    kinds
        All properties that occur.
    flaws
        The flaws of clips, by row.
    """

    names: npt.NDArray[np.object_]
    file: npt.NDArray[np.intp]
    readable: npt.NDArray[np.bool_]
    seconds: npt.NDArray[np.float64]
    digest: npt.NDArray[np.bytes_]
    prints: I64
    kind: npt.NDArray[np.intp]
    kinds: Sequence[Kind]
    flaws: Sequence[RowFlaw]

    def __len__(self) -> int:
        return len(self.names)

    def readable_kinds(self) -> Iterator[Kind]:
        """Yield the properties of each file that could be decoded."""
        return (self.kinds[number] for number in self.kind[self.readable])

    def clip_seconds(self, clips: Clips) -> npt.NDArray[np.float64]:
        """Return the seconds of sound of each clip, (n_clips,); 0 if its file cannot be read."""
        start, end = clip_spans(clips).T
        has_file = self.file >= 0
        out = np.zeros(len(clips))
        seconds = self.seconds[self.file[has_file]]
        out[has_file] = np.minimum(end[has_file], seconds) - np.maximum(start[has_file], 0.0)
        return np.maximum(out, 0.0)


class FileCollector:
    """Collects facts of one file after the other into `MeasuredFiles`.

    Parameters
    ----------
    clips
        The table.
    prints
        Takes the fingerprints.
    """

    def __init__(self, clips: Clips, prints: PrintWriter) -> None:
        self.clips, self._prints = clips, prints
        file, names = pd.factorize(clips.table["path"].to_numpy(dtype=object))
        self._file, self._names = file, names
        self._spans = clip_spans(clips)
        self._order = np.argsort(file, kind="stable")
        self._bounds = np.searchsorted(file[self._order], np.arange(len(names) + 1))
        self._readable = np.zeros(len(names), dtype=bool)
        self._seconds = np.zeros(len(names))
        self._digest = np.zeros(len(names), dtype="S16")
        self._print = np.full(len(names), -1, dtype=np.int64)
        self._kind = np.zeros(len(names), dtype=np.intp)
        self._kinds: dict[Kind, int] = {}
        self._flaws: list[RowFlaw] = []

    def __len__(self) -> int:
        return len(self._names)

    def name(self, number: int) -> str:
        """Return the path of a file in the table."""
        return str(self._names[number])

    def rows(self, number: int) -> list[int]:
        """Return the rows of a file's clips."""
        return list(map(int, self._order[self._bounds[number] : self._bounds[number + 1]]))

    def spans(self, number: int) -> Spans:
        """Return the different spans, in seconds, of a file's clips, in order."""
        return tuple(dict.fromkeys(map(tuple, self._spans[self.rows(number)].tolist())))

    def add(self, number: int, facts: FileFacts) -> None:
        """Keep the facts of a file, and the flaws of its clips."""
        kind = Kind(facts.format, facts.encoding, facts.sample_rate, facts.channels)
        self._kind[number] = self._kinds.setdefault(kind, len(self._kinds))
        self._readable[number], self._seconds[number] = facts.problem is None, facts.seconds
        self._digest[number] = bytes.fromhex(facts.digest)
        self._print[number] = self._prints.append(facts.prints)
        spans = {(span.start, span.end): span for span in facts.spans}
        for row in self.rows(number):
            start, end = self._spans[row].tolist()
            span = spans.get((start, end), SpanFacts(start, end))
            self._flaws += [(row, *flaw) for flaw in clip_flaws(facts, span)]

    def result(self) -> MeasuredFiles:
        """Return what was collected."""
        return MeasuredFiles(
            self._names,
            self._file,
            self._readable,
            self._seconds,
            self._digest,
            self._print,
            self._kind,
            list(self._kinds),
            sorted(self._flaws, key=lambda flaw: flaw[0]),
        )
