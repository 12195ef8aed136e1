"""Gather the contents of a report from the files of a run, without loading a model."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from aurist.config import FitConfig
from aurist.run import RunData, RunFolder
from aurist.stored import read_frame, stored


def class_counts(data: RunData) -> list[tuple[str, int]]:
    """Count the clips of each class, the most common first."""
    counts = (data.clips.targets(data.task.classes) > 0).sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    return [(data.task.classes[i], int(counts[i])) for i in order]


def left_out(run: RunFolder) -> pd.DataFrame:
    """Read ``quarantine.csv``: the clips that could not be used, with the reasons."""
    path = run.folder / "quarantine.csv"
    if not path.exists() or not path.read_bytes().strip():
        return pd.DataFrame()
    with stored(path, run.remedy), path.open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str).fillna("")


def curves(run: RunFolder) -> dict[str, dict[str, pd.DataFrame]]:
    """Read the learning curves of each network, by fold and seed."""
    by_network: dict[str, dict[str, pd.DataFrame]] = {}
    for path in sorted(run.models.glob("*/fold*/net*/history.csv")):
        name, fold, net = path.parts[-4:-1]
        by_network.setdefault(name, {})[f"{fold}/{net}"] = read_frame(path, {}, run.remedy)
    return by_network


def importance(run: RunFolder) -> pd.DataFrame | None:
    """Read the table of `aurist importance`; None if it was not called."""
    path = run.folder / "importance.csv"
    return read_frame(path, {}, run.remedy) if path.exists() else None


def settings(config: FitConfig) -> list[tuple[str, str]]:
    """Return the settings of the fit that are not empty."""
    named = ((field.name, getattr(config, field.name)) for field in dataclasses.fields(config))
    return [(name, _plain(value)) for name, value in named if value not in (None, (), [])]


def versions(run: RunFolder) -> dict[str, Any]:
    """Read the versions of the libraries of the fit."""
    return dict(run.read_json("versions.json", dict))


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
