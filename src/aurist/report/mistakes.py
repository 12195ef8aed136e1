"""The mistakes that a model was surest of: often the label is wrong, or the clip is strange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.report.pictures import read_shown, sound, spectrogram


@dataclass(frozen=True)
class Mistake:
    """A clip, what it is said to be, and what the model took it for.

    ``truth`` and ``said`` are classes with the probability given to them; ``picture`` and ``sound`` are addresses, None
    where there is no recording; ``slowed`` is by how much the sound is played more slowly.
    """

    name: str
    truth: list[tuple[str, float]]
    said: list[tuple[str, float]]
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
    shown: int,
    with_sound: bool,
) -> list[Mistake]:
    """The mistakes with the highest probabilities, one a group, the surest first.

    With several labels a clip a class that is named and not there is a mistake; what was missed is not shown, as few
    labels are complete.

    Parameters
    ----------
    clips
        n clips.
    truth, proba
        (n, n_classes), out of fold, the columns in the order of ``clips.classes``.
    named
        (n, n_classes): what is named where clips may have several labels; None: what is above one half.
    shown
        How many.
    with_sound
        Whether their sounds are to be heard and seen, where there are recordings.
    """
    wrong = np.where(truth != 0, 0.0, proba)
    if clips.multilabel:
        wrong[~(proba > 0.5 if named is None else named)] = 0.0
    else:
        wrong[proba.argmax(axis=1) != wrong.argmax(axis=1)] = 0.0
    found: list[Mistake] = []
    groups: set[object] = set()
    for row in np.argsort(-wrong.max(axis=1), kind="stable"):
        if len(found) == shown or wrong[row].max() <= 0:
            break
        group = clips.table["group"].iloc[row] or clips.table["clip_id"].iloc[row]
        if group not in groups:
            groups.add(group)
            found.append(_mistake(clips, int(row), truth[row], proba[row], wrong[row], with_sound))
    return found


def _mistake(
    clips: Clips, row: int, truth: npt.NDArray[np.int8], proba: Proba, wrong: Proba, with_sound: bool
) -> Mistake:
    entry = clips.table.iloc[row]
    start = 0.0 if np.isnan(entry["start"]) else float(entry["start"])
    picture = heard = None
    seconds, slowed = 0.0, 1.0
    if with_sound and clips.has_audio:
        end = None if np.isnan(entry["end"]) else float(entry["end"])
        try:
            shown = read_shown(clips.file(str(entry["path"])), start=start, end=end)
            if len(shown.y):
                seconds, slowed = shown.seconds, shown.slowed
                picture, heard = spectrogram(shown), sound(shown)
        except (DataError, OSError):
            pass  # the file was moved since the fit; the mistake is worth its line all the same
    return Mistake(
        str(entry["clip_id"]),
        _named(clips, np.flatnonzero(truth > 0), proba),
        _named(clips, np.flatnonzero(wrong > 0), proba),
        picture,
        heard,
        seconds,
        slowed,
    )


def _named(clips: Clips, columns: npt.NDArray[np.intp], proba: Proba) -> list[tuple[str, float]]:
    ordered = columns[np.argsort(-proba[columns], kind="stable")][:3]
    return [(clips.classes[column], float(proba[column])) for column in ordered]
