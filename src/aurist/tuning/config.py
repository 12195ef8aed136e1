"""How to search, and what tells one study from another."""

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
    """How to search.

    Parameters
    ----------
    trials
        Settings to try in all, by all processes that share the study.
    time_limit
        Seconds of wall time for the command; None: as long as it takes.
    storage
        URL of a database that processes and machines share; None: a file in the study's folder.
    pruner
        When a trial is stopped before its last fold: "median" (it is below the median of the others after as many
        folds), "hyperband" (L. Li et al., 2018), "none".
    holdout
        Share of the groups that no trial sees, to compare on; 0: none; None: a fifth where there are enough.

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
            raise ConfigError(
                f"time_limit is {self.time_limit:g} s, but anything worth having needs at least 10 s."
            )
        if self.holdout is not None and not 0 <= self.holdout <= 0.5:
            raise ConfigError(
                f"holdout is {self.holdout:g}, but must be a share of the groups up to 0.5, such as 0.2, or 0 for none."
            )


def check_same(
    path: Path,
    source: Source,
    subject: Target,
    config: FitConfig,
    search: TuneConfig,
    options: ReadOptions,
) -> None:
    """Write down what a study is of, or see that it is the same as before: scores of different things do not compare.

    Raises
    ------
    RunError
        Where the folder holds a study of something else; what differs is named.
    """
    asked = {
        "data": _name(source),
        "reading": {key: str(value) for key, value in dataclasses.asdict(options).items()},
        "settings": {key: value for key, value in dataclasses.asdict(config).items() if key not in _ANY},
        "tuned": _described(subject),
        "holdout": search.holdout,
        # not as it is: it may hold a password
        "storage": search.storage and hashlib.sha256(search.storage.encode()).hexdigest()[:12],
    }
    asked = json.loads(json.dumps(asked))
    if not path.exists():
        write_json(path, asked)
        return
    remedy = f"Give another folder (-o), or remove {path.parent} and search again."
    before = read_json(path, {"reading": dict, "settings": dict}, remedy)
    differ = [key for key, value in asked.items() if before.get(key) != value]
    differ += [
        f"{key}.{one}"
        for key in ("reading", "settings")
        for one in asked[key]
        if before[key].get(one) != asked[key][one]
    ]
    if differ:
        what = [one for one in differ if one not in ("reading", "settings")]
        raise RunError(
            f"{path.parent} holds a study of something else: {', '.join(what)} differ{'s' if len(what) == 1 else ''} "
            f"({path.name} has what it was). Give the same command, or another folder (-o)."
        )


def study_name(subject: Target, data: RunData, seed: int) -> str:
    """Of the study in its database: the same wherever the same is tuned on the same data."""
    told = {
        "tuned": _described(subject),
        "metric": data.task.metric,
        "clips": data.clips.table["clip_id"].astype(str).tolist(),
        "labels": [list(labels) for labels in data.clips.table["labels"]],
        "folds": data.folds.tolist(),
        "seed": seed,
    }
    return f"{subject.member.name}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]}"


#: Settings of a fit that change nothing of what a trial scores, or are told apart otherwise.
_ANY = ("jobs", "time_limit", "recipes", "recipe_settings")


def _described(subject: Target) -> dict[str, Any]:
    space = {name: repr(one) for name, one in subject.space.items()}
    return {"name": subject.member.name, "settings": dict(subject.member.settings), "space": space}


def _name(source: Source) -> str:
    if isinstance(source, Path | str):
        return str(Path(source).resolve())
    table = source.table if isinstance(source, Clips) else source
    rows = pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy()
    return hashlib.sha256(rows.tobytes()).hexdigest()
