"""The target of a search: a recipe or a model of features, with its search space."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aurist.config import FitConfig
from aurist.errors import ConfigError
from aurist.files import write_text
from aurist.models.base import ModelSpec
from aurist.models.network_member import recipe_member
from aurist.plan import SPACES, FitPlan, Step, searchable, write_plan
from aurist.recipes import (
    Recipe,
    Space,
    TunedBy,
    parse_setting,
    read_recipe,
    search_space,
    setting,
    with_settings,
)


@dataclass(frozen=True)
class Target:
    """A recipe or a model to tune.

    Parameters
    ----------
    name
        The name that the user gave.
    member
        The model before any change.
    space
        The search space, by setting.
    recipe
        The recipe of a network; None for a model of features.
    """

    name: str
    member: ModelSpec
    space: Space
    recipe: Recipe | None = None

    def member_with(self, settings: Mapping[str, Any]) -> ModelSpec:
        """Return the model with changed settings.

        Raises
        ------
        ConfigError
            If the settings are not compatible.
        """
        if self.recipe is not None:
            return recipe_member(with_settings(self.recipe, settings))
        return replace(self.member, settings={**self.member.settings, **settings})

    def own_settings(self) -> dict[str, Any] | None:
        """Return its own values of the searched settings; None if they are outside the space."""
        if self.recipe is not None:
            own = {name: setting(self.recipe, name) for name in self.space}
        else:
            own = {name: self.member.settings.get(name) for name in self.space}
        return own if all(self.space[name].contains(value) for name, value in own.items()) else None

    def write(self, path: Path, settings: Mapping[str, Any], comment: str, tuned: TunedBy) -> None:
        """Write it with these settings and a comment: as a recipe, or as a plan of one model."""
        import tomli_w

        name = f"{self.member.name}-tuned"
        if self.recipe is None:
            member = replace(self.member_with(settings), name=name)
            write_plan(path, FitPlan((Step(member, tuned=tuned),), tuple(comment.splitlines())))
            return
        recipe = replace(with_settings(self.recipe, settings), name=name, tuned=tuned)
        header = "".join(f"# {line}\n" for line in comment.splitlines())
        write_text(path, header + tomli_w.dumps(recipe.to_dict(), multiline_strings=True))

    @property
    def fit_option(self) -> str:
        """The option of `aurist fit` that takes the file of `write`."""
        return "--plan" if self.recipe is None else "--recipe"

    @property
    def engine(self) -> str:
        """The engine to prepare data for, as in the settings of a fit."""
        return "autogluon" if self.recipe is None else "networks"


def read_target(name: str, config: FitConfig) -> Target:
    """Find the target of a name: a recipe of aurist, the path of a recipe, or a model such as LightGBM.

    Raises
    ------
    ConfigError
        If there is no such target, or it has no search space.
    """
    member = searchable(name)
    if member is not None:
        if config.recipe_settings:
            raise ConfigError(f"recipe_settings= changes recipes, but {name} is not a recipe.")
        return Target(name, member, SPACES[name])
    near = difflib.get_close_matches(name, SPACES, n=1)
    if near and not name.endswith(".toml"):
        raise ConfigError(f"There is no recipe or model {name!r} to tune. Did you mean {near[0]!r}?")
    recipe = read_recipe(name, dict(parse_setting(text) for text in config.recipe_settings))
    if not recipe.search:
        raise ConfigError(
            f"{name} has no table [search], so there is nothing to try. Add one, such as\n"
            '  [search]\n  "training.lr" = { low = 1e-4, high = 1e-2, log = true }'
        )
    return Target(name, recipe_member(recipe), search_space(recipe), recipe)
