"""Settings of a search, and the identity of a study."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.clips import Clips
from aurist.clips.read import ReadOptions, Source
from aurist.config import FitConfig
from aurist.errors import ConfigError, RunError, check_one_of
from aurist.files import write_json
from aurist.run import RunData
from aurist.stored import read_json
from aurist.tuning.target import Target

PRUNERS = ("median", "hyperband", "none")


@dataclass(frozen=True)
class TuneConfig:
    """Settings of a search.

    Parameters
    ----------
    trials
        Total number of trials, by all processes that share the study.
    time_limit
        Seconds of wall time for the command; None: no limit.
    storage
        URL of a database that processes and machines share; None: a file in the folder of the study.
    pruner
        The rule to stop a trial before its last fold: "median" (stop if it is below the median of the others after the
        same folds), "hyperband" (L. Li et al., 2018), "none".
    holdout
        Share of the groups that no trial sees, for the comparison; 0: none; None: a fifth if there are enough groups.

    Examples
    --------
    >>> TuneConfig(pruner="mean")
    Traceback (most recent call last):
    aurist.errors.ConfigError: pruner is 'mean', but must be one of: median, hyperband, none.
    """

    trials: int = 40
    time_limit: float | None = None
    storage: str | None = None
    pruner: str = "median"
    holdout: float | None = None

    def __post_init__(self) -> None:
        check_one_of("pruner", self.pruner, PRUNERS)
        if self.trials < 1:
            raise ConfigError(f"trials is {self.trials}, but must be at least 1.")
        if self.time_limit is not None and self.time_limit < 10:
            raise ConfigError(f"time_limit is {self.time_limit:g} s, but a search needs at least 10 s.")
        if self.holdout is not None and not 0 <= self.holdout <= 0.5:
            raise ConfigError(
                f"holdout is {self.holdout:g}, but must be a share of the groups up to 0.5, such as 0.2, or 0 for none."
            )


def check_same(
    path: Path,
    source: Source,
    target: Target,
    config: FitConfig,
    search: TuneConfig,
    options: ReadOptions,
) -> None:
    """Write the settings of a study, or check that they are the same as before: else scores are not comparable.

    Raises
    ------
    RunError
        If the folder has a study of something else. The message names the differences.
    """
    study_settings = {
        "data": _name(source),
        "reading": {key: str(value) for key, value in dataclasses.asdict(options).items()},
        "settings": {
            key: value for key, value in dataclasses.asdict(config).items() if key not in _IRRELEVANT
        },
        "tuned": _describe_target(target),
        "holdout": search.holdout,
        # as a hash: it may contain a password
        "storage": search.storage and hashlib.sha256(search.storage.encode()).hexdigest()[:12],
    }
    study_settings = json.loads(json.dumps(study_settings))
    if not path.exists():
        write_json(path, study_settings)
        return
    remedy = f"Give another folder (output=), or remove {path.parent} and search again."
    before = read_json(path, {"reading": dict, "settings": dict}, remedy)
    differences = [key for key, value in study_settings.items() if before.get(key) != value]
    differences += [
        f"{key}.{name}"
        for key in ("reading", "settings")
        for name in study_settings[key]
        if before[key].get(name) != study_settings[key][name]
    ]
    if differences:
        named = [name for name in differences if name not in ("reading", "settings")]
        raise RunError(
            f"{path.parent} has a study of something else: {', '.join(named)} differ{'s' if len(named) == 1 else ''} "
            f"({path.name} has the settings of that study). Give the same command, or another folder (output=)."
        )


def study_name(target: Target, data: RunData, seed: int) -> str:
    """Return the name of a study in its database: the same for the same target on the same data."""
    identity = {
        "tuned": _describe_target(target),
        "metric": data.task.metric,
        "clips": data.clips.table["clip_id"].astype(str).tolist(),
        "labels": [list(labels) for labels in data.clips.table["labels"]],
        "folds": data.folds.tolist(),
        "seed": seed,
    }
    return f"{target.member.name}-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]}"


#: Settings of a fit that do not change the score of a trial, or that are compared elsewhere.
_IRRELEVANT = ("jobs", "time_limit", "recipes", "recipe_settings")


def _describe_target(target: Target) -> dict[str, Any]:
    space = {name: repr(values) for name, values in target.space.items()}
    return {"name": target.member.name, "settings": dict(target.member.settings), "space": space}


def _name(source: Source) -> str:
    if isinstance(source, Path | str):
        return str(Path(source).resolve())
    table = source.table if isinstance(source, Clips) else source
    rows = pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy()
    return hashlib.sha256(rows.tobytes()).hexdigest()
