"""Groups guessed from names: pieces of one recording, takes of one speaker, recordings of one place.

Many names are looked at together. A rule counts where several names come to share a group by it, and is used where
that leaves every class three groups or more, is not the classes over again, and does not empty the given folds.
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
    """Groups that names tell.

    Parameters
    ----------
    rule
        How a group follows from a name.
    source
        Where the names stand: "file names", or "column filename".
    example
        A name, and its group.
    n_groups
        How many groups there are among the ``n_clips`` whose names tell one.
    objection
        Why they are not used unless somebody says so; empty where they are plausible.
    used
        Whether they are the groups of the clips.
    """

    rule: Rule
    source: str
    example: tuple[str, str]
    n_groups: int
    n_clips: int
    objection: str = ""
    used: bool = False

    def sentence(self) -> str:
        """The guess in words, with an example and its count."""
        name, group = self.example
        what = (
            f"{self.rule.pattern()}, such as {group!r} of {name!r}: {plural(self.n_groups, 'group')} of "
            f"{plural(self.n_clips, 'clip')}"
        )
        if self.used:
            return f"groups: guessed from the {self.source}, {what} (--group none counts each clip as its own group)"
        use = "" if self.objection == CLASSES else " (--group names uses them)"
        return f"groups that the {self.source} may tell, {what}; not used, as {self.objection}{use}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "rule": self.rule.to_dict(), "example": list(self.example)}


def grouping_from(stored: Mapping[str, Any] | None) -> Grouping | None:
    """The grouping that `Grouping.to_dict` wrote."""
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
    """Find one grouping in the names of clips; None where they tell of none.

    Parameters
    ----------
    names
        (n_clips,): paths, file names or ids.
    labels
        (n_clips,): the labels of each clip; empty where they are not known.
    folds
        (n_clips,): the folds that are given, if any are.
    source
        What the names are called in the sentence.

    Examples
    --------
    >>> recordings = ["dog/rec00", "cat/rec01", "dog/rec02", "cat/rec03", "dog/rec04", "cat/rec05"]
    >>> names = [f"{recording}_{piece}.wav" for recording in recordings for piece in range(4)]
    >>> found = propose(names, [(name[:3],) for name in names])
    >>> found.rule.pattern(), found.example, found.n_groups, found.objection
    ('{group}_{number}', ('dog/rec00_0.wav', 'rec00'), 6, '')
    """
    if len(names) < 2:
        return None
    best: tuple[Rule, str] | None = None
    for rule, verdict in Search(names, labels, folds).rules():
        if best is None or not verdict:
            best = (rule, verdict)
        if not verdict or verdict.startswith(CUT):  # less likely groups would only be cut less by chance
            break
    if best is None:
        return None
    rule, verdict = best
    groups = [rule.group_of(name) for name in names]
    counts = Counter(group for group in groups if group is not None)
    row = next(row for row, group in enumerate(groups) if group is not None and counts[group] > 1)
    example = (names[row], str(groups[row]))
    return Grouping(rule, source, example, len(counts), counts.total(), verdict)
