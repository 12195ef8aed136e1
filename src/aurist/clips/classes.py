"""Read classes from names of folders: one, several, or none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aurist.clips.labels import sort_labels
from aurist.clips.multilabel import pieces_of

Names = list[tuple[str, ...]]

#: Folders of sound without any class, as BirdNET has them.
_NOTHING = frozenset(("background", "noise", "other", "silence"))
_NO_CLASS = re.compile(
    r"(19|20)\d\d([-_. ]?[01]\d([-_. ]?[0-3]\d)?)?|"
    r"(site|station|plot|recorder|device|location|loc|point|transect|day|week|month|year|session|visit|deployment|"
    r"batch|disc|disk|cd|part|card|sm4|sm3|am|aru|mic|speaker|person|subject|animal|individual)"
    r"[ _-]?(\d+\w?|[a-z]|[ivx]+)",
    re.IGNORECASE,
)


def folder_labels(
    names: Sequence[str | None], separator: str | None = None
) -> tuple[Names, Names, bool, list[str]]:
    """Return the labels of each clip, its absent labels, True if clips may have several labels, and notes.

    Folders are named as for BirdNET: ``Wren,Robin`` holds both, ``-Wren`` holds no wren. If there are such names,
    ``Background``, ``Noise``, ``Other`` and ``Silence`` hold no class.

    Parameters
    ----------
    names
        The folder of each clip; None if it is in none.
    separator
        As for `pieces_of`.

    Examples
    --------
    >>> folder_labels(["Wren", "Robin", "Wren,Robin", "-Wren", "Noise"])[:2]
    ([('Wren',), ('Robin',), ('Wren', 'Robin'), (), ()], [(), (), (), ('Wren',), ()])
    """
    folders = list(dict.fromkeys(name for name in names if name is not None))
    pieces, notes = pieces_of(folders, separator)
    without_class = [name for name in folders if name.strip("_").lower().removesuffix("_noise") in _NOTHING]
    notes = [note.replace("labels:", "folders:", 1) for note in notes] + _doubts(folders)
    if pieces is None:
        if without_class:
            notes.append(f"folders: {', '.join(without_class)} read as a class like the others")
        return [() if name is None else (name,) for name in names], [()] * len(names), False, notes
    pairs = dict(zip(folders, map(sort_labels, pieces), strict=True))
    if without_class:
        notes.append(f"folders: {', '.join(without_class)} read as sound without any label")
        pairs |= dict.fromkeys(without_class, ((), ()))
    of_clips = [((), ()) if name is None else pairs[name] for name in names]
    return [pair[0] for pair in of_clips], [pair[1] for pair in of_clips], True, notes


def _doubts(folders: Sequence[str]) -> list[str]:
    odd = [name for name in folders if _NO_CLASS.fullmatch(name)]
    if not odd or 2 * len(odd) <= len(folders):
        return []
    return [
        f"doubtful: folders such as {odd[0]} are read as classes, but look like years, places or sessions. If "
        'the classes are below them or in file names, give the pattern: label_from="{group}/{label}/{n}" or '
        "'{label}_{n}'"
    ]
