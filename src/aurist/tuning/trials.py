"""Try settings: each on one fold after the other, until it is worse than the others."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aurist.arrays import Proba
from aurist.automl.training_progress import watched
from aurist.config import duration
from aurist.crossval import CrossValidationResult, TrainingData, fit_member
from aurist.errors import plural
from aurist.files import write_json
from aurist.fold_files import clear_folds, is_done
from aurist.metrics import metric
from aurist.models.base import FitFailedError, ModelSpec
from aurist.progress import logger
from aurist.splits import Split
from aurist.stored import read_json
from aurist.tuning.budget import Budget
from aurist.tuning.target import Target

if TYPE_CHECKING:
    from aurist.tuning.study import Attempt, Study


@dataclass(frozen=True)
class Trials:
    """The trials of a search.

    Parameters
    ----------
    study, target, learn, budget
        The study, the recipe or model to tune, the data to learn from, the time.
    """

    study: Study
    target: Target
    learn: TrainingData
    budget: Budget

    def run(self, n_trials: int, after_each: Callable[[], None]) -> None:
        """Run trials until ``n_trials`` are finished or running, here or elsewhere, or the time is over."""
        from aurist.tuning.study import InterruptedTrialError

        first = True
        while True:
            self.study.requeue_interrupted()
            if self.study.n_begun() >= n_trials:
                return
            if not self.budget.has_room([]):
                logger.info(f"the time is over after {plural(self.study.n_begun(), 'trial')}")
                return
            try:
                self.study.run_trial(self.evaluate)
            except InterruptedTrialError as cut:
                self.study.requeue_interrupted()
                logger.info(f"the time is over: {cut}")
                return
            finally:
                after_each()
            self._report_last()
            if first:
                self._report_outlook(n_trials)
            first = False

    def evaluate(self, attempt: Attempt) -> float | None:
        """Return the score over all folds; None if the trial was stopped early.

        Raises
        ------
        InterruptedTrialError
            If the time is over first.
        FitFailedError
            If a fold cannot be fitted, or its score is not defined.
        """
        member = self.target.member_with(attempt.settings)
        _clear_other_settings(attempt.folder, member)
        splits, last = self.learn.splits, len(self.learn.splits) - 1
        probas: list[Proba] = []
        seconds: list[float] = []
        score = math.nan
        for step, split in enumerate(splits):
            result = self._fold(attempt, member, split, seconds)
            probas.append(result.oof.aligned(self.learn.clip_ids[split.scored].tolist()))
            rows = np.concatenate([scored_split.scored for scored_split in splits[: step + 1]])
            score = metric(self.learn.task.metric)(
                self.learn.examples.targets[rows],
                np.concatenate(probas),
                multilabel=self.learn.task.multilabel,
            )
            is_worse = attempt.report(step, score, seconds)
            if step < last:
                trial_name = f"trial {attempt.number}" + (" (as it was)" if attempt.as_it_was else "")
                where = f"fold {step + 1} of {last + 1}"
                logger.info(
                    f"{trial_name}: {where}, {self.learn.task.metric} {score:.4f} so far{self._best()}"
                )
                if is_worse:
                    return None
        if math.isnan(score):
            raise FitFailedError(f"{self.learn.task.metric} is not defined on these folds.")
        return float(score)

    def _fold(
        self, attempt: Attempt, member: ModelSpec, split: Split, seconds: list[float]
    ) -> CrossValidationResult:
        """Fit one fold, or read it if it was finished before an interruption."""
        from aurist.tuning.study import InterruptedTrialError

        one_fold = replace(self.learn, splits=[split])
        is_new = not is_done(attempt.folder, split.fold)
        where = f"trial {attempt.number} is left at fold {split.fold + 1} of {len(self.learn.splits)}"
        if is_new and not self.budget.has_room(seconds):
            raise InterruptedTrialError(where)
        began = time.monotonic()
        try:
            with watched(attempt.folder):
                result = fit_member(attempt.folder, one_fold, member, math.inf, self.budget.at_most())
        except FitFailedError:
            if self.budget.left() > 0:
                raise
            raise InterruptedTrialError(where) from None
        fold_seconds = time.monotonic() - began if is_new else result.fit_time
        self.budget.record(result, int((self.learn.folds >= 0).sum()), fold_seconds)
        seconds.append(round(fold_seconds, 2))
        return result

    def _best(self) -> str:
        best = self.study.best()
        return "" if best is None else f"; best {best.value:.4f} (trial {best.number})"

    def _report_last(self) -> None:
        """Report the outcome of the last trial."""
        if self.study.last is None:
            return
        row = self.study.table().to_dict("records")[self.study.last]
        outcomes = {"pruned": "stopped early", "complete": f"{self.learn.task.metric} {row['score']:.4f}"}
        outcome = outcomes.get(row["state"], "failed")
        if row["why"]:
            outcome += f" ({row['why']})"
        logger.info(f"trial {self.study.last}: {outcome}, {duration(row['seconds'])}{self._best()}")

    def _report_outlook(self, n_trials: int) -> None:
        """Report the number of trials that fit into the time, once the time of a trial is known."""
        if not self.budget.fold_seconds or math.isinf(self.budget.clock.limit):
            return
        trial_seconds = float(np.mean(self.budget.fold_seconds)) * len(self.learn.splits)
        left = n_trials - self.study.n_begun()
        affordable = int(max(0.0, self.budget.left()) / trial_seconds)
        if affordable < left:
            logger.info(
                f"a trial of {plural(len(self.learn.splits), 'fold')} takes about {duration(trial_seconds)}: "
                f"there is time for about {affordable} of {left} more, or some more if many are stopped early. "
                'Shorter training, such as recipe_settings="training.epochs=20", or fraction=0.3 makes room for more.'
            )


def _clear_other_settings(folder: Path, member: ModelSpec) -> None:
    """Remove folds of other settings, such as those of a study whose database was removed."""
    path = folder / "member.json"
    settings = json.loads(json.dumps(member.settings))
    if (
        path.exists()
        and read_json(path, object, f"Remove {folder}, and the trial is fitted again.") == settings
    ):
        return
    clear_folds(folder)
    write_json(path, settings)
