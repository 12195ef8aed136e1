"""Read a folder of recordings: one folder per class, with levels for folds and for train, valid and test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurist.archives import is_archive, open_archive
from aurist.clips.classes import folder_labels
from aurist.clips.filenames import read_names
from aurist.clips.guess import NONE, ReadOptions, part_of
from aurist.clips.guessed_groups import FILE_NAMES, with_guessed_groups
from aurist.clips.labels import label_name
from aurist.clips.suffixes import AUDIO_SUFFIXES, in_utf8, is_audio, with_bytes_shown
from aurist.clips.table import PARTS, Clips, Part, make_clips
from aurist.errors import DataError, listing, plural

__all__ = ["AUDIO_SUFFIXES", "FolderInfo", "find_audio", "folder_infos", "read_folder"]

_FOLD = re.compile(r"fold[ _-]?0*(\d+|[a-z])", re.IGNORECASE)
_PARTS: dict[str, Part] = {"train": "train", "valid": "valid", "test": "test"}
#: Some people call a validation part so, and some a test part: ask the user.
_LIKE_PARTS = ("eval", "evaluation")
_WHAT_IS_EXPECTED = "Expected recordings (.wav, .flac, .ogg, .mp3 ...) in a folder per class"


@dataclass(frozen=True)
class FolderInfo:
    """Label, group, fold and part of a file, read from the folders above it."""

    label: str | None
    group: str | None
    fold: str | None
    part: Part


def read_folder(folder: Path, options: ReadOptions, *, labelled: bool) -> Clips:
    """Read a folder of recordings.

    The class is the first level, after levels that all files share (``audio/``), folds (``fold1``, ``fold_1``,
    ``fold-01``) and parts. Folders below it (an artist, an album, a session) are groups. ``train``, ``valid`` (``val``,
    ``validation``) and ``test`` (``testing``, ``holdout``) are parts, above the classes or below them, if another level
    is left to be the class. Hidden files and folders are skipped.

    Raises
    ------
    DataError
        If there is no audio, or (``labelled``) a file is in no class folder.
    """
    paths, others = find_audio(folder)
    if not paths:
        raise DataError(
            f"{folder}: found no audio files"
            + (f", only {_counted(others)}" if others else "")
            + f". {_WHAT_IS_EXPECTED}, or give the table that lists them."
        )
    notes = [f"skipped in {folder}: {_counted(others)}"] if others else []
    infos = folder_infos(paths)
    if options.label_from:
        names = read_names(paths, options.label_from)
        labels: list[str | None] = [name["label"] for name in names]
        notes.append(
            f"labels: from the file names, {options.label_from} ({plural(len(set(labels)), 'class', 'classes')})"
        )
    else:
        names = [{} for _ in paths]
        labels = [info.label for info in infos]
        if labelled:
            _check_classes(folder, paths, infos)
        elif len(set(labels)) == 1:
            labels = [None] * len(paths)  # one folder for all files is no label
        notes.extend(_level_notes(infos, labels))
    present, absent, multilabel, label_notes = folder_labels(labels, options.label_separator)
    clips = make_clips(
        present,
        paths=paths,
        absent=absent,
        multilabel=multilabel,
        groups=_groups(names, infos, options),
        folds=[name.get("fold", info.fold) for name, info in zip(names, infos, strict=True)],
        parts=[info.part for info in infos],
        root=folder,
        notes=[*notes, *label_notes],
    )
    given = bool(clips.table["group"].notna().any())
    return with_guessed_groups(clips, {FILE_NAMES: paths}, options, given=given)


def _groups(
    names: Sequence[dict[str, str]], infos: Sequence[FolderInfo], options: ReadOptions
) -> list[str | None]:
    """Read groups from names, else from folders."""
    groups = [name.get("group", info.group) for name, info in zip(names, infos, strict=True)]
    if options.group == NONE:
        return [None] * len(groups)
    return groups


def _check_classes(folder: Path, paths: Sequence[str], infos: Sequence[FolderInfo]) -> None:
    outside = [path for path, info in zip(paths, infos, strict=True) if info.label is None]
    if outside:
        only_test = all(info.part == "test" for info in infos if info.label is None)
        raise DataError(
            f"{folder}: {len(outside):,} of {plural(len(paths), 'file')} {'is' if len(outside) == 1 else 'are'} in no "
            f"class folder:\n{listing(outside)}\n"
            "Expected FOLDER/CLASS/file. Move them, or give the pattern of the name: "
            'label_from="{label}_{n}". If tables of Raven, Audacity or another program say what is in the recordings, '
            "give these with annotations=."
            + (
                " If they are to be predicted, give the folder of the training files only."
                if only_test
                else ""
            )
        )
    classes = {info.label for info in infos}
    if len(classes) == 1:
        raise DataError(
            f"{folder} holds {plural(len(paths), 'file')}, all in one folder, {classes.pop()!r}, so there is only "
            f"one class. Expected a folder per class, or labels in the names, such as {paths[0]!r}: "
            'label_from="{label}_{n}".'
        )
    unclear = sorted(
        {
            str(info.label)
            for info in infos
            if str(info.label).lower() in _LIKE_PARTS and info.group and info.group.split("/")[1] in classes
        }
    )
    if unclear:
        raise DataError(
            f"{folder}: {', '.join(unclear)} holds folders of classes, so it is no class itself. "
            "Rename it to train, valid or test."
        )


def _level_notes(infos: Sequence[FolderInfo], labels: Sequence[str | None]) -> list[str]:
    notes = []
    classes = {label for label in labels if label is not None}
    if classes:
        notes.append(f"labels: the first level of folders ({plural(len(classes), 'class', 'classes')})")
    parts = Counter(info.part for info in infos)
    if len(parts) > 1:
        notes.append("parts: " + ", ".join(f"{parts[part]} {part}" for part in PARTS if parts[part]))
    folds = {info.fold for info in infos if info.fold is not None}
    if folds:
        notes.append(f"folds: the folders ({len(folds)})")
    if classes and any(info.group for info in infos):
        notes.append("groups: the folders below the classes, so that an album or a session stays in one fold")
    return notes


def folder_infos(paths: Sequence[str]) -> list[FolderInfo]:
    """Read label, group, fold and part from the folders of relative paths.

    A level called ``test`` or ``train`` is a part only if there is another level for the class. Else it is a class:
    sounds of trains are in a folder ``train``.

    Examples
    --------
    >>> folder_infos(["audio/fold2/dog/a.wav", "audio/fold1/cat/live/b.wav"])[1]
    FolderInfo(label='cat', group='cat/live', fold='1', part='train')
    >>> [(p.label, p.part) for p in folder_infos(["test/cat/a.wav", "cat/b.wav", "dog/valid/c.wav"])]
    [('cat', 'test'), ('cat', 'train'), ('dog', 'valid')]
    >>> [(p.label, p.part) for p in folder_infos(["train/a.wav", "bus/b.wav"])]
    [('train', 'train'), ('bus', 'train')]
    """
    levels = [path.split("/")[:-1] for path in paths]
    shared = _shared_depth(levels)
    levels = [above[shared:] for above in levels]
    plain = [_without_folds(above) for above in levels]
    has_parts = any(len(above) > 1 and any(map(part_of, above)) for above in plain)
    shared_below = _shared_below(plain) if has_parts else None
    return [_folder_info(above, has_parts, shared_below) for above in levels]


def _shared_depth(levels: Sequence[list[str]]) -> int:
    """Count the first levels that all files share. Folds, parts and classes are not counted."""
    depth = 0
    while all(len(above) > depth + 1 for above in levels) and len({above[depth] for above in levels}) == 1:
        if _special(levels[0][depth]):
            break
        if all(len(above) == depth + 2 and _special(above[depth + 1]) for above in levels):
            break  # only folds and parts below it: this is the class
        depth += 1
    return depth


def _shared_below(levels: Sequence[list[str]]) -> str | None:
    """Find a shared level between parts and classes, as ``audio`` in ``train/audio/dog``."""
    rests = [
        [level for level in above if part_of(level) is None] for above in levels if any(map(part_of, above))
    ]
    deep = [rest for rest in rests if len(rest) > 1]
    firsts = {rest[0] for rest in rests if rest}
    classes = {rest[1] for rest in deep}
    return firsts.pop() if len(firsts) == 1 and len(classes) > 1 and len(rests) == len(levels) else None


def _special(level: str) -> bool:
    return _FOLD.fullmatch(level) is not None or part_of(level) is not None


def _folder_info(above: list[str], has_parts: bool, shared_below: str | None) -> FolderInfo:
    folds = [match.group(1) for level in above if (match := _FOLD.fullmatch(level))]
    rest = _without_folds(above)
    at = next((i for i, level in enumerate(rest) if part_of(level)), None) if has_parts else None
    part = None if at is None else part_of(rest.pop(at))
    rest = rest[1:] if rest and rest[0] == shared_below else rest
    return FolderInfo(
        label=label_name(rest[0]) if rest else None,
        group="/".join(rest) if len(rest) > 1 else None,
        fold=folds[0] if folds else None,
        part=_PARTS[part or "train"],
    )


def _without_folds(above: Sequence[str]) -> list[str]:
    return [level for level in above if not _FOLD.fullmatch(level)]


def find_audio(folder: Path) -> tuple[list[str], Counter[str]]:
    """List audio files below the folder, or in an archive, relative and sorted, and count other files by suffix.

    Audio files whose names are not UTF-8 are counted as others, with their names.

    Raises
    ------
    DataError
        If a folder cannot be opened.
    """
    if is_archive(folder):
        names = list(open_archive(folder).names)
        rest = Counter(Path(name).suffix.lower() or Path(name).name for name in names if not is_audio(name))
        return sorted(filter(is_audio, names)), rest
    audio: list[str] = []
    not_utf8: list[str] = []
    others: Counter[str] = Counter()
    try:
        for path in _visible(folder, frozenset()):
            name = path.relative_to(folder).as_posix()
            if is_audio(path.name) and in_utf8(name):
                audio.append(name)
            elif is_audio(path.name):
                not_utf8.append(with_bytes_shown(name))
            else:
                others[path.suffix.lower() or "without suffix"] += 1
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read: {error.strerror or error}") from error
    if not_utf8:
        examples = sorted(not_utf8)[:10] + ["..."] * (len(not_utf8) > 10)
        others[f"with a name that is not UTF-8 (rename it: {', '.join(examples)})"] = len(not_utf8)
    return sorted(audio), others


def _visible(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:  # a link to a folder above itself
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if path.is_dir():
            yield from _visible(path, above | {real})
        else:
            yield path


def _counted(others: Counter[str]) -> str:
    named = [f"{count} {kind}" for kind, count in others.items() if kind.endswith(")")]
    rest = [(kind, count) for kind, count in others.most_common() if not kind.endswith(")")]
    return ", ".join([*named, *(f"{count} {kind}" for kind, count in rest[:6])])
