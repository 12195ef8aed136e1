"""The example of a model folder: a clip or a row of features, and the expected answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.arrays import Proba
from aurist.clips.read import ReadOptions
from aurist.errors import DataError
from aurist.features.schema import Schema
from aurist.inference.inputs import read_inputs
from aurist.inference.predictor import Predictor
from aurist.run import ModelFiles
from aurist.run.model_folder import Example

FOLDER = "example"
#: The synthesised clip: seconds, sample rate, and tones in Hz.
_SECONDS, _SAMPLE_RATE, _TONES = 5.0, 32_000, (440.0, 1250.0, 3300.0)


def write_example(folder: Path, files: ModelFiles, source: Path | None) -> Example:
    """Write an example into a model folder, with the answer of the model.

    Parameters
    ----------
    folder
        The model folder.
    files
        Its content.
    source
        A recording, or a table of features of which the first row is taken; None: synthesise one.

    Raises
    ------
    DataError
        If the model cannot predict it.
    """
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    if source is None:
        listens = files.spec.summary is not None or bool(_networks(files))
        path = _synthesised_clip(target) if listens else _synthesised_row(target, files.spec.schema)
    else:
        path = target / f"example{source.suffix.lower()}"
        shutil.copyfile(source, path)
    proba = answer(files, path)
    return Example(
        path.relative_to(folder).as_posix(), dict(zip(files.spec.task.classes, proba.tolist(), strict=True))
    )


def answer(files: ModelFiles, path: Path) -> Proba:
    """Predict the first clip or row of a file, (n_classes,).

    Raises
    ------
    DataError
        If it cannot be predicted.
    """
    predictor = Predictor(files)
    clips = read_inputs([path], ReadOptions(), files.spec)
    applied = predictor.predict(clips.take(np.arange(1)))
    if applied.failures:
        raise DataError(f"{path} is no example: {applied.failures[0]}.")
    return np.asarray(applied.proba[0])


def _networks(files: ModelFiles) -> list[str]:
    return [name for name, member in files.ensemble.members.items() if member.engine == "network"]


def _synthesised_clip(folder: Path) -> Path:
    """Write tones that come and go, with some noise."""
    import soundfile

    time = np.arange(round(_SECONDS * _SAMPLE_RATE)) / _SAMPLE_RATE
    tones = [
        np.sin(2 * np.pi * hz * time) * np.sin(np.pi * (k + 1) * time / _SECONDS) ** 2
        for k, hz in enumerate(_TONES)
    ]
    noise = np.random.default_rng(0).normal(size=len(time))
    path = folder / "example.flac"
    soundfile.write(path, 0.2 * np.sum(tones, axis=0) + 0.02 * noise, _SAMPLE_RATE, subtype="PCM_16")
    return path


def _synthesised_row(folder: Path, schema: Schema) -> Path:
    numbers = np.random.default_rng(0).normal(size=len(schema.columns)).round(4)
    row = {
        column.name: column.categories[0] if column.categories else number
        for column, number in zip(schema.columns, numbers.tolist(), strict=True)
    }
    path = folder / "example.csv"
    pd.DataFrame([row]).to_csv(path, index=False)
    return path
