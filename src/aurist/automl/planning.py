"""Decide what to fit, from what the data is and what this machine can do in the time."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from aurist.config import FitConfig
from aurist.crossval import TrainingData
from aurist.ensemble.stacking import reason_against
from aurist.models.base import ModelSpec
from aurist.models.network import measure_recipe
from aurist.models.network_member import ENGINE, recipe_member, recipe_of
from aurist.plan import (
    FEW_ROWS,
    Clock,
    FitPlan,
    Step,
    adapt_to_sound,
    is_slow,
    pseudo_label_learners,
    read_plan,
    second_level_members,
    sound_facts,
    table_members,
    with_band,
    with_epochs,
    with_half_frame_rate,
    without_mixing,
    write_plan,
)
from aurist.recipes import Recipe, read_recipe
from aurist.run import RunFolder
from aurist.workers import WorkerDiedError, run_in_processes

#: The network that is trained without being asked for.
DEFAULT_RECIPE = "mel-cnn"
#: Share of the time by which the tables' members should be done where networks follow.
TABLES_UNTIL = 0.4
#: Share of the time by which all members should be done that the second level looks at.
FIRST_LEVEL_UNTIL = 0.9
#: A network is worth its time from so many windows learnt from on, all epochs together: on spoken digits 4,000 were as
#: good as all models of tables (0.69 on speakers never heard), and 8,000 far better (0.885). With many rows boosting is
#: worth its time, too.
WORTH_WINDOWS, WORTH_WINDOWS_OF_MANY, LEAST_EPOCHS = 3_000, 15_000, 3
#: With fewer epochs than this, frames half as dense and twice the epochs are worth more: 40 epochs with frames of 10 ms
#: scored 0.869 on two folds of ESC-10, 80 with frames of 20 ms 0.906.
FINE_EPOCHS = 120
#: With fewer epochs than this clips are not mixed: with 12 epochs that was worth 7 points on two folds of ESC-10, with
#: 30 two, on spoken digits with 4 epochs three.
MIXED_EPOCHS = 30
#: Seconds below which not even its speed is measured.
_LEAST = 60.0
#: Of the time, what is planned for: the rest is for predicting, and for machines that are slower than they were.
_FILLED = 0.8


def plan_of(run: RunFolder, learn: TrainingData, clock: Clock) -> FitPlan:
    """The run's plan: as it was when the fit began, as it was given, or made now."""
    path = run.plan_path
    if path.exists():
        return read_plan(path)
    config = run.config()
    plan = (
        make_plan(config, run.recipes(), run.audit(), learn, clock.left())
        if config.plan is None
        else read_plan(Path(config.plan))
    )
    write_plan(path, plan)
    return plan


def make_plan(
    config: FitConfig, recipes: list[Recipe], audit: dict[str, object], learn: TrainingData, left: float
) -> FitPlan:
    """What to fit in so many seconds: tables first, since they are quick and sure; then networks with what is left.

    Parameters
    ----------
    config, recipes
        What was asked for; without recipes the default network is added where it is worth its time.
    audit
        As `audit.json` has it.
    learn
        What is to be learnt from.
    left
        Seconds.
    """
    rounds = config.pseudo_rounds if config.unlabelled is not None else 0
    second, notes = _second_level(config, learn)
    first_left = FIRST_LEVEL_UNTIL * left if second else left
    plan = _of_one_round(config, recipes, audit, learn, first_left / (1 + rounds))
    if rounds:
        plan = _with_rounds(plan, rounds)
    plan = FitPlan(plan.steps, (*plan.notes, *notes))
    return _with_second_level(plan, second) if second else plan


def _second_level(config: FitConfig, learn: TrainingData) -> tuple[list[ModelSpec], list[str]]:
    """The members that look at what others say out of fold; none, and why, where that could not be scored truly."""
    task = learn.task
    members = second_level_members(config, len(learn.folds), len(task.classes), multilabel=task.multilabel)
    why = reason_against(learn, members[0]) if members else None
    return ([], [f"no second level: {why}"]) if why else (members, [])


def _with_second_level(plan: FitPlan, second: list[ModelSpec]) -> FitPlan:
    """The plan in what time is left for it, and then the members that look at what all of it say."""
    steps = [replace(step, until=FIRST_LEVEL_UNTIL * step.until) for step in plan.steps]
    return FitPlan((*steps, *(Step(member) for member in second)), plan.notes)


def _with_rounds(plan: FitPlan, rounds: int) -> FitPlan:
    """The plan, and then so many rounds of its students; every round has as much time."""
    steps = [replace(step, until=step.until / (1 + rounds)) for step in plan.steps]
    for number in range(1, rounds + 1):
        for member in pseudo_label_learners(plan.members):
            again = replace(member, name=f"{member.name}+{number}")
            if member.engine == ENGINE:
                again = recipe_member(replace(recipe_of(member), name=again.name))
            steps.append(Step(again, (1 + number) / (1 + rounds), round=number))
    return FitPlan(tuple(steps), plan.notes)


def _of_one_round(
    config: FitConfig, recipes: list[Recipe], audit: dict[str, object], learn: TrainingData, left: float
) -> FitPlan:
    tables = table_members(config, len(learn.folds), multilabel=learn.task.multilabel)
    networks = [Step(recipe_member(recipe)) for recipe in recipes]
    notes: list[str] = []
    if config.engine == "auto" and not networks:
        networks, notes = _default_network(audit, learn, left)
    if not networks:
        return FitPlan(tuple(Step(member) for member in tables), tuple(notes))
    n_rows = len(learn.folds)
    early = [Step(member, TABLES_UNTIL) for member in tables if not is_slow(member, n_rows)]
    late = [Step(member, spare=True) for member in tables if is_slow(member, n_rows)]
    return FitPlan((*early, *networks, *late), tuple(notes))


def _default_network(
    audit: dict[str, object], learn: TrainingData, left: float
) -> tuple[list[Step], list[str]]:
    content = audit["content"]
    assert isinstance(content, dict)
    facts, clips = sound_facts(content, len(learn.folds)), learn.examples.inputs.clips
    if facts is None or clips is None:
        return [], []
    if any(find_spec(name) is None for name in ("torch", "timm", "lightning_fabric")):
        return [], ["no network: PyTorch is not installed (pip install 'aurist[networks]')"]
    seconds = left * (1 - TABLES_UNTIL)
    if seconds < _LEAST:
        return [], [f"no network: {max(0.0, seconds):.0f} s for it are too few"]
    recipe = adapt_to_sound(read_recipe(DEFAULT_RECIPE), facts)
    if clips.band is not None:
        recipe = with_band(recipe, clips.band)
    try:
        precision, epochs = _affordable(recipe, learn, seconds)
    except WorkerDiedError as error:
        return [], [f"no network: when its speed was measured, {error}"]
    if epochs < FINE_EPOCHS:
        recipe = with_half_frame_rate(recipe)
        precision, epochs = _affordable(recipe, learn, seconds)
    if epochs < MIXED_EPOCHS:
        recipe = without_mixing(recipe)
    n, wanted = len(learn.folds), recipe.training.epochs
    told = f"{recipe.name}: {min(wanted, math.floor(epochs))} of {wanted} epochs in the time"
    worth = WORTH_WINDOWS if n < FEW_ROWS else WORTH_WINDOWS_OF_MANY
    if epochs < LEAST_EPOCHS or epochs * n < worth:
        return [], [f"no network: {told}, too few to be worth it"]
    ready = with_epochs(recipe_member(recipe), wanted, precision)
    return [Step(ready, seconds=seconds * min(1.0, wanted / epochs))], [told]


def _affordable(recipe: Recipe, learn: TrainingData, seconds: float) -> tuple[str, float]:
    """The precision to train in, and the epochs that so many seconds are enough for, on all folds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speed.json"
        task = learn.task
        call = partial(measure_recipe, recipe, len(task.classes), task.multilabel, task.jobs, path)
        run_in_processes([call], workers=1)
        found = json.loads(path.read_text(encoding="utf-8"))
    clips = sum(len(split.train) + len(split.validation) for split in learn.splits)
    return found["precision"], seconds * _FILLED * found["clips_per_second"] / clips
