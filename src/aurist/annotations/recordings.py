"""Which recording a file of annotations belongs to, where it does not say so itself."""

from __future__ import annotations

from pathlib import Path

from aurist.clips.suffixes import is_audio
from aurist.errors import DataError

#: What programs hang on to a recording's name to name its annotations: Raven, BirdNET, Audacity's users.
_ENDINGS = (
    ".birdnet.selection.table",
    ".birdnet.selections",
    ".birdnet.results",
    ".selections",
    ".selection",
    ".labels",
    ".label",
    "_labels",
)


def recording_of(path: Path, root: Path | None) -> str:
    """The recording beside a file of annotations, or in the folder of recordings, by its name.

    Returns
    -------
    str
        Relative to ``root``, or to the folder of the annotations where that is not given.

    Raises
    ------
    DataError
        Where there is none, or more than one.
    """
    folder = root or path.parent
    stem = _stem(path)
    found = sorted(
        file
        for file in folder.rglob("*")
        if is_audio(file.name) and stem in (file.name.lower(), file.stem.lower())
    )
    if len(found) == 1:
        return found[0].relative_to(folder).as_posix()
    if found:
        raise DataError(
            f"{path} may belong to {len(found)} recordings in {folder}: {', '.join(file.name for file in found[:5])}."
        )
    raise DataError(
        f"{path} does not say which recording it belongs to, and there is none called {stem} (.wav, .flac ...) in "
        f"{folder}. Name the folder of the recordings with --audio-root."
    )


def _stem(path: Path) -> str:
    name = path.name.lower().removesuffix(path.suffix.lower())
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    # Raven numbers its tables: "dawn.Table.1.selections.txt"
    before, dot, last = name.rpartition(".table.")
    return before if dot and last.isdigit() else name
