"""What a search leaves: the table of trials, the best settings as a file that `aurist fit` takes, the comparison."""

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
from aurist.progress import Say
from aurist.recipes import TunedBy, sample_of
from aurist.results.tuned import clip_hashes
from aurist.run import RunData
from aurist.stored import read_json
from aurist.tuning.budget import Budget
from aurist.tuning.holdout import AS_IT_WAS, TUNED, compare_on_held
from aurist.tuning.target import Target
from aurist.workers import OutOfTimeError

if TYPE_CHECKING:
    from aurist.tuning.study import Study

TRIALS, BEST, COMPARISON = "trials.csv", "best.toml", "comparison.json"
#: Seconds to wait for another process that compares.
_PATIENCE = 3600.0


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Parameters
    ----------
    folder
        Of the study.
    metric
        What was maximised.
    trials
        One row a trial, as ``trials.csv`` has them.
    best
        ``number``, ``score``, ``settings``, and ``recipe`` and ``option``: what was written, and the option by which
        `aurist fit` takes it. None where no trial was finished.
    comparison
        The settings found against those as they were, on clips that no trial saw (see
        `aurist.tuning.holdout.compare_on_held`); None where there are none.
    """

    folder: Path
    metric: str
    trials: pd.DataFrame
    best: dict[str, Any] | None
    comparison: dict[str, Any] | None


def write_trials(folder: Path, study: Study, subject: Target, learn: TrainingData) -> None:
    """Write the trials so far, and the best of them as a file that `aurist fit` takes."""
    with atomic_path(folder / TRIALS) as part:
        study.table().to_csv(part, index=False, float_format="%.6g")
    best, metric = study.best(), learn.task.metric
    if best is not None:
        words = (
            f"Trial {best.number} of `aurist tune`. "
            f"Use it with: aurist fit DATA {subject.fit_option} {folder / BEST} -o RUN\n"
            f"Its {metric} of {best.value:.4f} on the folds had a part in the choice: it is not to be quoted."
        )
        score = round(float(best.value or 0.0), 6)
        tuned = TunedBy(study.n_scored(), metric, score, sample_of(clip_hashes(learn)))
        subject.write(folder / BEST, best.params, words, tuned)


def found(
    folder: Path, study: Study, subject: Target, metric: str, comparison: dict[str, Any] | None
) -> Tuned:
    """What there is of a study."""
    best = study.best()
    told = None
    if best is not None:
        told = {
            "number": best.number,
            "score": best.value,
            "settings": dict(best.params),
            "recipe": str(folder / BEST),
            "option": subject.fit_option,
        }
    return Tuned(folder, metric, study.table(), told, comparison)


def compare(
    folder: Path,
    study: Study,
    subject: Target,
    learn: TrainingData,
    held: RunData,
    pace: Budget,
    say: Say,
) -> dict[str, Any] | None:
    """Score the best trial and the recipe as it was on the clips held out; None where the second is not finished.

    The models are those of the trials' folds, averaged, as a run predicts. Where they were fitted on another machine
    they are fitted here once more.
    """
    path = folder / COMPARISON
    with folder_lock(folder / "data", _PATIENCE), study.to_compare() as pair:
        if pair is None:
            say("not compared: the recipe as it was is not finished; the same command goes on")
            return None
        numbers = [trial.number for trial in pair]
        if path.exists():
            known: dict[str, Any] = read_json(path, {"trials": [int]}, "Remove it, and it is compared again.")
            if known["trials"] == numbers:
                return known
        say(f"comparing on {plural(len(held.groups), 'clip')} that no trial saw")
        places: dict[str, tuple[Path, ModelSpec]] = {}
        try:
            for name, trial in zip((TUNED, AS_IT_WAS), pair, strict=True):
                member, place = subject.member_with(trial.params), study.place(trial.number)
                fit_member(place, learn, member, math.inf, pace.at_the_end())
                places[name] = (place, member)
            if numbers[0] == numbers[1]:
                del places[TUNED]
            compared = compare_on_held(held, places, pace.at_the_end())
        except (FitFailedError, OutOfTimeError):
            say("not compared: there was no time left for it; give the same command again with more")
            return None
        compared = {"trials": numbers, "metric": learn.task.metric, **compared}
        write_json(path, compared)
        return compared
