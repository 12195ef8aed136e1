"""What a pretrained network itself says of a recording, if it also classifies."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audio import probe
from aurist.embedders.catalogue import Available
from aurist.embedders.clips import cut, load_embedder
from aurist.embedders.network import EmbedderError, check_vectors
from aurist.embedders.spec import EmbedderSpec
from aurist.errors import ConfigError
from aurist.events import Grid
from aurist.features.windows import Block, WindowSettings, read_block
from aurist.progress import Hours

Float = npt.NDArray[np.float32]


def classify(available: Available, sound: Path) -> pd.DataFrame:
    """Score the classes of a network on a recording of any length.

    Parameters
    ----------
    available
        The embedder; it names its classes, and the tensor of their scores.
    sound
        The recording.

    Returns
    -------
    pandas.DataFrame
        ``class, score, start, end``: the highest score of each class over all windows, 0 to 1, and the seconds of that
        window; the highest score first.

    Raises
    ------
    ConfigError
        If the embedder names no classes.
    DataError
        If the recording cannot be decoded, or scores are not finite.
    EmbedderError
        If the network or its class names are not on this machine, or their numbers differ.
    """
    spec, names = available.spec, class_names(available)
    scorer = load_embedder(replace(spec, output=spec.scores, size=0), available.path())
    if scorer.size != len(names):
        raise EmbedderError(
            f"The tensor {spec.scores} of {spec.name} has {scorer.size:,} scores, and {spec.classes} names "
            f"{len(names):,} classes: one of them belongs to another network."
        )
    best = np.full(len(names), -np.inf, np.float32)
    starts, ends = np.zeros(len(names)), np.zeros(len(names))
    with Hours(probe(sound).duration, 0.0, enabled=True) as hours:
        for block in _blocks(sound, spec):
            waves = block.waves[spec.sample_rate]
            windows = [cut(waves.window(row)[: spec.n_samples], spec) for row in range(len(block))]
            scores = scorer.network(np.concatenate(windows))
            check_vectors(scores, spec)
            row, highest = scores.argmax(axis=0), scores.max(axis=0)
            starts = np.where(highest > best, block.starts[row], starts)
            ends = np.where(highest > best, block.ends[row], ends)
            best = np.maximum(best, highest)
            hours(len(block) * spec.step)
    table = pd.DataFrame({"class": names, "score": _probabilities(best, spec), "start": starts, "end": ends})
    return table.sort_values("score", ascending=False, kind="stable").round(4).reset_index(drop=True)


def class_names(available: Available) -> list[str]:
    """Read the names of the classes: one a line, or the last column of a CSV file with a header.

    Raises
    ------
    ConfigError
        If the embedder names no classes.
    EmbedderError
        If the file is not on this machine.
    """
    spec = available.spec
    if not spec.scores:
        raise ConfigError(
            f"{spec.name} makes vectors alone: its TOML file names no classes. If the network also classifies, name "
            "the file of its classes, and the tensor of their scores: classes = , scores = "
        )
    path = available.file(spec.classes)
    if path is None:
        advice = available.advice if spec.package else f"Put the file beside {available.described}."
        raise EmbedderError(
            f"The class names of {spec.name}, {spec.classes}, are not on this machine. {advice}"
        )
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if path.suffix == ".csv":
        return [row[-1] for row in csv.reader(lines[1:]) if row]
    return [line.strip() for line in lines if line.strip()]


def _blocks(path: Path, spec: EmbedderSpec) -> Iterator[Block]:
    settings = WindowSettings(Grid(spec.seconds, spec.seconds - spec.step), (spec.sample_rate,))
    for number in itertools.count():
        block = read_block(path, number, settings)
        yield block
        if block.length is not None:
            return


def _probabilities(scores: Float, spec: EmbedderSpec) -> npt.NDArray[np.float64]:
    given = scores.astype(np.float64)
    return given if spec.scores_are == "probabilities" else 1 / (1 + np.exp(-given))
