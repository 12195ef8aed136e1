"""The rule by which many names tell groups, looked for among those that names are known to follow."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from aurist.clips.naming import (
    KNOWN,
    STRONG,
    Rule,
    bare,
    best_end,
    class_regex,
    folders_of,
    without_end,
    words_of,
)

#: Below this share of names that share a group with others, a pattern is chance: two symphonies No 5.
LEAST_SHARED = 0.2
#: A class needs so many groups for folds and an interval.
LEAST_GROUPS = 3
CLASSES = "they are the classes"
CUT = "the given folds cut through them"
#: Names that the shape of all is seen from, in runs of neighbours.
_MOST_NAMES, _RUN = 4000, 50
_COUNTER = re.compile(
    r"(?:rec|recording|file|track|song|audio|sound|clip|sample|take|no|nr|n|x|wav|[a-z])?[_\-. #]*\d*",
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    r"fold[ _-]?\w{1,2}|train(ing)?|dev|val(id(ation)?)?|test(ing)?|holdout|eval(uation)?", re.IGNORECASE
)

Labels = Sequence[tuple[str, ...]]


class Search:
    """The names of some clips, with what a rule must bear."""

    def __init__(self, names: Sequence[str], labels: Labels, folds: Sequence[str | None] | None) -> None:
        self.names = list(names)
        self.labels = labels
        self.folds = folds
        self.single = all(len(of) <= 1 for of in labels) and any(labels)
        first = {name: row for row, name in reversed(list(enumerate(self.names)))}
        self.rows = sorted(first.values(), key=lambda row: self.names[row])  # of distinct names
        self.shape = _some(self.rows)

    def rules(self) -> Iterator[tuple[Rule, str]]:
        """Rules by which names share groups, the likelier first, each with what speaks against it."""
        known = [Rule("known", known=name) for name in KNOWN if self._known(name)]
        yield from self._judged(known)
        steps = [("stem", False), ("rest", False), ("folder", False), ("stem", True), ("rest", True)]
        for kind, glued in steps:
            if kind == "folder":
                yield from self._judged([*self._by_folder(), *self._beside_class()])
                continue
            found = self._stem(kind, glued)
            if found is not None:
                yield found
        if len(self.rows) < len(self.names):
            yield from self._judged([Rule("name")])

    def _known(self, name: str) -> bool:
        regex = re.compile(KNOWN[name][0])
        return sum(regex.fullmatch(bare(self.names[row])) is not None for row in self.shape) >= 0.8 * len(
            self.shape
        )

    def _judged(self, rules: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
        for rule in rules:
            verdict = self.verdict(rule)
            if verdict is not None:
                yield rule, verdict

    def verdict(self, rule: Rule) -> str | None:
        """Nothing where the groups are plausible; what speaks against them; None where there are none."""
        groups = [rule.group_of(name) for name in self.names]
        distinct = Counter(groups[row] for row in self.rows if groups[row] is not None)
        shared = sum(count for count in distinct.values() if count > 1)
        if rule.kind == "name":
            shared = len(self.names) - len(self.rows)
        least = 0.0 if rule.kind == "known" else LEAST_SHARED * len(self.rows)
        if len(distinct) < 2 or shared <= least:
            return None
        return self._against_classes(groups) or self._against_folds(groups)

    def _against_classes(self, groups: Sequence[str | None]) -> str:
        of_class: dict[str, set[str]] = defaultdict(set)
        clips: Counter[str] = Counter()
        for row, (group, of) in enumerate(zip(groups, self.labels, strict=True)):
            for label in of or ("",):
                of_class[label].add(f"#{row}" if group is None else f"={group}")
                clips[label] += 1
        classes_of = Counter(group for named in of_class.values() for group in named)
        one_each = all(len(named) == 1 for named in of_class.values())
        if self.single and one_each and max(classes_of.values()) == 1:
            return CLASSES
        few = [name for name, named in of_class.items() if len(named) < min(LEAST_GROUPS, clips[name])]
        if not few:
            return ""
        shown = (
            f"class {few[0]!r} would have {len(of_class[few[0]])}"
            if few[0]
            else f"there are {len(of_class[''])}"
        )
        return f"{shown} of the {LEAST_GROUPS} groups that it takes"

    def _against_folds(self, groups: Sequence[str | None]) -> str:
        if self.folds is None or len({fold for fold in self.folds if fold is not None}) < 2:
            return ""
        for fold in {fold for fold in self.folds if fold is not None}:
            inside = {g for g, of in zip(groups, self.folds, strict=True) if of == fold and g is not None}
            outside = [g for g, of in zip(groups, self.folds, strict=True) if of != fold]
            if sum(group in inside for group in outside) > len(outside) / 2:
                return f"{CUT} (fold {fold!r} shares most of them with the others)"
        return ""

    # -- stems --------------------------------------------------------------------------------------------------

    def _stem(self, kind: str, glued: bool) -> tuple[Rule, str] | None:
        """The finest rule of stems that is plausible; else the first that names share groups by."""
        whole = [bare(self.names[row]) for row in self.shape]
        stems = [Rule(kind).stem_of(text) or "" for text in whole]
        if kind == "rest" and sum(map(str.__eq__, stems, whole)) > 0.5 * len(stems):
            return None
        whole_rest = kind == "rest" and best_end(stems, LEAST_SHARED, glued=False) is None
        held = self._best_of(Rule(kind), stems) if whole_rest else None
        if held is not None and not held[1]:
            return held
        ends: tuple[str, ...] = ()
        for _ in range(5):
            end = best_end(stems, LEAST_SHARED, glued=glued)
            if end is None or (held and not held[1] and end not in STRONG and ends[-1] != "variant"):
                break
            ends = (*ends, end)
            stems = [without_end(stem, end) for stem in stems]
            found = self._best_of(Rule(kind, ends=ends), stems)
            if found is not None and found[1]:
                return held or found
            held = found or held
            if len(set(stems)) < 2:
                break
        return held

    def _beside_class(self) -> list[Rule]:
        """Rules by which a name is a class and what stands beside it: ``anna_yes``, ``yes-2-anna``."""
        whole = [bare(self.names[row]) for row in self.shape]
        apart = self._without_classes(Rule("stem"), whole)
        if apart is None:
            return []
        rules = {
            rule: [rule.stem_of(text) or "" for text in whole]
            for rule in (replace(apart, kind="rest"), apart)
        }
        if sum(map(str.__eq__, *rules.values())) > 0.5 * len(whole):
            del rules[replace(apart, kind="rest")]
        return [
            rule
            for rule, rest in rules.items()
            if best_end(rest, LEAST_SHARED, glued=False) is None and not _numbered(rest)
        ]

    def _best_of(self, plain: Rule, stems: Sequence[str]) -> tuple[Rule, str] | None:
        """The rule without the names of classes, where what is left is a name, or else with them."""
        levels = self._levels_needed(stems)
        rules = [replace(plain, levels=levels)]
        apart = self._without_classes(plain, stems)
        if apart is not None:
            rest = [apart.stem_of(bare(self.names[row])) or "" for row in self.shape]
            # a number beside the class counts within it, one before it does not
            first = sum(
                words_of(a)[-len(words_of(b)) :] == words_of(b) for a, b in zip(stems, rest, strict=True)
            )
            if not (first > 0.5 * len(stems) and _numbered(rest)) or all(
                label.isdigit() for of in self.labels for label in of
            ):
                rules.insert(0, replace(apart, levels=self._levels_needed(rest)))
        found = list(self._judged(rules))
        return next((one for one in found if not one[1]), found[-1] if found else None)

    def _without_classes(self, plain: Rule, stems: Sequence[str]) -> Rule | None:
        """The rule with the class, by its name or by a word that stands for it, taken out of the stem."""
        if not self.single:
            return None
        pairs = [
            (stem, self.labels[row][0])
            for stem, row in zip(stems, self.shape, strict=True)
            if self.labels[row]
        ]
        classes = sorted({label for _, label in pairs}, key=lambda name: (-len(name), name))
        if len(classes) < 2:
            return None
        regex = {name: class_regex(name) for name in classes}
        named = sum(regex[label].search(stem) is not None for stem, label in pairs) >= 0.9 * len(pairs)
        if named and any(len(words_of(name)) > 1 for name in classes):
            return replace(plain, classes=tuple(classes))
        codes = _codes(pairs)
        if codes:
            return replace(plain, codes=codes)
        return replace(plain, classes=tuple(classes)) if named else None

    # -- folders ------------------------------------------------------------------------------------------------

    @cached_property
    def _usable_levels(self) -> tuple[set[int], int | None]:
        """Levels above the files, counted up, that are no class, fold, shelf or one for all; and that of the class."""
        names = [self.names[row] for row in self.rows]
        above = [folders_of(name) for name in names]
        below = [bare(name) for name in names]
        label = ["".join(self.labels[row]) for row in self.rows]
        usable, of_class = set(), None
        for level in range(1, min([5, *map(len, above)]) + 1):
            values = [levels[-level] for levels in above]
            shelf = sum(map(lambda part, value: part.lower().startswith(value.lower()), below, values))
            below = values
            if len(set(values)) < 2 or sum(map(_is_special, values)) > 0.5 * len(values):
                continue
            if self.single and _one_to_one(list(zip(values, label, strict=True))):
                of_class = level
            elif shelf < 0.9 * len(values):
                usable.add(level)
        return usable, of_class

    def _by_folder(self) -> list[Rule]:
        """Rules by folders, the higher ones first."""
        levels = sorted(self._usable_levels[0], reverse=True)
        return [Rule("folder", levels=tuple(levels[: i + 1])) for i in range(len(levels))]

    @cached_property
    def _clash(self) -> bool:
        """Tell whether files in different folders have one name."""
        return len({bare(self.names[row]) for row in self.rows}) < 0.9 * len(self.rows)

    def _levels_needed(self, stems: Sequence[str]) -> tuple[int, ...]:
        """The folders without which stems would be taken for one another."""
        if not self._clash:
            return ()
        usable, of_class = self._usable_levels
        levels = set(usable)
        if of_class and len(set(stems)) > 1 and _numbered(stems):
            levels.add(of_class)
        return tuple(sorted(levels, reverse=True))


def _numbered(stems: Sequence[str]) -> bool:
    """Tell whether most stems are but a number, as ``rec03``, so that another class may have it, too."""
    return sum(_COUNTER.fullmatch(stem) is not None for stem in stems) > 0.5 * len(stems)


def _is_special(level: str) -> bool:
    return _SPECIAL.fullmatch(level) is not None


def _one_to_one(pairs: Sequence[tuple[str, str]]) -> bool:
    """Tell whether each value has one label and each label one value."""
    distinct = set(pairs)
    return len(distinct) == len({a for a, _ in distinct}) == len({b for _, b in distinct}) > 1


def _codes(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Places in the stems at which each class has one word of its own, and these words."""
    split = [([word.lower() for word in words_of(stem)], label) for stem, label in pairs]
    shortest = min((len(words) for words, _ in split), default=0)
    found = []
    for place in range(min(shortest, 8)):
        at = [(words[place], label) for words, label in split]
        if _one_to_one(at):
            found.append((place, tuple(sorted({word for word, _ in at}))))
    return tuple(found)


def _some(rows: Sequence[int]) -> list[int]:
    """At most `_MOST_NAMES` of the rows, in runs of neighbours."""
    if len(rows) <= _MOST_NAMES:
        return list(rows)
    starts = range(0, len(rows) - _RUN, max(_RUN, len(rows) * _RUN // _MOST_NAMES))
    return [row for start in starts for row in rows[start : start + _RUN]]
