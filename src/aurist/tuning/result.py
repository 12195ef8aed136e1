"""The results of a search: the table of trials, a file with the best settings for `aurist fit`, the comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurist.crossval import TrainingData, fit_member
from aurist.errors import plural
from aurist.files import atomic_path, folder_lock
from aurist.models.base import FitFailedError, ModelSpec
from aurist.progress import logger
from aurist.recipes import TunedBy, sample_of
from aurist.records import read_record, write_record
from aurist.results.tuned import clip_hashes
from aurist.run import RunData
from aurist.tuning.budget import Budget
from aurist.tuning.holdout import BASELINE, TUNED, Comparison, compare_on_holdout
from aurist.tuning.target import Target
from aurist.workers import OutOfTimeError

if TYPE_CHECKING:
    from aurist.tuning.study import Study

TRIALS, BEST, COMPARISON = "trials.csv", "best.toml", "comparison.json"
#: Seconds to wait for another process that compares.
_PATIENCE = 3600.0


@dataclass(frozen=True)
class BestTrial:
    """The best trial of a search.

    Parameters
    ----------
    number, score
        The trial, and the score by which it was chosen.
    settings
        The searched settings.
    recipe
        The file that holds them.
    option
        The option of `aurist fit` that takes the file.
    """

    number: int
    score: float
    settings: Mapping[str, Any]
    recipe: str
    option: str


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
        The best trial; None if no trial was finished.
    comparison
        The new settings against the original ones, on clips that no trial saw; None if there are no such clips.
    """

    folder: Path
    metric: str
    trials: pd.DataFrame
    best: BestTrial | None
    comparison: Comparison | None


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
    folder: Path, study: Study, target: Target, metric: str, comparison: Comparison | None
) -> Tuned:
    """Return the result of a study so far."""
    best = study.best()
    best_trial = None
    if best is not None:
        recipe = str(folder / BEST)
        best_trial = BestTrial(
            best.number, float(best.value or 0.0), dict(best.params), recipe, target.fit_option
        )
    return Tuned(folder, metric, study.table(), best_trial, comparison)


def compare(
    folder: Path,
    study: Study,
    target: Target,
    learn: TrainingData,
    holdout: RunData,
    budget: Budget,
) -> Comparison | None:
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
        numbers = tuple(trial.number for trial in pair)
        if path.exists():
            earlier = read_record(path, Comparison, "Remove it, and it is compared again.")
            if earlier.trials == numbers:
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
            comparison = compare_on_holdout(holdout, folders, numbers, budget.at_the_end())
        except (FitFailedError, OutOfTimeError):
            logger.info("not compared: there was no time left; give the same command again with more time")
            return None
        write_record(path, comparison)
        return comparison
