"""A plan: the members to fit, in order, as a TOML file that people can read, change and give back."""

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
_KINDS: dict[str, type | tuple[type, ...]] = {
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
# What aurist fits, in this order. Change it and give it back with: aurist fit DATA --plan THIS_FILE
# A plan given back has no clock: every member learns to its end, so that the same seed gives the same result.
# recipe = "mel-cnn" stands for a recipe that comes with aurist, or a file.
"""


@dataclass(frozen=True)
class Step:
    """One member of a plan.

    Parameters
    ----------
    member
        What to fit.
    until
        Share of the whole time by which it should be done; what is left then belongs to later steps.
    round
        Of learning from unlabelled clips, by what the rounds before are sure of; 0: from labelled ones alone.
    spare
        Whether it is fitted only in what time the others leave.
    seconds
        That it is expected to take; None where nothing is known but its limit.
    tuned
        The search that its settings were chosen by.
    """

    member: ModelSpec
    until: float = 1.0
    seconds: float | None = None
    spare: bool = False
    round: int = 0
    tuned: TunedBy = field(default_factory=TunedBy)


@dataclass(frozen=True)
class FitPlan:
    """What to fit, in order.

    Parameters
    ----------
    steps
        One a member.
    notes
        Why it is so, for people to read.
    """

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def members(self) -> list[ModelSpec]:
        """The members, in order."""
        return [step.member for step in self.steps]


def write_plan(path: Path, plan: FitPlan) -> None:
    """Write a plan as TOML."""
    import tomli_w

    tables = []
    for step in plan.steps:
        told: dict[str, Any] = {"name": step.member.name, "engine": step.member.engine}
        if step.until != 1.0:
            told["until"] = step.until
        if step.round:
            told["round"] = step.round
        if step.spare:
            told["spare"] = True
        if step.seconds is not None:
            told["seconds"] = round(step.seconds, 1)
        if step.member.seconds_per_row:
            told["seconds_per_row"] = step.member.seconds_per_row
        if step.member.level != 1:
            told["level"] = step.member.level
        settings = dict(step.member.settings)
        if step.member.engine == ENGINE:
            told["recipe"] = settings.pop("recipe")
        elif step.tuned.trials:  # a recipe says so itself
            told["tuned"] = asdict(step.tuned)
        if settings:
            told["settings"] = settings
        tables.append(told)
    with atomic_path(path) as part:
        text = _HEAD + tomli_w.dumps({"notes": list(plan.notes), "member": tables}, multiline_strings=True)
        part.write_text(text, encoding="utf-8")


def read_plan(path: Path) -> FitPlan:
    """Read a plan back.

    Raises
    ------
    ConfigError
        Where the file is not TOML, or members are not as they must be; all of these are named at once.
    """
    found = read_toml(path, "the plan")
    tables = found.get("member")
    if not isinstance(tables, list) or not tables:
        raise ConfigError(f"{path} holds no plan: expected at least one table [[member]].")
    steps, wrong = [], []
    names: set[str] = set()
    for number, table in enumerate(tables, start=1):
        try:
            step = _step(table)
            _check_free(step.member.name, names)
            names.add(step.member.name.casefold())
            steps.append(step)
        except ConfigError as error:
            wrong.append(f"member {number}: {error}")
    if wrong:
        raise ConfigError(f"{path}: {len(wrong)} of {len(tables)} members cannot be used:\n{listing(wrong)}")
    notes = found.get("notes", [])
    if not isinstance(notes, list):
        raise ConfigError(f"{path}: notes is {short_repr(notes)}, but must be a list of sentences.")
    return FitPlan(tuple(steps), tuple(str(note) for note in notes))


def _check_free(name: str, taken: set[str]) -> None:
    """See that a name is no other's; some file systems take capital letters and small ones for the same."""
    if name in (ENSEMBLE, GLUON_ENSEMBLE):
        raise ConfigError(f"{name} is what the leaderboard calls a blend of the members: give another name")
    if name.casefold() in taken:
        raise ConfigError(f"a second member is called {name}")


def _step(table: object) -> Step:
    if not isinstance(table, Mapping):
        raise ConfigError(f"it is {short_repr(table)}, but must be a table with a name and an engine")
    strange = sorted(set(table) - set(_KINDS))
    if strange:
        raise ConfigError(f"unknown {', '.join(strange)}; there are: {', '.join(_KINDS)}")
    for key, value in table.items():
        if not isinstance(value, _KINDS[key]) or (_KINDS[key] is not bool and isinstance(value, bool)):
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
        raise ConfigError(f"level is {level}, but must be 1, or 2 for a model that looks at what others say")
    if table["engine"] == ENGINE:
        if level == 2:
            raise ConfigError("a network hears recordings, and cannot be of level 2")
        given = table.get("recipe")
        if given is None:
            raise ConfigError('a network needs its recipe, such as recipe = "mel-cnn"')
        recipe = read_recipe(given) if isinstance(given, str) else recipe_from(given, "recipe")
        recipe = replace(recipe, name=str(table.get("name", recipe.name)))
        made = recipe_member(recipe)
        return replace(made, settings={**settings, **made.settings})
    if not table.get("name"):
        raise ConfigError("it has no name")
    return ModelSpec(
        str(table["name"]), table["engine"], settings, float(table.get("seconds_per_row", 0.0)), level
    )


def with_epochs(member: ModelSpec, epochs: int, precision: str) -> ModelSpec:
    """The network's member with so many epochs at the most, and its precision settled."""
    recipe = recipe_of(member)
    training = replace(recipe.training, epochs=min(epochs, recipe.training.epochs), precision=precision)
    return recipe_member(replace(recipe, training=training))
