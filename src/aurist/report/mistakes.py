"""The mistakes with the highest probability: often the label is wrong, or the clip is unusual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.report.pictures import read_for_page, sound, spectrogram


@dataclass(frozen=True)
class Mistake:
    """A clip, its true classes, and the predicted ones.

    ``row`` is its position among the clips. ``truth`` and ``predicted`` are classes with their probabilities.
    ``picture`` and ``sound`` are addresses, None without a recording. ``slowed`` is the factor by which the sound is
    slowed down.
    """

    row: int
    name: str
    truth: list[tuple[str, float]]
    predicted: list[tuple[str, float]]
    picture: str | None
    sound: str | None
    seconds: float
    slowed: float


def worst_mistakes(
    clips: Clips,
    truth: npt.NDArray[np.int8],
    proba: Proba,
    named: npt.NDArray[np.bool_] | None = None,
    *,
    most: int,
    with_sound: bool,
) -> list[Mistake]:
    """Find the mistakes with the highest probabilities, one per group, the highest first.

    With several labels per clip, a class that is predicted and not present is a mistake. Missed classes are not shown,
    because labels are rarely complete.

    Parameters
    ----------
    clips
        n clips.
    truth, proba
        (n, n_classes), out of fold, the columns in the order of ``clips.classes``.
    named
        (n, n_classes): the decisions if clips may have several labels; None: probabilities above 0.5.
    most
        The most mistakes to return.
    with_sound
        True to add their sounds and spectrograms, if there are recordings.
    """
    wrong = np.where(truth != 0, 0.0, proba)
    if clips.multilabel:
        wrong[~(proba > 0.5 if named is None else named)] = 0.0
    else:
        wrong[proba.argmax(axis=1) != wrong.argmax(axis=1)] = 0.0
    mistakes: list[Mistake] = []
    groups: set[object] = set()
    for row in np.argsort(-wrong.max(axis=1), kind="stable"):
        if len(mistakes) == most or wrong[row].max() <= 0:
            break
        group = clips.table["group"].iloc[row] or clips.table["clip_id"].iloc[row]
        if group not in groups:
            groups.add(group)
            mistakes.append(_mistake(clips, int(row), truth[row], proba[row], wrong[row], with_sound))
    return mistakes


def _mistake(
    clips: Clips, row: int, truth: npt.NDArray[np.int8], proba: Proba, wrong: Proba, with_sound: bool
) -> Mistake:
    entry = clips.table.iloc[row]
    start = 0.0 if np.isnan(entry["start"]) else float(entry["start"])
    picture = sound_address = None
    seconds, slowed = 0.0, 1.0
    if with_sound and clips.has_audio:
        end = None if np.isnan(entry["end"]) else float(entry["end"])
        try:
            clip_sound = read_for_page(clips.file(str(entry["path"])), start=start, end=end)
            if len(clip_sound.y):
                seconds, slowed = clip_sound.seconds, clip_sound.slowed
                picture, sound_address = spectrogram(clip_sound), sound(clip_sound)
        except (DataError, OSError):
            pass  # the file was moved since the fit; the mistake is still listed
    return Mistake(
        row,
        str(entry["clip_id"]),
        _top_classes(clips, np.flatnonzero(truth > 0), proba),
        _top_classes(clips, np.flatnonzero(wrong > 0), proba),
        picture,
        sound_address,
        seconds,
        slowed,
    )


def _top_classes(clips: Clips, columns: npt.NDArray[np.intp], proba: Proba) -> list[tuple[str, float]]:
    ordered = columns[np.argsort(-proba[columns], kind="stable")][:3]
    return [(clips.classes[column], float(proba[column])) for column in ordered]
