"""Look at annotations before learning from them: per class, and against the recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from aurist.annotations.table import ABSENT, Annotations
from aurist.clips.suffixes import name_key
from aurist.errors import plural

#: The most names in a note.
_SHOWN = 5
#: Boxes that end this much after their recording, in seconds, are counted.
_BEYOND = 0.01


@dataclass(frozen=True)
class Survey:
    """The contents of annotations.

    Parameters
    ----------
    by_class
        ``class, boxes, recordings, shortest, median, longest, low_hz, high_hz``: lengths in seconds.
    together
        ``class, with, recordings``: classes that occur most often in the same recordings.
    notes
        Sentences about what may be wrong.
    """

    by_class: pd.DataFrame
    together: pd.DataFrame
    notes: tuple[str, ...]


def survey(annotations: Annotations, seconds: Mapping[str, float], recordings: Sequence[str]) -> Survey:
    """Count boxes, lengths, bands and classes in the same recordings.

    Parameters
    ----------
    annotations
        The annotations.
    seconds
        Length of each annotated recording.
    recordings
        All recordings of the folder.
    """
    table = annotations.table[annotations.table["state"] != ABSENT]
    length = table["end"] - table["start"]
    grouped = table.assign(length=length).groupby("label")
    by_class = pd.DataFrame(
        {
            "boxes": grouped.size(),
            "recordings": grouped["path"].nunique(),
            "shortest": grouped["length"].min(),
            "median": grouped["length"].median(),
            "longest": grouped["length"].max(),
            "low_hz": grouped["low"].min(),
            "high_hz": grouped["high"].max(),
        }
    ).sort_values("boxes", ascending=False, kind="stable")
    by_class = by_class.rename_axis("class").reset_index()
    empty = [path for path in annotations.recordings if path not in set(table["path"])]
    beyond = table[table["end"] > table["path"].map(seconds).astype(float) + _BEYOND]
    notes = [*unused_recordings(recordings, annotations.recordings), *similar_labels(annotations)]
    if empty:
        notes.append(f"{plural(len(empty), 'recording')} without a box, taken as background: {_some(empty)}")
    if len(beyond):
        of = _some(list(dict.fromkeys(beyond["path"])))
        notes.append(f"{plural(len(beyond), 'box', 'boxes')} beyond the end of {of}")
    return Survey(by_class, _together(table), tuple(notes))


def unused_recordings(recordings: Sequence[str], annotated: Collection[str]) -> list[str]:
    """Write a note that names recordings without a table, if there are some."""
    unused = [path for path in recordings if path not in set(annotated)]
    if not unused:
        return []
    return [
        f"{plural(len(unused), 'recording')} without a table, not used: {_some(unused)}. If nothing calls there, an "
        "empty table says so"
    ]


def similar_labels(annotations: Annotations) -> list[str]:
    """Write a note for labels that differ only in case, accents or blanks."""
    counts = Counter(annotations.table["label"].tolist())
    spellings: dict[str, list[str]] = {}
    for label in counts:
        spellings.setdefault(name_key(str(label)), []).append(str(label))
    notes = []
    for labels in spellings.values():
        if len(labels) > 1:
            listed = " and ".join(f"{label!r} ({counts[label]:,})" for label in sorted(labels))
            most = max(labels, key=lambda label: (counts[label], label))
            notes.append(
                f"labels {listed} count as different classes; if they are one, write {most!r} in all tables"
            )
    return notes


def without_recordings(annotations: Annotations, missing: Sequence[str]) -> tuple[Annotations, list[str]]:
    """Leave out annotations of missing recordings, with a note."""
    if not missing:
        return annotations, []
    gone = set(missing)
    is_gone = annotations.table["path"].isin(gone)
    note = (
        f"{plural(len(missing), 'recording')} of the annotations missing, with "
        f"{plural(int(is_gone.sum()), 'annotation')} left out: {_some(missing)}"
    )
    kept = tuple(path for path in annotations.recordings if path not in gone)
    table = annotations.table[~is_gone].reset_index(drop=True)
    return replace(annotations, table=table, recordings=kept), [note]


def _together(table: pd.DataFrame) -> pd.DataFrame:
    """List the pairs of classes that most often occur in the same recordings."""
    present = pd.crosstab(table["path"], table["label"]).to_numpy() > 0
    names = sorted(set(table["label"]))
    both = present.astype(np.int64).T @ present.astype(np.int64)
    rows, columns = np.triu_indices(len(names), 1)
    pairs = pd.DataFrame(
        {
            "class": [names[i] for i in rows],
            "with": [names[j] for j in columns],
            "recordings": both[rows, columns],
        }
    )
    pairs = pairs[pairs["recordings"] > 0].sort_values("recordings", ascending=False, kind="stable")
    return pairs.head(10).reset_index(drop=True)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
