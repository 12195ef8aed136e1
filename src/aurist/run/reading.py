"""Read the data of a run from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.clips import Clips
from aurist.clips.grouping import grouping_from
from aurist.errors import RunError
from aurist.features.level import LEVEL
from aurist.features.schema import schema_from_dict
from aurist.features.summary import VERSION
from aurist.features.summary_config import SummaryConfig
from aurist.machine import available_cores
from aurist.metrics import METRICS
from aurist.models.base import Task
from aurist.run.data import RunData
from aurist.run.folder import RunFolder
from aurist.run.shapes import CLIPS
from aurist.run.spec import RunSpec
from aurist.stored import read_frame, stored


def read_data(run: RunFolder) -> RunData:
    """Read the data that the run was fitted on.

    Raises
    ------
    RunError
        If its files are damaged or do not match, or its models learnt from features of another version.
    """
    data_json, spec = run.known(), read_spec(run)
    clips = _read_clips(run, data_json)
    folds = read_frame(run.folder / "folds.parquet", {"fold": "i", "group": "i"}, run.remedy)
    features = read_frame(run.folder / "features.parquet", {}, run.remedy)
    with stored(run.folder, run.remedy):
        if not len(clips) == len(folds) == len(features):
            raise ValueError(
                f"clips.parquet, folds.parquet and features.parquet have {len(clips)}, {len(folds)} and "
                f"{len(features)} rows"
            )
        if list(features.columns) != spec.schema.names:
            raise ValueError("features.parquet has other columns than data.json")
    keys_path = run.folder / "test_keys.parquet"
    return RunData(
        spec=spec,
        clips=clips,
        features=features,
        folds=folds["fold"].to_numpy(dtype=np.int64),
        groups=folds["group"].to_numpy(dtype=np.int64),
        test_keys=read_frame(keys_path, {"key": "u"}, run.remedy)["key"].to_numpy(dtype=np.uint64)
        if keys_path.exists()
        else None,
        notes=tuple(data_json["notes"]),
        cache_dir=None if data_json["cache_dir"] is None else Path(data_json["cache_dir"]),
        level=_read_level(run, len(clips)),
    )


def _read_level(run: RunFolder, n_clips: int) -> npt.NDArray[np.float32] | None:
    path = run.folder / "level.parquet"
    if not path.exists():
        return None
    level = read_frame(path, {LEVEL: "f"}, run.remedy)[LEVEL].to_numpy(dtype=np.float32)
    with stored(path, run.remedy):
        if len(level) != n_clips:
            raise ValueError(f"it has {len(level)} rows, and clips.parquet has {n_clips}")
    return level


def _read_clips(run: RunFolder, data_json: dict[str, Any]) -> Clips:
    path = run.folder / "clips.parquet"
    table = read_frame(path, CLIPS, run.remedy)
    with stored(path, run.remedy):
        for name in ("labels", "absent"):
            table[name] = table[name].map(tuple)
        unknown_labels = {label for labels in table["labels"] for label in labels} - set(data_json["classes"])
        if unknown_labels:
            raise ValueError(
                f"it has labels that are no classes of the run, such as {min(map(repr, unknown_labels))}"
            )
    with stored(run.folder / "data.json", run.remedy):
        if data_json["unannotated"] not in ("absent", "unknown"):
            raise ValueError(f"unannotated is {data_json['unannotated']!r}")
        band = data_json.get("band")
        if band is not None and len(band) != 2:
            raise ValueError(f"band is {band}")
        grouping = grouping_from(data_json.get("grouping"))
    return Clips(
        table,
        tuple(data_json["classes"]),
        multilabel=data_json["multilabel"],
        unannotated=data_json["unannotated"],
        root=None if data_json["root"] is None else Path(data_json["root"]),
        window=data_json.get("window"),
        band=None if band is None else tuple(band),
        grouping=grouping,
    )


def read_spec(run: RunFolder) -> RunSpec:
    """Read the specification from ``data.json`` and ``config.toml``; no table is opened.

    Raises
    ------
    RunError
        If these files are damaged, or the models learnt from features of another version.
    """
    data_json, config = run.known(), run.config()
    _check_version(run, data_json.get("features", 1), listens=data_json["summary"] is not None)
    with stored(run.folder / "data.json", run.remedy):
        if data_json["metric"] not in METRICS:
            raise ValueError(f"metric is {data_json['metric']!r}")
        summary = None if data_json["summary"] is None else SummaryConfig(**data_json["summary"])
    task = Task(
        tuple(data_json["classes"]),
        data_json["multilabel"],
        data_json["metric"],
        config.seed,
        available_cores(config.jobs),
    )
    return RunSpec(task, schema_from_dict(data_json["schema"]), summary, data_json.get("window"))


def _check_version(run: RunFolder, version: int, *, listens: bool) -> None:
    """Check that features of recordings have the version of the training; tables always fit."""
    listens = listens or (run.plan_path.exists() and bool(run.networks()))
    if listens and version != VERSION:
        raise RunError(
            f"{run.folder} was fitted with features of version {version}, but this aurist makes version {VERSION}: "
            "recordings would look different to its models than those they learnt from. "
            "Fit again, into a new folder: aurist fit DATA -o NEW_FOLDER"
        )
