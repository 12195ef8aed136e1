"""Plan the models to fit, and their time."""

from aurist.plan.adapt import (
    SoundFacts,
    adapt_to_sound,
    sound_facts,
    with_band,
    with_half_frame_rate,
    without_mixing,
)
from aurist.plan.clock import Clock, share, time_limit
from aurist.plan.installed import need_engines, without_missing
from aurist.plan.members import (
    ENSEMBLE,
    FALLBACK,
    FEW_ROWS,
    FOREST,
    GLUON,
    GLUON_ENSEMBLE,
    SECOND_LEVEL,
    is_slow,
    n_splits,
    pseudo_label_learners,
    second_level_members,
    table_members,
)
from aurist.plan.spaces import SPACES, searchable
from aurist.plan.steps import FitPlan, Step, read_plan, with_epochs, write_plan

__all__ = [
    "ENSEMBLE",
    "FALLBACK",
    "FEW_ROWS",
    "FOREST",
    "GLUON",
    "GLUON_ENSEMBLE",
    "SECOND_LEVEL",
    "SPACES",
    "Clock",
    "FitPlan",
    "SoundFacts",
    "Step",
    "adapt_to_sound",
    "is_slow",
    "n_splits",
    "need_engines",
    "pseudo_label_learners",
    "read_plan",
    "searchable",
    "second_level_members",
    "share",
    "sound_facts",
    "table_members",
    "time_limit",
    "with_band",
    "with_epochs",
    "with_half_frame_rate",
    "without_missing",
    "without_mixing",
    "write_plan",
]
