"""``scores.json``: the scores of a run, and ``random_split.json``, a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aurist.metrics import Interval
from aurist.records import OPTIONAL, keyed, write_record

SCORES, RANDOM_SPLIT = "scores.json", "random_split.json"


@dataclass(frozen=True)
class RandomSplit:
    """The score of a careless random split, and the honest score of the same model.

    Parameters
    ----------
    model
        The model that both scores are of.
    honest, random
        Both scores.
    by_shares
        The difference that is explained by class shares that differ between the folds; None if the random split does
        not score higher.
    leak
        True if the random split has groups or duplicates on both sides; None as above.
    """

    model: str
    honest: Interval
    random: Interval
    by_shares: float | None = field(default=None, metadata=OPTIONAL)
    leak: bool | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class TunedMember:
    """A member whose settings were chosen on clips that are also scored here.

    Parameters
    ----------
    model
        Its name.
    trials
        The number of trials of which it was the best.
    metric, score
        The score by which it was chosen.
    share
        The tuned share of the scored clips.
    """

    model: str
    trials: int
    metric: str
    score: float
    share: float


@dataclass(frozen=True)
class Trials:
    """The stated score minus the score on new groups, in trials with a fixed number of groups in every class.

    Parameters
    ----------
    groups
        Number of groups in every class.
    divisions
        Number of divisions of data that were tried.
    difference, plus_minus
        The mean difference in accuracy, and two standard errors of it.
    """

    groups: int
    divisions: int
    difference: float
    plus_minus: float

    def lower(self) -> str:
        """Format by how much the stated score was lower."""
        return f"{-self.difference:.2f} (± {self.plus_minus:.2f})"


@dataclass(frozen=True)
class Best:
    """The best of several models, by the compared scores.

    Parameters
    ----------
    model
        Its name.
    score
        Its score.
    models
        Number of models compared.
    optimism
        By how much its score is expected to be too high, because the model was picked by this score.
    """

    model: str
    score: float
    models: int
    optimism: float


@dataclass(frozen=True)
class OnTestTable:
    """The scores to expect on a test table.

    Parameters
    ----------
    rows
        Number of its rows.
    seen
        Number of rows that are in the training data.
    expected_new, expected_all
        The scores to expect on the new rows, and on all rows.
    of_learnt_groups
        Number of rows of groups in the training data.
    """

    rows: int
    seen: int
    expected_new: Interval
    expected_all: Interval
    of_learnt_groups: int


@dataclass(frozen=True)
class HeldOut:
    """The score on the part "test" of the data.

    Parameters
    ----------
    n
        Number of its clips.
    seen
        Number of clips that are in the training data, or in a group of it.
    score
        The score on all of them.
    new
        The score on the other clips; None if all or none are new.
    """

    n: int
    seen: int
    score: Interval
    new: Interval | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Decisions:
    """The scores of the ensemble's labels: above 0.5, and above thresholds that were chosen on the other folds."""

    at_half: Interval = field(metadata=keyed("at_0.5"))
    thresholds: Interval


@dataclass(frozen=True)
class AgainstSingle:
    """The score of the ensemble minus that of the best single model.

    Parameters
    ----------
    model
        The best single model.
    score, low, high
        The difference with its interval.
    better
        Share of the resamples in which the ensemble scored higher; equal scores count half.
    """

    model: str
    score: float
    low: float
    high: float
    better: float


@dataclass(frozen=True)
class UnknownScores:
    """How well clips of classes that were never learnt are noticed: each class was left out in turn.

    Parameters
    ----------
    threshold
        A clip is called unknown if its likeness is at most this share.
    auc
        The probability that a clip of a class that was left out is less like the others than one of a learnt class.
    called_unknown
        The share of the clips of a class that was left out that are called unknown, mean over the classes.
    by_class
        The same share, by class that was left out.
    """

    threshold: float
    auc: float
    called_unknown: float
    by_class: Mapping[str, float]

    def sentence(self) -> str:
        """State the figures for people."""
        lowest, highest = min(self.by_class.values()), max(self.by_class.values())
        return (
            f"Sounds that were never learnt: if about {self.threshold:.0%} of the clips like those here are called "
            f"unknown, so are {self.called_unknown:.0%} of the clips of a class that was left out ({lowest:.0%} to "
            f"{highest:.0%} by class, {len(self.by_class)} left out in turn; AUROC {self.auc:.2f})."
        )


@dataclass(frozen=True, kw_only=True)
class RunScores:
    """The scores of a run.

    Parameters
    ----------
    metric
        The metric of all scores.
    best
        The model that makes the predictions.
    score
        Its score out of fold.
    chance
        The score of guessing.
    n_scored, n_groups
        Number of scored clips, and of their groups.
    groups_known
        False if each clip counts as its own group.
    random_split
        The score of a random split; None if it was not compared.
    tuned
        Members whose settings were chosen on the scored clips.
    few_groups
        Number of groups of each class with few groups; the rarest class first.
    few_groups_trials
        Trials with as many groups.
    best_other
        The best other model; None if fewer than two have a score.
    cautions
        Sentences about the scores.
    test
        The scores to expect on the test table; None without one.
    held_out
        The score on the part "test"; None without one.
    decisions
        The scores of labels by metric, if clips may have several labels.
    vs_best_single
        The gain of the ensemble; None if there is nothing to compare it with.
    unknown
        How well clips of classes that were never learnt are noticed; None if it cannot be measured.
    """

    metric: str
    best: str
    score: Interval
    chance: float
    n_scored: int
    n_groups: int
    groups_known: bool
    random_split: RandomSplit | None
    tuned: tuple[TunedMember, ...] = field(default=(), metadata=OPTIONAL)
    few_groups: Mapping[str, int] = field(default_factory=dict, metadata=OPTIONAL)
    few_groups_trials: tuple[Trials, ...] = field(default=(), metadata=OPTIONAL)
    best_other: Best | None = field(default=None, metadata=OPTIONAL)
    cautions: tuple[str, ...]
    test: OnTestTable | None = field(default=None, metadata=OPTIONAL)
    held_out: HeldOut | None = field(default=None, metadata=OPTIONAL)
    decisions: Mapping[str, Decisions] = field(default_factory=dict, metadata=OPTIONAL)
    vs_best_single: AgainstSingle | None
    unknown: UnknownScores | None = field(default=None, metadata=OPTIONAL)


def write_scores(folder: Path, scores: RunScores) -> None:
    """Write the scores of the run in a folder."""
    write_record(folder / SCORES, scores)


def write_random_split(folder: Path, scores: RandomSplit) -> None:
    """Write the score of a random split of the run in a folder."""
    write_record(folder / RANDOM_SPLIT, scores)
