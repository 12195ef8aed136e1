"""Trying settings: each on the folds one after the other, until it falls behind the others."""

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
from aurist.crossval import CrossValidationResult, TrainingData, clear_folds, fit_member, is_done
from aurist.errors import plural
from aurist.files import write_json
from aurist.metrics import metric
from aurist.models.base import FitFailedError, ModelSpec
from aurist.splits import Split
from aurist.stored import read_json
from aurist.tuning.budget import Budget
from aurist.tuning.target import Target

if TYPE_CHECKING:
    from aurist.tuning.study import Attempt, Study


@dataclass(frozen=True)
class Trials:
    """What is tried, on what, in which time.

    Parameters
    ----------
    study, subject, learn, pace
        The trials, what is tuned, the data to learn from, the time.
    say
        Told what happens, a line at a time.
    """

    study: Study
    subject: Target
    learn: TrainingData
    pace: Budget
    say: Callable[[str], None]

    def run(self, n_trials: int, after_each: Callable[[], None]) -> None:
        """Try settings until so many trials are finished or in hand, here or elsewhere, or the time is up."""
        from aurist.tuning.study import CutError

        first = True
        while True:
            self.study.take_up_cut()
            if self.study.n_begun() >= n_trials:
                return
            if not self.pace.has_room([]):
                self.say(f"the time is up after {plural(self.study.n_begun(), 'trial')}")
                return
            try:
                self.study.try_one(self.evaluate)
            except CutError as cut:
                self.study.take_up_cut()
                self.say(f"the time is up: {cut}")
                return
            finally:
                after_each()
            self._tell_last()
            if first:
                self._tell_outlook(n_trials)
            first = False

    def evaluate(self, attempt: Attempt) -> float | None:
        """The score over all folds; None where it fell behind before the last.

        Raises
        ------
        CutError
            Where the time is up first.
        FitFailedError
            Where a fold cannot be fitted, or its score is not defined.
        """
        member = self.subject.member_with(attempt.settings)
        _clear_of_others(attempt.place, member)
        splits, last = self.learn.splits, len(self.learn.splits) - 1
        said: list[Proba] = []
        seconds: list[float] = []
        score = math.nan
        for step, split in enumerate(splits):
            found = self._fold(attempt, member, split, seconds)
            said.append(found.oof.aligned(self.learn.clip_ids[split.scored].tolist()))
            rows = np.concatenate([one.scored for one in splits[: step + 1]])
            score = metric(self.learn.task.metric)(
                self.learn.examples.targets[rows],
                np.concatenate(said),
                multilabel=self.learn.task.multilabel,
            )
            behind = attempt.report(step, score, seconds)
            if step < last:
                which = f"trial {attempt.number}" + (" (as it was)" if attempt.as_it_was else "")
                where = f"fold {step + 1} of {last + 1}"
                self.say(f"{which}: {where}, {self.learn.task.metric} {score:.4f} so far{self._best()}")
                if behind:
                    return None
        if math.isnan(score):
            raise FitFailedError(f"{self.learn.task.metric} is not defined on these folds.")
        return float(score)

    def _fold(
        self, attempt: Attempt, member: ModelSpec, split: Split, seconds: list[float]
    ) -> CrossValidationResult:
        """Fit one fold, or read it where it was finished before the trial was cut."""
        from aurist.tuning.study import CutError

        alone = replace(self.learn, splits=[split])
        fresh = not is_done(attempt.place, split.fold)
        where = f"trial {attempt.number} is left at fold {split.fold + 1} of {len(self.learn.splits)}"
        if fresh and not self.pace.has_room(seconds):
            raise CutError(where)
        began = time.monotonic()
        try:
            with watched(attempt.place, self.say):
                found = fit_member(attempt.place, alone, member, math.inf, self.pace.at_most())
        except FitFailedError:
            if self.pace.left() > 0:
                raise
            raise CutError(where) from None
        taken = time.monotonic() - began if fresh else found.fit_time
        self.pace.learnt(found, int((self.learn.folds >= 0).sum()), taken)
        seconds.append(round(taken, 2))
        return found

    def _best(self) -> str:
        best = self.study.best()
        return "" if best is None else f"; best {best.value:.4f} (trial {best.number})"

    def _tell_last(self) -> None:
        """How the trial that was tried last ended."""
        if self.study.last is None:
            return
        row = self.study.table().to_dict("records")[self.study.last]
        told = {"pruned": "stopped early", "complete": f"{self.learn.task.metric} {row['score']:.4f}"}
        what = told.get(row["state"], "failed")
        if row["why"]:
            what += f" ({row['why']})"
        self.say(f"trial {self.study.last}: {what}, {duration(row['seconds'])}{self._best()}")

    def _tell_outlook(self, n_trials: int) -> None:
        """What is to be expected of the time, once it is known how long a trial takes."""
        if not self.pace.known or math.isinf(self.pace.clock.limit):
            return
        a_trial = float(np.mean(self.pace.known)) * len(self.learn.splits)
        left = n_trials - self.study.n_begun()
        affordable = int(max(0.0, self.pace.left()) / a_trial)
        if affordable < left:
            self.say(
                f"a trial of {plural(len(self.learn.splits), 'fold')} takes about {duration(a_trial)}: there is time "
                f"for about {affordable} of {left} more, some more where many are stopped early. Shorter trainings, "
                "such as --set training.epochs=20, or --fraction 0.3 make room."
            )


def _clear_of_others(place: Path, member: ModelSpec) -> None:
    """Remove folds that other settings left, as those of a study whose database was removed."""
    path = place / "member.json"
    told = json.loads(json.dumps(member.settings))
    if path.exists() and read_json(path, object, f"Remove {place}, and the trial is fitted again.") == told:
        return
    clear_folds(place)
    write_json(path, told)
