"""The frequencies that models hear, so that nobody is surprised by what they miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurist.models.base import ModelSpec
from aurist.models.network_member import ENGINE, recipe_of
from aurist.run import RunData

Band = tuple[float, float]


def hearing(data: RunData, members: Sequence[ModelSpec], audit: Mapping[str, Any]) -> list[str]:
    """Sentences on what the members of a plan hear of the recordings; none where there are no recordings."""
    rates = audit["content"].get("sample_rates", {})
    return sentences_of(bands_heard(data, members), data.clips.band, rates) if rates else []


def bands_heard(data: RunData, members: Sequence[ModelSpec]) -> dict[str, Band]:
    """The lowest and highest frequency in Hz that each network hears, and that all models of summary features do.

    Networks whose front end is not of bands hear all up to half their sample rate. Nothing is said of tables of
    ready-made features.
    """
    bands: dict[str, Band] = {}
    if data.summary is not None and any(member.engine != ENGINE for member in members):
        config = data.summary
        bands["models of summary features"] = (config.fmin, config.highest)
    for member in members:
        if member.engine == ENGINE:
            recipe = recipe_of(member)
            image = recipe.network.takes == "image"
            bands[member.name] = (
                (recipe.front.fmin, recipe.front.highest) if image else (0.0, recipe.front.sample_rate / 2)
            )
    return bands


def sentences_of(bands: Mapping[str, Band], boxes: Band | None, sample_rates: Mapping[str, int]) -> list[str]:
    """Say who hears what, and warn where that is not all of the boxes' band.

    Parameters
    ----------
    bands
        As `bands_heard` gives them.
    boxes
        Lowest and highest frequency of the annotated boxes, in Hz; None: there are none.
    sample_rates
        How many recordings have each rate.

    Examples
    --------
    >>> for sentence in sentences_of({"mel-cnn": (40.0, 16000.0)}, (2000.0, 30000.0), {"192000": 12}):
    ...     print(sentence)
    mel-cnn hears 40 to 16,000 Hz; most recordings reach 96,000 Hz
    warning: mel-cnn does not hear all of the annotated boxes, which lie from 2,000 to 30,000 Hz
    """
    if not bands:
        return []
    by_band: dict[Band, list[str]] = {}
    for name, band in bands.items():
        by_band.setdefault(band, []).append(name)
    parts = []
    for band, names in by_band.items():
        one = len(names) == 1 and not names[0].startswith("models")
        parts.append(f"{' and '.join(names)} {'hears' if one else 'hear'} {_words(band)}")
    if sample_rates:
        most = max(sample_rates, key=lambda rate: (sample_rates[rate], float(rate)))
        parts.append(f"most recordings reach {float(most) / 2:,.0f} Hz")
    sentences = ["; ".join(parts)]
    if boxes is not None:
        deaf = [
            name for name, band in bands.items() if boxes[0] < 0.99 * band[0] or boxes[1] > 1.01 * band[1]
        ]
        if deaf:
            verb = "does" if len(deaf) == 1 and not deaf[0].startswith("models") else "do"
            sentences.append(
                f"warning: {' and '.join(deaf)} {verb} not hear all of the annotated boxes, which lie from "
                f"{_words(boxes)}"
            )
    return sentences


def _words(band: Band) -> str:
    return f"{band[0]:,.0f} to {band[1]:,.0f} Hz"
