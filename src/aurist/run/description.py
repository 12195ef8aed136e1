"""``data.json``: the description of the data that a run was fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aurist.features.schema import Column
from aurist.features.summary_config import SummaryConfig

DESCRIPTION = "data.json"


@dataclass(frozen=True, kw_only=True)
class RunDescription:
    """The data that a run was fitted on, without its tables.

    Parameters
    ----------
    format
        The version of the run folder.
    classes, multilabel, metric
        The task.
    unannotated
        The meaning of labels that are not listed (`aurist.clips.Clips`).
    window
        Seconds of the windows of annotated recordings; None for other clips.
    band
        The lowest and the highest frequency of the annotations, in Hz; None if they have none.
    grouping
        The groups that were guessed from names, as `aurist.clips.grouping.Grouping.to_dict` writes them.
    root
        The folder that paths are relative to.
    schema
        The feature columns.
    features
        The version of the features of recordings; files of the first version do not have it.
    summary
        Settings of the summary features; None for a table of features.
    notes
        Notes for people.
    cache_dir
        Folder of decoded sound; None: the default folder.
    """

    format: int
    classes: tuple[str, ...]
    multilabel: bool
    unannotated: Literal["absent", "unknown"]
    window: float | None
    band: tuple[float, float] | None
    grouping: Mapping[str, Any] | None
    metric: str
    root: str | None
    schema: tuple[Column, ...]
    features: int = 1
    summary: SummaryConfig | None
    notes: tuple[str, ...]
    cache_dir: str | None
