"""Folders of detections, their shards, indexes of windows, and stores of features and sound."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from .harness import Target
from .sounds import RATE, write_noise


def make_detections(folder: Path) -> None:
    from aurist.detection.store import Detections, Recording
    from aurist.features.windows import Block

    settings = {
        "run": "0" * 16,
        "model": "Ensemble",
        "window": 1.0,
        "overlap": 0.5,
        "channel": "mixed",
        "parts": 2,
        "classes": ["wren", "robin"],
    }
    detections = Detections(folder / "found", settings)
    rng = np.random.default_rng(0)
    for name in ("a.wav", "site 1/b.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        write_noise(folder / name, "WAV", "PCM_16")
        one = Recording(name, folder / name)
        detections.progress(one)
        for number in range(2):
            starts = np.arange(4) * 0.5 + 2 * number
            block = Block(starts, starts + 1.0, {}, 4.0 if number else None, ((0.5, 1.0),))
            detections.keep(one, number, block, rng.random((4, 2)), rng.random((4, 2, 2)), "it is damaged")


def read_detections(folder: Path) -> object:
    from aurist.detection.export import WINDOWS, ExportOptions, write_detections
    from aurist.detection.result import ScanResult
    from aurist.detection.store import Detections, open_detections

    detections = open_detections(folder / "found")
    recordings = detections.recordings(folder)
    classes = tuple(detections.settings["classes"])
    seconds = {one.name: detections.progress(one).seconds or 0.0 for one in recordings}
    result = ScanResult(detections, classes, tuple(recordings), seconds, {}, {})
    write_detections(result, ExportOptions(("csv", "raven", WINDOWS)))
    Detections(folder / "found", detections.settings).check_names(recordings)
    return None


def make_shards(folder: Path) -> None:
    """Make the folders of detections of two shards of a scan."""
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.detection.sharding import begin_shard

    make_detections(folder)
    clips = read_clips(folder, ReadOptions(), labelled=False)
    for number in (1, 2):
        shutil.copytree(folder / "found", folder / f"part{number}")
        (folder / f"part{number}" / "settings.json").rename(folder / "kept")
        begin_shard(f"{number}/2", clips, folder / f"part{number}")
        (folder / "kept").rename(folder / f"part{number}" / "settings.json")
    shutil.rmtree(folder / "found")


def merge(folder: Path) -> object:
    """Merge the shards, and open the result."""
    from aurist.detection.sharding import merge_shards
    from aurist.detection.store import open_detections

    shutil.rmtree(folder / "merged", ignore_errors=True)
    merge_shards([folder / "part1", folder / "part2"], folder / "merged")
    return open_detections(folder / "merged").recordings(folder)


def make_feature_shards(folder: Path) -> None:
    """Make two shards of features."""
    from aurist.clips.read import ReadOptions
    from aurist.inference.feature_shards import write_feature_shard

    for name in "ab":
        write_noise(folder / f"{name}.wav", "WAV", "PCM_16")
    for number in (1, 2):
        part = folder / f"part{number}"
        write_feature_shard(folder, part, ReadOptions(), f"{number}/2", jobs=1, cache_dir=folder / "cache")
    shutil.rmtree(folder / "cache")


def merge_features(folder: Path) -> object:
    """Merge the shards."""
    from aurist.inference.feature_shards import merge_feature_shards

    return merge_feature_shards([folder / "part1", folder / "part2"], folder / "merged.csv")


def make_index(folder: Path) -> None:
    """Make an index of windows with a network that gives their loudness."""
    from aurist.detection.store import Recording
    from aurist.embedders import Embedder, EmbedderRecord, EmbedderSpec
    from aurist.search import build_index

    spec = EmbedderSpec(name="ear", file="ear.onnx", sample_rate=RATE, seconds=0.1)
    embedder = Embedder(spec, lambda windows: windows[:, :3] + 1.0, 3, b"key")
    for name in "ab":
        write_noise(folder / f"{name}.wav", "WAV", "PCM_16")
    recordings = [Recording(f"{name}.wav", folder / f"{name}.wav") for name in "ab"]
    build_index(
        recordings, folder / "index", EmbedderRecord(spec, "0" * 64), embedder, jobs=1, progress=False
    )


def read_index(folder: Path) -> object:
    """Open the index, and search in it."""
    from aurist.search import open_index, search

    index = open_index(folder / "index")
    return search(index, np.ones((1, index.settings.size), np.float32), 3, jobs=1)


def make_caches(folder: Path) -> None:
    """Fill a cache with features, facts of the audit, and decoded sound."""
    for name in "ab":
        write_noise(folder / f"{name}.wav", "WAV", "PCM_16")
    read_caches(folder)


def read_caches(folder: Path) -> object:
    """Check recordings, compute their features and decode them, with the cache."""
    from aurist.audit.audit import audit
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.features.store import summary_table
    from aurist.features.summary import SummaryConfig
    from aurist.features.waves import store_waves

    clips = read_clips(folder, ReadOptions(), labelled=False)
    cache = folder / "cache"
    audit(clips, cache_dir=cache, jobs=1, progress=False)
    summary_table(clips, SummaryConfig(sample_rate=RATE), cache_dir=cache, jobs=1, progress=False)
    waves = store_waves(clips, RATE, cache_dir=cache, jobs=1, progress=False)
    return waves.read(0)


TARGETS = (
    Target("detection folder", make_detections, read_detections, 1.5, ("a.wav", "site 1/"), folder=True),
    Target("merged shards", make_shards, merge, 1, ("a.wav", "site 1/"), folder=True),
    Target(
        "feature shards", make_feature_shards, merge_features, 1, ("a.wav", "b.wav", "merged"), folder=True
    ),
    Target("index", make_index, read_index, 1, ("a.wav", "b.wav"), folder=True),
    Target("caches", make_caches, read_caches, 0.5, ("a.wav", "b.wav"), folder=True),
)
