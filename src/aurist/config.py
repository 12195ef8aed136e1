"""Settings of a fit: frozen, checked, written to the run folder as TOML and read back."""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurist.errors import ConfigError, check_one_of, short_repr
from aurist.files import atomic_path

#: The preset of linear and kernel models alone.
INSTANT = "instant"
PRESETS = (INSTANT, "quick", "good", "best")
LEVELS = ("relative", "keep")
#: No whole number of a setting is larger: a float can hold it exactly.
LARGEST = 1 << 53
ENGINES = ("auto", "autogluon", "mljar", "all", "networks")


@dataclass(frozen=True)
class FitConfig:
    """Settings of a fit.

    Parameters
    ----------
    metric
        The metric to maximise and to rank by; None: accuracy for one label per clip, mean average precision for
        several.
    preset
        "instant" (linear and kernel models, seconds for a few hundred clips), "quick" (about a minute), "good", or
        "best" (more models, more folds).
    time_limit
        Seconds of wall time for the whole command; None: the default of the preset.
    engine
        "auto": AutoGluon's models on features, and a network if there are recordings, PyTorch and enough time;
        "autogluon" or "mljar" alone, or "all" for both on one leaderboard; "networks" for the recipes alone.
    recipes
        Networks to train in addition: names of recipes, or paths of TOML files.
    recipe_settings
        Changes to all of these recipes, such as "training.epochs=5".
    embeddings
        Pretrained networks whose embeddings of the recordings are added to the summary features: names of embedders,
        or paths of their TOML files. None: those of this machine that the licence and the time allow; (): none.
    ensemble_size
        The most models in the ensemble, so that it predicts faster; None: as many as help.
    plan
        Path of a plan to follow; there is then no time limit. None: make one.
    unlabelled
        Path of a folder or table of clips without labels to learn from, too; None: there is none.
    pseudo_rounds
        Rounds of learning from pseudo-labels, the confident predictions of the round before.
    pseudo_threshold
        The lowest probability of a pseudo-label.
    fraction
        Learn from this share of the groups only, for trials; None: from all.
    folds
        The number of folds, if the data has none; None: the default of the preset.
    seed
        The seed of the folds, the models and the bootstrap.
    jobs
        Cores to use; 0: all that this process may use.
    allow_loss
        Go on even if broken clips are more than a tenth of the data, or all of a class.
    sample_rate
        The sample rate of the summary features, in Hz; None: their default.
    mix_background
        Mixtures of each clip with a call and background of other recordings to learn from: of recordings without a
        call, or of gaps between calls if there are none; 0: none.
    level
        "relative": the features do not depend on the level of a recording; "keep": they do.
    near_duplicates
        True if near duplicates (re-encoded, cut, at another level) share a group.

    Examples
    --------
    >>> FitConfig(preset="quickest")
    Traceback (most recent call last):
    aurist.errors.ConfigError: preset is 'quickest', but must be one of: instant, quick, good, best.
    """

    metric: str | None = None
    preset: str = "good"
    time_limit: float | None = None
    engine: str = "auto"
    folds: int | None = None
    seed: int = 0
    jobs: int = 0
    allow_loss: bool = False
    sample_rate: int | None = None
    recipes: tuple[str, ...] = ()
    recipe_settings: tuple[str, ...] = ()
    embeddings: tuple[str, ...] | None = None
    ensemble_size: int | None = None
    plan: str | None = None
    unlabelled: str | None = None
    pseudo_rounds: int = 1
    pseudo_threshold: float = 0.9
    fraction: float | None = None
    near_duplicates: bool = True
    level: str = "relative"
    mix_background: int = 2

    def __post_init__(self) -> None:
        check_one_of("preset", self.preset, PRESETS)
        check_one_of("engine", self.engine, ENGINES)
        check_one_of("level", self.level, LEVELS)
        if self.time_limit is not None and self.time_limit < 10:
            raise ConfigError(f"time_limit is {self.time_limit:g} s, but a fit needs at least 10 s.")
        if self.folds is not None and self.folds < 2:
            raise ConfigError(f"folds is {self.folds}, but must be at least 2.")
        if self.ensemble_size is not None and self.ensemble_size < 1:
            raise ConfigError(
                f"ensemble_size is {self.ensemble_size}, but an ensemble needs at least 1 model."
            )
        if self.mix_background < 0:
            raise ConfigError(f"mix_background is {self.mix_background}, but must be 0 or more.")
        if self.pseudo_rounds < 1:
            raise ConfigError(f"pseudo_rounds is {self.pseudo_rounds}, but must be 1 or more.")
        if not 0.5 < self.pseudo_threshold < 1:
            raise ConfigError(
                f"pseudo_threshold is {self.pseudo_threshold:g}, but must be above 0.5 and below 1."
            )
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise ConfigError(
                f"fraction is {self.fraction:g}, but must be a share above 0, such as 0.1, or 1 for all."
            )
        if self.plan is not None and (self.time_limit is not None or self.recipes):
            raise ConfigError(
                "A plan lists the models to fit, and has no time limit: leave time_limit= and recipes= out, "
                "or edit the plan."
            )
        if self.preset == INSTANT and self.plan is None and (self.engine != "auto" or self.recipes):
            raise ConfigError(
                "preset is 'instant', which fits linear and kernel models alone: leave engine= and recipes= out, or "
                'give another preset, such as preset="quick".'
            )
        if self.engine == "networks" and self.plan is None and not self.recipes:
            raise ConfigError(
                "engine is 'networks', but there is no recipe: add recipes=\"mel-cnn\", or another that "
                "`aurist recipes` lists."
            )


def write_config(path: Path, config: FitConfig) -> None:
    """Write the settings as TOML; None is left out."""
    import tomli_w

    values = {key: value for key, value in dataclasses.asdict(config).items() if value is not None}
    with atomic_path(path) as part:
        part.write_text(tomli_w.dumps(values), encoding="utf-8")


def read_config(path: Path) -> FitConfig:
    """Read settings from a file of `write_config`.

    Raises
    ------
    ConfigError
        If the file is not TOML, or has an unknown key or a value of a wrong type.
    """
    return config_from(read_toml(path, "the settings in"), str(path))


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read the tables of a TOML file; ``what`` names it in messages.

    Raises
    ------
    ConfigError
        If it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    # ValueError: not TOML, not UTF-8, or a number of thousands of digits
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"Cannot read {what} {path}: {error}") from error


def config_from(values: dict[str, Any], where: str) -> FitConfig:
    """Make settings from a dict. Check its keys and types; suggest the nearest key for an unknown one."""
    types = {f.name: str(f.type) for f in dataclasses.fields(FitConfig)}
    for key, value in values.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(types)}."
            raise ConfigError(f"{where}: unknown setting {key!r}.{hint}")
        if not _has_type(value, types[key]):
            raise ConfigError(f"{where}: {key} is {short_repr(value)}, but must be of type {types[key]}.")
    checked: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return FitConfig(**checked)


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind.startswith("bool")
    if isinstance(value, int):
        return kind.startswith(("int", "float")) and abs(value) <= LARGEST
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if isinstance(value, list):
        return kind.startswith("tuple") and all(isinstance(item, str) for item in value)
    return type(value).__name__ in kind.split(" | ")


def duration(seconds: float) -> str:
    """Format seconds for people.

    Examples
    --------
    >>> duration(42), duration(600), duration(5430), duration(-0.17)
    ('42 s', '10 min', '1 h 30 min', '0 s')
    """
    seconds = max(0.0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def parse_duration(text: str) -> float:
    """Parse a duration such as "90", "90s", "15m", "1.5h" or "1h30m" into seconds.

    Examples
    --------
    >>> parse_duration("15m"), parse_duration("1h30m"), parse_duration("45")
    (900.0, 5400.0, 45.0)
    """
    import re

    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    whole = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", whole):
        return float(whole)
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", whole)
    if not parts or "".join(number + unit for number, unit in parts) != whole:
        raise ConfigError(f"Cannot read {text!r} as a duration; write it as 90s, 15m or 1h30m.")
    return sum(float(number) * units[unit] for number, unit in parts)
