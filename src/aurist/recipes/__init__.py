"""Named, complete configurations of networks: how sound becomes an image, the network, its training."""

from aurist.recipes.reading import (
    parse_setting,
    read_recipe,
    recipe_from,
    recipe_names,
    recipe_path,
    search_space,
    setting,
    tuned_from,
    with_settings,
)
from aurist.recipes.recipe import Augment, Loss, Recipe, Window
from aurist.recipes.search import Choice, Range, Space, read_space
from aurist.recipes.training import Training
from aurist.recipes.tuned import TunedBy, sample_of

__all__ = [
    "Augment",
    "Choice",
    "Loss",
    "Range",
    "Recipe",
    "Space",
    "Training",
    "TunedBy",
    "Window",
    "parse_setting",
    "read_recipe",
    "read_space",
    "recipe_from",
    "recipe_names",
    "recipe_path",
    "sample_of",
    "search_space",
    "setting",
    "tuned_from",
    "with_settings",
]
