"""A folder of recordings: a folder a class, ``fold1/...`` levels, ``train`` / ``valid`` / ``test`` levels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aurist.clips.filenames import read_names
from aurist.clips.guess import ReadOptions, part_of
from aurist.clips.table import Clips, Part, make_clips
from aurist.errors import DataError, listing

#: What libsndfile reads, and what ffmpeg does where it is there.
AUDIO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *(
            "wav",
            "wave",
            "flac",
            "ogg",
            "oga",
            "opus",
            "mp3",
            "aiff",
            "aif",
            "aifc",
            "au",
            "snd",
            "caf",
            "w64",
        ),
        *("rf64", "m4a", "mp4", "aac", "wma", "webm", "mka", "amr", "ac3", "ape", "wv", "tta"),
    )
)
_FOLD = re.compile(r"fold[ _-]?(\w+)", re.IGNORECASE)
_PARTS: dict[str, Part] = {"train": "train", "valid": "valid", "test": "test"}


@dataclass(frozen=True)
class Place:
    """What the folders above a file say of it."""

    label: str | None
    group: str | None
    fold: str | None
    part: Part


def read_folder(folder: Path, options: ReadOptions, *, labelled: bool) -> Clips:
    """Read a folder of recordings.

    The class is the first level, after levels that all files share (``audio/``), folds and parts. Folders below
    it (an artist, an album, a session) are groups. Hidden files and folders are read over.

    Raises
    ------
    DataError
        Where there is no audio, or (``labelled``) a file stands in no class folder.
    """
    paths, others = _audio_files(folder)
    if not paths:
        raise DataError(
            f"{folder}: found no audio files"
            + (f", only {_counted(others)}" if others else "")
            + f". Expected files such as {', '.join(sorted(AUDIO_SUFFIXES)[:6])} ... in a folder per class, "
            "or give the table that lists them."
        )
    notes = [f"passed over in {folder}: {_counted(others)}"] if others else []
    places = places_of(paths)
    named = read_names(paths, options.label_from) if options.label_from else [{} for _ in paths]
    labels = [name.get("label", place.label) for name, place in zip(named, places, strict=True)]
    lost = [path for path, label in zip(paths, labels, strict=True) if label is None]
    if lost and labelled:
        raise DataError(
            f"{folder}: {len(lost)} of {len(paths)} files stand in no class folder:\n{listing(lost)}\n"
            "Expected FOLDER/CLASS/file. Move them, or say how the label stands in the name: "
            "--label-from '{label}_{n}'."
        )
    if labelled and not options.label_from and len(set(labels)) == 1:
        raise DataError(
            f"{folder}: all {len(paths)} files stand in one folder, {labels[0]!r}, which leaves nothing to tell "
            f"apart. Expected a folder per class, or labels in the names, such as {paths[0]!r}: "
            "--label-from '{label}_{n}'."
        )
    if labelled and not options.label_from:
        notes.append(f"labels: the folders ({len(set(labels))} classes)")
        if any(place.group for place in places):
            notes.append(
                "groups: the folders below the classes, so that an album or a session stays in one fold"
            )
    return make_clips(
        [() if label is None else (label,) for label in labels],
        paths=paths,
        groups=[name.get("group", place.group) for name, place in zip(named, places, strict=True)],
        folds=[name.get("fold", place.fold) for name, place in zip(named, places, strict=True)],
        parts=[place.part for place in places],
        root=folder,
        notes=notes,
    )


def places_of(paths: list[str]) -> list[Place]:
    """What the levels of relative paths say.

    A level called ``test`` is a part only where classes stand below such levels: else it is a class (a sound of
    a train is in a folder ``train``).

    Examples
    --------
    >>> places_of(["audio/fold2/dog/a.wav", "audio/fold1/cat/live/b.wav"])[1]
    Place(label='cat', group='cat/live', fold='1', part='train')
    >>> [(p.label, p.part) for p in places_of(["test/cat/a.wav", "train/cat/b.wav"])]
    [('cat', 'test'), ('cat', 'train')]
    """
    levels = [path.split("/")[:-1] for path in paths]
    shared = _shared_depth(levels)
    levels = [above[shared:] for above in levels]
    has_parts = any(len(_without_folds(a)) > 1 and part_of(_without_folds(a)[0]) for a in levels)
    return [_place(above, has_parts) for above in levels]


def _shared_depth(levels: list[list[str]]) -> int:
    """How many first levels all files share, without folds and parts, if there are classes below them."""
    depth = 0
    while all(len(above) > depth + 1 for above in levels) and len({above[depth] for above in levels}) == 1:
        name = levels[0][depth]
        if _FOLD.fullmatch(name) or part_of(name):
            break
        depth += 1
    return depth


def _place(above: list[str], has_parts: bool) -> Place:
    folds = [match.group(1) for level in above if (match := _FOLD.fullmatch(level))]
    rest = _without_folds(above)
    part = part_of(rest[0]) if has_parts and rest else None
    rest = rest if part is None else rest[1:]
    return Place(
        label=rest[0] if rest else None,
        group="/".join(rest) if len(rest) > 1 else None,
        fold=folds[0] if folds else None,
        part=_PARTS[part or "train"],
    )


def _without_folds(above: list[str]) -> list[str]:
    return [level for level in above if not _FOLD.fullmatch(level)]


def _audio_files(folder: Path) -> tuple[list[str], Counter[str]]:
    """Audio files below the folder, relative, sorted; and how many others there are of each suffix."""
    found: list[str] = []
    others: Counter[str] = Counter()
    for path in _visible(folder):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            found.append(path.relative_to(folder).as_posix())
        else:
            others[path.suffix.lower() or "without suffix"] += 1
    return sorted(found), others


def _visible(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__MACOSX")):
            continue
        if path.is_dir():
            yield from _visible(path)
        else:
            yield path


def _counted(others: Counter[str]) -> str:
    return ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(6))
