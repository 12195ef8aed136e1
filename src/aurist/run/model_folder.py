"""``model.json``: an exported model, written and read back.

A model folder holds ``model.json``, ``models/<name>/fold<k>/`` and ``README.md``; perhaps ``embedders/``,
``openset.npz``, ``duplicates.npz`` and ``example/``. All its files are listed with their sizes and hashes. None of
them is a pickle or code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from aurist.errors import RunError, listing
from aurist.features.schema import Column, Schema
from aurist.features.summary import VERSION
from aurist.features.summary_config import SummaryConfig
from aurist.files import sha256_of
from aurist.folders import check_name
from aurist.machine import available_cores
from aurist.metrics import METRICS, Interval
from aurist.models.base import Task
from aurist.records import OPTIONAL, from_json
from aurist.run.embedders_file import read_embedders
from aurist.run.ensemble_file import EnsembleRecord, ensemble_of
from aurist.run.folder import open_run
from aurist.run.model_files import MODEL, ModelFiles, files_of_run
from aurist.run.scores_file import UnknownScores
from aurist.run.spec import RunSpec
from aurist.stored import read_json, stored

#: Raised when a model folder of an older version can no longer be read. That must not happen: read both instead.
MODEL_FORMAT = 1
#: Files that anyone may change or add, such as the card.
_FREE = ("README.md", "LICENSE", "LICENSE.txt")


@dataclass(frozen=True)
class StoredFile:
    """The size in bytes and the SHA-256 of a file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Scores:
    """The scores of the rows of a model folder, out of fold.

    Parameters
    ----------
    metric
        The metric.
    rows
        By row, its score and interval.
    clips, groups
        Numbers of scored clips and of their groups.
    chance
        The score of guessing.
    """

    metric: str
    rows: Mapping[str, Interval]
    clips: int
    groups: int
    chance: float


@dataclass(frozen=True)
class Example:
    """An example and its answer: ``file`` lies in the model folder."""

    file: str
    proba: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """The content of ``model.json``.

    Parameters
    ----------
    format
        The version of the model folder.
    aurist
        The version of aurist that wrote it.
    classes, multilabel, window, features, summary
        As in `aurist.run.description.RunDescription`.
    columns
        The feature columns.
    n_folds
        The number of folds of each model.
    ensemble
        The rows, as rules that combine models.
    thresholds
        By row, the threshold of each class.
    precisions
        By row and class, pairs of a precision and its threshold.
    scores
        Scores of the rows.
    left_out
        Models of the run that could not be exported, with the reasons.
    unknown
        How well clips of classes that were never learnt are noticed; None if it was not measured.
    example
        An example; None without.
    versions
        Versions of the libraries that trained it.
    files
        By path, the files of the folder.
    """

    format: int
    aurist: str
    classes: tuple[str, ...]
    multilabel: bool
    window: float | None
    columns: tuple[Column, ...]
    features: int
    summary: SummaryConfig | None
    n_folds: int
    ensemble: EnsembleRecord
    thresholds: Mapping[str, Mapping[str, float]]
    precisions: Mapping[str, Mapping[str, tuple[tuple[float, float], ...]]]
    scores: Scores
    left_out: Mapping[str, str] = field(default_factory=dict, metadata=OPTIONAL)
    unknown: UnknownScores | None = field(default=None, metadata=OPTIONAL)
    example: Example | None = field(default=None, metadata=OPTIONAL)
    versions: Mapping[str, str]
    files: Mapping[str, StoredFile]


def open_model(folder: Path) -> ModelFiles:
    """Open a finished run, or a model folder that `aurist export` wrote.

    Raises
    ------
    RunError
        If it is neither, or its files are damaged.
    """
    if (folder / MODEL).exists():
        return read_model_folder(folder)
    return files_of_run(open_run(folder))


def read_description(folder: Path) -> ModelDescription:
    """Read ``model.json``.

    Raises
    ------
    RunError
        If it is damaged, or of a version that this aurist cannot read.
    """
    path, remedy = folder / MODEL, _remedy(folder)
    content = read_json(path, {"format": int}, remedy)
    if content["format"] != MODEL_FORMAT:
        raise RunError(
            f"{folder} is a model folder of format {content['format']}, but this version of aurist reads "
            f"{MODEL_FORMAT}. Update aurist: pip install -U aurist"
        )
    with stored(path, remedy):
        return from_json(ModelDescription, content)


def read_model_folder(folder: Path) -> ModelFiles:
    """Read a model folder, and check its list of files.

    Raises
    ------
    RunError
        If files are missing, damaged or not listed, or its features are of another version.
    """
    content, remedy = read_description(folder), _remedy(folder)
    check_files(folder, content)
    if content.summary is not None and content.features != VERSION:
        raise RunError(
            f"{folder} was exported with features of version {content.features}, but this aurist makes version "
            f"{VERSION}. Install aurist {content.aurist}, or export the model again from a new fit."
        )
    with stored(folder / MODEL, remedy):
        if content.scores.metric not in METRICS:
            raise ValueError(f"scores.metric is {content.scores.metric!r}")
        if not 1 <= content.n_folds <= len(content.files):
            raise ValueError(f"n_folds is {content.n_folds}")
        for member in content.ensemble.members:
            check_name(member.name, "The name of a model")
        ensemble = ensemble_of(content.ensemble, len(content.classes), multilabel=content.multilabel)
    task = Task(content.classes, content.multilabel, content.scores.metric, 0, available_cores(0))
    spec = RunSpec(task, Schema(content.columns), content.summary, content.window)
    return ModelFiles(
        folder,
        remedy,
        spec,
        ensemble,
        content.thresholds,
        tuple(read_embedders(folder, remedy)),
        None,
        content.n_folds,
        content.precisions,
    )


def check_files(folder: Path, content: ModelDescription) -> None:
    """Check that the folder has the listed files in their sizes, and no others.

    Raises
    ------
    RunError
        If it does not, or a path leads out of the folder.
    """
    problems = []
    for name, file in content.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
            problems.append(f"{name!r} leads out of the folder")
        elif (folder / name).is_symlink() or not (folder / name).is_file():
            problems.append(f"{name} is missing")
        elif (folder / name).stat().st_size != file.size:
            size = (folder / name).stat().st_size
            problems.append(f"{name} has {size:,} bytes, and {file.size:,} are expected")
    listed = {*content.files, MODEL, *_FREE}
    problems += [f"{name} is not listed in {MODEL}" for name in _files_in(folder) if name not in listed]
    if problems:
        raise RunError(
            f"{folder} is not as it was exported:\n{listing(problems)}\nIt is not loaded. {_remedy(folder)}"
        )


def list_files(folder: Path) -> dict[str, StoredFile]:
    """List the files of a folder that ``model.json`` must name."""
    return {
        name: StoredFile((folder / name).stat().st_size, sha256_of(folder / name))
        for name in _files_in(folder)
        if name not in (MODEL, *_FREE)
    }


def _files_in(folder: Path) -> list[str]:
    """List all files, hidden ones aside: systems and version control add those."""
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir())
    return [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]


def _remedy(folder: Path) -> str:
    return f"Get the model again from where {folder.name} came from, or export it again: aurist export RUN -o NEW"
