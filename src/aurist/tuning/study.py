"""Trials that several processes share through a database."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, Trial, TrialState

from aurist.errors import FullDiskError, reason
from aurist.files import folder_lock, full_disk_error, is_free
from aurist.folders import remove_folder
from aurist.recipes import Space
from aurist.tuning.optuna_adapter import (
    database_errors,
    distribution,
    draw,
    make_pruner,
    make_sampler,
    open_storage,
    quiet,
)

#: Seconds to wait for another process that reads or writes the study.
_PATIENCE = 120.0
#: User attributes of trials.
_AS_IT_WAS, _WHY, _SECONDS, _TWIN = "as it was", "why", "seconds", "twin"
#: Value for an original recipe whose settings are outside the space: nothing is drawn.
_OUTSIDE = "apart"


class InterruptedTrialError(Exception):
    """A trial has no time left; a later command continues it."""


class _NoScoreError(Exception):
    """The settings of a trial do not work; the reason is stored."""


@dataclass(frozen=True)
class Attempt:
    """One running trial.

    Parameters
    ----------
    number
        The number of the trial.
    settings
        The settings to try.
    as_it_was
        True for the recipe's own settings: never stopped early, as others are compared with it.
    folder
        The folder of its models, with the folds that were finished before an interruption.
    """

    number: int
    settings: Mapping[str, Any]
    as_it_was: bool
    folder: Path
    trial: Trial

    def report(self, step: int, score: float, seconds: list[float]) -> bool:
        """Report the score of the folds so far. Return True to stop, if others were better at this point."""
        self.trial.set_user_attr(_SECONDS, seconds)
        self.trial.report(score, step)
        return not self.as_it_was and self.trial.should_prune()


class Study:
    """Trials in a shared database, and a folder for their models.

    Parameters
    ----------
    folder
        The folder of the models, and of the database if no other is given.
    name
        The name of the study: the same for the same data and the same space.
    space
        The settings to search.
    own
        The recipe's own values of these settings; None if they are outside the space.
    storage
        URL of a database; None: a file in the folder.
    pruner
        "median", "hyperband" or "none".
    n_folds, seed
        The number of folds; the seed of the draws.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        space: Space,
        own: Mapping[str, Any] | None,
        *,
        storage: str | None,
        pruner: str,
        n_folds: int,
        seed: int,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.CRITICAL)
        self.folder, self.space, self.seed = folder, space, seed
        self.last: int | None = None  # the number of the last trial
        self._distributions = {key: distribution(values) for key, values in space.items()}
        self._url = storage or f"sqlite:///{(folder / 'study.db').resolve()}"
        with self._lock(), database_errors(self._url):
            self._study = optuna.create_study(
                storage=open_storage(self._url),
                study_name=name,
                direction="maximize",
                pruner=make_pruner(pruner, n_folds),
                load_if_exists=True,
            )
            if not self._study.get_trials(deepcopy=False):
                where = _OUTSIDE if own is None else "in the space"
                self._study.enqueue_trial(dict(own or {}), user_attrs={_AS_IT_WAS: where})

    def run_trial(self, evaluate: Callable[[Attempt], float | None]) -> None:
        """Draw settings, evaluate them, and store the score. An evaluation that was stopped early returns None.

        Raises
        ------
        InterruptedTrialError
            From the evaluation; the trial is continued later.
        Exception
            Any error with the original recipe. With other settings the error is stored as the reason of the failed
            trial: settings may be incompatible, or need too much memory.
        """

        # a trial is locked until its score is stored: an unlocked, unfinished one counts as interrupted
        with quiet(), database_errors(self._url), ExitStack() as locks:
            self._study.optimize(
                partial(self._objective, evaluate, locks), n_trials=1, catch=(_NoScoreError,)
            )

    def _objective(
        self, evaluate: Callable[[Attempt], float | None], locks: ExitStack, trial: Trial
    ) -> float:
        # the draws depend on the number of the trial alone: processes draw differently, and a killed study resumes
        # with the same draws, as a trial that is tried again does not count
        again = [other for other in self._trials() if other.number < trial.number and _tried_before(other)]
        self._study.sampler = make_sampler(self.seed, trial.number - len(again))
        self.last, as_it_was = trial.number, trial.user_attrs.get(_AS_IT_WAS)
        distributions = {} if as_it_was == _OUTSIDE else self._distributions
        drawn = {name: draw(trial, name, distribution) for name, distribution in distributions.items()}
        twin = self._same_settings(trial)
        if twin is not None:
            return _report_again(trial, twin)
        try:
            folder = locks.enter_context(self._locked_folder(trial.number))
            with full_disk_error(folder):
                score = evaluate(Attempt(trial.number, drawn, as_it_was is not None, folder, trial))
        except (InterruptedTrialError, FullDiskError):
            raise  # not caused by the settings: the trial is continued later
        except Exception as error:  # settings may cause any error; other trials go on
            if as_it_was is not None:
                raise
            trial.set_user_attr(_WHY, reason(error))
            raise _NoScoreError from error
        if score is None:
            raise optuna.TrialPruned
        return score

    def _same_settings(self, trial: Trial) -> FrozenTrial | None:
        """Return a finished trial with the same settings: its score is the same."""
        finished = self._trials(TrialState.COMPLETE, TrialState.PRUNED)
        return next((other for other in finished if trial.params and other.params == trial.params), None)

    def requeue_interrupted(self) -> None:
        """Queue trials again whose process ended, or had no time left."""
        with self._lock(), quiet(), database_errors(self._url):
            optuna.storages.fail_stale_trials(self._study)  # those of other machines
            for trial in self._trials(TrialState.RUNNING):
                folder = self.trial_folder(trial.number)
                # it may have ended since the list was made: then it is also unlocked
                if folder.exists() and is_free(folder) and self._is_running(trial.number):
                    self._study.tell(trial.number, state=TrialState.FAIL)
            queued = {number for trial in self._trials() for number in _tried_before(trial)}
            for trial in self._trials(TrialState.FAIL):
                if _WHY not in trial.user_attrs and trial.number not in queued:
                    RetryHeartbeatStaleTrialCallback()(self._study, trial)

    def remove_models(self) -> None:
        """Remove the models of all finished trials, except the best one and that of the original recipe."""
        needed = {trial.number for trial in (self.best(), self.as_it_was()) if trial is not None}
        with self._lock():
            for trial in self._trials(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL):
                folder = self.trial_folder(trial.number)
                if (
                    trial.number not in needed
                    and _state(trial) != "interrupted"
                    and folder.exists()
                    and is_free(folder)
                ):
                    remove_folder(folder)

    @contextmanager
    def locked_pair(self) -> Iterator[tuple[FrozenTrial, FrozenTrial] | None]:
        """Lock the models of the best trial and of the original recipe, and yield both; None if one is missing."""
        with ExitStack() as stack:
            with self._lock():
                best, before = self.best(), self.as_it_was()
                pair = None if best is None or before is None else (best, before)
                for number in {trial.number for trial in pair or ()}:
                    self.trial_folder(number).mkdir(parents=True, exist_ok=True)
                    stack.enter_context(folder_lock(self.trial_folder(number)))
            yield pair

    def trial_folder(self, number: int) -> Path:
        """Return the folder of a trial's models."""
        return self.folder / "trials" / f"trial{number}"

    def best(self) -> FrozenTrial | None:
        """Return the finished trial with the highest score, the first of equal ones."""
        finished = self._trials(TrialState.COMPLETE)
        return max(finished, key=lambda trial: (trial.value, -trial.number), default=None)

    def as_it_was(self) -> FrozenTrial | None:
        """Return the finished trial of the original recipe."""
        finished = self._trials(TrialState.COMPLETE)
        return next((trial for trial in finished if _AS_IT_WAS in trial.user_attrs), None)

    def n_begun(self) -> int:
        """Count finished and running trials, here or elsewhere. Interrupted ones count when they continue."""
        return len(self._trials(TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)) + sum(
            _WHY in trial.user_attrs for trial in self._trials(TrialState.FAIL)
        )

    def n_scored(self) -> int:
        """Count the trials with a score: finished, or stopped early."""
        return len(self._trials(TrialState.COMPLETE, TrialState.PRUNED))

    def n_running(self) -> int:
        """Count running trials, here or elsewhere."""
        return len(self._trials(TrialState.RUNNING))

    def fold_seconds(self) -> list[float]:
        """Return the seconds of every fitted fold."""
        return [seconds for trial in self._trials() for seconds in trial.user_attrs.get(_SECONDS, ())]

    def table(self) -> pd.DataFrame:
        """Return ``number, state, score, folds, seconds``, a column per setting, and ``why``, the reason."""
        rows = []
        for trial in self._trials():
            row = {
                "number": trial.number,
                "state": _state(trial),
                "score": trial.intermediate_values.get(trial.last_step, math.nan)
                if trial.last_step is not None
                else math.nan,
                "folds": len(trial.intermediate_values),
                "seconds": round(sum(trial.user_attrs.get(_SECONDS, ())), 2),
            }
            twin = trial.user_attrs.get(_TWIN)
            note = trial.user_attrs.get(_WHY) if twin is None else f"the same settings as trial {twin}"
            rows.append(row | {name: trial.params.get(name) for name in self.space} | {_WHY: note})
        return pd.DataFrame(rows)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        with database_errors(self._url):
            return self._study.get_trials(deepcopy=False, states=states or None)

    def _is_running(self, number: int) -> bool:
        return any(trial.number == number for trial in self._trials(TrialState.RUNNING))

    def _lock(self) -> Any:
        return folder_lock(self.folder, _PATIENCE)

    @contextmanager
    def _locked_folder(self, number: int) -> Iterator[Path]:
        """Lock the folder of a trial while it runs; take over the folds of its interrupted predecessor."""
        folder = self.trial_folder(number)
        with ExitStack() as stack:
            with self._lock():
                before = _tried_before(self._study.get_trials(deepcopy=False)[number])
                if before and self.trial_folder(before[-1]).exists():
                    self.trial_folder(before[-1]).rename(folder)
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(folder_lock(folder))
            yield folder


def _report_again(trial: Trial, twin: FrozenTrial) -> float:
    """Report the scores of a finished trial again."""
    for step, score in twin.intermediate_values.items():
        trial.report(score, step)
    trial.set_user_attr(_TWIN, twin.number)
    if twin.value is None or twin.state == TrialState.PRUNED:
        raise optuna.TrialPruned
    return twin.value


def _tried_before(trial: FrozenTrial) -> list[int]:
    """Return the earlier numbers of a trial that was started again."""
    with quiet():
        return [int(number) for number in RetryHeartbeatStaleTrialCallback.retry_history(trial)]


def _state(trial: FrozenTrial) -> str:
    if trial.state == TrialState.FAIL:
        return "failed" if _WHY in trial.user_attrs else "interrupted"
    return trial.state.name.lower()
