"""Search the rule that turns many names into groups."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from aurist.clips.name_parts import (
    DATASET_NAMES,
    STRONG,
    base_name,
    best_end,
    class_regex,
    folders_of,
    without_end,
    words_of,
)
from aurist.clips.naming import Rule

#: If fewer names than this share have a group with others, the pattern is chance: two symphonies No 5.
LEAST_SHARED = 0.2
#: Groups that a class needs for folds and an interval.
LEAST_GROUPS = 3
CLASSES = "they are the classes"
CUT = "the given folds split them"
#: Names that the search looks at, in runs of neighbours.
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
    """The names of clips, with the labels and folds that a rule must fit."""

    def __init__(self, names: Sequence[str], labels: Labels, folds: Sequence[str | None] | None) -> None:
        self.names = list(names)
        self.labels = labels
        self.folds = folds
        self.single = all(len(of) <= 1 for of in labels) and any(labels)
        first = {name: row for row, name in reversed(list(enumerate(self.names)))}
        self.rows = sorted(first.values(), key=lambda row: self.names[row])  # of distinct names
        self.shape = _some(self.rows)

    def rules(self) -> Iterator[tuple[Rule, str]]:
        """Yield rules by which names share groups, the likelier first, each with the reason against it or ""."""
        dataset_rules = [Rule("known", dataset=name) for name in DATASET_NAMES if self._fits_dataset(name)]
        yield from self._judged(dataset_rules)
        steps = [("stem", False), ("rest", False), ("folder", False), ("stem", True), ("rest", True)]
        for kind, glued in steps:
            if kind == "folder":
                yield from self._judged([*self._by_folder(), *self._beside_class()])
                continue
            candidate = self._stem(kind, glued)
            if candidate is not None:
                yield candidate
        if len(self.rows) < len(self.names):
            yield from self._judged([Rule("name")])

    def _fits_dataset(self, name: str) -> bool:
        regex = re.compile(DATASET_NAMES[name][0])
        return sum(
            regex.fullmatch(base_name(self.names[row])) is not None for row in self.shape
        ) >= 0.8 * len(self.shape)

    def _judged(self, rules: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
        for rule in rules:
            verdict = self.verdict(rule)
            if verdict is not None:
                yield rule, verdict

    def verdict(self, rule: Rule) -> str | None:
        """Return "" if the groups are plausible, else the reason against them; None if there are no groups."""
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
        for row, (group, clip_labels) in enumerate(zip(groups, self.labels, strict=True)):
            for label in clip_labels or ("",):
                of_class[label].add(f"#{row}" if group is None else f"={group}")
                clips[label] += 1
        classes_of = Counter(group for named in of_class.values() for group in named)
        one_each = all(len(named) == 1 for named in of_class.values())
        if self.single and one_each and max(classes_of.values()) == 1:
            return CLASSES
        few = [name for name, named in of_class.items() if len(named) < min(LEAST_GROUPS, clips[name])]
        if not few:
            return ""
        count = (
            f"class {few[0]!r} would have {len(of_class[few[0]])}"
            if few[0]
            else f"there are {len(of_class[''])}"
        )
        return f"{count} groups, fewer than {LEAST_GROUPS}"

    def _against_folds(self, groups: Sequence[str | None]) -> str:
        if self.folds is None or len({fold for fold in self.folds if fold is not None}) < 2:
            return ""
        for fold in {fold for fold in self.folds if fold is not None}:
            inside = {
                g
                for g, fold_of_clip in zip(groups, self.folds, strict=True)
                if fold_of_clip == fold and g is not None
            }
            outside = [g for g, fold_of_clip in zip(groups, self.folds, strict=True) if fold_of_clip != fold]
            if sum(group in inside for group in outside) > len(outside) / 2:
                return f"{CUT} (fold {fold!r} shares most of them with the others)"
        return ""

    # -- stems --------------------------------------------------------------------------------------------------

    def _stem(self, kind: str, glued: bool) -> tuple[Rule, str] | None:
        """Return the finest plausible rule of stems, else the first by which names share groups."""
        whole = [base_name(self.names[row]) for row in self.shape]
        stems = [Rule(kind).stem_of(text) or "" for text in whole]
        if kind == "rest" and sum(map(str.__eq__, stems, whole)) > 0.5 * len(stems):
            return None
        whole_rest = kind == "rest" and best_end(stems, LEAST_SHARED, glued=False) is None
        best = self._best_of(Rule(kind), stems) if whole_rest else None
        if best is not None and not best[1]:
            return best
        ends: tuple[str, ...] = ()
        for _ in range(5):
            end = best_end(stems, LEAST_SHARED, glued=glued)
            if end is None or (best and not best[1] and end not in STRONG and ends[-1] != "variant"):
                break
            ends = (*ends, end)
            stems = [without_end(stem, end) for stem in stems]
            candidate = self._best_of(Rule(kind, ends=ends), stems)
            if candidate is not None and candidate[1]:
                return best or candidate
            best = candidate or best
            if len(set(stems)) < 2:
                break
        return best

    def _beside_class(self) -> list[Rule]:
        """Return rules for names of a class and a group: ``anna_yes``, ``yes-2-anna``."""
        whole = [base_name(self.names[row]) for row in self.shape]
        without_class = self._without_classes(Rule("stem"), whole)
        if without_class is None:
            return []
        rules = {
            rule: [rule.stem_of(text) or "" for text in whole]
            for rule in (replace(without_class, kind="rest"), without_class)
        }
        if sum(map(str.__eq__, *rules.values())) > 0.5 * len(whole):
            del rules[replace(without_class, kind="rest")]
        return [
            rule
            for rule, rest in rules.items()
            if best_end(rest, LEAST_SHARED, glued=False) is None and not _numbered(rest)
        ]

    def _best_of(self, rule: Rule, stems: Sequence[str]) -> tuple[Rule, str] | None:
        """Choose between the rule that removes names of classes and the rule that keeps them."""
        levels = self._levels_needed(stems)
        rules = [replace(rule, levels=levels)]
        without_class = self._without_classes(rule, stems)
        if without_class is not None:
            rest = [without_class.stem_of(base_name(self.names[row])) or "" for row in self.shape]
            # a number next to the class counts within the class, a number before it does not
            class_last = sum(
                words_of(a)[-len(words_of(b)) :] == words_of(b) for a, b in zip(stems, rest, strict=True)
            )
            if not (class_last > 0.5 * len(stems) and _numbered(rest)) or all(
                label.isdigit() for of in self.labels for label in of
            ):
                rules.insert(0, replace(without_class, levels=self._levels_needed(rest)))
        candidates = list(self._judged(rules))
        return next(
            (candidate for candidate in candidates if not candidate[1]),
            candidates[-1] if candidates else None,
        )

    def _without_classes(self, rule: Rule, stems: Sequence[str]) -> Rule | None:
        """Return the rule that removes the class, by its name or by a code, from the stem."""
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
            return replace(rule, classes=tuple(classes))
        codes = _codes(pairs)
        if codes:
            return replace(rule, codes=codes)
        return replace(rule, classes=tuple(classes)) if named else None

    # -- folders ------------------------------------------------------------------------------------------------

    @cached_property
    def _usable_levels(self) -> tuple[set[int], int | None]:
        """Find folder levels, counted up from the file, that may be groups; and the level of the class.

        Levels of classes, folds or parts, one folder for all, and folders that repeat the names below them are no
        groups.
        """
        names = [self.names[row] for row in self.rows]
        above = [folders_of(name) for name in names]
        below = [base_name(name) for name in names]
        label = ["".join(self.labels[row]) for row in self.rows]
        usable, of_class = set(), None
        for level in range(1, min([5, *map(len, above)]) + 1):
            values = [levels[-level] for levels in above]
            repeating = sum(map(lambda base, value: base.lower().startswith(value.lower()), below, values))
            below = values
            if len(set(values)) < 2 or sum(map(_is_special, values)) > 0.5 * len(values):
                continue
            if self.single and _one_to_one(list(zip(values, label, strict=True))):
                of_class = level
            elif repeating < 0.9 * len(values):
                usable.add(level)
        return usable, of_class

    def _by_folder(self) -> list[Rule]:
        """Return rules by folders, the higher folders first."""
        levels = sorted(self._usable_levels[0], reverse=True)
        return [Rule("folder", levels=tuple(levels[: i + 1])) for i in range(len(levels))]

    @cached_property
    def _clash(self) -> bool:
        """Tell whether files in different folders have one name."""
        return len({base_name(self.names[row]) for row in self.rows}) < 0.9 * len(self.rows)

    def _levels_needed(self, stems: Sequence[str]) -> tuple[int, ...]:
        """Return the folders that are needed to tell equal stems apart."""
        if not self._clash:
            return ()
        usable, of_class = self._usable_levels
        levels = set(usable)
        if of_class and len(set(stems)) > 1 and _numbered(stems):
            levels.add(of_class)
        return tuple(sorted(levels, reverse=True))


def _numbered(stems: Sequence[str]) -> bool:
    """Tell whether most stems are only a number, as ``rec03``, so another class may have them too."""
    return sum(_COUNTER.fullmatch(stem) is not None for stem in stems) > 0.5 * len(stems)


def _is_special(level: str) -> bool:
    return _SPECIAL.fullmatch(level) is not None


def _one_to_one(pairs: Sequence[tuple[str, str]]) -> bool:
    """Tell whether each value has one label and each label one value."""
    distinct = set(pairs)
    return len(distinct) == len({a for a, _ in distinct}) == len({b for _, b in distinct}) > 1


def _codes(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Find positions in the stems where each class has its own word, and these words."""
    split = [([word.lower() for word in words_of(stem)], label) for stem, label in pairs]
    shortest = min((len(words) for words, _ in split), default=0)
    codes = []
    for position in range(min(shortest, 8)):
        words_here = [(words[position], label) for words, label in split]
        if _one_to_one(words_here):
            codes.append((position, tuple(sorted({word for word, _ in words_here}))))
    return tuple(codes)


def _some(rows: Sequence[int]) -> list[int]:
    """Take at most `_MOST_NAMES` of the rows, in runs of neighbours."""
    if len(rows) <= _MOST_NAMES:
        return list(rows)
    starts = range(0, len(rows) - _RUN, max(_RUN, len(rows) * _RUN // _MOST_NAMES))
    return [row for start in starts for row in rows[start : start + _RUN]]
