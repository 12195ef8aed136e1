"""Write clips as shards of WebDataset: tar files of recordings, each with its labels beside it.

A hundred thousand small files become a hundred large ones, which file systems, networks and other programs read faster.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

import numpy as np

from aurist.archives import exists, read_member
from aurist.audio import probe, read
from aurist.clips import Clips
from aurist.errors import ConfigError, DataError, listing, plural
from aurist.files import append_jsonl, atomic_path, folder_lock, read_jsonl, sha256_of
from aurist.records import read_record, write_record
from aurist.stored import check_shape, stored

MANIFEST, SETTINGS = "manifest.jsonl", "shards.json"
#: A line of the manifest.
_LINE = {"shard": str, "clips": int, "bytes": int, "sha256": str}
_FINE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")


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
    """

    data: str
    clips: int
    clips_per_shard: int
    sample_rate: int = 0


def write_shards(
    clips: Clips,
    folder: Path,
    *,
    clips_per_shard: int = 1000,
    sample_rate: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Write clips into the shards of a folder; shards that are finished are not written again.

    Each clip is a recording and a JSON file with its label, group, fold and part. Whole files are copied byte for byte.
    Parts of files, and all clips if there is a rate, are decoded and written as FLAC with one channel.

    Parameters
    ----------
    clips
        The clips, with sound.
    folder
        For ``shard-00000.tar`` ..., and ``manifest.jsonl``: a line with the clips, the bytes and the SHA-256 of each.
    clips_per_shard
        Clips of each shard but the last.
    sample_rate
        Resample to this rate in Hz; None: as they are.
    advance
        Is told the number of clips of each finished shard.

    Returns
    -------
    list of Path
        All shards.

    Raises
    ------
    ConfigError
        If the folder holds shards of other clips or settings.
    RunError
        If its manifest or settings are damaged.
    DataError
        If the clips have no sound, or recordings are missing or damaged.
    """
    _check(clips)
    settings = ShardSettings(_hash(clips), len(clips), clips_per_shard, sample_rate or 0)
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        _check_settings(folder, settings)
        finished = _finished(folder / MANIFEST)
        paths, keys = [], _keys(clips)
        for number, first in enumerate(range(0, len(clips), clips_per_shard)):
            path = folder / f"shard-{number:05}.tar"
            rows = range(first, min(first + clips_per_shard, len(clips)))
            if path.name not in finished or not path.is_file():
                _write_shard(clips, rows, keys, path, sample_rate)
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


def _write_shard(clips: Clips, rows: range, keys: Sequence[str], path: Path, sample_rate: int | None) -> None:
    with atomic_path(path) as part, tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as shard:
        for row in rows:
            for ending, data in _files(clips, row, sample_rate):
                entry = tarfile.TarInfo(f"{keys[row]}{ending}")
                entry.size = len(data)
                shard.addfile(entry, io.BytesIO(data))


def _files(clips: Clips, row: int, sample_rate: int | None) -> Iterator[tuple[str, bytes]]:
    """Yield the ending and the content of the recording and of its JSON file."""
    clip = clips.table.iloc[row]
    path = clips.file(str(clip["path"]))
    if sample_rate is None and np.isnan(clip["start"]) and np.isnan(clip["end"]):
        member = read_member(path)
        yield path.suffix.lower(), path.read_bytes() if member is None else member
    else:
        yield ".flac", _decoded(path, float(clip["start"]), float(clip["end"]), sample_rate)
    facts = {
        "id": clip["clip_id"],
        "label": ";".join(clip["labels"]) if clips.labelled else None,
        "group": clip["group"],
        "fold": clip["fold"],
        "split": clip["part"],
        "file": PurePath(str(clip["path"])).as_posix(),
    }
    yield ".json", json.dumps({name: value for name, value in facts.items() if value is not None}).encode()


def _decoded(path: Path, start: float, end: float, sample_rate: int | None) -> bytes:
    import soundfile

    y, rate = read(
        path, sample_rate, start=0.0 if np.isnan(start) else start, end=None if np.isnan(end) else end
    )
    out = io.BytesIO()
    subtype = "PCM_24" if probe(path).subtype in _FINE else "PCM_16"
    soundfile.write(out, np.clip(y, -1, 1), rate, format="FLAC", subtype=subtype)
    return out.getvalue()
