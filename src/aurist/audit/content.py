"""Describe the data, and find shortcuts and classes with few groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.broken import some_of
from aurist.audit.measured import Kind, MeasuredFiles
from aurist.clips.table import Clips
from aurist.errors import plural

QUANTILES = {"min": 0.0, "5%": 0.05, "median": 0.5, "95%": 0.95, "max": 1.0}
#: A technical property is a shortcut if it predicts labels this much better than the commonest label, in accuracy.
SHORTCUT = 0.15
#: With fewer groups a class is not in every fold of five.
FEW_GROUPS = 5
#: Values of a property count from this many clips on.
COMMON = 10


def describe(clips: Clips, files: MeasuredFiles) -> dict[str, object]:
    """Describe the table in numbers and dictionaries.

    Parameters
    ----------
    clips
        The table.
    files
        Its files; none for a feature table.
    """
    table = clips.table
    n_labels = table["labels"].map(len)
    content: dict[str, object] = {
        "clips": len(clips),
        "classes": class_counts(clips),
        "unlabelled": int((n_labels == 0).sum()),
        "multilabel": clips.multilabel,
        "labels_per_clip": float(n_labels.mean()) if len(clips) else 0.0,
        "features": len(clips.features),
        "groups": int(table["group"].nunique()),
        "folds": _counts(table["fold"]),
        "parts": _counts(table["part"]),
    }
    if clips.has_audio:
        content |= _sound(clips, files)
    return content


def class_counts(clips: Clips) -> dict[str, int]:
    """Count the clips of each class."""
    counts = Counter(label for labels in clips.table["labels"] for label in labels)
    return {name: counts[name] for name in clips.classes}


def _counts(column: pd.Series[str]) -> dict[str, int]:
    counts = column.dropna().value_counts()
    return {str(name): int(counts[name]) for name in sorted(counts.index, key=str)}


def _sound(clips: Clips, files: MeasuredFiles) -> dict[str, object]:
    lengths = files.clip_seconds(clips)
    lengths = lengths[lengths > 0]
    return {
        "files": len(files),
        "readable_files": int(files.readable.sum()),
        "hours": float(files.seconds[files.readable].sum() / 3600),
        "clip_hours": float(lengths.sum() / 3600),
        "formats": _tally(f"{kind.format} {kind.encoding}".strip() for kind in files.readable_kinds()),
        "sample_rates": _tally(f"{kind.sample_rate:g}" for kind in files.readable_kinds()),
        "channels": _tally(str(kind.channels) for kind in files.readable_kinds()),
        "clip_seconds": {name: float(np.quantile(lengths, q)) for name, q in QUANTILES.items()}
        if len(lengths)
        else {},
    }


def _tally(values: object) -> dict[str, int]:
    return dict(Counter(values).most_common())  # type: ignore[call-overload]


def sound_findings(clips: Clips, files: MeasuredFiles) -> list[tuple[str, int, str]]:
    """Find oddities of the recordings as a whole, as (kind, count, sentence)."""
    findings: list[tuple[str, int, str]] = []
    rates = _tally(f"{kind.sample_rate:g}" for kind in files.readable_kinds())
    if len(rates) > 1:
        sentence = ", ".join(f"{rate} Hz ({count})" for rate, count in list(rates.items())[:6])
        findings.append(("mixed sample rates", len(rates), f"{sentence}{' ...' if len(rates) > 6 else ''}"))
    properties: dict[str, Callable[[Kind], str]] = {
        "file format": lambda kind: f"{kind.format} {kind.encoding}",
        "sample rate": lambda kind: f"{kind.sample_rate:g} Hz",
        "number of channels": lambda kind: str(kind.channels),
    }
    labels = pd.Series([";".join(row) for row in clips.table["labels"]])
    usable = (files.file >= 0) & (labels != "").to_numpy()
    usable[usable] = files.readable[files.file[usable]]
    if clips.multilabel or not usable.any():
        return findings
    base = float(labels[usable].value_counts(normalize=True).iloc[0])
    kind_of_clip = files.kind[files.file[usable]]
    for name, property_of in properties.items():
        of_kind = np.array([property_of(kind) for kind in files.kinds], dtype=object)
        value = pd.Series(of_kind[kind_of_clip])
        counts = pd.DataFrame({"value": value, "label": labels[usable].to_numpy()}).value_counts()
        common = value.value_counts() >= COMMON
        right = counts.groupby(level="value").max()[common[common].index].sum() / usable.sum()
        if common.sum() > 1 and right > base + SHORTCUT:
            sentence = f"the {name} alone predicts the label of {right:.0%} of the clips (chance: {base:.0%})"
            findings.append(("shortcut", int(common.sum()), sentence))
    return findings


def class_findings(
    clips: Clips, groups: npt.NDArray[np.int64], usable: npt.NDArray[np.bool_]
) -> list[tuple[str, int, str]]:
    """Find classes that cannot be scored well, as (kind, number of classes, sentence)."""
    targets = (clips.targets() > 0) & usable[:, None]
    n_groups = np.array([len(np.unique(groups[column])) for column in targets.T], dtype=int)
    findings = []
    for affected, sentence in (
        (
            n_groups < 2,
            "in fewer than 2 groups (recordings, artists, sites) cannot be both learnt and scored",
        ),
        ((n_groups >= 2) & (n_groups < FEW_GROUPS), f"in fewer than {FEW_GROUPS} groups have rough scores"),
    ):
        names = [
            f"{clips.classes[i]} ({plural(int(targets[:, i].sum()), 'clip')} in {n_groups[i]})"
            for i in np.flatnonzero(affected)
        ]
        if names:
            findings.append(("few groups", len(names), f"classes {sentence}: {some_of(names)}"))
    return findings
