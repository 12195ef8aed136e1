"""Which clips are of groups that a run has learnt from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.clips import Clips
from aurist.clips.guessed_groups import apply_grouping, groups_by_rule, without_guessed_groups
from aurist.errors import plural
from aurist.run import HELD_OUT, RunData


def of_learnt_groups(data: RunData, clips: Clips) -> npt.NDArray[np.bool_]:
    """(n_clips,): which clips are of a group that stands in the training part of a run.

    Groups that were guessed from names are told of these clips' names by the same rule; others are compared by name,
    and recordings by their files.
    """
    learnt = data.clips.take(np.flatnonzero(data.folds != HELD_OUT))
    grouping = data.clips.grouping
    known = {key for key in _keys(learnt, learnt.table["group"].tolist()) if key is not None}
    by_rule = grouping is not None and grouping.used
    groups = groups_by_rule(clips, grouping) if grouping and by_rule else clips.table["group"].tolist()
    return np.array([key is not None and key in known for key in _keys(clips, groups)], dtype=bool)


def _keys(clips: Clips, groups: list[str | None]) -> list[str | None]:
    return [
        str(clips.file(path).absolute()) if group is not None and group == path else group
        for group, path in zip(groups, clips.table["path"], strict=True)
    ]


def in_groups_of(data: RunData, clips: Clips) -> Clips:
    """The clips in the groups that the run's rule tells of their names, unless the data has groups of its own."""
    grouping = data.clips.grouping
    if grouping is None or not grouping.used:
        return clips
    bare = without_guessed_groups(clips)
    return bare if bare.table["group"].notna().any() else apply_grouping(bare, grouping)


def learnt_note(learnt: npt.NDArray[np.bool_]) -> str:
    """What is to be said of clips of groups that were learnt from."""
    n = int(learnt.sum())
    rest = "new ones are scored apart" if n < len(learnt) else "the score says nothing of new ones"
    return (
        f"{n:,} of {plural(len(learnt), 'clip')} {'is' if n == 1 else 'are'} of a group (recording, artist, speaker) "
        f"that the run has learnt from: {rest}"
    )
