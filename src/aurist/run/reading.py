"""What a run was fitted on, read back from its folder."""

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
    """What the run was fitted on.

    Raises
    ------
    RunError
        Where its files are damaged or do not belong together, or its models hear recordings by features of another
        version.
    """
    known, spec = run.known(), read_spec(run)
    clips = _read_clips(run, known)
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
    keys = run.folder / "test_keys.parquet"
    return RunData(
        spec=spec,
        clips=clips,
        features=features,
        folds=folds["fold"].to_numpy(dtype=np.int64),
        groups=folds["group"].to_numpy(dtype=np.int64),
        test_keys=read_frame(keys, {"key": "u"}, run.remedy)["key"].to_numpy(dtype=np.uint64)
        if keys.exists()
        else None,
        notes=tuple(known["notes"]),
        cache_dir=None if known["cache_dir"] is None else Path(known["cache_dir"]),
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


def _read_clips(run: RunFolder, known: dict[str, Any]) -> Clips:
    path = run.folder / "clips.parquet"
    table = read_frame(path, CLIPS, run.remedy)
    with stored(path, run.remedy):
        for name in ("labels", "absent"):
            table[name] = table[name].map(tuple)
        strange = {label for labels in table["labels"] for label in labels} - set(known["classes"])
        if strange:
            raise ValueError(
                f"it has labels that are no classes of the run, such as {min(map(repr, strange))}"
            )
    with stored(run.folder / "data.json", run.remedy):
        if known["unannotated"] not in ("absent", "unknown"):
            raise ValueError(f"unannotated is {known['unannotated']!r}")
        band = known.get("band")
        if band is not None and len(band) != 2:
            raise ValueError(f"band is {band}")
        grouping = grouping_from(known.get("grouping"))
    return Clips(
        table,
        tuple(known["classes"]),
        multilabel=known["multilabel"],
        unannotated=known["unannotated"],
        root=None if known["root"] is None else Path(known["root"]),
        window=known.get("window"),
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
    known, config = run.known(), run.config()
    _check_version(run, known.get("features", 1), listens=known["summary"] is not None)
    with stored(run.folder / "data.json", run.remedy):
        if known["metric"] not in METRICS:
            raise ValueError(f"metric is {known['metric']!r}")
        summary = None if known["summary"] is None else SummaryConfig(**known["summary"])
    task = Task(
        tuple(known["classes"]),
        known["multilabel"],
        known["metric"],
        config.seed,
        available_cores(config.jobs),
    )
    return RunSpec(task, schema_from_dict(known["schema"]), summary, known.get("window"))


def _check_version(run: RunFolder, version: int, *, listens: bool) -> None:
    """Check that recordings look to the models as they did in training; tables look as they are."""
    listens = listens or (run.plan_path.exists() and bool(run.networks()))
    if listens and version != VERSION:
        raise RunError(
            f"{run.folder} was fitted with features of version {version}, but this aurist makes version {VERSION}: "
            "recordings would look different to its models than those they learnt from. "
            "Fit again, into a new folder: aurist fit DATA -o NEW_FOLDER"
        )
