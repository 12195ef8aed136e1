"""Clips with the groups that their names tell, where no others were given."""

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
from aurist.clips.times import plain

#: ``--group names``: the groups that names tell, though they are not plausible.
FROM_NAMES = "names"
FILE_NAMES = "file names"


def with_guessed_groups(
    clips: Clips, names: Mapping[str, Sequence[str]], options: ReadOptions, *, given: bool
) -> Clips:
    """Guess groups from names, unless some were given or refused; the guess is in the notes.

    Parameters
    ----------
    clips
        The clips, read.
    names
        Columns of names, the likeliest first, by what they are called.
    options
        Of which ``group`` counts.
    given
        Whether the data names groups: these always win.
    """
    if not names:
        return clips
    first = next(iter(names))
    kept = replace(clips, names=() if clips.has_audio else tuple(names[first]))
    if given or options.group == NONE:
        return kept
    learnt = np.flatnonzero((clips.table["part"] != "test").to_numpy()).tolist()
    table = clips.table.iloc[learnt]
    folds = table["fold"].tolist()
    if (table["part"] == "valid").any():
        folds = table["part"].tolist()
    best: tuple[str, Grouping] | None = None
    for source, column in names.items():
        found = propose([column[row] for row in learnt], table["labels"].tolist(), folds, source)
        if found is not None and found.rule.kind == "name" and clips.has_audio:
            continue  # the recordings of which there are several clips: the reader has seen to that
        if found is not None and (best is None or not found.objection):
            best = (source, found)
        if found is not None and not found.objection:
            break
    if best is None:
        return kept
    source, found = best
    found = replace(found, used=not found.objection or options.group == FROM_NAMES)
    kept = replace(
        clips,
        names=() if clips.has_audio else tuple(names[source]),
        grouping=found,
        notes=(*clips.notes, found.sentence()),
    )
    return regrouped(kept, found) if found.used else kept


def regrouped(clips: Clips, grouping: Grouping | None) -> Clips:
    """The clips in the groups that another table's rule tells of their names; as they are without one that is used."""
    if grouping is None or not grouping.used:
        return clips
    told = groups_told(clips, grouping)
    groups = [new or old for new, old in zip(told, clips.table["group"], strict=True)]
    return replace(clips, table=clips.table.assign(group=pd.Series(groups, dtype=object)), grouping=grouping)


def without_guess(clips: Clips) -> Clips:
    """The clips without the groups that their names told, and without the note on them."""
    guess = clips.grouping
    if guess is None:
        return clips
    table = clips.table.assign(group=None) if guess.used else clips.table
    return replace(
        clips, table=table, grouping=None, notes=tuple(n for n in clips.notes if n != guess.sentence())
    )


def groups_told(clips: Clips, grouping: Grouping) -> list[str | None]:
    """The group of each clip by the rule, whether it is used or not; None where its name tells none."""
    return [grouping.rule.group_of(name) for name in names_of(clips)]


def names_of(clips: Clips) -> list[str]:
    """What the clips are called: the paths of recordings, the names that a feature table has, or its ids."""
    if clips.has_audio:
        return [str(path) for path in clips.table["path"]]
    return list(clips.names) or [str(name) for name in clips.table["clip_id"]]


def name_columns(table: pd.DataFrame, roles: Roles, features: Sequence[str]) -> dict[str, list[str]]:
    """Columns of a feature table that hold names: those called so or ending as recordings do, then texts, then ids."""
    others = {column for role, column in roles.columns.items() if role not in ("id", "path")}
    free = [name for name in map(str, table.columns) if name not in others and name not in features]
    texts = [name for name in free if is_text(table[name]) and not mostly_numbers(table[name])]
    ordered = sorted(texts, key=lambda name: (not _of_files(name, table[name]), name == roles.get("id")))
    return {f"column {name}": [cell_text(cell) for cell in table[name]] for name in ordered}


def _of_files(name: str, column: pd.Series[Any]) -> bool:
    first = [cell_text(cell) for cell in column.head(20)]
    return plain(name) in NAMES["path"] or all(map(is_audio, first))
