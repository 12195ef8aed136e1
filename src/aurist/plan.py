"""What to train within the time: the members of each preset, in order of expected gain for the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aurist.config import FitConfig
from aurist.models.base import Member
from aurist.models.network import recipe_member
from aurist.recipes import Recipe

#: Seconds of wall time of a preset where no limit is given.
DEFAULT_TIME = {"quick": 60.0, "good": 600.0, "best": 3600.0}
DEFAULT_SPLITS = {"quick": 3, "good": 5, "best": 8}

FOREST = Member("ExtraTrees", "forest")

#: The rows of the leaderboard that blend members: our own, which is what predicts, and AutoGluon's.
ENSEMBLE, GLUON_ENSEMBLE = "Ensemble", "AutoGluonEnsemble"


def _gluon(name: str, kind: str, refit: bool = True, /, **settings: float | bool | str) -> Member:
    return Member(name, "autogluon", {"kind": kind, "refit": refit, **settings})


_GBM = _gluon("LightGBM", "GBM")
_GBM_QUICK = _gluon("LightGBM", "GBM", False, learning_rate=0.1)
_GBM_XT = _gluon("LightGBMXT", "GBM", extra_trees=True)
_GBM_LARGE = _gluon(
    "LightGBMLarge", "GBM", learning_rate=0.03, num_leaves=128, feature_fraction=0.9, min_data_in_leaf=3
)
_CAT = _gluon("CatBoost", "CAT")
_XGB = _gluon("XGBoost", "XGB")
_RF = _gluon("RandomForest", "RF")
_LINEAR = _gluon("LinearModel", "LR")
_NET = replace(_gluon("NeuralNet", "NN_TORCH"), seconds_per_row=0.01)
_TABM = replace(_gluon("TabM", "TABM"), seconds_per_row=0.03)

PRESETS: dict[str, list[Member]] = {
    "quick": [FOREST, _GBM_QUICK],
    "good": [FOREST, _LINEAR, _GBM_XT, _RF, _XGB, _CAT, _GBM],
    "best": [FOREST, _LINEAR, _GBM_XT, _XGB, _CAT, _RF, _GBM, _NET, _TABM, _GBM_LARGE],
}

#: No member may take more than this share of the time that is left when it begins.
LARGEST_SHARE = 0.4


@dataclass(frozen=True)
class Clock:
    """Wall time of the whole command."""

    started: float
    limit: float

    def left(self) -> float:
        """Seconds left until the limit."""
        return self.limit - (time.monotonic() - self.started)

    def used(self) -> float:
        """Seconds since it began."""
        return round(time.monotonic() - self.started, 2)


def members(config: FitConfig, recipes: Sequence[Recipe] = ()) -> list[Member]:
    """The members to fit, the cheapest and surest first; networks that are asked for follow the first."""
    networks = [recipe_member(recipe) for recipe in recipes]
    if config.engine == "networks":
        return networks
    tables = _of_tables(config)
    return [*tables[:1], *networks, *tables[1:]]


def _of_tables(config: FitConfig) -> list[Member]:
    mljar = Member("mljar", "mljar", {"preset": config.preset})
    if config.engine == "mljar":
        return [FOREST, mljar]
    return [*PRESETS[config.preset], mljar] if config.engine == "all" else PRESETS[config.preset]


def time_limit(config: FitConfig) -> float:
    """Seconds for the whole command."""
    return config.time_limit if config.time_limit is not None else DEFAULT_TIME[config.preset]


def n_splits(config: FitConfig) -> int:
    """How many folds to make where the data prescribes none."""
    return config.n_splits if config.n_splits is not None else DEFAULT_SPLITS[config.preset]


def share(seconds_left: float, members_left: int) -> float:
    """Seconds that the next member may take: its part, but room to grow while there is much left."""
    return seconds_left * min(1.0, max(LARGEST_SHARE, 1 / members_left)) if members_left > 1 else seconds_left
