"""Archives of recordings, and shards of a data set."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ..archives.made import FORMS, dataset
from .harness import Target


def _archive(form: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            table = dataset(Path(temporary) / "set", 3)
            FORMS[form](Path(temporary) / "set", table, folder)

    return make


def _read_archive(folder: Path) -> object:
    from aurist.audio import read
    from aurist.clips.read import ReadOptions, read_clips

    files = sorted(folder.iterdir())
    # WebDataset's shards are read as a folder
    clips = read_clips(files[0] if len(files) == 1 else folder, ReadOptions(), labelled=False)
    return [read(path) for path in dict.fromkeys(clips.files()[:2])]


def _shards(folder: Path) -> None:
    from aurist.clips.read import read_clips
    from aurist.shards import write_shards

    dataset(folder / "set", 4)
    write_shards(read_clips(folder / "set"), folder / "shards", clips_per_shard=2)


def _write_shards_again(folder: Path) -> object:
    """Continue to write shards, as after a kill, and read them."""
    from aurist.clips.read import read_clips
    from aurist.shards import write_shards

    write_shards(read_clips(folder / "set"), folder / "shards", clips_per_shard=2)
    return read_clips(folder / "shards").targets()


TARGETS = (
    *(Target(f"archive: {form}", _archive(form), _read_archive, 2) for form in FORMS),
    Target("shards", _shards, _write_shards_again, 0.7, ("set/",), folder=True),
)
