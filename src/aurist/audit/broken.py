"""Find broken clips: unusable ones (quarantine) and suspicious ones, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audio import format_stretches
from aurist.audit.files import FileFacts, SpanFacts
from aurist.clips.table import Clips
from aurist.errors import plural

COLUMNS = ["row", "clip_id", "path", "kind", "fatal", "detail"]

#: A clip below this level is silent, in dBFS.
SILENT_DBFS = -80.0
#: A clip with this share of samples in runs at full scale is clipped.
CLIPPED_SHARE = 0.001
#: Shorter clips hold less than one frame of most spectrograms, in seconds.
SHORT = 0.025
#: A clip may end this far after its file without a note, in seconds.
SLACK = 0.05


class Flaw(NamedTuple):
    """A fault of a clip; ``fatal``: the clip cannot be used."""

    kind: str
    fatal: bool
    detail: str


def clip_flaws(facts: FileFacts, span: SpanFacts) -> list[Flaw]:
    """List the flaws of one clip of a file.

    Examples
    --------
    >>> facts = FileFacts(format="WAV", sample_rate=8000, channels=1, seconds=2.0)
    >>> [flaw.kind for flaw in clip_flaws(facts, SpanFacts(0.0, 2.0, seconds=2.0, rms=-120.0))]
    ['silent']
    """
    if facts.problem is not None:
        return [Flaw(facts.problem, True, facts.detail)]
    until = "the end" if np.isinf(span.end) else f"{span.end:.3f} s"
    clip_text = f"the clip goes from {span.start:.3f} s to {until}"
    if span.end <= span.start or span.start < 0:
        return [Flaw("outside", True, f"{clip_text}, which is not a valid part")]
    if span.seconds <= 0:
        return [Flaw("outside", True, f"{clip_text}, and the file lasts {facts.seconds:.3f} s")]
    flaws = []
    if facts.truncated:
        flaws.append(Flaw("truncated", False, facts.detail))
    if facts.note:
        flaws.append(Flaw("wrong header", False, facts.note))
    if gaps := [gap for gap in facts.gaps if gap[0] < span.end and gap[1] > span.start]:
        flaws.append(
            Flaw("damaged", False, f"read as silence, as it cannot be decoded: {format_stretches(gaps)}")
        )
    if np.isfinite(span.end) and span.end > facts.seconds + SLACK:
        flaws.append(Flaw("cut", False, f"{clip_text}, and the file lasts {facts.seconds:.3f} s"))
    if span.nonfinite:
        flaws.append(Flaw("nan", True, f"{plural(span.nonfinite, 'sample')} of NaN or infinity"))
    elif span.rms < SILENT_DBFS:
        level = "digital silence" if span.peak == 0 else f"level {span.rms:.1f} dBFS, peak {span.peak:.2g}"
        flaws.append(Flaw("silent", True, level))
    if span.clipped > CLIPPED_SHARE:
        flaws.append(Flaw("clipped", False, f"{span.clipped:.2%} of the samples in runs at full scale"))
    if span.seconds < SHORT:
        flaws.append(Flaw("short", False, f"{span.seconds * 1000:.1f} ms"))
    return flaws


def broken_clips(clips: Clips, flaws: Sequence[tuple[int, str, bool, str]]) -> pd.DataFrame:
    """List every flaw of every clip.

    Parameters
    ----------
    clips
        The table.
    flaws
        The flaws of its sound: row, kind, whether it is fatal, detail.

    Returns
    -------
    DataFrame
        One row per flaw: ``row`` (position in the table), ``clip_id``, ``path``, ``kind``, ``fatal``, ``detail``. A
        flaw of the sound is not fatal if there are ready-made features.
    """
    ids, paths = clips.table["clip_id"].to_numpy(), clips.table["path"].to_numpy()
    rows = [
        (row, ids[row], paths[row], kind, fatal and not clips.features, detail)
        for row, kind, fatal, detail in flaws
    ]
    for row in _without_features(clips).nonzero()[0].tolist():
        rows.append(
            (
                row,
                ids[row],
                paths[row],
                "no features",
                True,
                f"all of its features are missing ({len(clips.features):,})",
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"row": int, "fatal": bool})


def clip_spans(clips: Clips) -> npt.NDArray[np.float64]:
    """Return start and end of every clip in seconds, (n_clips, 2); 0 and infinity if the table has none."""
    start = clips.table["start"].fillna(0.0)
    end = clips.table["end"].fillna(np.inf)
    return np.column_stack([start.to_numpy(dtype=np.float64), end.to_numpy(dtype=np.float64)])


def _without_features(clips: Clips) -> npt.NDArray[np.bool_]:
    if not clips.features:
        return np.zeros(len(clips), dtype=bool)
    return np.asarray(clips.feature_table().isna().all(axis=1))


def feature_findings(clips: Clips) -> list[tuple[str, int, str]]:
    """Find odd feature columns, as (kind, number of columns or cells, sentence)."""
    findings: list[tuple[str, int, str]] = []
    if not clips.features:
        return findings
    features = clips.feature_table()
    constant = [str(name) for name in features.columns if len(features[name].unique()) <= 1]
    if constant and len(clips) > 1:
        findings.append(
            ("constant", len(constant), f"feature columns that never change: {some_of(constant)}")
        )
    missing = features.isna().sum()
    if missing.any():
        names = [f"{name} ({count})" for name, count in missing[missing > 0].items()]
        findings.append(("missing values", int(missing.sum()), f"cells without a value, in {some_of(names)}"))
    numbers = features.select_dtypes("number")
    infinite = pd.Series(
        np.isinf(numbers.to_numpy(dtype=float, na_value=np.nan)).sum(axis=0), numbers.columns
    )
    if infinite.any():
        names = [f"{name} ({count})" for name, count in infinite[infinite > 0].items()]
        findings.append(
            ("infinite values", int(infinite.sum()), f"cells that are infinite, in {some_of(names)}")
        )
    return findings


def some_of(names: Sequence[str], most: int = 8) -> str:
    """List the first names, with a count of the rest."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
