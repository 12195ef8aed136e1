"""Start worker processes while the data is read: their libraries are loaded when the first model needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aurist.config import FitConfig
from aurist.extras import has_extra
from aurist.machine import available_cores
from aurist.plan import n_splits, read_plan, table_members
from aurist.workers import warm_workers

#: What a fold of AutoGluon's boosters imports, in seconds; quick models on small data need no worker process.
_GLUON = ("aurist.crossval", "autogluon.tabular", "autogluon.tabular.trainer", "networkx", "lightgbm",
          "aurist.models.autogluon", "aurist.models.gluon_trees", "aurist.models._kernels")  # fmt: skip


@contextmanager
def workers_for(config: FitConfig) -> Iterator[None]:
    """Warm up the workers of a fit, if it may have models of AutoGluon."""
    members = table_members(config) if config.plan is None else read_plan(Path(config.plan)).members
    if not has_extra("automl") or not any(member.engine == "autogluon" for member in members):
        yield
        return
    with warm_workers(min(available_cores(config.jobs), n_splits(config)), _GLUON):
        yield
