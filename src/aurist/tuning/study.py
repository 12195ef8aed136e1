"""Trials that several processes share, in a database: with what comes of each."""

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
from aurist.tuning.optuna_adapter import distribution, draw, make_pruner, make_sampler, open_storage, quiet

#: Seconds to wait for another process that reads or writes the study.
_PATIENCE = 120.0
#: What trials remember.
_AS_IT_WAS, _WHY, _SECONDS, _TWIN = "as it was", "why", "seconds", "twin"
#: Of the recipe as it was: its settings are no point of the space, so that nothing is drawn.
_APART = "apart"


class CutError(Exception):
    """A trial is not finished for want of time; it is gone on with another time."""


class _NoScoreError(Exception):
    """A trial whose settings could not be tried; its reason is stored."""


@dataclass(frozen=True)
class Attempt:
    """One trial in hand.

    Parameters
    ----------
    number
        Of the trial.
    settings
        To try.
    as_it_was
        Whether these are the settings that the recipe has itself: never stopped early, as others are compared with it.
    place
        A folder for its models; holds the folds that were finished before the trial was cut.
    """

    number: int
    settings: Mapping[str, Any]
    as_it_was: bool
    place: Path
    trial: Trial

    def report(self, step: int, score: float, seconds: list[float]) -> bool:
        """Tell the study the score of the folds so far; whether to stop, as others were better by then."""
        self.trial.set_user_attr(_SECONDS, seconds)
        self.trial.report(score, step)
        return not self.as_it_was and self.trial.should_prune()


class Study:
    """Trials, in a database that others may use at the same time, and a folder for their models.

    Parameters
    ----------
    folder
        Where the models are, and the database where no other is named.
    name
        The same for all who may share it: of the same data and the same space.
    space
        What may be changed.
    own
        What the recipe has itself of it; None where that is not a point of the space.
    storage
        URL of a database; None: a file in the folder.
    pruner
        "median", "hyperband" or "none".
    n_folds, seed
        Of the data; of the draws.
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
        self.last: int | None = None  # the number of the trial that was tried last
        self._distributions = {key: distribution(one) for key, one in space.items()}
        with self._alone():
            self._study = optuna.create_study(
                storage=open_storage(storage or f"sqlite:///{(folder / 'study.db').resolve()}"),
                study_name=name,
                direction="maximize",
                pruner=make_pruner(pruner, n_folds),
                load_if_exists=True,
            )
            if not self._study.get_trials(deepcopy=False):
                where = _APART if own is None else "in the space"
                self._study.enqueue_trial(dict(own or {}), user_attrs={_AS_IT_WAS: where})

    def try_one(self, evaluate: Callable[[Attempt], float | None]) -> None:
        """Draw settings, evaluate them, and store the score; None of an evaluation that was stopped early.

        Raises
        ------
        CutError
            As the evaluation raised it: the trial will be gone on with.
        Exception
            What trying the recipe as it was raised. With other settings whatever goes wrong is stored as the reason
            why the trial failed: settings may not go together, or need more memory than there is.
        """

        # a trial is held until its score is stored: who finds it free and not finished takes it for cut
        with quiet(), ExitStack() as held:
            self._study.optimize(partial(self._objective, evaluate, held), n_trials=1, catch=(_NoScoreError,))

    def _objective(self, evaluate: Callable[[Attempt], float | None], held: ExitStack, trial: Trial) -> float:
        # the draws depend on the number of the trial alone, so that processes draw differently, and a study that was
        # killed goes on as it would have
        self._study.sampler = make_sampler(self.seed, trial.number)
        self.last, as_it_was = trial.number, trial.user_attrs.get(_AS_IT_WAS)
        wanted = {} if as_it_was == _APART else self._distributions
        drawn = {name: draw(trial, name, one) for name, one in wanted.items()}
        twin = self._twin(trial)
        if twin is not None:
            return _as_before(trial, twin)
        try:
            place = held.enter_context(self._held(trial.number))
            with full_disk_error(place):
                score = evaluate(Attempt(trial.number, drawn, as_it_was is not None, place, trial))
        except (CutError, FullDiskError):  # no fault of the settings: it will be gone on with
            raise
        except Exception as error:  # whatever some settings may lead to, others go on
            if as_it_was is not None:
                raise
            trial.set_user_attr(_WHY, reason(error))
            raise _NoScoreError from error
        if score is None:
            raise optuna.TrialPruned
        return score

    def _twin(self, trial: Trial) -> FrozenTrial | None:
        """A finished trial of the same settings, which would score the same again."""
        finished = self._trials(TrialState.COMPLETE, TrialState.PRUNED)
        return next((one for one in finished if trial.params and one.params == trial.params), None)

    def take_up_cut(self) -> None:
        """Queue the settings of trials whose process is gone, or had no time left, to be tried again."""
        with self._alone(), quiet():
            optuna.storages.fail_stale_trials(self._study)  # of other machines
            for trial in self._trials(TrialState.RUNNING):
                place = self.place(trial.number)
                # it may have been finished since the list was made: it is free then, too
                if place.exists() and is_free(place) and self._is_running(trial.number):
                    self._study.tell(trial.number, state=TrialState.FAIL)
            queued = {number for trial in self._trials() for number in _tried_before(trial)}
            for trial in self._trials(TrialState.FAIL):
                if _WHY not in trial.user_attrs and trial.number not in queued:
                    RetryHeartbeatStaleTrialCallback()(self._study, trial)

    def clear(self) -> None:
        """Remove the models of all finished trials but the best and that with the recipe as it was."""
        kept = {trial.number for trial in (self.best(), self.as_it_was()) if trial is not None}
        with self._alone():
            for trial in self._trials(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL):
                place = self.place(trial.number)
                if (
                    trial.number not in kept
                    and _state(trial) != "interrupted"
                    and place.exists()
                    and is_free(place)
                ):
                    remove_folder(place)

    @contextmanager
    def to_compare(self) -> Iterator[tuple[FrozenTrial, FrozenTrial] | None]:
        """The best trial and that with the recipe as it was, whose models stay while they are held; None without."""
        with ExitStack() as stack:
            with self._alone():
                best, before = self.best(), self.as_it_was()
                pair = None if best is None or before is None else (best, before)
                for number in {trial.number for trial in pair or ()}:
                    self.place(number).mkdir(parents=True, exist_ok=True)
                    stack.enter_context(folder_lock(self.place(number)))
            yield pair

    def place(self, number: int) -> Path:
        """The folder of a trial's models."""
        return self.folder / "trials" / f"trial{number}"

    def best(self) -> FrozenTrial | None:
        """The finished trial that scored highest, the first of equals."""
        finished = self._trials(TrialState.COMPLETE)
        return max(finished, key=lambda trial: (trial.value, -trial.number), default=None)

    def as_it_was(self) -> FrozenTrial | None:
        """The finished trial with the recipe as it was."""
        finished = self._trials(TrialState.COMPLETE)
        return next((trial for trial in finished if _AS_IT_WAS in trial.user_attrs), None)

    def n_begun(self) -> int:
        """Trials that are finished or in hand, here or elsewhere; those that were cut are counted when they go on."""
        return len(self._trials(TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)) + sum(
            _WHY in trial.user_attrs for trial in self._trials(TrialState.FAIL)
        )

    def n_scored(self) -> int:
        """Trials that the best was chosen of: finished, or stopped for their score."""
        return len(self._trials(TrialState.COMPLETE, TrialState.PRUNED))

    def n_running(self) -> int:
        """Trials in hand, here or elsewhere."""
        return len(self._trials(TrialState.RUNNING))

    def fold_seconds(self) -> list[float]:
        """Of every fold that was fitted."""
        return [seconds for trial in self._trials() for seconds in trial.user_attrs.get(_SECONDS, ())]

    def table(self) -> pd.DataFrame:
        """``number, state, score, folds, seconds``, the settings by their names, and ``why`` it is so."""
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
            why = trial.user_attrs.get(_WHY) if twin is None else f"the same settings as trial {twin}"
            rows.append(row | {name: trial.params.get(name) for name in self.space} | {_WHY: why})
        return pd.DataFrame(rows)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states or None)

    def _is_running(self, number: int) -> bool:
        return any(trial.number == number for trial in self._trials(TrialState.RUNNING))

    def _alone(self) -> Any:
        return folder_lock(self.folder, _PATIENCE)

    @contextmanager
    def _held(self, number: int) -> Iterator[Path]:
        """The folder of a trial, held while it is in hand; with what its forerunner had finished."""
        place = self.place(number)
        with ExitStack() as stack:
            with self._alone():
                before = _tried_before(self._study.get_trials(deepcopy=False)[number])
                if before and self.place(before[-1]).exists():
                    self.place(before[-1]).rename(place)
                place.mkdir(parents=True, exist_ok=True)
                stack.enter_context(folder_lock(place))
            yield place


def _as_before(trial: Trial, twin: FrozenTrial) -> float:
    """What a finished trial scored, told once more."""
    for step, score in twin.intermediate_values.items():
        trial.report(score, step)
    trial.set_user_attr(_TWIN, twin.number)
    if twin.value is None or twin.state == TrialState.PRUNED:
        raise optuna.TrialPruned
    return twin.value


def _tried_before(trial: FrozenTrial) -> list[int]:
    """The numbers under which a trial was begun before."""
    with quiet():
        return [int(number) for number in RetryHeartbeatStaleTrialCallback.retry_history(trial)]


def _state(trial: FrozenTrial) -> str:
    if trial.state == TrialState.FAIL:
        return "failed" if _WHY in trial.user_attrs else "interrupted"
    return trial.state.name.lower()
