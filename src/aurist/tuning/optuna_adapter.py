"""Adapt Optuna for a study: its database, its sampler of settings, its pruner of trials."""

from __future__ import annotations

import math
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from aurist.errors import ConfigError, RunError, reason
from aurist.files import full_disk_error
from aurist.recipes import Choice, Range

#: Trials to finish before others may be stopped below their median.
_UNDISTURBED = 4
#: Seconds between the heartbeats of a trial, and without one until it counts as interrupted.
_BEAT, _SILENCE = 15, 90
#: Seconds to wait for a database file that another process writes.
_PATIENCE = 120.0
#: Attempts to open a database, and the seconds between them.
_ATTEMPTS, _PAUSE = 3, 1.0


class FoldMedian(optuna.pruners.BasePruner):
    """Stops a trial whose score after some folds is below the median of the finished trials after the same folds.

    Optuna's own median pruner uses a trial's best score so far. If the first fold is the easiest, that is always its
    first score, and nothing is stopped.
    """

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return True to stop the trial."""
        step = trial.last_step
        if step is None:
            return False
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [other.intermediate_values.get(step, math.nan) for other in finished]
        others = [score for score in others if score == score]
        return len(others) >= _UNDISTURBED and trial.intermediate_values[step] < float(np.median(others))


def open_storage(url: str) -> RDBStorage:
    """Open the database of a study.

    Raises
    ------
    ConfigError
        If it cannot be opened.
    """
    import sqlalchemy

    options = {"connect_args": {"timeout": _PATIENCE}} if url.startswith("sqlite") else {}
    for _ in range(_ATTEMPTS):
        try:
            with quiet():
                return RDBStorage(url, options, heartbeat_interval=_BEAT, grace_period=_SILENCE)
        except (ImportError, sqlalchemy.exc.SQLAlchemyError) as error:
            failure = error
            if not isinstance(error, sqlalchemy.exc.DBAPIError):
                break
        time.sleep(_PAUSE)  # another machine may create the same tables now
    raise ConfigError(
        f"Cannot open the database {shown(url)}: {str(failure).splitlines()[0]} Write it as sqlite:///study.db, or "
        "postgresql://user:password@host/name, and install the driver that it needs."
    ) from failure


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Use the database of a study inside this context: its errors become one that names it.

    Raises
    ------
    FullDiskError
        If there is no room for it.
    RunError
        If it is damaged, or cannot be reached any more.
    """
    import sqlalchemy

    try:
        with full_disk_error(Path(shown(url))):
            yield
    except (optuna.exceptions.OptunaError, sqlalchemy.exc.SQLAlchemyError) as error:
        if isinstance(error, optuna.TrialPruned):
            raise
        cause = error.__cause__ or error
        raise RunError(
            f"The database {shown(url)} is damaged, or out of reach: {reason(getattr(cause, 'orig', cause))}. Give the "
            "same command again. If that does not help, bring back a copy of it, or search again in another folder."
        ) from error


def shown(url: str) -> str:
    """Write the URL of a database for people: the path of a file, or the URL without its password.

    Examples
    --------
    >>> shown("sqlite:////tmp/study.db"), shown("postgresql://me:secret@host/name")
    ('/tmp/study.db', 'postgresql://me:...@host/name')
    """
    return re.sub(r"(://[^/:@]*:)[^/@]*@", r"\1...@", url.removeprefix("sqlite:///"))


def make_pruner(name: str, n_folds: int) -> optuna.pruners.BasePruner:
    """Make a pruner by its name."""
    if name == "median":
        return FoldMedian()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=n_folds)
    return optuna.pruners.NopPruner()


def make_sampler(seed: int, number: int) -> optuna.samplers.BaseSampler:
    """Make the sampler of a trial: a tree-structured Parzen estimator (J. Bergstra et al., 2011)."""
    drawn = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    with quiet():
        return optuna.samplers.TPESampler(seed=drawn, constant_liar=True)


def distribution(values: Choice | Range) -> BaseDistribution:
    """Return the values of a setting as a distribution of Optuna."""
    if isinstance(values, Choice):
        return CategoricalDistribution(values.values)
    if values.whole:
        return IntDistribution(int(values.low), int(values.high), values.log, int(values.step or 1))
    return FloatDistribution(float(values.low), float(values.high), values.log, values.step)


def draw(trial: Trial, name: str, values: BaseDistribution) -> Any:
    """Draw the value of a setting in a trial."""
    if isinstance(values, CategoricalDistribution):
        return trial.suggest_categorical(name, values.choices)
    if isinstance(values, IntDistribution):
        return trial.suggest_int(name, values.low, values.high, step=values.step, log=values.log)
    assert isinstance(values, FloatDistribution)
    return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide Optuna's warnings about experimental features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
