"""Search the settings of a recipe with Optuna, and score the result on a holdout that no trial saw."""

from aurist.tuning.config import TuneConfig
from aurist.tuning.result import Tuned
from aurist.tuning.tune import tune

__all__ = ["TuneConfig", "Tuned", "tune"]
