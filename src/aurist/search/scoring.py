"""Score the windows of an index with a model of a run: without their sound, millions in minutes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.detection.result import ScanResult
from aurist.detection.settings import scan_settings
from aurist.detection.store import Detections, Recording
from aurist.errors import ConfigError
from aurist.events import Grid
from aurist.features.matrix import EMBEDDED
from aurist.features.windows import Block
from aurist.folders import claim
from aurist.inference.predictor import Predictor
from aurist.models.base import Inputs
from aurist.models.views import view_of
from aurist.run import ModelFiles
from aurist.search.index import WindowIndex

#: Windows scored, and stored, at once.
_BLOCK = 20_000


def score_index(
    files: ModelFiles, index: WindowIndex, output: Path, *, model: str | None = None, jobs: int = 0
) -> ScanResult:
    """Score all windows of an index; the folder of detections is as `aurist.detection.scan.listen` writes it.

    Parameters
    ----------
    files
        Of a run, or of a model folder.
    index
        The index.
    output
        Folder for the scores; a killed call continues.
    model
        A row of the leaderboard; None: the ensemble. Its models must see nothing but the vectors of the index.
    jobs
        Cores; 0: as the run was fitted with.

    Raises
    ------
    ConfigError
        If the models need more than the vectors, or vectors of another network.
    """
    predictor = Predictor(files, model, jobs=jobs)
    _check_views(files, predictor, index)
    spec = index.settings.embedder.embedder
    grid = Grid(spec.seconds, spec.seconds - index.settings.hop)
    settings = scan_settings(files, predictor.name, grid, None, _BLOCK, 1)
    with claim(output):
        detections = Detections(output, settings)
        detections.clear()
        recordings = [Recording(recording.name, recording.file) for recording in index.recordings]
        detections.check_names(recordings)
        first = 0
        for recording, indexed in zip(recordings, index.recordings, strict=True):
            rows = np.arange(first, first + indexed.windows)
            first += indexed.windows
            if detections.progress(recording).seconds is None:
                _score(predictor, index, detections, recording, rows, indexed.seconds)
        seconds = {recording.name: recording.seconds for recording in index.recordings}
        return ScanResult(detections, predictor.spec.task.classes, tuple(recordings), seconds, {}, {})


def _score(
    predictor: Predictor,
    index: WindowIndex,
    detections: Detections,
    recording: Recording,
    rows: npt.NDArray[np.intp],
    length: float,
) -> None:
    """Score the windows of a recording, block by block."""
    window = index.settings.embedder.embedder.seconds
    done = len(detections.progress(recording).blocks)
    parts = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
    for number, part in enumerate(parts[done:], start=done):
        starts = index.windows["start"][part].astype(np.float64)
        is_last = number == len(parts) - 1
        block = Block(starts, np.minimum(starts + window, length), {}, length if is_last else None)
        proba = predictor.proba_windows(_inputs(predictor, index, part))
        detections.keep(recording, number, block, proba)


def _inputs(predictor: Predictor, index: WindowIndex, rows: npt.NDArray[np.intp]) -> Inputs:
    """Return the vectors as the features of a run, with NaN for all others."""
    schema = predictor.spec.schema
    name = index.settings.embedder.name
    columns = [f"{EMBEDDED}{name}_{i:04d}" for i in range(index.settings.size)]
    table = pd.DataFrame(index.rows(rows), columns=columns).reindex(columns=schema.names)
    return Inputs(schema.apply(table)[0])


def _check_views(files: ModelFiles, predictor: Predictor, index: WindowIndex) -> None:
    record = index.settings.embedder
    same = [
        network.name
        for network in files.embedders
        if getattr(network, "sha256", "") == record.sha256
        and network.name == record.name
        and record.embedder.pool == ("mean",)
    ]
    if not same:
        names = ", ".join(network.name for network in files.embedders) or "none"
        raise ConfigError(
            f"{index.folder} holds vectors of {record.name} (SHA-256 {record.sha256[:12]}), and {files.folder} learnt "
            f'from vectors of: {names}. Fit a run with embeddings="{record.name}", or index the recordings with the '
            "network of the run."
        )
    members = predictor.ensemble.members
    others = [
        name
        for name in predictor.ensemble.members_of(predictor.name)
        if view_of(members[name]) != record.name
    ]
    if others:
        able = [name for name, member in members.items() if view_of(member) == record.name]
        advice = (
            f'Name one that does not: model="{able[0]}"' if able else "No model of this run does without."
        )
        raise ConfigError(
            f"{predictor.name} needs more than the vectors of {record.name}: its models {', '.join(others[:5])} see "
            f"other features of the sound. {advice}"
        )
