"""The search space of a recipe: its table `[search]`, whose keys are dotted settings."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aurist.errors import ConfigError

Value = bool | int | float | str

_KEYS = ("low", "high", "step", "log")


@dataclass(frozen=True)
class Choice:
    """One of several values without an order.

    Examples
    --------
    >>> Choice((16, 32)).contains(32), Choice((16, 32)).contains(24)
    (True, False)
    """

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        for value in self.values:
            if not isinstance(value, Value):
                raise ConfigError(f"{value!r} is neither a number, nor a word, nor true or false.")
        if len(set(map(repr, self.values))) < len(self.values) or len(self.values) < 2:
            raise ConfigError(f"{list(self.values)!r} is not a choice: name at least two different values.")

    @property
    def extremes(self) -> tuple[Value, ...]:
        """Values that must be valid: all of them."""
        return self.values

    def contains(self, value: object) -> bool:
        """Return True if a value is among them."""
        return any(
            value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in self.values
        )


@dataclass(frozen=True)
class Range:
    """A number between two others.

    Parameters
    ----------
    low, high
        The lowest and the highest number; if both are whole, all are.
    step
        The distance of two values; None: 1 for whole numbers, else any number.
    log
        Draw the logarithm: as many values between 0.001 and 0.01 as between 0.01 and 0.1.

    Examples
    --------
    >>> Range(1.0, 4.0, step=0.5).contains(2.5), Range(1.0, 4.0, step=0.5).contains(2.6), Range(2, 9).whole
    (True, False, True)
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and math.isfinite(value)) and not (name == "step" and value is None):
                raise ConfigError(f"{name} is {value!r}, but must be a number.")
        if not isinstance(self.log, bool):
            raise ConfigError(f"log is {self.log!r}, but must be true or false.")
        if not self.low < self.high:
            raise ConfigError(f"low is {self.low:g} and high {self.high:g}: there is nothing between them.")
        if self.log and self.low <= 0:
            raise ConfigError(f"low is {self.low:g}, but must be above 0 with log = true.")
        if self.log and self.step is not None:
            raise ConfigError("step and log = true cannot be combined: leave one out.")
        if self.step is not None and not (self.step > 0 and self._on_step(self.high)):
            raise ConfigError(f"steps of {self.step:g} do not lead from {self.low:g} to {self.high:g}.")
        if self.whole and self.step is not None and not isinstance(self.step, int):
            raise ConfigError(
                f"low and high are whole and the step {self.step:g} is not: write low = {self.low:.1f}."
            )

    @property
    def whole(self) -> bool:
        """True for whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def extremes(self) -> tuple[Value, ...]:
        """Values that must be valid: both ends."""
        return (self.low, self.high)

    def contains(self, value: object) -> bool:
        """Return True if a value can be drawn."""
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not self.low <= value <= self.high
        ):
            return False
        return self._on_step(value) and (not self.whole or float(value).is_integer())

    def _on_step(self, value: float) -> bool:
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return abs(steps - round(steps)) < 1e-9 * max(1.0, abs(steps))


Space = Mapping[str, Choice | Range]


def read_space(table: Mapping[str, Any], settings: Collection[str], where: str) -> Space:
    """Read the search space of a table.

    Parameters
    ----------
    table
        By dotted setting, a list of values, or a table of ``low``, ``high`` and optionally ``step`` or ``log``.
    settings
        The names of all settings.
    where
        The source, for messages.

    Raises
    ------
    ConfigError
        If a setting is unknown, or a range is not valid.

    Examples
    --------
    >>> read_space({"training.lr": {"low": 1e-4, "high": 1e-2, "log": True}}, ["training.lr"], "mine.toml")
    {'training.lr': Range(low=0.0001, high=0.01, step=None, log=True)}
    """
    return {name: _dimension(name, value, settings, f"{where} [search]") for name, value in table.items()}


def _dimension(name: str, value: Any, settings: Collection[str], where: str) -> Choice | Range:
    if name not in settings:
        if isinstance(value, Mapping) and any(setting.startswith(f"{name}.") for setting in settings):
            raise ConfigError(
                f'{where}: {name!r} is a table, but the keys are settings, in quotes: "{name}.{next(iter(value), "")}".'
            )
        near = difflib.get_close_matches(name, settings, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else 'Expected one such as "training.lr".'
        raise ConfigError(f"{where}: unknown setting {name!r}. {hint}")
    try:
        if isinstance(value, list | tuple):
            return Choice(tuple(value))
        if not isinstance(value, Mapping):
            raise ConfigError(
                f"it is {value!r}, but must be a list of values, or {{ low = ..., high = ... }}."
            )
        for key in value:
            if key not in _KEYS:
                near = difflib.get_close_matches(key, _KEYS, n=1)
                raise ConfigError(
                    f"unknown key {key!r}. "
                    + (f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(_KEYS)}.")
                )
        for key in ("low", "high"):
            if key not in value:
                raise ConfigError(f"it has no {key}; a range is {{ low = ..., high = ... }}.")
        return Range(**value)
    except ConfigError as error:
        raise ConfigError(f'{where} "{name}": {error}') from error
