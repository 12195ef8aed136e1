"""Where and when a class is to be expected: a table of priors weighs the scores of windows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from aurist.clips.guess import ReadOptions
from aurist.clips.labels import cell_text
from aurist.clips.load_table import load_table
from aurist.detection.window_scores import Scores
from aurist.errors import ConfigError, DataError, listing, plural

#: Columns of the table; an empty cell of the last three, or none of them, means any.
LABEL, PRIOR, SITE, MONTH, HOUR = "label", "prior", "site", "month", "hour"
_COLUMNS = (LABEL, PRIOR, SITE, MONTH, HOUR)
#: The column of events whose scores the prior did not weigh.
PRIOR_UNUSED = "prior_unused"
_RANGES = {MONTH: (1, 12), HOUR: (0, 23)}


@dataclass(frozen=True)
class Rule:
    """A row of the table: the prior of a class at a site, in a month, at an hour; None: at any."""

    label: str
    prior: float
    site: str | None = None
    month: int | None = None
    hour: int | None = None

    def applies(self, name: str, clock: datetime | None) -> bool:
        """Tell if it applies to a moment of a recording; without a clock time rules of months and hours do not."""
        if self.site is not None and not _is_at(name, self.site):
            return False
        if self.month is None and self.hour is None:
            return True
        return clock is not None and self.month in (None, clock.month) and self.hour in (None, clock.hour)


@dataclass(frozen=True)
class Priors:
    """Priors of classes by site, month and hour.

    A prior is a factor of the odds of a score: 1 changes nothing, 0 excludes the class, 0.1 says that its odds there
    and then are a tenth of those in the training data. Of several rules that apply, the last counts; without any the
    prior is 1.

    Parameters
    ----------
    rules
        In the order of the table.
    weigh
        False: scores stay as they are, and priors are only written beside events, as `PRIOR_UNUSED`.

    Examples
    --------
    >>> priors = Priors((Rule("wren", 0.5), Rule("wren", 0.0, month=12)))
    >>> priors.of("a.wav", "wren", datetime(2023, 12, 24)), priors.of("a.wav", "wren", None)
    (0.0, 0.5)
    """

    rules: tuple[Rule, ...]
    weigh: bool = True

    @property
    def column(self) -> str:
        """The name of their column beside events."""
        return PRIOR if self.weigh else PRIOR_UNUSED

    def of(self, name: str, label: str, clock: datetime | None) -> float:
        """Give the prior of a class at a moment of a recording."""
        applying = (
            rule.prior for rule in reversed(self.rules) if rule.label == label and rule.applies(name, clock)
        )
        return next(applying, 1.0)

    def weighed(self, scores: Scores, name: str, began: datetime | None, labels: Sequence[str]) -> Scores:
        """Weigh the scores of a recording.

        Parameters
        ----------
        scores
            (n, n_classes).
        name
            The recording.
        began
            The clock time of its start; None: unknown.
        labels
            (n_classes,): the classes of the columns.
        """
        proba = scores.proba.astype(np.float64)
        clocks = [clock_of(began, start) for start in scores.starts.tolist()]
        hours = [None if clock is None else (clock.month, clock.hour) for clock in clocks]
        of_hour = dict(zip(hours, clocks, strict=True))
        number = {hour: i for i, hour in enumerate(of_hour)}
        row = np.array([number[hour] for hour in hours], dtype=np.intp)
        for column, label in enumerate(labels):
            if any(rule.label == label for rule in self.rules):
                prior = np.array([self.of(name, label, clock) for clock in of_hour.values()])
                proba[:, column] = with_odds(proba[:, column], prior[row])
        return replace(scores, proba=proba.astype(np.float32))

    def note(self, began: Mapping[str, datetime | None]) -> str | None:
        """Write a sentence if rules of months or hours apply to no moment of some recordings; else None."""
        undated = [name for name, time in began.items() if time is None]
        if not undated or all(rule.month is None and rule.hour is None for rule in self.rules):
            return None
        return (
            f"priors by month and hour do not apply to {plural(len(undated), 'recording')} of {len(began)} without a "
            f"clock time, such as {undated[0]}"
        )


def with_odds(proba: npt.NDArray[np.float64], prior: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Multiply the odds of probabilities by priors.

    Examples
    --------
    >>> with_odds(np.array([0.9, 0.9, 0.9]), np.array([1.0, 0.1, 0.0])).round(3).tolist()
    [0.9, 0.474, 0.0]
    """
    present = proba * prior
    return np.asarray(present / np.maximum(present + (1 - proba), np.finfo(np.float64).tiny))


def clock_of(began: datetime | None, start: float) -> datetime | None:
    """Give the clock time of a second of a recording; None if its start is unknown."""
    return None if began is None else began + timedelta(seconds=start)


def read_priors(path: Path, classes: Sequence[str], *, weigh: bool = True) -> Priors:
    """Read a table of priors.

    Parameters
    ----------
    path
        A table with the columns ``label`` and ``prior``, and any of ``site``, ``month`` (1 to 12), ``hour`` (0 to 23).
        A site is a folder on the way to the recording, or what the recording's name begins with.
    classes
        Those of the run.
    weigh
        See `Priors`.

    Raises
    ------
    DataError
        If it cannot be read, or rows are wrong; all of them are listed.
    ConfigError
        If it lacks a column.
    """
    table, _ = load_table(path, ReadOptions(label=LABEL, group=SITE))
    table = table.rename(columns={name: str(name).strip().lower() for name in table.columns})
    missing = [name for name in (LABEL, PRIOR) if name not in table.columns]
    unknown = [str(name) for name in table.columns if name not in _COLUMNS]
    if missing or unknown:
        raise ConfigError(
            f"{path} has the columns {', '.join(map(str, table.columns))}. A table of priors has {LABEL} and {PRIOR}, "
            f"and may have {SITE}, {MONTH} and {HOUR}."
        )
    rules, problems = [], []
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        try:
            rules.append(_rule({str(name): cell for name, cell in row.items()}, classes))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise DataError(f"{path}: {plural(len(problems), 'row')} cannot be used:\n{listing(problems)}")
    return Priors(tuple(rules), weigh)


def _rule(row: Mapping[str, object], classes: Sequence[str]) -> Rule:
    cells = {name: text for name, cell in row.items() if (text := cell_text(cell))}
    label = cells.get(LABEL, "")
    if label not in classes:
        raise ValueError(f"{label!r} is no class of the run: {', '.join(classes)}")
    prior = _number(cells, PRIOR)
    if prior is None or not 0 <= prior < float("inf"):
        raise ValueError(f"prior is {cells.get(PRIOR, '')!r}, but must be a number from 0 on")
    whole: dict[str, int | None] = {}
    for name, (low, high) in _RANGES.items():
        number = _number(cells, name)
        if number is not None and not (low <= number <= high and number == int(number)):
            raise ValueError(f"{name} is {number:g}, but must be a whole number from {low} to {high}")
        whole[name] = None if number is None else int(number)
    return Rule(label, prior, cells.get(SITE), whole[MONTH], whole[HOUR])


def _number(cells: Mapping[str, str], name: str) -> float | None:
    if name not in cells:
        return None
    try:
        return float(cells[name])
    except ValueError:
        raise ValueError(f"{name} is {cells[name]!r}, but must be a number") from None


def _is_at(name: str, site: str) -> bool:
    """Tell if a recording is of a site.

    Examples
    --------
    >>> [_is_at(name, "S1") for name in ("S1/a.wav", "x/S1_20230601_053000.wav", "S10_20230601_053000.wav")]
    [True, True, False]
    """
    path = PurePath(name)
    return site in path.parts or re.match(rf"{re.escape(site)}(?![A-Za-z0-9])", path.name) is not None
