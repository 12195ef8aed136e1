"""Optuna's parts, as a study needs them: its database, what draws settings, what stops trials."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from aurist.errors import ConfigError
from aurist.recipes import Choice, Range

#: Trials to finish before others may be stopped for being worse than their median.
_UNDISTURBED = 4
#: Seconds between the signs of life of a trial, and without one after which it counts as cut.
_BEAT, _SILENCE = 15, 90
#: Seconds to wait for a database file that another process writes.
_PATIENCE = 120.0
#: Attempts to open a database, and the seconds between them.
_ATTEMPTS, _PAUSE = 3, 1.0


class FoldMedian(optuna.pruners.BasePruner):
    """Stops a trial whose score after some folds is below the median of the finished trials after the same folds.

    Optuna's own median pruner takes a trial's best score so far: where the first fold is the easy one, that is its
    first score for ever after, and nothing is stopped.
    """

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether to stop it."""
        step = trial.last_step
        if step is None:
            return False
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [one.intermediate_values.get(step, math.nan) for one in finished]
        others = [score for score in others if score == score]
        return len(others) >= _UNDISTURBED and trial.intermediate_values[step] < float(np.median(others))


def open_storage(url: str) -> RDBStorage:
    """The database of a study.

    Raises
    ------
    ConfigError
        Where it cannot be opened.
    """
    import sqlalchemy

    wait = {"connect_args": {"timeout": _PATIENCE}} if url.startswith("sqlite") else {}
    for _ in range(_ATTEMPTS):
        try:
            with quiet():
                return RDBStorage(url, wait, heartbeat_interval=_BEAT, grace_period=_SILENCE)
        except (ImportError, sqlalchemy.exc.SQLAlchemyError) as error:
            why = error
            if not isinstance(error, sqlalchemy.exc.DBAPIError):
                break
        time.sleep(_PAUSE)  # another machine may be making the same tables
    raise ConfigError(
        f"Cannot open the database {url}: {str(why).splitlines()[0]} Write it as sqlite:///study.db, or "
        "postgresql://user:password@host/name, and install the driver that it needs."
    ) from why


def make_pruner(name: str, n_folds: int) -> optuna.pruners.BasePruner:
    """What says which trials are stopped, by its name."""
    if name == "median":
        return FoldMedian()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=n_folds)
    return optuna.pruners.NopPruner()


def make_sampler(seed: int, number: int) -> optuna.samplers.BaseSampler:
    """What draws the settings of a trial: a tree-structured Parzen estimator (J. Bergstra et al., 2011)."""
    drawn = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    with quiet():
        return optuna.samplers.TPESampler(seed=drawn, constant_liar=True)


def distribution(one: Choice | Range) -> BaseDistribution:
    """A setting's values, as Optuna has them."""
    if isinstance(one, Choice):
        return CategoricalDistribution(one.values)
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), one.log, int(one.step or 1))
    return FloatDistribution(float(one.low), float(one.high), one.log, one.step)


def draw(trial: Trial, name: str, one: BaseDistribution) -> Any:
    """The value of a setting in a trial."""
    if isinstance(one, CategoricalDistribution):
        return trial.suggest_categorical(name, one.choices)
    if isinstance(one, IntDistribution):
        return trial.suggest_int(name, one.low, one.high, step=one.step, log=one.log)
    assert isinstance(one, FloatDistribution)
    return trial.suggest_float(name, one.low, one.high, step=one.step, log=one.log)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's notices of what is experimental from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
