"""A rule that turns the name of a clip into its group: the recording, speaker or site that it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aurist.clips.name_parts import (
    DATASET_NAMES,
    DATE,
    ENDS,
    PIECE,
    VARIANT,
    base_name,
    folders_of,
    without_classes,
    without_codes,
    without_end,
)

#: Words for a copy or a piece alone are no name of a recording.
_NO_NAME = re.compile(rf"(?:{VARIANT}|{PIECE})[_\- ]?\d*", re.IGNORECASE)
#: A running number in front of the name, but no date.
_BEGIN = re.compile(rf"^(?!{DATE})\d{{1,5}}[_\-. ]+(?!\d)")


@dataclass(frozen=True)
class Rule:
    """A rule from a clip's name to its group.

    Parameters
    ----------
    kind
        "known" (the naming of a well-known data set), "stem" (the name without its end), "rest" (also without a
        number in front), "folder", or "name" (the whole name: several rows have one name).
    dataset
        A key of `DATASET_NAMES`.
    ends
        Kinds of `ENDS` to remove, one after the other.
    classes
        Names of classes to remove from the stem.
    codes
        Words for classes (``32`` for dog) to remove, by their position in the stem.
    levels
        Folders that belong to the group, counted up from the file (1: the file's own folder).
    """

    kind: str
    dataset: str = ""
    ends: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    codes: tuple[tuple[int, tuple[str, ...]], ...] = ()
    levels: tuple[int, ...] = ()

    def group_of(self, name: str) -> str | None:
        """Return the group of a name, or None.

        Examples
        --------
        >>> Rule("known", dataset="ESC-50").group_of("audio/1-137-A-32.wav")
        '137'
        >>> Rule("stem", ends=("number",)).group_of("blues.00000.3.wav")
        'blues.00000'
        """
        folders = _folders(name, self.levels)
        if folders is None:
            return None
        if self.kind == "folder":
            return "/".join(folders) or None
        if self.kind == "name":
            return name.strip() or None
        stem = self.stem_of(base_name(name))
        return "/".join([*folders, stem]) if stem else None

    def stem_of(self, text: str) -> str | None:
        """Remove the ends, classes and codes from a base name."""
        if self.kind == "known":
            match = re.fullmatch(DATASET_NAMES[self.dataset][0], text)
            return match["group"] if match else None
        if self.kind == "rest":
            text = _BEGIN.sub("", text)
        for kind in self.ends:
            text = without_end(text, kind)
        text = without_codes(without_classes(text, self.classes), self.codes)
        text = _BEGIN.sub("", text) if self.kind == "rest" else text
        return None if self.kind == "rest" and _NO_NAME.fullmatch(text) else text

    def pattern(self) -> str:
        """Return the rule as a pattern for people: ``{group}_{number}``."""
        placeholders = {"number": "{number}", "glued": "{number}", "decimal": "{offset}", "clock": "{offset}",
                 "range": "{start}-{end}", "letter": "{letter}", "time": "{time}", "piece": "{piece}",
                 "variant": "{variant}"}  # fmt: skip
        above = "".join("{folder}/" for _ in self.levels)
        if self.kind == "known":
            return f"{above}{DATASET_NAMES[self.dataset][1]} ({self.dataset})"
        if self.kind == "folder":
            return "{group}/" + "*/" * (min(self.levels) - 1) + "name"
        if self.kind == "name":
            return "{group}"
        before = "{number}_" if self.kind == "rest" else "{class}_" if self.classes or self.codes else ""
        return above + before + "_".join(["{group}", *(placeholders[kind] for kind in reversed(self.ends))])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"known" if name == "dataset" else name: value for name, value in asdict(self).items()}


def rule_from(stored: Mapping[str, Any]) -> Rule:
    """Read the rule that `Rule.to_dict` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        If ``stored`` is no such rule.

    Examples
    --------
    >>> rule = Rule("stem", ends=("number",), codes=((0, ("7", "8")),))
    >>> rule_from(rule.to_dict()) == rule
    True
    """
    rule = Rule(
        str(stored["kind"]),
        str(stored["known"]),
        tuple(stored["ends"]),
        tuple(map(str, stored["classes"])),
        tuple((int(position), tuple(map(str, words))) for position, words in stored["codes"]),
        tuple(map(int, stored["levels"])),
    )
    if (
        not set(rule.ends) <= set(ENDS)
        or (rule.kind == "known" and rule.dataset not in DATASET_NAMES)
        or min(rule.levels, default=1) < 1
    ):
        raise ValueError("the rule of the groups is unknown")
    return rule


def _folders(name: str, levels: Sequence[int]) -> list[str] | None:
    """Return the folders at these levels; None if there are not so many."""
    if not levels:
        return []
    above = folders_of(name)
    return None if len(above) < max(levels) else [above[-level] for level in levels]
