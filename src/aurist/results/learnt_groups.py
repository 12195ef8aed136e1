"""Find the clips whose groups a run has learnt from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.clips import Clips
from aurist.clips.guessed_groups import apply_grouping, groups_by_rule, without_guessed_groups
from aurist.errors import plural
from aurist.run import HELD_OUT, RunData


def of_learnt_groups(data: RunData, clips: Clips) -> npt.NDArray[np.bool_]:
    """Mark the clips whose group is in the training part of a run, (n_clips,).

    If the run guessed its groups from names, the same rule is applied to the names of these clips. Other groups are
    compared by name, and recordings by their files.
    """
    learnt = data.clips.take(np.flatnonzero(data.folds != HELD_OUT))
    grouping = data.clips.grouping
    learnt_keys = {key for key in _keys(learnt, learnt.table["group"].tolist()) if key is not None}
    by_rule = grouping is not None and grouping.used
    groups = groups_by_rule(clips, grouping) if grouping and by_rule else clips.table["group"].tolist()
    return np.array([key is not None and key in learnt_keys for key in _keys(clips, groups)], dtype=bool)


def _keys(clips: Clips, groups: list[str | None]) -> list[str | None]:
    return [
        str(clips.file(path).absolute()) if group is not None and group == path else group
        for group, path in zip(groups, clips.table["path"], strict=True)
    ]


def in_groups_of(data: RunData, clips: Clips) -> Clips:
    """Group the clips by the run's rule for names, unless the data has groups of its own."""
    grouping = data.clips.grouping
    if grouping is None or not grouping.used:
        return clips
    bare = without_guessed_groups(clips)
    return bare if bare.table["group"].notna().any() else apply_grouping(bare, grouping)


def learnt_note(learnt: npt.NDArray[np.bool_]) -> str:
    """Describe the clips whose groups were learnt from."""
    n = int(learnt.sum())
    advice = (
        "new groups are also scored alone" if n < len(learnt) else "the score says nothing about new groups"
    )
    return (
        f"{n:,} of {plural(len(learnt), 'clip')} {'is' if n == 1 else 'are'} in a group (recording, artist, "
        f"speaker) of the training data: {advice}"
    )
