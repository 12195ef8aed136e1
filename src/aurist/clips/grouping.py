"""Guess groups from names: pieces of one recording, takes of one speaker, recordings of one site.

A rule must give one group to several names. It is used if every class has three groups or more, the groups are not the
classes again, and the given folds do not cut through them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aurist.clips.name_search import CLASSES, CUT, Labels, Search
from aurist.clips.naming import Rule, rule_from
from aurist.errors import plural


@dataclass(frozen=True)
class Grouping:
    """Groups guessed from names.

    Parameters
    ----------
    rule
        Turns a name into its group.
    source
        The source of the names: "file names", or "column filename".
    example
        A name, and its group.
    n_groups
        Count of groups among the ``n_clips`` clips that have one.
    objection
        The reason against the groups; empty if they are plausible. They are then used only on request.
    used
        True if the clips have these groups.
    """

    rule: Rule
    source: str
    example: tuple[str, str]
    n_groups: int
    n_clips: int
    objection: str = ""
    used: bool = False

    def sentence(self) -> str:
        """Describe the guess in a sentence, with an example and counts."""
        name, group = self.example
        description = (
            f"{self.rule.pattern()}, such as {group!r} of {name!r}: {plural(self.n_groups, 'group')} of "
            f"{plural(self.n_clips, 'clip')}"
        )
        if self.used:
            opt_out = '(group="none" counts each clip as its own group)'
            return f"groups: guessed from the {self.source}, {description} {opt_out}"
        use = "" if self.objection == CLASSES else ' (group="names" uses them)'
        return f"possible groups from the {self.source}, {description}; not used, as {self.objection}{use}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {**vars(self), "rule": self.rule.to_dict(), "example": list(self.example)}


def grouping_from(stored: Mapping[str, Any] | None) -> Grouping | None:
    """Read the grouping that `Grouping.to_dict` wrote."""
    if stored is None:
        return None
    name, group = stored["example"]
    return Grouping(**{**stored, "rule": rule_from(stored["rule"]), "example": (name, group)})


def propose(
    names: Sequence[str],
    labels: Labels,
    folds: Sequence[str | None] | None = None,
    source: str = "file names",
) -> Grouping | None:
    """Find one grouping in the names of clips; None if there is none.

    Parameters
    ----------
    names
        (n_clips,): paths, file names or ids.
    labels
        (n_clips,): the labels of each clip; empty if unknown.
    folds
        (n_clips,): the given folds, if any.
    source
        The source of the names, for the sentence.

    Examples
    --------
    >>> recordings = ["dog/rec00", "cat/rec01", "dog/rec02", "cat/rec03", "dog/rec04", "cat/rec05"]
    >>> names = [f"{recording}_{piece}.wav" for recording in recordings for piece in range(4)]
    >>> grouping = propose(names, [(name[:3],) for name in names])
    >>> grouping.rule.pattern(), grouping.example, grouping.n_groups, grouping.objection
    ('{group}_{number}', ('dog/rec00_0.wav', 'rec00'), 6, '')
    """
    if len(names) < 2:
        return None
    best: tuple[Rule, str] | None = None
    for rule, verdict in Search(names, labels, folds).rules():
        if best is None or not verdict:
            best = (rule, verdict)
        if not verdict or verdict.startswith(CUT):  # the folds cut less likely groups less only by chance
            break
    if best is None:
        return None
    rule, verdict = best
    groups = [rule.group_of(name) for name in names]
    counts = Counter(group for group in groups if group is not None)
    row = next(row for row, group in enumerate(groups) if group is not None and counts[group] > 1)
    example = (names[row], str(groups[row]))
    return Grouping(rule, source, example, len(counts), counts.total(), verdict)
