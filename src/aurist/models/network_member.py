"""Recipes as models of a run, without loading a library of networks."""

from __future__ import annotations

from dataclasses import replace

from aurist.models.base import ModelSpec, Task
from aurist.recipes import Recipe, recipe_from

ENGINE = "network"
#: Names of a network's variants; a pooling is followed by its name.
POOLED = "pooled by "
#: Length of a window if the clips are not known yet.
_SOME_SECONDS = 10.0
ONE_WINDOW, ONE_CHECKPOINT, ONE_NETWORK = "one window", "one checkpoint", "one network"
IN_32_BITS = "32 bits"
#: The setting of a network that learns what a row of the leaderboard predicts: the name of that row.
TEACHER = "teacher"
#: The setting of a recipe whose networks predict in 8 bits.
INT8 = "int8"


def recipe_member(recipe: Recipe) -> ModelSpec:
    """Return the model of a recipe; its settings are the whole recipe without the search space."""
    return ModelSpec(recipe.name, ENGINE, {"recipe": replace(recipe, search={}).to_dict()})


def recipe_of(member: ModelSpec) -> Recipe:
    """Return the recipe of a model."""
    return recipe_from(member.settings["recipe"], member.name)


def some_samples(recipe: Recipe) -> int:
    """Return the samples of a window, before the clips are known."""
    return round((recipe.window.seconds or _SOME_SECONDS) * recipe.front.sample_rate)


def loss_kind(recipe: Recipe, task: Task) -> str:
    """Return the name of the loss, as in `aurist.nets.losses`."""
    if recipe.loss.kind != "auto":
        return recipe.loss.kind
    return "bce" if task.multilabel else "cross_entropy"


def has_independent_classes(recipe: Recipe, task: Task) -> bool:
    """Return True if each class has its own probability; else the probabilities sum to 1."""
    return loss_kind(recipe, task).startswith("bce")
