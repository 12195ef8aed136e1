"""What file names say of the recording that a clip was cut from: one rule, found in many names, applied to any."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aurist.clips.suffixes import is_audio

#: Endings of files that are made of recordings: features, pictures, annotations.
_MADE = re.compile(r"\.(npy|npz|png|jpe?g|csv|txt|json|mat|h5|hdf5|pt|pkl)", re.IGNORECASE)
_SEPARATORS = r"[_\-. +~@#()\[\]]"

#: Names that a data set writes in one manner, and what in them is the recording, the speaker or the place.
KNOWN = {
    "ESC-50": (r"\d-(?P<group>\d+)-[A-Z](-\d+)?", "fold-{group}-take-class"),
    "UrbanSound8K": (r"(?P<group>\d+)-\d{1,2}-\d+-\d+", "{group}-class-occurrence-slice"),
    "Speech Commands": (r"(?P<group>[0-9a-f]{6,})_nohash_\d+", "{group}_nohash_number"),
    "xeno-canto": (r"(.*[^A-Za-z0-9])?(?P<group>(XC|iNat|CSA|ML)\d{2,})([^0-9].*)?", "{group}..."),
    "DCASE scenes": (r"[a-z_ ]+-(?P<group>[a-z]+-\d+)-\d+(-[a-z]\d?)?", "scene-{group}-segment-device"),
    "RAVDESS": (r"\d\d(-\d\d){5}-(?P<group>\d\d)", "...-{group}"),
    "CREMA-D": (r"(?P<group>\d{4})_[A-Z]{3}_[A-Z]{3}_[A-Z]{2}", "{group}_sentence_emotion_level"),
    "EmoDB": (r"(?P<group>\d\d)[ab]\d\d[A-Z][a-z]", "{group}sentence..."),
    "SAVEE": (r"(?P<group>[A-Z]{2})_(a|d|f|h|n|sa|su)\d\d", "{group}_emotion..."),
    "LibriSpeech": (r"(?P<group>\d{2,5})-\d{3,6}-\d{4}", "{group}-chapter-utterance"),
    "VoxCeleb": (r"(?P<group>id\d{5})[-_].+", "{group}-video-number"),
    "IEMOCAP": (r"(?P<group>Ses\d\d)[FM]_.+", "{group}..."),
    "ICBHI": (r"(?P<group>\d{3})_\d[a-z]\d_[A-Z][a-z]{1,2}_[a-z]{2}_.+", "{group}_recording_place..."),
    "freesound": (r"\d+__(?P<group>.+?)__.+", "number__{group}__title"),
    "BirdNET": (r"[01]\.\d+_(\d+_)?(?P<group>.+?)_\d+(\.\d+)?s?_\d+(\.\d+)?s", "score_number_{group}_start_end"),
}  # fmt: skip

_PIECE = (
    "segment|seg|part|pt|chunk|clip|slice|split|piece|window|win|frame|excerpt|cut|crop|snippet|block|section|"
    "offset|off|start|pos|take|sample|event|call|note|syllable|syll|phrase|fragment|interval|sub|idx|index"
)
_VARIANT = (
    "augmented|augment|aug|copy|microphone|mic|channel|chan|ch|left|right|mono|stereo|normalized|normalised|norm|"
    "noisy|noise|reverb|pitched|pitch|stretched|stretch|shifted|shift|flipped|flip|reversed|reverse|original|orig"
)
_DATE = r"(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d"
_CLOCK = r"[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d(?:\.\d+)?s?)?"
_SECONDS = r"\d+(?:\.\d+)?(?:ms|sec|s)?"

#: What the end of a name may be that is not the recording itself, by kind; the text before it stays.
ENDS: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"(?:{text})$", re.IGNORECASE)
    for kind, text in {
        "variant": rf"[_\-. ]+(?:(?:{_VARIANT})[_\-]?\d*|[LR])",
        "time": rf"[_\-. ]*(?<!\d){_DATE}(?:[-_T .]*{_CLOCK})?(?:Z|[+-]\d{{4}}|\([+-]?\d{{4}}\))?",
        "range": rf"[_\-. @]+[\[(]?(?P<start>{_SECONDS})(?:[-_~]|_?to_?)(?P<end>{_SECONDS})[\])]?",
        "clock": r"[_\-. @]+(?:\d\d[-_.:]\d\d[-_.:]\d\d(?:\.\d+)?|(?:\d+h)?\d+m(?:in)?_?\d+(?:\.\d+)?s?)",
        "piece": rf"(?:(?<=\d)|[_\-. ]+)(?:{_PIECE})s?[_\- #.]?\d+(?:\.\d+)?(?:ms|sec|s)?"
        r"(?:[_ ]?of[_ ]?\d+)?|[_\-. ]+(?:t|s|p|w|c|no|nr)[_#.]?\d+(?:\.\d+)?(?:ms|sec|s)?",
        "decimal": r"[_\-@ ]+(?:0|[1-9]\d*)(?P<fraction>\.\d+)?(?:sec|s)?",
        "number": r"[_\-. #@(\[]+\d+(?:_?of_?\d+)?(?:ms|sec|s)?[)\]]?",
        "letter": r"(?:(?<=\d)|[_\-. ]+)[a-z]",
        "glued": r"(?<=[^\W\d_]{2})\d+",
    }.items()
}
#: Kinds that speak of a piece of something, so that what stands before them is the longer thing.
STRONG = ("variant", "range", "clock", "piece")
#: Words that tell a copy or a piece, and not of what: no name of a recording.
_NO_NAME = re.compile(rf"(?:{_VARIANT}|{_PIECE})[_\- ]?\d*", re.IGNORECASE)
#: A running number before the name, and no date.
_BEGIN = re.compile(rf"^(?!{_DATE})\d{{1,5}}[_\-. ]+(?!\d)")


@dataclass(frozen=True)
class Rule:
    """How the group of a clip follows from its name.

    Parameters
    ----------
    kind
        "known" (a data set's own manner), "stem" (the name without its end), "rest" (without a number before it),
        "folder", or "name" (the whole of it: several rows have one name).
    known
        Which of `KNOWN`.
    ends
        Kinds of `ENDS` that are taken off, one after the other.
    classes
        Names of classes that are taken out of the stem.
    codes
        Words for classes (``32`` for dog) that are taken out, by their place in the stem.
    levels
        Folders that belong to the group, counted up from the file (1: the one it stands in).
    """

    kind: str
    known: str = ""
    ends: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    codes: tuple[tuple[int, tuple[str, ...]], ...] = ()
    levels: tuple[int, ...] = ()

    def group_of(self, name: str) -> str | None:
        """The group that a name tells, or None.

        Examples
        --------
        >>> Rule("known", known="ESC-50").group_of("audio/1-137-A-32.wav")
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
        stem = self.stem_of(bare(name))
        return "/".join([*folders, stem]) if stem else None

    def stem_of(self, text: str) -> str | None:
        """What is left of a name without folders and endings."""
        if self.kind == "known":
            match = re.fullmatch(KNOWN[self.known][0], text)
            return match["group"] if match else None
        if self.kind == "rest":
            text = _BEGIN.sub("", text)
        for kind in self.ends:
            text = without_end(text, kind)
        text = without_codes(without_classes(text, self.classes), self.codes)
        text = _BEGIN.sub("", text) if self.kind == "rest" else text
        return None if self.kind == "rest" and _NO_NAME.fullmatch(text) else text

    def pattern(self) -> str:
        """The rule as people read it: ``{group}_{number}``."""
        shown = {"number": "{number}", "glued": "{number}", "decimal": "{offset}", "clock": "{offset}",
                 "range": "{start}-{end}", "letter": "{letter}", "time": "{time}", "piece": "{piece}",
                 "variant": "{variant}"}  # fmt: skip
        above = "".join("{folder}/" for _ in self.levels)
        if self.kind == "known":
            return f"{above}{KNOWN[self.known][1]} ({self.known})"
        if self.kind == "folder":
            return "{group}/" + "*/" * (min(self.levels) - 1) + "name"
        if self.kind == "name":
            return "{group}"
        before = "{number}_" if self.kind == "rest" else "{class}_" if self.classes or self.codes else ""
        return above + before + "_".join(["{group}", *(shown[kind] for kind in reversed(self.ends))])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def rule_from(stored: Mapping[str, Any]) -> Rule:
    """The rule that `Rule.to_dict` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where it did not.

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
        tuple((int(place), tuple(map(str, words))) for place, words in stored["codes"]),
        tuple(map(int, stored["levels"])),
    )
    if (
        not set(rule.ends) <= set(ENDS)
        or (rule.kind == "known" and rule.known not in KNOWN)
        or min(rule.levels, default=1) < 1
    ):
        raise ValueError("the rule of the groups is none that is known")
    return rule


def bare(name: str) -> str:
    """The last part of a path without the endings of its file.

    Examples
    --------
    >>> bare("dog/rec_001.WAV"), bare("blues.00000.3"), bare("rec_0.0-5.0.wav.npy")
    ('rec_001', 'blues.00000.3', 'rec_0.0-5.0')
    """
    text = name.replace("\\", "/").rstrip("/").split("/")[-1].strip()
    while True:
        before, dot, ending = text.rpartition(".")
        if not before or not (is_audio(text) or _MADE.fullmatch(dot + ending)):
            return text
        text = before


def folders_of(name: str) -> list[str]:
    """The folders above a file, from the top."""
    return [level for level in name.replace("\\", "/").split("/")[:-1] if level not in ("", ".", "..")]


def _folders(name: str, levels: Sequence[int]) -> list[str] | None:
    """Those folders that are counted in; None where there are not so many."""
    if not levels:
        return []
    above = folders_of(name)
    return None if len(above) < max(levels) else [above[-level] for level in levels]


def words_of(text: str) -> list[str]:
    """The words of a stem, between separators."""
    return [word for word in re.split(_SEPARATORS, text) if word]


def without_end(text: str, kind: str) -> str:
    """A stem without an end of this kind, if it has one.

    Examples
    --------
    >>> without_end("SITE1_20240501_053000", "time"), without_end("rec_0.0-5.0", "range"), without_end("a", "number")
    ('SITE1', 'rec', 'a')
    """
    shorter = ENDS[kind].sub("", text)
    return text if shorter == text else shorter.rstrip("_-. +~@#([")


def without_codes(text: str, codes: Sequence[tuple[int, Sequence[str]]]) -> str:
    """A stem without the words that stand for classes at their places."""
    if not codes:
        return text
    words = words_of(text)
    at = {place for place, known in codes if place < len(words) and words[place].lower() in known}
    return "_".join(word for place, word in enumerate(words) if place not in at) if at else text


def class_regex(name: str) -> re.Pattern[str]:
    """A class's name in a stem, between separators, however its own words are parted."""
    words = words_of(name) or [name]
    inside = rf"{_SEPARATORS}*".join(map(re.escape, words))
    return re.compile(rf"(?:(?<=^)|(?<=[\W_])){inside}(?=$|[\W_])", re.IGNORECASE)


_CLASS_REGEX: dict[str, re.Pattern[str]] = {}


def without_classes(text: str, classes: Sequence[str]) -> str:
    """A stem without the first name of a class in it, the longest name first.

    Examples
    --------
    >>> without_classes("7_jackson", ["7", "8"]), without_classes("dog_bark-kitchen", ["Dog bark", "Dog"])
    ('jackson', 'kitchen')
    """
    for name in classes:
        if name not in _CLASS_REGEX:
            _CLASS_REGEX[name] = class_regex(name)
        match = _CLASS_REGEX[name].search(text)
        if match:
            parts = [part.strip("_-. +~@#()[]") for part in (text[: match.start()], text[match.end() :])]
            return "_".join(part for part in parts if part)
    return text


def best_end(stems: Sequence[str], least: float, *, glued: bool) -> str | None:
    """The kind of `ENDS` that most of the stems have, the more telling kinds first; None where few have any."""
    shares: dict[str, float] = {}
    for kind, regex in ENDS.items():
        if kind == "glued" and not glued:
            continue
        matches = [regex.search(stem) for stem in stems]
        share = sum(match is not None for match in matches) / max(len(stems), 1)
        fits = _CONDITIONS.get(kind)
        if share >= least and (fits is None or fits([match for match in matches if match])):
            shares[kind] = share
    most = max(shares.values(), default=0.0)
    return next((kind for kind, share in shares.items() if share >= 0.8 * most), None)


def _from_to(matches: Sequence[re.Match[str]]) -> bool:
    """Whether two numbers are a start and an end: the second is the larger, and they are no two counters."""
    pairs = [(_number(match["start"]), _number(match["end"])) for match in matches]
    later = sum(end > start for start, end in pairs)
    spelt = sum(any(c in match["start"] + match["end"] for c in ".sS") for match in matches)
    lengths = [round(end - start, 3) for start, end in pairs]
    alike = max(lengths.count(length) for length in set(lengths))
    return later >= 0.95 * len(pairs) and (spelt >= 0.5 * len(pairs) or alike >= 0.7 * len(pairs))


def _number(text: str) -> float:
    return float(re.sub("[a-z]", "", text.lower()))


def _from_nought(matches: Sequence[re.Match[str]]) -> bool:
    """Tell whether most offsets are within the first hour: three counters of two digits are no clock."""
    first = [re.sub(r"^[_\-. @]+", "", match.group()) for match in matches]
    return sum(text.startswith("00") or "m" in text.lower() for text in first) >= 0.7 * len(first)


def _with_fractions(matches: Sequence[re.Match[str]]) -> bool:
    return sum(match["fraction"] is not None for match in matches) >= 0.2 * len(matches)


def _running(matches: Sequence[re.Match[str]]) -> bool:
    """Whether numbers that are grown together with a word count something: dense, where a hash's are not."""
    numbers: dict[str, set[int]] = {}
    for match in matches:
        numbers.setdefault(match.string[: match.start()], set()).add(int(match.group()))
    dense = sum(len(of) for of in numbers.values() if max(of) - min(of) < 10 * len(of) and len(of) > 1)
    return dense >= 0.5 * len(matches)


_CONDITIONS: dict[str, Callable[[Sequence[re.Match[str]]], bool]] = {
    "range": _from_to,
    "clock": _from_nought,
    "decimal": _with_fractions,
    "glued": _running,
}
