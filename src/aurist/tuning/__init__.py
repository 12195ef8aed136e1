"""Search the settings of a recipe with Optuna, honestly: scored at the end on a part that no trial saw."""

from aurist.tuning.config import TuneConfig
from aurist.tuning.result import Tuned
from aurist.tuning.tune import tune

__all__ = ["TuneConfig", "Tuned", "tune"]
