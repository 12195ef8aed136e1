"""A folder of recordings: a folder a class, ``fold1/...`` levels, ``train`` / ``valid`` / ``test`` levels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurist.clips.classes import folder_labels
from aurist.clips.filenames import read_names
from aurist.clips.grouped import FILE_NAMES, with_guessed_groups
from aurist.clips.guess import NONE, ReadOptions, part_of
from aurist.clips.labels import label_name
from aurist.clips.suffixes import AUDIO_SUFFIXES, in_utf8, is_audio, with_bytes_shown
from aurist.clips.table import PARTS, Clips, Part, make_clips
from aurist.errors import DataError, listing, plural

__all__ = ["AUDIO_SUFFIXES", "Place", "find_audio", "places_of", "read_folder"]

_FOLD = re.compile(r"fold[ _-]?0*(\d+|[a-z])", re.IGNORECASE)
_PARTS: dict[str, Part] = {"train": "train", "valid": "valid", "test": "test"}
#: Used for validation by some and for testing by others: not for us to decide.
_LIKE_PARTS = ("eval", "evaluation")
_WHAT_IS_EXPECTED = "Expected recordings (.wav, .flac, .ogg, .mp3 ...) in a folder per class"


@dataclass(frozen=True)
class Place:
    """What the folders above a file say of it."""

    label: str | None
    group: str | None
    fold: str | None
    part: Part


def read_folder(folder: Path, options: ReadOptions, *, labelled: bool) -> Clips:
    """Read a folder of recordings.

    The class is the first level, after levels that all files share (``audio/``), folds (``fold1``, ``fold_1``,
    ``fold-01``) and parts. Folders below it (an artist, an album, a session) are groups. ``train``, ``valid``
    (``val``, ``validation``) and ``test`` (``testing``, ``holdout``) are parts, above the classes or below them,
    where another level is left to be the class. Hidden files and folders are read over.

    Raises
    ------
    DataError
        Where there is no audio, or (``labelled``) a file stands in no class folder.
    """
    paths, others = find_audio(folder)
    if not paths:
        raise DataError(
            f"{folder}: found no audio files"
            + (f", only {_counted(others)}" if others else "")
            + f". {_WHAT_IS_EXPECTED}, or give the table that lists them."
        )
    notes = [f"passed over in {folder}: {_counted(others)}"] if others else []
    places = places_of(paths)
    if options.label_from:
        named = read_names(paths, options.label_from)
        labels: list[str | None] = [name["label"] for name in named]
        notes.append(
            f"labels: from the file names, {options.label_from} ({plural(len(set(labels)), 'class', 'classes')})"
        )
    else:
        named = [{} for _ in paths]
        labels = [place.label for place in places]
        if labelled:
            _check_classes(folder, paths, places)
        elif len(set(labels)) == 1:
            labels = [None] * len(paths)  # one folder for all tells nothing of what is in it
        notes.extend(_said(places, labels))
    present, absent, multilabel, said = folder_labels(labels, options.label_separator)
    clips = make_clips(
        present,
        paths=paths,
        absent=absent,
        multilabel=multilabel,
        groups=_groups(named, places, options),
        folds=[name.get("fold", place.fold) for name, place in zip(named, places, strict=True)],
        parts=[place.part for place in places],
        root=folder,
        notes=[*notes, *said],
    )
    given = bool(clips.table["group"].notna().any())
    return with_guessed_groups(clips, {FILE_NAMES: paths}, options, given=given)


def _groups(
    named: Sequence[dict[str, str]], places: Sequence[Place], options: ReadOptions
) -> list[str | None]:
    """The groups that names or folders tell."""
    groups = [name.get("group", place.group) for name, place in zip(named, places, strict=True)]
    if options.group == NONE:
        return [None] * len(groups)
    return groups


def _check_classes(folder: Path, paths: Sequence[str], places: Sequence[Place]) -> None:
    lost = [path for path, place in zip(paths, places, strict=True) if place.label is None]
    if lost:
        only_test = all(place.part == "test" for place in places if place.label is None)
        raise DataError(
            f"{folder}: {len(lost):,} of {plural(len(paths), 'file')} {'stands' if len(lost) == 1 else 'stand'} in no "
            f"class folder:\n{listing(lost)}\n"
            "Expected FOLDER/CLASS/file. Move them, or say how the label stands in the name: "
            "--label-from '{label}_{n}'."
            + (
                " If they are to be predicted, give the folder of the training files only."
                if only_test
                else ""
            )
        )
    classes = {place.label for place in places}
    if len(classes) == 1:
        raise DataError(
            f"{folder} holds {plural(len(paths), 'file')}, all in one folder, {classes.pop()!r}, which leaves nothing "
            f"to tell apart. Expected a folder per class, or labels in the names, such as {paths[0]!r}: "
            "--label-from '{label}_{n}'."
        )
    unclear = sorted(
        {
            str(place.label)
            for place in places
            if str(place.label).lower() in _LIKE_PARTS
            and place.group
            and place.group.split("/")[1] in classes
        }
    )
    if unclear:
        raise DataError(
            f"{folder}: {', '.join(unclear)} holds folders of classes, so it is no class itself. "
            "Rename it to train, valid or test."
        )


def _said(places: Sequence[Place], labels: Sequence[str | None]) -> list[str]:
    notes = []
    classes = {label for label in labels if label is not None}
    if classes:
        notes.append(f"labels: the first level of folders ({plural(len(classes), 'class', 'classes')})")
    parts = Counter(place.part for place in places)
    if len(parts) > 1:
        notes.append("parts: " + ", ".join(f"{parts[part]} {part}" for part in PARTS if parts[part]))
    folds = {place.fold for place in places if place.fold is not None}
    if folds:
        notes.append(f"folds: the folders ({len(folds)})")
    if classes and any(place.group for place in places):
        notes.append("groups: the folders below the classes, so that an album or a session stays in one fold")
    return notes


def places_of(paths: Sequence[str]) -> list[Place]:
    """What the levels of relative paths say.

    A level called ``test`` is a part only where classes stand beside such levels: else it is a class (a sound of
    a train is in a folder ``train``).

    Examples
    --------
    >>> places_of(["audio/fold2/dog/a.wav", "audio/fold1/cat/live/b.wav"])[1]
    Place(label='cat', group='cat/live', fold='1', part='train')
    >>> [(p.label, p.part) for p in places_of(["test/cat/a.wav", "cat/b.wav", "dog/valid/c.wav"])]
    [('cat', 'test'), ('cat', 'train'), ('dog', 'valid')]
    >>> [(p.label, p.part) for p in places_of(["train/a.wav", "bus/b.wav"])]
    [('train', 'train'), ('bus', 'train')]
    """
    levels = [path.split("/")[:-1] for path in paths]
    shared = _shared_depth(levels)
    levels = [above[shared:] for above in levels]
    plain = [_without_folds(above) for above in levels]
    has_parts = any(len(above) > 1 and any(map(part_of, above)) for above in plain)
    shared_below = _shared_below(plain) if has_parts else None
    return [_place(above, has_parts, shared_below) for above in levels]


def _shared_depth(levels: Sequence[list[str]]) -> int:
    """How many first levels all files share, without folds and parts, if there are classes below them."""
    depth = 0
    while all(len(above) > depth + 1 for above in levels) and len({above[depth] for above in levels}) == 1:
        if _special(levels[0][depth]):
            break
        if all(len(above) == depth + 2 and _special(above[depth + 1]) for above in levels):
            break  # nothing but folds and parts below: this is the class
        depth += 1
    return depth


def _shared_below(levels: Sequence[list[str]]) -> str | None:
    """A level between the parts and the classes, as ``train/audio/dog``; of clips without classes it is the last."""
    rests = [
        [level for level in above if part_of(level) is None] for above in levels if any(map(part_of, above))
    ]
    deep = [rest for rest in rests if len(rest) > 1]
    firsts = {rest[0] for rest in rests if rest}
    classes = {rest[1] for rest in deep}
    return firsts.pop() if len(firsts) == 1 and len(classes) > 1 and len(rests) == len(levels) else None


def _special(level: str) -> bool:
    return _FOLD.fullmatch(level) is not None or part_of(level) is not None


def _place(above: list[str], has_parts: bool, shared_below: str | None) -> Place:
    folds = [match.group(1) for level in above if (match := _FOLD.fullmatch(level))]
    rest = _without_folds(above)
    at = next((i for i, level in enumerate(rest) if part_of(level)), None) if has_parts else None
    part = None if at is None else part_of(rest.pop(at))
    rest = rest[1:] if rest and rest[0] == shared_below else rest
    return Place(
        label=label_name(rest[0]) if rest else None,
        group="/".join(rest) if len(rest) > 1 else None,
        fold=folds[0] if folds else None,
        part=_PARTS[part or "train"],
    )


def _without_folds(above: Sequence[str]) -> list[str]:
    return [level for level in above if not _FOLD.fullmatch(level)]


def find_audio(folder: Path) -> tuple[list[str], Counter[str]]:
    """Audio files below the folder, relative, sorted; and how many others there are of each suffix.

    Those whose names are not UTF-8 are among the others, by name.

    Raises
    ------
    DataError
        Where a folder cannot be opened.
    """
    found: list[str] = []
    strange: list[str] = []
    others: Counter[str] = Counter()
    try:
        for path in _visible(folder, frozenset()):
            name = path.relative_to(folder).as_posix()
            if is_audio(path.name) and in_utf8(name):
                found.append(name)
            elif is_audio(path.name):
                strange.append(with_bytes_shown(name))
            else:
                others[path.suffix.lower() or "without suffix"] += 1
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror or error}") from error
    if strange:
        shown = sorted(strange)[:10] + ["..."] * (len(strange) > 10)
        others[f"with a name that is not UTF-8 (rename it: {', '.join(shown)})"] = len(strange)
    return sorted(found), others


def _visible(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:  # a link to a folder that it stands in
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if path.is_dir():
            yield from _visible(path, above | {real})
        else:
            yield path


def _counted(others: Counter[str]) -> str:
    named = [f"{count} {what}" for what, count in others.items() if what.endswith(")")]
    rest = [(what, count) for what, count in others.most_common() if not what.endswith(")")]
    return ", ".join([*named, *(f"{count} {what}" for what, count in rest[:6])])
