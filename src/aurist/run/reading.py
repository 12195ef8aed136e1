"""Read the data of a run from its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.clips.grouping import grouping_from
from aurist.errors import RunError
from aurist.features.level import LEVEL
from aurist.features.schema import Schema
from aurist.features.summary import VERSION
from aurist.machine import available_cores
from aurist.metrics import METRICS
from aurist.models.base import Task
from aurist.run.data import RunData
from aurist.run.description import DESCRIPTION, RunDescription
from aurist.run.folder import RunFolder
from aurist.run.shapes import BOX_COLUMNS, BOXES, CLIPS
from aurist.run.spec import RunSpec
from aurist.stored import read_frame, stored
from aurist.tables import table_path


def read_data(run: RunFolder) -> RunData:
    """Read the data that the run was fitted on.

    Raises
    ------
    RunError
        If its files are damaged or do not match, or its models learnt from features of another version.
    """
    description, spec = run.description(), read_spec(run)
    clips = _read_clips(run, description)
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
        if table_path(keys_path).exists()
        else None,
        notes=description.notes,
        cache_dir=None if description.cache_dir is None else Path(description.cache_dir),
        level=_read_level(run, len(clips)),
    )


def _read_level(run: RunFolder, n_clips: int) -> npt.NDArray[np.float32] | None:
    path = run.folder / "level.parquet"
    if not table_path(path).exists():
        return None
    level = read_frame(path, {LEVEL: "f"}, run.remedy)[LEVEL].to_numpy(dtype=np.float32)
    with stored(path, run.remedy):
        if len(level) != n_clips:
            raise ValueError(f"it has {len(level)} rows, and clips.parquet has {n_clips}")
    return level


def _read_boxes(run: RunFolder) -> pd.DataFrame | None:
    if not table_path(run.folder / BOXES).exists():
        return None
    return read_frame(run.folder / BOXES, BOX_COLUMNS, run.remedy)


def _read_clips(run: RunFolder, description: RunDescription) -> Clips:
    path = run.folder / "clips.parquet"
    table = read_frame(path, CLIPS, run.remedy)
    with stored(path, run.remedy):
        for name in ("labels", "absent"):
            table[name] = table[name].map(tuple)
        unknown_labels = {label for labels in table["labels"] for label in labels} - set(description.classes)
        if unknown_labels:
            raise ValueError(
                f"it has labels that are no classes of the run, such as {min(map(repr, unknown_labels))}"
            )
    with stored(run.folder / DESCRIPTION, run.remedy):
        grouping = grouping_from(description.grouping)
    return Clips(
        table,
        description.classes,
        multilabel=description.multilabel,
        unannotated=description.unannotated,
        root=None if description.root is None else Path(description.root),
        window=description.window,
        boxes=_read_boxes(run),
        band=description.band,
        grouping=grouping,
    )


def read_spec(run: RunFolder) -> RunSpec:
    """Read the specification from ``data.json`` and ``config.toml``; no table is opened.

    Raises
    ------
    RunError
        If these files are damaged, or the models learnt from features of another version.
    """
    description, config = run.description(), run.config()
    _check_version(run, description.features, listens=description.summary is not None)
    with stored(run.folder / DESCRIPTION, run.remedy):
        if description.metric not in METRICS:
            raise ValueError(f"metric is {description.metric!r}")
    task = Task(
        description.classes,
        description.multilabel,
        description.metric,
        config.seed,
        available_cores(config.jobs),
    )
    return RunSpec(task, Schema(description.schema), description.summary, description.window)


def _check_version(run: RunFolder, version: int, *, listens: bool) -> None:
    """Check that features of recordings have the version of the training; tables always fit."""
    listens = listens or (run.plan_path.exists() and bool(run.networks()))
    if listens and version != VERSION:
        raise RunError(
            f"{run.folder} was fitted with features of version {version}, but this aurist makes version {VERSION}: "
            "the features of new recordings would differ from those of the training data. "
            "Fit again, into a new folder: aurist fit DATA -o NEW_FOLDER"
        )
