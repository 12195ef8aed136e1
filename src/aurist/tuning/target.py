"""What is tuned: a recipe, or a member that learns from features; what of it may be searched; what comes of it."""

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
    """What is tuned.

    Parameters
    ----------
    name
        As it was asked for.
    member
        As it is before anything is changed.
    space
        What may be changed, by setting.
    recipe
        Of a network; None for a member that learns from features.
    """

    name: str
    member: ModelSpec
    space: Space
    recipe: Recipe | None = None

    def member_with(self, settings: Mapping[str, Any]) -> ModelSpec:
        """The member with some settings changed.

        Raises
        ------
        ConfigError
            Where they do not go together.
        """
        if self.recipe is not None:
            return recipe_member(with_settings(self.recipe, settings))
        return replace(self.member, settings={**self.member.settings, **settings})

    def own_settings(self) -> dict[str, Any] | None:
        """What it has itself of all that may be changed; None where that is not a point of the space."""
        if self.recipe is not None:
            own = {name: setting(self.recipe, name) for name in self.space}
        else:
            own = {name: self.member.settings.get(name) for name in self.space}
        return own if all(self.space[name].holds(value) for name, value in own.items()) else None

    def write(self, path: Path, settings: Mapping[str, Any], words: str, tuned: TunedBy) -> None:
        """Write it with these settings and how they were found: a recipe, or a plan of one member."""
        import tomli_w

        name = f"{self.member.name}-tuned"
        if self.recipe is None:
            member = replace(self.member_with(settings), name=name)
            write_plan(path, FitPlan((Step(member, tuned=tuned),), tuple(words.splitlines())))
            return
        recipe = replace(with_settings(self.recipe, settings), name=name, tuned=tuned)
        comment = "".join(f"# {line}\n" for line in words.splitlines())
        write_text(path, comment + tomli_w.dumps(recipe.to_dict(), multiline_strings=True))

    @property
    def fit_option(self) -> str:
        """The option by which `aurist fit` takes what `write` wrote."""
        return "--plan" if self.recipe is None else "--recipe"

    @property
    def engine(self) -> str:
        """The engine to prepare data for, as settings of a fit have it."""
        return "autogluon" if self.recipe is None else "networks"


def read_subject(name: str, config: FitConfig) -> Target:
    """What a name stands for: a recipe of ours, the path of one's own, or a member such as LightGBM.

    Raises
    ------
    ConfigError
        Where there is nothing of that name, or nothing in it to search.
    """
    member = searchable(name)
    if member is not None:
        if config.recipe_settings:
            raise ConfigError(f"--set changes recipes, and {name} is none.")
        return Target(name, member, SPACES[name])
    near = difflib.get_close_matches(name, SPACES, n=1)
    if near and not name.endswith(".toml"):
        raise ConfigError(f"There is nothing called {name!r} to be tuned. Did you mean {near[0]!r}?")
    recipe = read_recipe(name, dict(parse_setting(text) for text in config.recipe_settings))
    if not recipe.search:
        raise ConfigError(
            f"{name} has no table [search], so that there is nothing to try. Add one, such as\n"
            '  [search]\n  "training.lr" = { low = 1e-4, high = 1e-2, log = true }'
        )
    return Target(name, recipe_member(recipe), search_space(recipe), recipe)
