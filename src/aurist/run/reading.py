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
from aurist.machine import available_cores
from aurist.metrics import METRICS
from aurist.models.base import Task
from aurist.run.data import RunData
from aurist.run.folder import RunFolder
from aurist.run.shapes import CLIPS
from aurist.stored import read_frame, stored


def read_data(run: RunFolder) -> RunData:
    """What the run was fitted on.

    Raises
    ------
    RunError
        Where its files are damaged or do not belong together, or its models hear recordings by features of another
        version.
    """
    known, config = run.known(), run.config()
    _check_version(run, known)
    clips = _read_clips(run, known)
    folds = read_frame(run.folder / "folds.parquet", {"fold": "i", "group": "i"}, run.remedy)
    features = read_frame(run.folder / "features.parquet", {}, run.remedy)
    schema = schema_from_dict(known["schema"])
    with stored(run.folder, run.remedy):
        if not len(clips) == len(folds) == len(features):
            raise ValueError(
                f"clips.parquet, folds.parquet and features.parquet have {len(clips)}, {len(folds)} and "
                f"{len(features)} rows"
            )
        if list(features.columns) != schema.names:
            raise ValueError("features.parquet has other columns than data.json")
    keys = run.folder / "test_keys.parquet"
    return RunData(
        task=Task(
            clips.classes, clips.multilabel, known["metric"], config.seed, available_cores(config.jobs)
        ),
        clips=clips,
        features=features,
        schema=schema,
        folds=folds["fold"].to_numpy(dtype=np.int64),
        groups=folds["group"].to_numpy(dtype=np.int64),
        summary=known["summary"],
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


def _check_version(run: RunFolder, known: dict[str, Any]) -> None:
    """Where models listen, recordings must look to them as they did when they learnt; tables look as they are."""
    made = known.get("features", 1)
    listens = known["summary"] is not None or (run.plan_path.exists() and bool(run.networks()))
    if listens and made != VERSION:
        raise RunError(
            f"{run.folder} was fitted with features of version {made}, but this aurist makes version {VERSION}: "
            "recordings would look different to its models than those they learnt from. "
            "Fit again, into a new folder: aurist fit DATA -o NEW_FOLDER"
        )


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
        if known["metric"] not in METRICS:
            raise ValueError(f"metric is {known['metric']!r}")
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
