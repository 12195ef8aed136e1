"""Search the settings of a recipe with Optuna, honestly: scored at the end on a part that no trial saw."""

from aurist.automl.tuning.config import TuneConfig
from aurist.automl.tuning.result import Tuned
from aurist.automl.tuning.tune import tune

__all__ = ["TuneConfig", "Tuned", "tune"]
