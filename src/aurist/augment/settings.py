"""Make transforms from tables of settings, and the reverse."""

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

#: Transforms that also work on a power spectrum, at a low cost: same settings and draws, applied in another way.
SPECTRUM: dict[str, type[Any]] = {
    "equalizer": Equalizer,
    "gain": Gain,
    "gaussian_noise": GaussianNoise,
    "high_pass": HighPass,
    "low_pass": LowPass,
    "pink_noise": PinkNoise,
    "pitch_shift": PitchShift,
    "time_shift": TimeShift,
    "volume": Volume,
}
WAVE: dict[str, type[Any]] = {
    **SPECTRUM,
    "background_mix": BackgroundMix,
    "band_pass": BandPass,
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
        The source to name in errors, such as a file.
    stage
        "wave", "spectrum" or "image".

    Raises
    ------
    ConfigError
        If a kind or a parameter is unknown (the message suggests the nearest), or a value is not valid.

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
    return Compose(_transforms(settings, f"{where}, {stage} transform", STAGES[stage]))


def describe(compose: Compose) -> list[dict[str, Any]]:
    """Return tables from which `compose_from` makes the same transforms.

    Examples
    --------
    >>> describe(compose_from([{"kind": "time_shift", "seconds": [-4, 4]}], "fit.toml"))
    [{'kind': 'time_shift', 'seconds': [-4, 4], 'fill': 'roll', 'p': 0.5}]
    """
    return [_table(transform) for transform in compose.transforms]


def _table(transform: Transform[Any]) -> dict[str, Any]:
    if isinstance(transform, OneOf):
        return {"kind": _ONE_OF, "of": [_table(choice) for choice in transform.of], "p": transform.p}
    kinds = {transform_class: kind for table in STAGES.values() for kind, transform_class in table.items()}
    cls: type[Any] = type(transform)
    if cls not in kinds:
        raise ConfigError(f"{cls.__name__} has no name in settings, so it cannot be written to a table.")
    values = {field.name: getattr(transform, field.name) for field in dataclasses.fields(cls)}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {"kind": kinds[cls], **plain}


def _transforms(settings: object, where: str, kinds: dict[str, type[Any]]) -> tuple[Transform[Any], ...]:
    if not isinstance(settings, Sequence) or isinstance(settings, str):
        raise ConfigError(f"{where}s are {settings!r}, but must be a list of tables, each with its kind.")
    return tuple(_transform(table, f"{where} {i}", kinds) for i, table in enumerate(settings, start=1))


def _transform(table: object, where: str, kinds: dict[str, type[Any]]) -> Transform[Any]:
    if not isinstance(table, Mapping) or "kind" not in table:
        raise ConfigError(f"{where} is {table!r}, but must be a table with its kind.")
    kind = str(table["kind"])
    if kind != _ONE_OF and kind not in kinds:
        elsewhere = [stage for stage, transforms in STAGES.items() if kind in transforms]
        if elsewhere:
            raise ConfigError(
                f"{where}: {kind!r} belongs to another stage, {elsewhere[0]!r}: write it there."
            )
        raise ConfigError(f"{where}: unknown kind {kind!r}{_hint(kind, [*kinds, _ONE_OF])}")
    transform_class = OneOf if kind == _ONE_OF else kinds[kind]
    where = f"{where} ({kind})"
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in table.items() if key != "kind"
    }
    names = [field.name for field in dataclasses.fields(transform_class)]
    for key in values:
        if key not in names:
            raise ConfigError(f"{where}: unknown setting {key!r}{_hint(key, names)}")
    if kind == _ONE_OF:
        values["of"] = _transforms(table.get("of", []), f"{where}, choice", kinds)
    try:
        transform: Transform[Any] = transform_class(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return transform


def _hint(word: str, names: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(word, names, n=1)
    return f". Did you mean {near[0]!r}?" if near else f". Known: {', '.join(sorted(names))}."
