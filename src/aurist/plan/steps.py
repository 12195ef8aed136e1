"""A plan: the models to fit, in order, as a TOML file that people can read, change and use again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from aurist.config import LARGEST, read_toml
from aurist.errors import ConfigError, listing, short_repr
from aurist.files import atomic_path
from aurist.models.base import ModelSpec
from aurist.models.network_member import ENGINE, recipe_member, recipe_of
from aurist.plan.members import ENSEMBLE, GLUON_ENSEMBLE
from aurist.recipes import TunedBy, read_recipe, recipe_from, tuned_from

ENGINES = ("forest", "classic", "kernel", "autogluon", "mljar", ENGINE)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "engine": str,
    "until": (int, float),
    "seconds": (int, float),
    "spare": bool,
    "round": int,
    "seconds_per_row": (int, float),
    "level": int,
    "recipe": (str, dict),
    "settings": dict,
    "tuned": dict,
}
_HEAD = """\
# The models that aurist fits, in this order. Change this file and use it with: aurist fit DATA --plan THIS_FILE
# With --plan there is no time limit: every model is fitted to its end, so the same seed gives the same result.
# recipe = "mel-cnn" stands for a recipe that comes with aurist, or a file.
"""


@dataclass(frozen=True)
class Step:
    """One model of a plan.

    Parameters
    ----------
    member
        The model to fit.
    until
        Share of the whole time by which it should be done; the rest is for later steps.
    round
        The round of pseudo-labels that it learns from; 0: labelled clips alone.
    spare
        True if it is fitted only in the time that the others leave.
    seconds
        The expected time; None if only its limit is known.
    tuned
        The search that chose its settings.
    """

    member: ModelSpec
    until: float = 1.0
    seconds: float | None = None
    spare: bool = False
    round: int = 0
    tuned: TunedBy = field(default_factory=TunedBy)


@dataclass(frozen=True)
class FitPlan:
    """The models to fit, in order.

    Parameters
    ----------
    steps
        One for each model.
    notes
        Reasons for the plan, for people to read.
    """

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def members(self) -> list[ModelSpec]:
        """The models, in order."""
        return [step.member for step in self.steps]


def write_plan(path: Path, plan: FitPlan) -> None:
    """Write a plan as TOML."""
    import tomli_w

    tables = []
    for step in plan.steps:
        table: dict[str, Any] = {"name": step.member.name, "engine": step.member.engine}
        if step.until != 1.0:
            table["until"] = step.until
        if step.round:
            table["round"] = step.round
        if step.spare:
            table["spare"] = True
        if step.seconds is not None:
            table["seconds"] = round(step.seconds, 1)
        if step.member.seconds_per_row:
            table["seconds_per_row"] = step.member.seconds_per_row
        if step.member.level != 1:
            table["level"] = step.member.level
        settings = dict(step.member.settings)
        if step.member.engine == ENGINE:
            table["recipe"] = settings.pop("recipe")
        elif step.tuned.trials:  # a recipe has its own table
            table["tuned"] = asdict(step.tuned)
        if settings:
            table["settings"] = settings
        tables.append(table)
    with atomic_path(path) as part:
        text = _HEAD + tomli_w.dumps({"notes": list(plan.notes), "member": tables}, multiline_strings=True)
        part.write_text(text, encoding="utf-8")


def read_plan(path: Path) -> FitPlan:
    """Read a plan.

    Raises
    ------
    ConfigError
        If the file is not TOML, or models are not valid. All bad models are listed at once.
    """
    document = read_toml(path, "the plan")
    tables = document.get("member")
    if not isinstance(tables, list) or not tables:
        raise ConfigError(f"{path} is not a plan: expected at least one table [[member]].")
    steps, wrong = [], []
    names: set[str] = set()
    for number, table in enumerate(tables, start=1):
        try:
            step = _step(table)
            _check_name_is_new(step.member.name, names)
            names.add(step.member.name.casefold())
            steps.append(step)
        except ConfigError as error:
            wrong.append(f"member {number}: {error}")
    if wrong:
        raise ConfigError(f"{path}: {len(wrong)} of {len(tables)} members cannot be used:\n{listing(wrong)}")
    notes = document.get("notes", [])
    if not isinstance(notes, list):
        raise ConfigError(f"{path}: notes is {short_repr(notes)}, but must be a list of sentences.")
    return FitPlan(tuple(steps), tuple(str(note) for note in notes))


def _check_name_is_new(name: str, taken: set[str]) -> None:
    """Check that a name is new. Some file systems do not distinguish upper and lower case."""
    if name in (ENSEMBLE, GLUON_ENSEMBLE):
        raise ConfigError(f"{name} is the name of an ensemble on the leaderboard: use another name")
    if name.casefold() in taken:
        raise ConfigError(f"a second member has the name {name}")


def _step(table: object) -> Step:
    if not isinstance(table, Mapping):
        raise ConfigError(f"it is {short_repr(table)}, but must be a table with a name and an engine")
    unknown = sorted(set(table) - set(_TYPES))
    if unknown:
        raise ConfigError(f"unknown {', '.join(unknown)}; there are: {', '.join(_TYPES)}")
    for key, value in table.items():
        if not isinstance(value, _TYPES[key]) or (_TYPES[key] is not bool and isinstance(value, bool)):
            raise ConfigError(f"{key} is {short_repr(value)}")
        if isinstance(value, (int, float)) and not 0 <= value <= LARGEST:
            raise ConfigError(f"{key} is {short_repr(value)}, but must be a number from 0 on")
    if table.get("engine") not in ENGINES:
        raise ConfigError(
            f"engine is {short_repr(table.get('engine'))}, but must be one of: {', '.join(ENGINES)}"
        )
    seconds, member = table.get("seconds"), _member(table)
    tuned = tuned_from(table.get("tuned", {}), "tuned")
    return Step(
        member,
        float(table.get("until", 1.0)),
        None if seconds is None else float(seconds),
        bool(table.get("spare", False)),
        int(table.get("round", 0)),
        recipe_of(member).tuned if member.engine == ENGINE else tuned,
    )


def _member(table: Mapping[str, Any]) -> ModelSpec:
    settings, level = table.get("settings", {}), table.get("level", 1)
    if level not in (1, 2):
        raise ConfigError(
            f"level is {level}, but must be 1, or 2 for a model that learns from the predictions of others"
        )
    if table["engine"] == ENGINE:
        if level == 2:
            raise ConfigError("a network learns from recordings, and cannot be of level 2")
        recipe_value = table.get("recipe")
        if recipe_value is None:
            raise ConfigError('a network needs its recipe, such as recipe = "mel-cnn"')
        recipe = (
            read_recipe(recipe_value)
            if isinstance(recipe_value, str)
            else recipe_from(recipe_value, "recipe")
        )
        recipe = replace(recipe, name=str(table.get("name", recipe.name)))
        network = recipe_member(recipe)
        return replace(network, settings={**settings, **network.settings})
    if not table.get("name"):
        raise ConfigError("it has no name")
    return ModelSpec(
        str(table["name"]), table["engine"], settings, float(table.get("seconds_per_row", 0.0)), level
    )


def with_epochs(member: ModelSpec, epochs: int, precision: str) -> ModelSpec:
    """Return a network with at most ``epochs`` epochs and with this precision."""
    recipe = recipe_of(member)
    training = replace(recipe.training, epochs=min(epochs, recipe.training.epochs), precision=precision)
    return recipe_member(replace(recipe, training=training))
