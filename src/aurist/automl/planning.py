"""Plan which members to fit, from the data and the speed of this machine."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from aurist.config import INSTANT, FitConfig
from aurist.crossval import TrainingData
from aurist.ensemble.stacking import reason_against
from aurist.extras import has_extra, pip_line
from aurist.models.base import ModelSpec
from aurist.models.network import measure_recipe
from aurist.models.network_member import ENGINE, recipe_member, recipe_of
from aurist.models.views import embedded_by
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
    without_missing,
    without_mixing,
    write_plan,
)
from aurist.recipes import Recipe, read_recipe
from aurist.run import AuditFacts, RunFolder, read_audit
from aurist.workers import WorkerDiedError, run_in_processes

#: The network that is trained by default.
DEFAULT_RECIPE = "mel-cnn"
#: Share of the time by which the members for tables should be finished if networks follow.
TABLES_UNTIL = 0.4
#: Share of the time by which all base models of the second level should be finished.
FIRST_LEVEL_UNTIL = 0.9
#: Smallest number of windows, over all epochs, for which a network is worth its time. On spoken digits 4,000 were as
#: good as all models of tables (0.69 on new speakers), and 8,000 far better (0.885). With many rows boosting is also
#: worth its time.
WORTH_WINDOWS, WORTH_WINDOWS_OF_MANY, LEAST_EPOCHS = 3_000, 15_000, 3
#: With fewer epochs than this, half the frame rate and twice the epochs are better. On two folds of ESC-10, 40 epochs
#: with frames of 10 ms scored 0.869, and 80 epochs with frames of 20 ms scored 0.906.
FINE_EPOCHS = 120
#: With fewer epochs than this, clips are not mixed. On two folds of ESC-10 this gained 7 points with 12 epochs and 2
#: with 30; on spoken digits it gained 3 with 4 epochs.
MIXED_EPOCHS = 30
#: With fewer seconds than this, the speed of the network is not measured.
_LEAST = 60.0
#: Share of the time that is planned for. The rest is for prediction, and for a machine that becomes slower.
_FILLED = 0.8


def plan_of(run: RunFolder, learn: TrainingData, clock: Clock) -> FitPlan:
    """Return the plan of the run: the stored plan, the given plan, or a new plan."""
    path = run.plan_path
    if path.exists():
        return read_plan(path)
    config = run.config()
    plan = (
        make_plan(config, run.recipes(), read_audit(run), learn, clock.left())
        if config.plan is None
        else read_plan(Path(config.plan))
    )
    write_plan(path, plan)
    return plan


def make_plan(
    config: FitConfig, recipes: list[Recipe], audit: AuditFacts, learn: TrainingData, left: float
) -> FitPlan:
    """Plan the members to fit in so many seconds: first fast models for tables, then networks in the rest.

    Parameters
    ----------
    config, recipes
        The settings. Without recipes the default network is added if it is worth its time.
    audit
        Facts from the audit.
    learn
        The training data.
    left
        Seconds that are left.
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
    """List the second-level members; or none, with the reason, if they could not be scored honestly."""
    task = learn.task
    members, _ = without_missing(
        second_level_members(config, len(learn.folds), len(task.classes), multilabel=task.multilabel)
    )
    reason = reason_against(learn, members[0]) if members else None
    return ([], [f"no second level: {reason}"]) if reason else (members, [])


def _with_second_level(plan: FitPlan, second: list[ModelSpec]) -> FitPlan:
    """Shorten the times of the plan, and add the second-level members at its end."""
    steps = [replace(step, until=FIRST_LEVEL_UNTIL * step.until) for step in plan.steps]
    return FitPlan((*steps, *(Step(member) for member in second)), plan.notes)


def _with_rounds(plan: FitPlan, rounds: int) -> FitPlan:
    """Add rounds of students to the plan; every round has the same time."""
    steps = [replace(step, until=step.until / (1 + rounds)) for step in plan.steps]
    for number in range(1, rounds + 1):
        for member in pseudo_label_learners(plan.members):
            student = replace(member, name=f"{member.name}+{number}")
            if member.engine == ENGINE:
                student = recipe_member(replace(recipe_of(member), name=student.name))
            steps.append(Step(student, (1 + number) / (1 + rounds), round=number))
    return FitPlan(tuple(steps), plan.notes)


def _of_one_round(
    config: FitConfig, recipes: list[Recipe], audit: AuditFacts, learn: TrainingData, left: float
) -> FitPlan:
    embedded = embedded_by(learn.examples.features.columns)
    tables, notes = without_missing(
        table_members(config, len(learn.folds), multilabel=learn.task.multilabel, embedded=embedded)
    )
    networks = [Step(recipe_member(recipe)) for recipe in recipes]
    if config.engine == "auto" and config.preset != INSTANT and not networks:
        networks, more_notes = _default_network(audit, learn, left)
        notes += more_notes
    if not networks:
        return FitPlan(tuple(Step(member) for member in tables), tuple(notes))
    slow = partial(is_slow, n_rows=len(learn.folds), multilabel=learn.task.multilabel)
    early = [Step(member, TABLES_UNTIL) for member in tables if not slow(member)]
    late = [Step(member, spare=True) for member in tables if slow(member)]
    return FitPlan((*early, *networks, *late), tuple(notes))


def _default_network(audit: AuditFacts, learn: TrainingData, left: float) -> tuple[list[Step], list[str]]:
    facts = sound_facts(audit.sample_rates, audit.clip_seconds, len(learn.folds))
    clips = learn.examples.inputs.clips
    if facts is None or clips is None:
        return [], []
    if not has_extra("networks"):
        return [], [f"no network: PyTorch is not installed ({pip_line('networks')})"]
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
    n, planned_epochs = len(learn.folds), recipe.training.epochs
    note = f"{recipe.name}: {min(planned_epochs, math.floor(epochs))} of {planned_epochs} epochs in the time"
    worth = WORTH_WINDOWS if n < FEW_ROWS else WORTH_WINDOWS_OF_MANY
    if epochs < LEAST_EPOCHS or epochs * n < worth:
        return [], [f"no network: {note}, too few to be worth it"]
    member = with_epochs(recipe_member(recipe), planned_epochs, precision)
    return [Step(member, seconds=seconds * min(1.0, planned_epochs / epochs))], [note]


def _affordable(recipe: Recipe, learn: TrainingData, seconds: float) -> tuple[str, float]:
    """Measure the precision to train with, and the number of epochs that fit in so many seconds on all folds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speed.json"
        task = learn.task
        call = partial(measure_recipe, recipe, len(task.classes), task.multilabel, task.jobs, path)
        run_in_processes([call], workers=1)
        speed = json.loads(path.read_text(encoding="utf-8"))
    clips = sum(len(split.train) + len(split.validation) for split in learn.splits)
    return speed["precision"], seconds * _FILLED * speed["clips_per_second"] / clips
