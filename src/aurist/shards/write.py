"""Write clips as shards: large files of recordings, each with its labels beside it.

A hundred thousand small files become a hundred large ones, which file systems, networks and other programs read faster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath

from aurist.archives import exists
from aurist.clips import Clips
from aurist.errors import ConfigError, DataError, listing, plural
from aurist.extras import need_extra
from aurist.files import append_jsonl, atomic_path, folder_lock, read_jsonl, sha256_of
from aurist.records import OPTIONAL, read_record, write_record
from aurist.shards.example import Example, examples
from aurist.shards.parquet import write_parquet
from aurist.shards.tar import write_tar
from aurist.shards.tfrecord import write_tfrecord
from aurist.stored import check_shape, stored

MANIFEST, SETTINGS = "manifest.jsonl", "shards.json"
#: A line of the manifest.
_LINE = {"shard": str, "clips": int, "bytes": int, "sha256": str}
#: What writes a shard of each format, and the ending of its files.
_WRITERS: dict[str, tuple[str, Callable[[Path, Iterable[Example], Clips], None]]] = {
    "webdataset": (".tar", write_tar),
    "tfrecord": (".tfrecord", write_tfrecord),
    "parquet": (".parquet", write_parquet),
}
FORMATS = tuple(_WRITERS)


@dataclass(frozen=True)
class ShardSettings:
    """Settings that the content of the shards depends on.

    Parameters
    ----------
    data
        A hash of the clips: paths, spans, labels, groups, folds, parts.
    clips
        The number of clips.
    clips_per_shard
        Clips of each shard but the last.
    sample_rate
        Resample to this rate in Hz; 0: copy the files as they are.
    format
        Of `FORMATS`.
    """

    data: str
    clips: int
    clips_per_shard: int
    sample_rate: int = 0
    format: str = field(default="webdataset", metadata=OPTIONAL)


def write_shards(
    clips: Clips,
    folder: Path,
    *,
    clips_per_shard: int = 1000,
    sample_rate: int | None = None,
    form: str = "webdataset",
    advance: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Write clips into the shards of a folder; shards that are finished are not written again.

    Each clip is a recording with its label, group, fold and part. Whole files are copied byte for byte. Parts of files,
    and all clips if there is a rate, are decoded and written as FLAC with one channel.

    Parameters
    ----------
    clips
        The clips, with sound.
    folder
        For ``shard-00000.tar`` (``.tfrecord``, ``.parquet``) ..., and ``manifest.jsonl``: a line with the clips, the
        bytes and the SHA-256 of each.
    clips_per_shard
        Clips of each shard but the last.
    sample_rate
        Resample to this rate in Hz; None: as they are.
    form
        "webdataset": tar files, as the library webdataset reads them; "tfrecord": examples of TensorFlow; "parquet": as
        Hugging Face's datasets are shipped.
    advance
        Is told the number of clips of each finished shard.

    Returns
    -------
    list of Path
        All shards.

    Raises
    ------
    ConfigError
        If the folder holds shards of other clips or settings, or there is no such format.
    MissingExtraError
        If a Parquet file needs the extra ``parquet``, which is not installed.
    RunError
        If its manifest or settings are damaged.
    DataError
        If the clips have no sound, or recordings are missing or damaged.
    """
    if form not in _WRITERS:
        raise ConfigError(f"format is {form!r}, but must be one of: {', '.join(FORMATS)}.")
    if form == "parquet":
        need_extra("parquet", "A Parquet file")
    _check(clips)
    ending, write = _WRITERS[form]
    settings = ShardSettings(_hash(clips), len(clips), clips_per_shard, sample_rate or 0, form)
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        _check_settings(folder, settings)
        finished = _finished(folder / MANIFEST)
        paths, keys = [], _keys(clips)
        for number, first in enumerate(range(0, len(clips), clips_per_shard)):
            path = folder / f"shard-{number:05}{ending}"
            rows = range(first, min(first + clips_per_shard, len(clips)))
            if path.name not in finished or not path.is_file():
                with atomic_path(path) as part:
                    write(part, examples(clips, rows, keys, sample_rate), clips)
                line = {
                    "shard": path.name,
                    "clips": len(rows),
                    "bytes": path.stat().st_size,
                    "sha256": sha256_of(path),
                }
                append_jsonl(folder / MANIFEST, line)
            advance(len(rows))
            paths.append(path)
    return paths


def _check(clips: Clips) -> None:
    if not clips.has_audio:
        raise DataError("Shards hold recordings, but this is a table of features.")
    missing = [str(path) for path in dict.fromkeys(clips.files()) if not exists(path)]
    if missing:
        raise DataError(f"{plural(len(missing), 'recording')} cannot be found:\n{listing(missing)}")


def _hash(clips: Clips) -> str:
    columns = ["path", "start", "end", "labels", "group", "fold", "part"]
    text = clips.table[columns].astype(str).to_csv(index=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_settings(folder: Path, settings: ShardSettings) -> None:
    path = folder / SETTINGS
    if not path.exists():
        write_record(path, settings)
        return
    before = read_record(path, ShardSettings, f"Remove {folder}, or give another folder with output=.")
    differences = [
        f"{name}: {value} in the folder, {asdict(settings)[name]} now"
        for name, value in asdict(before).items()
        if value != asdict(settings)[name]
    ]
    if differences:
        raise ConfigError(
            f"{folder} holds shards of other data or settings:\n{listing(differences)}\nGive another folder with "
            "output=, or remove this one."
        )


def _finished(manifest: Path) -> set[str]:
    """Read the names of the finished shards."""
    lines = read_jsonl(manifest)
    with stored(manifest, "Take the damaged line out of it: its shard is written again."):
        check_shape(lines, [_LINE])
    return {line["shard"] for line in lines}


def _keys(clips: Clips) -> list[str]:
    """Name the clips by their files, from which groups may be guessed; with a number in front if names repeat.

    The key of an example in WebDataset ends at the first point.
    """
    stems = [PurePath(str(path)).stem.replace(".", "_") for path in clips.table["path"]]
    if len({stem.lower() for stem in stems}) == len(stems):
        return stems
    return [f"{row:08}_{stem}" for row, stem in enumerate(stems)]
