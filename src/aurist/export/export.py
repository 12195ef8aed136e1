"""Write a model folder from a run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aurist.automl.background import mixtures_again
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.embedders import EmbedderRecord, copy_network
from aurist.ensemble.duplicates import Duplicates
from aurist.ensemble.thresholds import default_thresholds, in_whole_rows, precision_steps
from aurist.errors import DataError
from aurist.export.card import write_card
from aurist.export.choice import Choice, blend_again, choose_row, one_fold
from aurist.export.example import write_example
from aurist.export.members import copy_files, split_members
from aurist.export.refit import refit_members
from aurist.folders import remove_folder
from aurist.machine import installed_version, versions
from aurist.metrics import Interval
from aurist.plan import ENSEMBLE
from aurist.records import write_record
from aurist.results.chance import chance
from aurist.results.differences import Difference
from aurist.results.out_of_fold import OutOfFold, out_of_fold
from aurist.results.pruning import fitted_members
from aurist.run import (
    RunFolder,
    read_data,
    read_ensemble,
    training_data,
    write_duplicates,
)
from aurist.run.call_spectra_file import NAME as CALL_SPECTRA
from aurist.run.ensemble_file import record_of
from aurist.run.events_file import CURVE as EVENT_CURVE
from aurist.run.events_file import NAME as EVENTS
from aurist.run.model_files import MODEL
from aurist.run.model_folder import (
    MODEL_FORMAT,
    ModelDescription,
    Scores,
    list_files,
    read_model_folder,
)
from aurist.run.openset_file import NAME as OPEN_SET
from aurist.run.profiles_file import NAME as PROFILES


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export.

    Parameters
    ----------
    model
        The row of the leaderboard that predicts.
    with_duplicates
        Include the rows of the training data that answer for duplicates.
    example
        A recording, or a table of features, for the example; None: synthesise one.
    licence
        The licence of the model, for its card.
    refit
        Fit one model of each kind on all clips, in the place of the models of all folds.
    """

    model: str = ENSEMBLE
    with_duplicates: bool = False
    example: Path | None = None
    licence: str = "unknown"
    refit: bool = False


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    Parameters
    ----------
    folder
        The model folder.
    size
        Its bytes.
    members
        The exported models.
    left_out
        Models that could not be exported, with the reasons.
    score
        The score of the exported model, out of fold.
    against_whole
        Its difference to the ensemble of the run, if it was blended again.
    """

    folder: Path
    size: int
    members: tuple[str, ...]
    left_out: Mapping[str, str]
    score: Interval
    against_whole: Difference | None


def export_run(run: RunFolder, output: Path, options: ExportOptions | None = None) -> ExportResult:
    """Write a model folder: plain numbers, no pickle and no code, with a card and an example.

    Models that cannot be exported are left out. The ensemble is then blended again without them, scored out of fold,
    and compared with that of the run.

    Parameters
    ----------
    run
        A finished run.
    output
        The folder to make; a model folder that is there is replaced.
    options
        See `ExportOptions`.

    Raises
    ------
    ConfigError
        If the run has no such row.
    DataError
        If the output is a folder with something else in it.
    RunError
        If the run is not finished, or nothing of it can be exported.
    """
    options = options or ExportOptions()
    if output.exists() and not (output / MODEL).exists() and (not output.is_dir() or any(output.iterdir())):
        raise DataError(
            f"{output} exists and is no model folder; it is not overwritten. Give another folder."
        )
    parts = _choose(run, options)
    choice, left_out, oof = parts.choice, parts.left_out, parts.oof
    output.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        if options.refit:
            with tempfile.TemporaryDirectory() as fits:
                mixtures = mixtures_again(run, parts.learn, Path(fits) / "mixed")
                files = refit_members(
                    Path(fits), parts.learn, parts.fitted, choice.ensemble.members, mixtures
                )
                copy_files(files, Path(fits), part)
            choice = replace(choice, ensemble=one_fold(choice.ensemble))
        else:
            for paths in parts.files.values():
                copy_files(paths, run.folder, part)
        description = _write(run, part, options, choice, left_out, oof)
        remove_folder(output)
        part.chmod(0o755)  # temporary folders are for their owner alone
        part.rename(output)
    finally:
        remove_folder(part)
    return ExportResult(
        output,
        sum(path.stat().st_size for path in output.rglob("*") if path.is_file()),
        tuple(choice.ensemble.members),
        left_out,
        description.scores.rows[ENSEMBLE],
        choice.against_whole,
    )


@dataclass(frozen=True)
class _Parts:
    """The rule of a model, the files of its members, the reasons for those that are left out, and the run's data."""

    choice: Choice
    files: Mapping[str, list[Path]]
    left_out: Mapping[str, str]
    oof: OutOfFold
    learn: TrainingData
    fitted: Sequence[CrossValidationResult]


def _choose(run: RunFolder, options: ExportOptions) -> _Parts:
    data = read_data(run)
    learn = training_data(data)
    whole = read_ensemble(run)
    whole.check_row(options.model)
    fitted = fitted_members(run, learn)
    oof = out_of_fold(learn, fitted)
    ids = learn.clip_ids[oof.rows].tolist()
    stored = run.out_of_fold(data.task.classes)
    oof.probas.update({name: predictions.aligned(ids) for name, predictions in stored.items()})
    choice = choose_row(whole, oof.probas, options.model)
    n_folds = len(learn.splits)
    files, reasons = split_members(run, data.task, list(choice.ensemble.members.values()), n_folds)
    if reasons:
        specs = [result.member for result in fitted]
        all_files, all_reasons = split_members(run, data.task, specs, n_folds)
        size = run.config().ensemble_size
        choice = blend_again(data, learn, fitted, oof, set(all_files), size)
        files = {name: all_files[name] for name in choice.ensemble.members}
        reasons = {name: all_reasons[name] for name in reasons}
    return _Parts(choice, files, reasons, oof, learn, fitted)


def _write(
    run: RunFolder,
    folder: Path,
    options: ExportOptions,
    choice: Choice,
    left_out: Mapping[str, str],
    oof: OutOfFold,
) -> ModelDescription:
    copy_files([path for path in run.folder.glob("embedders/**/*") if path.is_file()], run.folder, folder)
    for network in run.embedders():
        if isinstance(network, EmbedderRecord):
            copy_network(network, run.folder, folder)
    measured = [run.folder / name for name in (OPEN_SET, PROFILES)]
    copy_files([path for path in measured if path.exists()], run.folder, folder)
    if options.model == ENSEMBLE and not left_out:
        # another rule has other events
        events = [run.folder / name for name in (EVENTS, EVENT_CURVE, CALL_SPECTRA)]
        copy_files([path for path in events if path.exists()], run.folder, folder)
    if options.with_duplicates:
        _write_duplicates(run, folder, choice.duplicates)
    description = _description(run, choice, left_out, oof, folder)
    write_record(folder / MODEL, description)
    example = write_example(folder, read_model_folder(folder), options.example)
    description = replace(description, example=example, files=list_files(folder))
    write_record(folder / MODEL, description)
    write_card(folder, description, options.licence, run.scores().cautions)
    return description


def _write_duplicates(run: RunFolder, folder: Path, duplicates: Duplicates | None) -> None:
    if duplicates is None:
        copy_files([run.folder / "duplicates.npz"], run.folder, folder)
    else:
        write_duplicates(folder, duplicates)


def _description(
    run: RunFolder,
    choice: Choice,
    left_out: Mapping[str, str],
    oof: OutOfFold,
    folder: Path,
) -> ModelDescription:
    source, classes = run.description(), oof.task.classes
    thresholds, precisions = {}, {}
    if oof.task.multilabel:
        for name, proba in choice.probas.items():
            best = default_thresholds(proba, oof.truth, oof.groups, oof.folds, oof.weight)
            thresholds[name] = dict(zip(classes, best.tolist(), strict=True))
            steps = precision_steps(proba, in_whole_rows(oof.truth), oof.weight)
            precisions[name] = {label: tuple(pairs) for label, pairs in zip(classes, steps, strict=True)}
    return ModelDescription(
        format=MODEL_FORMAT,
        aurist=installed_version("aurist"),
        classes=classes,
        multilabel=oof.task.multilabel,
        window=source.window,
        columns=source.schema,
        features=source.features,
        summary=source.summary,
        n_folds=len(choice.ensemble.weights[ENSEMBLE]),
        ensemble=record_of(choice.ensemble),
        thresholds=thresholds,
        precisions=precisions,
        scores=Scores(
            oof.task.metric,
            {name: oof.interval(proba) for name, proba in choice.probas.items()},
            len(oof.rows),
            len(np.unique(oof.groups)),
            chance(oof.truth, oof.task.metric, multilabel=oof.task.multilabel),
        ),
        left_out=dict(left_out),
        unknown=run.scores().unknown,
        versions=versions(),
        files=list_files(folder),
    )
