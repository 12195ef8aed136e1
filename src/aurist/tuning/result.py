"""The results of a search: the table of trials, a file with the best settings for `aurist fit`, the comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurist.crossval import TrainingData, fit_member
from aurist.errors import plural
from aurist.files import atomic_path, folder_lock, write_json
from aurist.models.base import FitFailedError, ModelSpec
from aurist.progress import logger
from aurist.recipes import TunedBy, sample_of
from aurist.results.tuned import clip_hashes
from aurist.run import RunData
from aurist.stored import read_json
from aurist.tuning.budget import Budget
from aurist.tuning.holdout import BASELINE, TUNED, compare_on_holdout
from aurist.tuning.target import Target
from aurist.workers import OutOfTimeError

if TYPE_CHECKING:
    from aurist.tuning.study import Study

TRIALS, BEST, COMPARISON = "trials.csv", "best.toml", "comparison.json"
#: Seconds to wait for another process that compares.
_PATIENCE = 3600.0


@dataclass(frozen=True)
class Tuned:
    """The result of a search.

    Parameters
    ----------
    folder
        The folder of the study.
    metric
        The metric that was maximised.
    trials
        One row per trial, as in ``trials.csv``.
    best
        ``number``, ``score``, ``settings``, and ``recipe`` and ``option``: the file written, and the option of
        `aurist fit` that takes it. None if no trial was finished.
    comparison
        The new settings against the original ones, on clips that no trial saw (see
        `aurist.tuning.holdout.compare_on_holdout`); None if there are no such clips.
    """

    folder: Path
    metric: str
    trials: pd.DataFrame
    best: dict[str, Any] | None
    comparison: dict[str, Any] | None


def write_trials(folder: Path, study: Study, target: Target, learn: TrainingData) -> None:
    """Write the trials so far, and the best of them as a file for `aurist fit`."""
    with atomic_path(folder / TRIALS) as part:
        study.table().to_csv(part, index=False, float_format="%.6g")
    best, metric = study.best(), learn.task.metric
    if best is not None:
        words = (
            f"Trial {best.number} of `aurist tune`. "
            f"Use it with: aurist fit DATA {target.fit_option} {folder / BEST} -o RUN\n"
            f"Its {metric} of {best.value:.4f} on the folds was used for the choice: do not report it."
        )
        score = round(float(best.value or 0.0), 6)
        tuned = TunedBy(study.n_scored(), metric, score, sample_of(clip_hashes(learn)))
        target.write(folder / BEST, best.params, words, tuned)


def gather_result(
    folder: Path, study: Study, target: Target, metric: str, comparison: dict[str, Any] | None
) -> Tuned:
    """Return the result of a study so far."""
    best = study.best()
    best_trial = None
    if best is not None:
        best_trial = {
            "number": best.number,
            "score": best.value,
            "settings": dict(best.params),
            "recipe": str(folder / BEST),
            "option": target.fit_option,
        }
    return Tuned(folder, metric, study.table(), best_trial, comparison)


def compare(
    folder: Path,
    study: Study,
    target: Target,
    learn: TrainingData,
    holdout: RunData,
    budget: Budget,
) -> dict[str, Any] | None:
    """Score the best trial and the original recipe on the holdout; None if the latter is not finished.

    The models are those of the trials' folds, averaged, as in a run. If they were fitted on another machine, they are
    fitted again here.
    """
    path = folder / COMPARISON
    with folder_lock(folder / "data", _PATIENCE), study.locked_pair() as pair:
        if pair is None:
            logger.info(
                "not compared: the trial of the original recipe is not finished; repeat the command to continue"
            )
            return None
        numbers = [trial.number for trial in pair]
        if path.exists():
            earlier: dict[str, Any] = read_json(
                path, {"trials": [int]}, "Remove it, and it is compared again."
            )
            if earlier["trials"] == numbers:
                return earlier
        logger.info(f"comparing on {plural(len(holdout.groups), 'clip')} that no trial saw")
        folders: dict[str, tuple[Path, ModelSpec]] = {}
        try:
            for name, trial in zip((TUNED, BASELINE), pair, strict=True):
                member, trial_folder = target.member_with(trial.params), study.trial_folder(trial.number)
                fit_member(trial_folder, learn, member, math.inf, budget.at_the_end())
                folders[name] = (trial_folder, member)
            if numbers[0] == numbers[1]:
                del folders[TUNED]
            comparison = compare_on_holdout(holdout, folders, budget.at_the_end())
        except (FitFailedError, OutOfTimeError):
            logger.info("not compared: there was no time left; give the same command again with more time")
            return None
        comparison = {"trials": numbers, "metric": learn.task.metric, **comparison}
        write_json(path, comparison)
        return comparison
