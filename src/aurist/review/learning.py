"""Learn from verdicts: which recordings are never learnt from, the clips to learn from, and an honest comparison."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations import PRESENT, CutOptions, make_annotations, to_clips
from aurist.audio import probe
from aurist.clips import BACKGROUND, Clips, make_clips
from aurist.errors import DataError, plural
from aurist.inference.predictor import Predictor
from aurist.metrics import Interval
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import Difference, paired
from aurist.review.journal import Verdict
from aurist.run import ModelFiles

#: The share of the verdicts on random samples that is never learnt from.
HELD_OUT_SHARE = 1 / 3
#: With fewer recordings, the interval resamples detections, not recordings.
_FEW_RECORDINGS = 6
METRIC = "average_precision"


@dataclass(frozen=True)
class Judged:
    """A verdict, with the sound that it is about.

    Parameters
    ----------
    verdict
        On a detection.
    file
        The recording.
    content
        A hash of the sound of the recording: the same for copies under other names.
    at_random
        True if the detection belongs to the random sample (`aurist.review.orders.random_sample`).
    """

    verdict: Verdict
    file: Path
    content: str
    at_random: bool


def divide(judged: Sequence[Judged], before: Mapping[str, bool]) -> dict[str, bool]:
    """Decide which recordings are never learnt from, so that they tell honestly how good a later model is.

    Whole recordings are held out, drawn in the order of their hashes, until they have a third of the verdicts on random
    samples. A decision stays: a recording that a model may have learnt from can never be held out later.

    Parameters
    ----------
    judged
        All verdicts.
    before
        Earlier decisions, by the hash of the recording.

    Returns
    -------
    dict
        By the hash of the recording, True if it is held out.

    Examples
    --------
    >>> verdict = Verdict("", "", 0.0, 1.0, "wren", 0.9, "yes")
    >>> divide([Judged(verdict, Path(name), name, True) for name in "abc"], {"a": False})
    {'a': False, 'c': True, 'b': False}
    """
    decided = dict(before)
    counts: dict[str, int] = {}
    for one in judged:
        counts[one.content] = counts.get(one.content, 0) + int(one.at_random and one.verdict.decided)
    held = sum(count for content, count in counts.items() if decided.get(content))
    total = sum(counts.values())
    new = [content for content in counts if content not in decided]
    for content in sorted(new, key=lambda name: hashlib.blake2b(name.encode(), digest_size=8).digest()):
        # the nearer to a third the better
        holds = counts[content] > 0 and abs(held + counts[content] - HELD_OUT_SHARE * total) < abs(
            held - HELD_OUT_SHARE * total
        )
        decided[content] = holds
        held += counts[content] * holds
    return decided


#: What `foresee` answers.
Foresight = Literal["possible", "few", "not_random", "other_recording", "all_right", "all_wrong"]
#: With fewer held-out verdicts, only a large difference can be seen.
_FEW_VERDICTS = 20


def foresee(learn: Sequence[Judged], held_out: Sequence[Judged]) -> Foresight:
    """Tell before a fit whether two models can be compared on verdicts after it: `compare` needs right and wrong ones.

    Parameters
    ----------
    learn, held_out
        The verdicts, divided by `divide`.

    Returns
    -------
    Foresight
        "possible"; "few" if the interval will be wide; or why not: "not_random" if nothing was judged in random order,
        "other_recording" if what was is of recordings to learn from alone, "all_right", "all_wrong".

    Examples
    --------
    >>> verdict = Verdict("", "", 0.0, 1.0, "wren", 0.9, "yes")
    >>> foresee([Judged(verdict, Path("a"), "a", True)], [])
    'other_recording'
    """
    sample = _sample(held_out)
    if not sample:
        return "other_recording" if _sample(learn) else "not_random"
    right = sum(one.verdict.right for one in sample)
    if right in (0, len(sample)):
        return "all_right" if right else "all_wrong"
    return "few" if len(sample) < _FEW_VERDICTS else "possible"


def _sample(judged: Sequence[Judged]) -> list[Judged]:
    """Take the verdicts on random samples that tell whether the detection is right."""
    return [one for one in judged if one.at_random and one.verdict.decided]


def with_verdicts(old: Clips, judged: Sequence[Judged], window: float) -> tuple[Clips, int]:
    """Add clips of judged detections to those that a run was fitted on.

    Parameters
    ----------
    old
        The clips that the run was fitted on.
    judged
        Verdicts to learn from.
    window
        Seconds of a clip.

    Returns
    -------
    clips
        The old ones, then the new ones. If clips may have several labels, only judged classes are known in the new
        ones, and some windows that nobody judged are background; else the new ones are those with exactly one class.
    n_new
        The number of new clips, without background.

    Raises
    ------
    DataError
        If the verdicts give no clip to learn from.
    """
    new = _clips_of(judged, old, window)
    if not len(new):
        raise DataError(
            "There is nothing to learn from these verdicts: "
            + (
                "none is about a class of the run."
                if old.multilabel
                else 'this run has one label per clip, so that only "yes" and "another class" teach something.'
            )
        )
    table = pd.concat([_known(old), new], ignore_index=True)
    unannotated = "unknown" if old.multilabel else old.unannotated
    n_judged = int((new["part"] != BACKGROUND).sum())
    return replace(old, table=table, rows=(), unannotated=unannotated), n_judged


def _known(clips: Clips) -> pd.DataFrame:
    """Name the classes that are absent in each clip, as unlisted ones will be unknown."""
    if not clips.multilabel or clips.unannotated == "unknown":
        return clips.table
    every = set(clips.classes)
    absent = [tuple(sorted(every - set(labels))) for labels in clips.table["labels"]]
    return clips.table.assign(absent=pd.Series(absent, index=clips.table.index, dtype=object))


def _clips_of(judged: Sequence[Judged], old: Clips, window: float) -> pd.DataFrame:
    """Cut windows around judged detections; each recording is a group, and has a fold if the others have some."""
    rows = []
    for one in judged:
        for label, state in one.verdict.states():
            if label in old.classes:
                start, end = one.verdict.span(state)
                rows.append(
                    {"path": str(one.file), "start": start, "end": end, "label": label, "state": state}
                )
    if not rows:
        return old.table.iloc[:0]
    lengths = {str(one.file): probe(one.file).duration for one in judged}
    options = CutOptions(window=window, min_overlap=window / 2)
    cut = to_clips(make_annotations(rows, "the verdicts"), lengths, options, partial=set(lengths)).table
    if not old.multilabel:
        cut = cut[cut["labels"].map(len) == 1]
    is_background = cut["part"] == BACKGROUND
    absent = [
        old.classes if flag else of_cut for flag, of_cut in zip(is_background, cut["absent"], strict=True)
    ]
    cut = cut.assign(absent=pd.Series(absent, index=cut.index, dtype=object))
    contents = {str(one.file): one.content for one in judged}
    group = cut["path"].map(contents)
    folds = sorted(old.table["fold"].dropna().unique())
    cut = cut.assign(group=[f"judged {content}" for content in group])
    if folds:
        numbers = pd.factorize(group)[0]
        cut = cut.assign(fold=[folds[number % len(folds)] for number in numbers])
    names = set(old.table["clip_id"])
    ids = [f"judged {path}#{start:g}" for path, start in zip(cut["path"], cut["start"], strict=True)]
    keep = [name not in names for name in ids]
    return cut.assign(clip_id=pd.Series(ids, index=cut.index, dtype=object))[keep].reset_index(drop=True)


@dataclass(frozen=True)
class Comparison:
    """Two models on verdicts that neither has learnt from.

    Parameters
    ----------
    detections, recordings
        Numbers of judged detections, and of their recordings.
    right
        The number of right detections among them.
    before, after
        The average precision with which each model ranks right detections above wrong ones.
    difference
        The second minus the first, on the same resamples.
    by_recording
        False if there are too few recordings, so that detections were resampled, and the interval may be too narrow.
    """

    detections: int
    recordings: int
    right: int
    before: Interval
    after: Interval
    difference: Difference
    by_recording: bool


def compare(before: ModelFiles, after: ModelFiles, judged: Sequence[Judged], window: float) -> Comparison:
    """Compare two models on detections of random samples whose recordings were held out.

    Both predict the same clips, a window around the surest part of each detection, and are compared by the detected
    class.

    Raises
    ------
    DataError
        If there are too few, or all of them are right, or all wrong.
    """
    sample = _sample(judged)
    right = np.array([one.verdict.right for one in sample], dtype=np.int8)
    if not 0 < right.sum() < len(right):
        kinds = (
            "there are none" if not len(right) else f"all {len(right)} are {'right' if right[0] else 'wrong'}"
        )
        raise DataError(
            "The two models cannot be compared on verdicts: of those in random order that are never learnt from, "
            f"{kinds}. Judge more detections in random order, of several recordings."
        )
    probas = [_asked(files, sample, window) for files in (before, after)]
    groups = np.array([one.content for one in sample], dtype=object)
    n_recordings = len(set(groups))
    by_recording = n_recordings >= _FEW_RECORDINGS
    resampled = groups if by_recording else None
    truth = right[:, None]
    scores = [bootstrap(truth, proba, resampled, METRIC, multilabel=True) for proba in probas]
    difference = paired(truth, probas[1], probas[0], resampled, METRIC, multilabel=True)
    return Comparison(
        len(sample), n_recordings, int(right.sum()), scores[0], scores[1], difference, by_recording
    )


def _asked(files: ModelFiles, sample: Sequence[Judged], window: float) -> npt.NDArray[np.float64]:
    """Give the probability of the detected class of each detection, (n, 1)."""
    predictor = Predictor(files)
    classes = list(files.spec.task.classes)
    starts, ends = [], []
    for one in sample:
        length = probe(one.file).duration
        middle = sum(one.verdict.span(PRESENT)) / 2
        start = min(max(0.0, middle - window / 2), max(0.0, length - window))
        starts.append(start)
        ends.append(min(length, start + window))
    paths = [str(one.file) for one in sample]
    clips = make_clips([()] * len(sample), paths=paths, starts=starts, ends=ends)
    predictions = predictor.predict(clips)
    if predictions.failures:
        raise DataError(f"{plural(len(predictions.failures), 'clip')} cannot be read again.")
    columns = [classes.index(one.verdict.label) for one in sample]
    return predictions.proba[np.arange(len(sample)), columns][:, None]
