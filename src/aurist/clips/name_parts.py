"""Parts of file names: base name, folders, words, classes, and ends such as times and numbers of pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from aurist.clips.suffixes import is_audio

#: Endings of files that are derived from recordings: features, pictures, annotations.
_MADE = re.compile(r"\.(npy|npz|png|jpe?g|csv|txt|json|mat|h5|hdf5|pt|pkl)", re.IGNORECASE)
_SEPARATORS = r"[_\-. +~@#()\[\]]"

#: Naming of well-known data sets: a pattern with the group (recording, speaker or site), and its form for people.
DATASET_NAMES = {
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

PIECE = (
    "segment|seg|part|pt|chunk|clip|slice|split|piece|window|win|frame|excerpt|cut|crop|snippet|block|section|"
    "offset|off|start|pos|take|sample|event|call|note|syllable|syll|phrase|fragment|interval|sub|idx|index"
)
VARIANT = (
    "augmented|augment|aug|copy|microphone|mic|channel|chan|ch|left|right|mono|stereo|normalized|normalised|norm|"
    "noisy|noise|reverb|pitched|pitch|stretched|stretch|shifted|shift|flipped|flip|reversed|reverse|original|orig"
)
DATE = r"(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d"
_CLOCK = r"[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d(?:\.\d+)?s?)?"
_SECONDS = r"\d+(?:\.\d+)?(?:ms|sec|s)?"

#: Ends of a name that are not part of the recording's name, by kind.
ENDS: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"(?:{text})$", re.IGNORECASE)
    for kind, text in {
        "variant": rf"[_\-. ]+(?:(?:{VARIANT})[_\-]?\d*|[LR])",
        "time": rf"[_\-. ]*(?<!\d){DATE}(?:[-_T .]*{_CLOCK})?(?:Z|[+-]\d{{4}}|\([+-]?\d{{4}}\))?",
        "range": rf"[_\-. @]+[\[(]?(?P<start>{_SECONDS})(?:[-_~]|_?to_?)(?P<end>{_SECONDS})[\])]?",
        "clock": r"[_\-. @]+(?:\d\d[-_.:]\d\d[-_.:]\d\d(?:\.\d+)?|(?:\d+h)?\d+m(?:in)?_?\d+(?:\.\d+)?s?)",
        "piece": rf"(?:(?<=\d)|[_\-. ]+)(?:{PIECE})s?[_\- #.]?\d+(?:\.\d+)?(?:ms|sec|s)?"
        r"(?:[_ ]?of[_ ]?\d+)?|[_\-. ]+(?:t|s|p|w|c|no|nr)[_#.]?\d+(?:\.\d+)?(?:ms|sec|s)?",
        "decimal": r"[_\-@ ]+(?:0|[1-9]\d*)(?P<fraction>\.\d+)?(?:sec|s)?",
        "number": r"[_\-. #@(\[]+\d+(?:_?of_?\d+)?(?:ms|sec|s)?[)\]]?",
        "letter": r"(?:(?<=\d)|[_\-. ]+)[a-z]",
        "glued": r"(?<=[^\W\d_]{2})\d+",
    }.items()
}
#: Kinds that surely mark a piece, so the text before them names the whole.
STRONG = ("variant", "range", "clock", "piece")


def base_name(name: str) -> str:
    """Return the last part of a path without the endings of its file.

    Examples
    --------
    >>> base_name("dog/rec_001.WAV"), base_name("blues.00000.3"), base_name("rec_0.0-5.0.wav.npy")
    ('rec_001', 'blues.00000.3', 'rec_0.0-5.0')
    """
    text = name.replace("\\", "/").rstrip("/").split("/")[-1].strip()
    while True:
        before, dot, ending = text.rpartition(".")
        if not before or not (is_audio(text) or _MADE.fullmatch(dot + ending)):
            return text
        text = before


def folders_of(name: str) -> list[str]:
    """Return the folders above a file, from the top."""
    return [level for level in name.replace("\\", "/").split("/")[:-1] if level not in ("", ".", "..")]


def words_of(text: str) -> list[str]:
    """Split a stem into words at its separators."""
    return [word for word in re.split(_SEPARATORS, text) if word]


def without_end(text: str, kind: str) -> str:
    """Remove an end of this kind from a stem, if it has one.

    Examples
    --------
    >>> without_end("SITE1_20240501_053000", "time"), without_end("rec_0.0-5.0", "range"), without_end("a", "number")
    ('SITE1', 'rec', 'a')
    """
    shorter = ENDS[kind].sub("", text)
    return text if shorter == text else shorter.rstrip("_-. +~@#([")


def without_codes(text: str, codes: Sequence[tuple[int, Sequence[str]]]) -> str:
    """Remove the words for classes at their positions in a stem."""
    if not codes:
        return text
    words = words_of(text)
    coded = {
        position
        for position, codes_here in codes
        if position < len(words) and words[position].lower() in codes_here
    }
    return "_".join(word for position, word in enumerate(words) if position not in coded) if coded else text


def class_regex(name: str) -> re.Pattern[str]:
    """Compile a pattern for a class's name in a stem, with any separators between its words."""
    words = words_of(name) or [name]
    inside = rf"{_SEPARATORS}*".join(map(re.escape, words))
    return re.compile(rf"(?:(?<=^)|(?<=[\W_])){inside}(?=$|[\W_])", re.IGNORECASE)


_CLASS_REGEX: dict[str, re.Pattern[str]] = {}


def without_classes(text: str, classes: Sequence[str]) -> str:
    """Remove the first class name that occurs in a stem; ``classes`` has the longest names first.

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
            sides = [side.strip("_-. +~@#()[]") for side in (text[: match.start()], text[match.end() :])]
            return "_".join(side for side in sides if side)
    return text


def best_end(stems: Sequence[str], least: float, *, glued: bool) -> str | None:
    """Return the kind of `ENDS` that most stems have, the more certain kinds first; None if few have any."""
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
    """Tell whether two numbers are a start and an end: the second is larger, and they are not two counters."""
    pairs = [(_number(match["start"]), _number(match["end"])) for match in matches]
    later = sum(end > start for start, end in pairs)
    spelt = sum(any(c in match["start"] + match["end"] for c in ".sS") for match in matches)
    lengths = [round(end - start, 3) for start, end in pairs]
    most_common = max(lengths.count(length) for length in set(lengths))
    return later >= 0.95 * len(pairs) and (spelt >= 0.5 * len(pairs) or most_common >= 0.7 * len(pairs))


def _number(text: str) -> float:
    return float(re.sub("[a-z]", "", text.lower()))


def _from_nought(matches: Sequence[re.Match[str]]) -> bool:
    """Tell whether most offsets are in the first hour; else they are three counters of two digits."""
    first = [re.sub(r"^[_\-. @]+", "", match.group()) for match in matches]
    return sum(text.startswith("00") or "m" in text.lower() for text in first) >= 0.7 * len(first)


def _with_fractions(matches: Sequence[re.Match[str]]) -> bool:
    return sum(match["fraction"] is not None for match in matches) >= 0.2 * len(matches)


def _running(matches: Sequence[re.Match[str]]) -> bool:
    """Tell whether numbers behind a word are counters: counters are dense, numbers in a hash are not."""
    numbers: dict[str, set[int]] = {}
    for match in matches:
        numbers.setdefault(match.string[: match.start()], set()).add(int(match.group()))
    dense = sum(
        len(values)
        for values in numbers.values()
        if max(values) - min(values) < 10 * len(values) and len(values) > 1
    )
    return dense >= 0.5 * len(matches)


_CONDITIONS: dict[str, Callable[[Sequence[re.Match[str]]], bool]] = {
    "range": _from_to,
    "clock": _from_nought,
    "decimal": _with_fractions,
    "glued": _running,
}
