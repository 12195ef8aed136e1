"""Predict clips with a run."""

from __future__ import annotations

from pathlib import Path

from aurist.clips.read import ReadOptions, Source, read_clips
from aurist.inference.clip_predictions import ClipPredictions
from aurist.inference.inputs import like_run
from aurist.inference.predictor import Predictor
from aurist.run import ModelFiles


def predict_clips(
    files: ModelFiles,
    source: Source,
    *,
    model: str | None = None,
    precision: float | None = None,
    unknown: float | None = None,
    jobs: int = 0,
    cache_dir: Path | None = None,
) -> ClipPredictions:
    """Predict clips with a model of the run, the ensemble by default.

    A source that is not clips yet is read like the data of the run: feature columns stay features.

    Raises
    ------
    ConfigError
        If there is no such model, or no such precision, or the run cannot tell what is unknown.
    DataError
        If feature columns are missing or are not numbers.
    """
    predictor = Predictor(files, model)
    predictor.check(precision, unknown)
    clips = read_clips(source, like_run(ReadOptions(), predictor.spec), labelled=False)
    return predictor.predict(clips, precision=precision, unknown=unknown, jobs=jobs, cache_dir=cache_dir)
