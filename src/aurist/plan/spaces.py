"""Search spaces of the models of features. A recipe has its own, in its table `[search]`."""

from __future__ import annotations

from aurist.config import FitConfig
from aurist.models.base import ModelSpec
from aurist.plan.members import table_members
from aurist.recipes import Range, Space

_TREES: Space = {
    "learning_rate": Range(0.01, 0.2, log=True),
    "feature_fraction": Range(0.3, 1.0, step=0.1),
}
#: Search spaces by the name of a model of the presets; settings have the names of each library.
SPACES: dict[str, Space] = {
    "LightGBM": {**_TREES, "num_leaves": Range(8, 256, log=True), "min_data_in_leaf": Range(2, 60, log=True)},
    "LightGBMXT": {
        **_TREES,
        "num_leaves": Range(8, 256, log=True),
        "min_data_in_leaf": Range(2, 60, log=True),
    },
    "XGBoost": {
        "learning_rate": Range(0.01, 0.3, log=True),
        "max_depth": Range(3, 10),
        "min_child_weight": Range(0.5, 20.0, log=True),
        "colsample_bytree": Range(0.3, 1.0, step=0.1),
    },
    "CatBoost": {
        "learning_rate": Range(0.02, 0.2, log=True),
        "depth": Range(4, 8),
        "l2_leaf_reg": Range(1.0, 20.0, log=True),
    },
}


def searchable(name: str) -> ModelSpec | None:
    """Return the model of this name if it has a search space; None for any other name, such as a recipe."""
    members = {member.name: member for member in table_members(FitConfig())}
    return members[name] if name in SPACES else None
