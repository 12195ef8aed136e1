"""Transforms from tables of settings, and back."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from aurist.augment.background import BackgroundMix
from aurist.augment.base import Transform
from aurist.augment.compose import Compose, OneOf
from aurist.augment.filtering import BandPass, Equalizer, HighPass, LowPass
from aurist.augment.level import Gain, Polarity, Volume
from aurist.augment.masks import FrequencyMask, TimeMask
from aurist.augment.noise import GaussianNoise, PinkNoise
from aurist.augment.pitch import PitchShift, TimeStretch
from aurist.augment.shift import TimeShift
from aurist.errors import ConfigError

#: What can be done cheaply to a power spectrum, too: the same settings and draws, another way to apply them.
SPECTRUM: dict[str, type[Any]] = {
    "equalizer": Equalizer,
    "gain": Gain,
    "gaussian_noise": GaussianNoise,
    "pink_noise": PinkNoise,
    "pitch_shift": PitchShift,
    "time_shift": TimeShift,
    "volume": Volume,
}
WAVE: dict[str, type[Any]] = {
    **SPECTRUM,
    "background_mix": BackgroundMix,
    "band_pass": BandPass,
    "high_pass": HighPass,
    "low_pass": LowPass,
    "polarity": Polarity,
    "time_stretch": TimeStretch,
}
IMAGE: dict[str, type[Any]] = {"frequency_mask": FrequencyMask, "time_mask": TimeMask}
STAGES: dict[str, dict[str, type[Any]]] = {"wave": WAVE, "spectrum": SPECTRUM, "image": IMAGE}
_ONE_OF = "one_of"


def compose_from(settings: Sequence[Mapping[str, Any]], where: str, stage: str = "wave") -> Compose:
    """Make the transforms of a stage from tables, as TOML's ``[[augment.wave]]`` gives them.

    Parameters
    ----------
    settings
        A table for each transform: its ``kind``, and its parameters by name.
    where
        What errors are to name as the place, such as the file.
    stage
        "wave", "spectrum" or "image".

    Raises
    ------
    ConfigError
        Where a kind or a parameter is unknown (the nearest known one is named), or a value cannot be.

    Examples
    --------
    >>> compose_from([{"kind": "pitch_shift", "semitones": [-5, 5]}], "fit.toml")
    Compose(transforms=(PitchShift(semitones=(-5, 5), p=0.5),), p=1.0)
    >>> compose_from([{"kind": "pich_shift"}], "fit.toml")
    Traceback (most recent call last):
    aurist.errors.ConfigError: fit.toml, wave transform 1: unknown kind 'pich_shift'. Did you mean 'pitch_shift'?
    """
    if stage not in STAGES:
        raise ConfigError(f"{where}: unknown stage {stage!r}{_hint(stage, STAGES)}")
    return Compose(_several(settings, f"{where}, {stage} transform", STAGES[stage]))


def describe(compose: Compose) -> list[dict[str, Any]]:
    """The tables that `compose_from` makes the same transforms from.

    Examples
    --------
    >>> describe(compose_from([{"kind": "time_shift", "seconds": [-4, 4]}], "fit.toml"))
    [{'kind': 'time_shift', 'seconds': [-4, 4], 'fill': 'roll', 'p': 0.5}]
    """
    return [_table(transform) for transform in compose.transforms]


def _table(transform: Transform[Any]) -> dict[str, Any]:
    if isinstance(transform, OneOf):
        return {"kind": _ONE_OF, "of": [_table(one) for one in transform.of], "p": transform.p}
    kinds = {known: kind for table in STAGES.values() for kind, known in table.items()}
    cls: type[Any] = type(transform)
    if cls not in kinds:
        raise ConfigError(f"{cls.__name__} has no name in settings, so cannot be written down.")
    values = {field.name: getattr(transform, field.name) for field in dataclasses.fields(cls)}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {"kind": kinds[cls], **plain}


def _several(settings: object, where: str, kinds: dict[str, type[Any]]) -> tuple[Transform[Any], ...]:
    if not isinstance(settings, Sequence) or isinstance(settings, str):
        raise ConfigError(f"{where}s are {settings!r}, but must be a list of tables, each with its kind.")
    return tuple(_one(table, f"{where} {i}", kinds) for i, table in enumerate(settings, start=1))


def _one(table: object, where: str, kinds: dict[str, type[Any]]) -> Transform[Any]:
    if not isinstance(table, Mapping) or "kind" not in table:
        raise ConfigError(f"{where} is {table!r}, but must be a table that says which kind it is.")
    kind = str(table["kind"])
    if kind != _ONE_OF and kind not in kinds:
        elsewhere = [stage for stage, known in STAGES.items() if kind in known]
        if elsewhere:
            raise ConfigError(
                f"{where}: {kind!r} belongs to another stage, {elsewhere[0]!r}: write it there."
            )
        raise ConfigError(f"{where}: unknown kind {kind!r}{_hint(kind, [*kinds, _ONE_OF])}")
    known = OneOf if kind == _ONE_OF else kinds[kind]
    where = f"{where} ({kind})"
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in table.items() if key != "kind"
    }
    names = [field.name for field in dataclasses.fields(known)]
    for key in values:
        if key not in names:
            raise ConfigError(f"{where}: unknown setting {key!r}{_hint(key, names)}")
    if kind == _ONE_OF:
        values["of"] = _several(table.get("of", []), f"{where}, choice", kinds)
    try:
        found: Transform[Any] = known(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return found


def _hint(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f". Did you mean {near[0]!r}?" if near else f". Known: {', '.join(sorted(known))}."
