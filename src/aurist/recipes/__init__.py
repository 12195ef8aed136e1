"""Named, complete configurations of networks: how sound becomes an image, the network, its training."""

from aurist.recipes.reading import parse_setting, read_recipe, recipe_from, recipe_names, recipe_path
from aurist.recipes.recipe import Augment, Loss, Recipe, Training, Window

__all__ = [
    "Augment",
    "Loss",
    "Recipe",
    "Training",
    "Window",
    "parse_setting",
    "read_recipe",
    "recipe_from",
    "recipe_names",
    "recipe_path",
]
