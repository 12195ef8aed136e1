"""Describe the frequencies that models hear, to show what they miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aurist.models.base import ModelSpec
from aurist.models.network_member import ENGINE, recipe_of
from aurist.run import AuditFacts, RunData

Band = tuple[float, float]


def hearing(data: RunData, members: Sequence[ModelSpec], audit: AuditFacts) -> list[str]:
    """Describe the frequencies that the members of a plan hear; no sentences if there are no recordings."""
    rates = audit.sample_rates
    return sentences_of(bands_heard(data, members), data.clips.band, rates) if rates else []


def bands_heard(data: RunData, members: Sequence[ModelSpec]) -> dict[str, Band]:
    """Get the lowest and highest frequency in Hz of each network, and of all models of summary features.

    A network without a spectrogram front end hears up to half its sample rate. Tables of ready-made features have no
    band.
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
    """Describe the band of each model, and warn if the annotated boxes reach beyond it.

    Parameters
    ----------
    bands
        Bands, as `bands_heard` returns them.
    boxes
        Lowest and highest frequency of the annotated boxes, in Hz; None if there are no boxes.
    sample_rates
        Number of recordings for each sample rate.

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
        singular = len(names) == 1 and not names[0].startswith("models")
        parts.append(f"{' and '.join(names)} {'hears' if singular else 'hear'} {_words(band)}")
    if sample_rates:
        most = max(sample_rates, key=lambda rate: (sample_rates[rate], float(rate)))
        parts.append(f"most recordings reach {float(most) / 2:,.0f} Hz")
    sentences = ["; ".join(parts)]
    if boxes is not None:
        limited = [
            name for name, band in bands.items() if boxes[0] < 0.99 * band[0] or boxes[1] > 1.01 * band[1]
        ]
        if limited:
            verb = "does" if len(limited) == 1 and not limited[0].startswith("models") else "do"
            sentences.append(
                f"warning: {' and '.join(limited)} {verb} not hear all of the annotated boxes, which lie from "
                f"{_words(boxes)}"
            )
    return sentences


def _words(band: Band) -> str:
    return f"{band[0]:,.0f} to {band[1]:,.0f} Hz"
