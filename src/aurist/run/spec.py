"""The specification of a run: small, and read without its training data."""

from __future__ import annotations

from dataclasses import dataclass

from aurist.features.schema import Schema
from aurist.features.summary_config import SummaryConfig
from aurist.models.base import Task


@dataclass(frozen=True)
class RunSpec:
    """The task of a run, and the features of its models.

    Parameters
    ----------
    task
        Classes, metric, seed, cores.
    schema
        The feature columns.
    summary
        Settings of the summary features; None if the run was fitted on a table of features.
    window
        Seconds of the windows of annotated recordings that the run was fitted on; None if it was fitted on other clips.
    """

    task: Task
    schema: Schema
    summary: SummaryConfig | None
    window: float | None
