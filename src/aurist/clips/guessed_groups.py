"""Give clips the groups that are guessed from their names, if the data names no groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from aurist.clips.features import is_text
from aurist.clips.grouping import Grouping, propose
from aurist.clips.guess import NAMES, NONE, ReadOptions, Roles, mostly_numbers
from aurist.clips.labels import cell_text
from aurist.clips.suffixes import is_audio
from aurist.clips.table import Clips
from aurist.clips.times import normalise_name

#: ``--group names``: use groups guessed from names even if they are not plausible.
FROM_NAMES = "names"
FILE_NAMES = "file names"


def with_guessed_groups(
    clips: Clips, names: Mapping[str, Sequence[str]], options: ReadOptions, *, given: bool
) -> Clips:
    """Guess groups from names, unless groups were given or refused. The guess is in the notes.

    Parameters
    ----------
    clips
        The clips, read.
    names
        Columns of names by their titles, the likeliest first.
    options
        Only ``group`` counts.
    given
        True if the data names groups: these always win.
    """
    if not names:
        return clips
    first = next(iter(names))
    named = replace(clips, names=() if clips.has_audio else tuple(names[first]))
    if given or options.group == NONE:
        return named
    learning = np.flatnonzero((clips.table["part"] != "test").to_numpy()).tolist()
    table = clips.table.iloc[learning]
    folds = table["fold"].tolist()
    if (table["part"] == "valid").any():
        folds = table["part"].tolist()
    best: tuple[str, Grouping] | None = None
    for source, column in names.items():
        grouping = propose([column[row] for row in learning], table["labels"].tolist(), folds, source)
        if grouping is not None and grouping.rule.kind == "name" and clips.has_audio:
            continue  # several clips of one recording: the reader has grouped them already
        if grouping is not None and (best is None or not grouping.objection):
            best = (source, grouping)
        if grouping is not None and not grouping.objection:
            break
    if best is None:
        return named
    source, grouping = best
    grouping = replace(grouping, used=not grouping.objection or options.group == FROM_NAMES)
    named = replace(
        clips,
        names=() if clips.has_audio else tuple(names[source]),
        grouping=grouping,
        notes=(*clips.notes, grouping.sentence()),
    )
    return apply_grouping(named, grouping) if grouping.used else named


def apply_grouping(clips: Clips, grouping: Grouping | None) -> Clips:
    """Group clips by the rule of another table. Without a rule in use they stay as they are."""
    if grouping is None or not grouping.used:
        return clips
    new_groups = groups_by_rule(clips, grouping)
    groups = [new or old for new, old in zip(new_groups, clips.table["group"], strict=True)]
    return replace(clips, table=clips.table.assign(group=pd.Series(groups, dtype=object)), grouping=grouping)


def without_guessed_groups(clips: Clips) -> Clips:
    """Take the guessed groups and their note off the clips."""
    guess = clips.grouping
    if guess is None:
        return clips
    table = clips.table.assign(group=None) if guess.used else clips.table
    return replace(
        clips, table=table, grouping=None, notes=tuple(n for n in clips.notes if n != guess.sentence())
    )


def groups_by_rule(clips: Clips, grouping: Grouping) -> list[str | None]:
    """Return the group of each clip by the rule, used or not; None if the rule does not fit its name."""
    return [grouping.rule.group_of(name) for name in clip_names(clips)]


def clip_names(clips: Clips) -> list[str]:
    """Return the names of clips: paths of recordings, names in a feature table, or ids."""
    if clips.has_audio:
        return [str(path) for path in clips.table["path"]]
    return list(clips.names) or [str(name) for name in clips.table["clip_id"]]


def name_columns(table: pd.DataFrame, roles: Roles, features: Sequence[str]) -> dict[str, list[str]]:
    """Find columns of names in a feature table: names of recordings first, then other texts, then ids."""
    others = {column for role, column in roles.columns.items() if role not in ("id", "path")}
    free = [name for name in map(str, table.columns) if name not in others and name not in features]
    texts = [name for name in free if is_text(table[name]) and not mostly_numbers(table[name])]
    ordered = sorted(texts, key=lambda name: (not _of_files(name, table[name]), name == roles.get("id")))
    return {f"column {name}": [cell_text(cell) for cell in table[name]] for name in ordered}


def _of_files(name: str, column: pd.Series[Any]) -> bool:
    first = [cell_text(cell) for cell in column.head(20)]
    return normalise_name(name) in NAMES["path"] or all(map(is_audio, first))
