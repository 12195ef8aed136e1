"""Split cells with several labels, in the spellings that people and programs use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from aurist.clips.labels import MISSING, cell_text, label_name
from aurist.errors import ConfigError

#: A value of ``--label-separator``: one label per cell.
NONE = "none"
_BLANK = "space"
_LIST = re.compile(r"\[(.*)\]|\{(.*)\}|\((.*,.*)\)", re.DOTALL)
_ITEM = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)""", re.DOTALL)
_NUMBER = re.compile(r"-?[\d.,]+")


def pieces_of(cells: Sequence[str], separator: str | None = None) -> tuple[list[list[str]] | None, list[str]]:
    """Split each cell into labels, or return None if each cell is one label; with notes on guesses.

    Parameters
    ----------
    cells
        The cells of a column of labels.
    separator
        The mark between labels, "space", or "none" if each cell is one label; None: it is guessed.

    Raises
    ------
    ConfigError
        If the separator is no mark.

    Examples
    --------
    >>> pieces_of(["dog,cat", "dog", "cat,bird"])[0]
    [['dog', 'cat'], ['dog'], ['cat', 'bird']]
    >>> pieces_of(["Tit, Blue", "Robin"])[0] is None, pieces_of(["['dog']", "[]"])[0]
    (True, [['dog'], []])
    """
    if separator == NONE:
        return None, []
    if separator is not None:
        if not separator or (separator.isalnum() and separator != _BLANK):
            raise ConfigError(
                f"label_separator is {separator!r}, but must be a mark such as , or |, space, or none."
            )
        return [cell.split(None if separator == _BLANK else separator) for cell in cells], []
    filled = [cell for cell in cells if cell]
    if any(";" in cell for cell in filled):
        return [cell.split(";") for cell in cells], []
    if filled and all(_LIST.fullmatch(cell) for cell in filled):
        return [_items(cell) for cell in cells], _notes("lists in brackets", filled[0])
    for mark, title in (("|", "|"), (",", ","), ("/", "/"), ("+", "+"), ("&", "&"), (None, "space")):
        if _separates(filled, mark):
            example = next(cell for cell in filled if len(_split(cell, mark)) > 1)
            return [_split(cell, mark) for cell in cells], _notes(f"several between {title!r}", example)
    names = set(filled)
    if any(cell[0] == "-" and cell[1:].strip() in names and not _NUMBER.fullmatch(cell) for cell in filled):
        return [[cell] for cell in cells], _notes(
            "those after a - are absent", next(c for c in filled if c[0] == "-")
        )
    doubtful = next((cell for cell in filled if "," in cell and not _NUMBER.fullmatch(cell)), None)
    if doubtful is None:
        return None, []
    return None, [f'labels: {doubtful!r} is read as one label (label_separator="," reads several labels)']


def _notes(what: str, example: str) -> list[str]:
    return [f'labels: {what}, as in {example!r} (guessed; label_separator="none" reads one label of each)']


def _split(cell: str, mark: str | None) -> list[str]:
    return [piece.strip() for piece in cell.split(mark) if piece.strip()]


def _separates(cells: Sequence[str], mark: str | None) -> bool:
    """Tell whether a mark separates labels.

    A bar always does. A comma without a blank behind it does if labels repeat in other cells. Any other mark does only
    if each label of such cells is alone in another cell.
    """
    split = {cell: [piece.removeprefix("-") for piece in _split(cell, mark)] for cell in set(cells)}
    several = [pieces for pieces in split.values() if len(set(pieces)) > 1]
    if not several or all(_NUMBER.fullmatch(cell) for cell in split):
        return False
    alone = {pieces[0] for pieces in split.values() if len(pieces) == 1}
    if mark == "|" or alone.issuperset(piece for pieces in several for piece in pieces):
        return True
    if mark != "," or any(", " in cell for cell in split):
        return False
    counts = Counter(piece for pieces in split.values() for piece in set(pieces))
    return any(counts[piece] > 1 for pieces in several for piece in pieces)


def _items(cell: str) -> list[str]:
    """Split a list as Python, JSON or R write it."""
    match = _LIST.fullmatch(cell)
    inside = "" if match is None else next(group for group in match.groups() if group is not None).strip()
    items: list[str] = []
    at = 0
    while at < len(inside):
        item = _ITEM.match(inside, at)
        if item is None:
            return [*items, inside[at:]]
        items.append(next(group for group in item.groups() if group is not None).strip())
        at = max(item.end(), at + 1)
    return [re.sub(r"\\(.)", r"\1", item) for item in items if item]


def without_quotes(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Strip the quotes that spreadsheets leave around labels, with a note if there were any.

    A single quote in front may belong to a name ('Apapane). It is stripped if all labels have it, or if the name also
    occurs without it.

    Examples
    --------
    >>> without_quotes(['"dog"', "dog", "'dog", "'Apapane"])[0]
    ['dog', 'dog', 'dog', "'Apapane"]
    """
    bare = [_unquoted(cell) for cell in cells]
    names = set(bare)
    filled = [cell for cell in bare if cell]
    every = len(names) > 1 and all(cell.startswith("'") for cell in filled)
    bare = [
        cell[1:] if cell.startswith("'") and len(cell) > 1 and (every or cell[1:] in names) else cell
        for cell in bare
    ]
    changed = next((cell for cell, name in zip(cells, bare, strict=True) if cell != name), None)
    return bare, [] if changed is None else [f"labels: quotes around some are left out, such as {changed}"]


def _unquoted(cell: str) -> str:
    """Strip a pair of quotes, and turn doubled quotes inside into single ones. Other quotes are kept."""
    for quote in ('"', "'"):
        if len(cell) > 2 and cell[0] == cell[-1] == quote and quote not in cell[1:-1].replace(quote * 2, ""):
            return cell[1:-1].replace(quote * 2, quote).strip()
    return cell


def missing_names(classes: Sequence[str]) -> list[str]:
    """Write a note if names of classes are spelled like missing values.

    Examples
    --------
    >>> missing_names(["NA", "wren"])
    ['read as names of classes, not as missing values: NA']
    """
    odd = sorted({label_name(cell_text(name)) for name in classes} & (MISSING - {""}))
    return [f"read as names of classes, not as missing values: {', '.join(odd)}"] if odd else []
