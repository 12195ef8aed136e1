"""Say how new recordings differ from those that a run learnt from: sample rate, background, level, mix of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aurist.annotations import Annotations
from aurist.detection.store import Recording
from aurist.errors import plural
from aurist.features.profiles import OCTAVES, Profiles, profiles_of
from aurist.run import ModelFiles
from aurist.run.profiles_file import read_profiles

#: Recordings differ if their highest frequency does by this factor, their background by so many dB in an octave,
#: or their level by so many dB; and at least half of the new ones do.
_FACTOR, _DECIBELS = 1.25, 10.0
#: A class is unusually common if it has this share of at least so many events, and so many times its share before.
_SHARE, _FEWEST, _TIMES = 0.5, 20, 4.0


def unlike_recordings(files: ModelFiles, recordings: Sequence[Recording]) -> list[str]:
    """Write a sentence for each kind of difference between the recordings learnt from and new ones.

    Raises
    ------
    RunError
        If the run's measures of its recordings are damaged.
    """
    learnt, summary = read_profiles(files.folder, files.remedy), files.spec.summary
    if learnt is None or summary is None:
        return []
    new = profiles_of([recording.file for recording in recordings])
    return differences(learnt, new, summary.highest, level=summary.level == "keep")


def unlike_mix(files: ModelFiles, events: Annotations) -> str | None:
    """Write a sentence if one class has most of the events, and had few of the labels learnt from; else None."""
    prior = files.ensemble.prior_correction.prior
    shares = dict(zip(files.spec.task.classes, prior.tolist(), strict=True))
    return mix_note(Counter(events.table["label"].tolist()), shares)


def differences(learnt: Profiles, new: Profiles, highest: float, *, level: bool) -> list[str]:
    """Write a sentence for each kind of difference between the recordings learnt from and new ones.

    Parameters
    ----------
    learnt, new
        How both sound.
    highest
        The highest frequency that models use, in Hz: what is above does not matter.
    level
        True if models use the level.
    """
    if not len(learnt) or not len(new):
        return []
    sentences = [_band(learnt, new, highest), _background(learnt, new, highest)]
    if level:
        sentences.append(_level(learnt, new))
    return [sentence for sentence in sentences if sentence is not None]


def _band(learnt: Profiles, new: Profiles, highest: float) -> str | None:
    """Compare the highest frequencies with sound."""
    before, now = np.minimum(learnt.reach, highest), np.minimum(new.reach, highest)
    middle = float(np.median(before))
    lower, higher = now * _FACTOR < np.quantile(before, 0.1), now > _FACTOR * np.quantile(before, 0.9)
    if _many(lower):
        return (
            f"sample rate: {_some(lower)} hold no sound above {np.median(now[lower]):,.0f} Hz, and those learnt from "
            f"reach {middle:,.0f} Hz: what calls above that cannot be found, and scores of other calls change. Record "
            "at the sample rate of the training data, or learn from such recordings, too."
        )
    if _many(higher):
        return (
            f"sample rate: {_some(higher)} reach {np.median(now[higher]):,.0f} Hz, and those learnt from hold no "
            f"sound above {middle:,.0f} Hz: models never heard what is above. Learn from such recordings, too."
        )
    return None


def _background(learnt: Profiles, new: Profiles, highest: float) -> str | None:
    """Compare the background by octave."""
    shared = np.isfinite(learnt.octaves).mean(axis=0) >= 0.5
    shared &= np.isfinite(new.octaves).mean(axis=0) >= 0.5
    shared &= highest > OCTAVES
    if shared.sum() < 2:
        return None
    before, now = (_centred(profiles.octaves[:, shared]) for profiles in (learnt, new))
    middle = np.nanmedian(before, axis=0)
    usual = np.quantile(np.nanmax(np.abs(before - middle), axis=1), 0.95)
    change = now - middle
    differs = np.nanmax(np.abs(change), axis=1) > max(_DECIBELS, usual)
    if not _many(differs):
        return None
    typical = np.nanmedian(change[differs], axis=0)
    octave = int(np.nanargmax(np.abs(typical)))
    hz = OCTAVES[shared][octave]
    return (
        f"background: {_some(differs)} have another background than those learnt from, most around {hz:,.0f} Hz "
        f"({typical[octave]:+.0f} dB against the other octaves; 95% of those learnt from are within {usual:.0f} dB): "
        "another recorder, codec, wind or water. Scores and thresholds may not hold: judge some detections with "
        "`aurist clips`, and learn from the verdicts."
    )


def _level(learnt: Profiles, new: Profiles) -> str | None:
    """Compare the levels."""
    low, high = np.quantile(learnt.level, [0.05, 0.95])
    differs = (new.level < low - _DECIBELS) | (new.level > high + _DECIBELS)
    if not _many(differs):
        return None
    return (
        f"level: {_some(differs)} have a level of about {np.median(new.level[differs]):.0f} dB, and 90% of those "
        f'learnt from lie between {low:.0f} and {high:.0f} dB; the run uses the level (level="keep"). Record '
        "with the same gain, or fit without it."
    )


def mix_note(counts: Mapping[str, int], shares: Mapping[str, float]) -> str | None:
    """Write a sentence if one class has most of the events, and had few of the labels learnt from; else None.

    Parameters
    ----------
    counts
        Events by class.
    shares
        Shares of training clips with each class.

    Examples
    --------
    >>> print(mix_note({"owl": 190, "wren": 10}, {"owl": 0.02, "wren": 0.18}))
    labels: 95% of 200 events are owl, which had 10% of the labels learnt from: it is common here, or something else \
is taken for it. Judge some with `aurist clips`.
    >>> mix_note({"owl": 5, "wren": 5}, {"owl": 0.02, "wren": 0.18})
    """
    total, learnt = sum(counts.values()), sum(shares.values())
    if total < _FEWEST or not learnt:
        return None
    label = max(counts, key=lambda name: counts[name])
    now, before = counts[label] / total, shares.get(label, 0.0) / learnt
    if now < _SHARE or now < _TIMES * before:
        return None
    return (
        f"labels: {now:.0%} of {plural(total, 'event')} are {label}, which had {before:.0%} of the labels learnt from: "
        "it is common here, or something else is taken for it. Judge some with `aurist clips`."
    )


def _centred(octaves: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(octaves - np.nanmean(octaves, axis=1, keepdims=True))


def _many(differs: npt.NDArray[np.bool_]) -> bool:
    return bool(2 * differs.sum() >= len(differs))


def _some(differs: npt.NDArray[np.bool_]) -> str:
    return f"{differs.sum()} of {plural(len(differs), 'recording')}"
