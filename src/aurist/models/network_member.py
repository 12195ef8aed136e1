"""Recipes as members of a run; what it takes to name one loads no library of networks."""

from __future__ import annotations

from dataclasses import replace

from aurist.models.base import ModelSpec
from aurist.recipes import Recipe, recipe_from

ENGINE = "network"
#: What the ways of a network to answer are called, those by a pooling with its name behind.
POOLED = "pooled by "
#: Of the clips whose length is not known yet.
_SOME_SECONDS = 10.0
ONE_WINDOW, ONE_CHECKPOINT, ONE_NETWORK = "one window", "one checkpoint", "one network"


def recipe_member(recipe: Recipe) -> ModelSpec:
    """The member that a recipe makes; all of the recipe is in its settings, but for what may be searched."""
    return ModelSpec(recipe.name, ENGINE, {"recipe": replace(recipe, search={}).to_dict()})


def recipe_of(member: ModelSpec) -> Recipe:
    """The recipe of a member."""
    return recipe_from(member.settings["recipe"], member.name)


def some_samples(recipe: Recipe) -> int:
    """Samples of a window, before the clips are known."""
    return round((recipe.window.seconds or _SOME_SECONDS) * recipe.front.sample_rate)
