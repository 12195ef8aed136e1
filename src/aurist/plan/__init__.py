"""What to fit, and in what time."""

from aurist.plan.adapt import SoundFacts, adapted, coarser, sound_facts, unmixed, within
from aurist.plan.clock import Clock, share, time_limit
from aurist.plan.members import (
    ENSEMBLE,
    FEW_ROWS,
    FOREST,
    GLUON_ENSEMBLE,
    SECOND_LEVEL,
    SURE,
    is_slow,
    n_splits,
    second_level_members,
    students,
    table_members,
)
from aurist.plan.spaces import SPACES, searchable
from aurist.plan.steps import FitPlan, Step, read_plan, with_epochs, write_plan

__all__ = [
    "ENSEMBLE",
    "FEW_ROWS",
    "FOREST",
    "GLUON_ENSEMBLE",
    "SECOND_LEVEL",
    "SPACES",
    "SURE",
    "Clock",
    "FitPlan",
    "SoundFacts",
    "Step",
    "adapted",
    "coarser",
    "is_slow",
    "n_splits",
    "read_plan",
    "searchable",
    "second_level_members",
    "share",
    "sound_facts",
    "students",
    "table_members",
    "time_limit",
    "unmixed",
    "with_epochs",
    "within",
    "write_plan",
]
