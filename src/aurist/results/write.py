"""Blend the members, score them honestly, and write the result files of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, apply_temperatures, choose_temperature, nested_temperatures
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.blend import NestedBlend, blend
from aurist.ensemble.duplicates import Duplicates, DuplicateScores, deal_groups, learn_duplicates
from aurist.ensemble.model import Ensemble, PriorCorrection
from aurist.ensemble.prior_correction import choose_power, correct_prior_rows, nested_powers
from aurist.errors import RunError
from aurist.extras import has_extra
from aurist.features.matrix import row_keys
from aurist.files import atomic_path
from aurist.models.network_member import TEACHER
from aurist.models.views import embedded_by
from aurist.plan import ENSEMBLE, GLUON_ENSEMBLE
from aurist.predictions import Predictions
from aurist.results.decisions import choose_thresholds, decision_scores
from aurist.results.leaderboard import run_leaderboard
from aurist.results.out_of_fold import OutOfFold, blendable, out_of_fold
from aurist.results.pairwise import against_best_single
from aurist.results.pooling_choice import compare_variants
from aurist.results.scores import summarise_scores
from aurist.results.unknown import learn_open_set
from aurist.run import RunData, RunFolder, write_duplicates, write_ensemble, write_open_set
from aurist.run.scores_file import write_scores
from aurist.run.thresholds_file import write_thresholds
from aurist.splits import Split
from aurist.tables import write_table


def write_results(
    run: RunFolder, data: RunData, learn: TrainingData, fitted: list[CrossValidationResult]
) -> None:
    """Blend the members, score all of them, and write every result file of the run."""
    oof = out_of_fold(learn, fitted)
    size = run.config().ensemble_size
    names = blendable(fitted, size)
    weights: dict[str, Sequence[Mapping[str, float]]] = {}
    gluon = [result for result in fitted if result.member.engine == "autogluon" and not result.base_models]
    if len(gluon) > 1 and not learn.task.multilabel and has_extra("automl"):
        weights[GLUON_ENSEMBLE], oof.probas[GLUON_ENSEMBLE] = _gluon_ensemble(gluon, learn, oof)
    nested, calibrated, ensemble = blend_members(learn, fitted, oof, size)
    weights |= ensemble.weights
    oof.probas[ENSEMBLE] = calibrated.proba
    duplicates, duplicate_scores = learn_duplicate_rows(data, learn, oof, calibrated)
    write_duplicates(run.folder, duplicates)
    write_ensemble(run, replace(ensemble, weights=weights))
    _write_predictions(run, learn, fitted, oof)
    if learn.task.multilabel:
        write_thresholds(run, choose_thresholds(oof, nested.part))
    on_own_rows = nested.blend.apply([oof.probas[name] for name in names], multilabel=learn.task.multilabel)
    board = run_leaderboard(learn, fitted, oof, weights, {ENSEMBLE: oof.score(on_own_rows)})
    _write_csv(run, "leaderboard.csv", board)
    variants = compare_variants(fitted, learn)
    if variants is not None:
        _write_csv(run, "variants.csv", variants)
    pairs = oof.pairwise()
    _write_csv(run, "pairwise.csv", pairs)
    singles = {
        result.member.name
        for result in fitted
        if not result.base_models and TEACHER not in result.member.settings
    }
    made_by = embedded_by(learn.examples.features.columns)
    seen = [network for network in made_by if ensemble.sees(ENSEMBLE, network)]
    unknown = learn_open_set(learn, seen)
    if unknown is not None:
        write_open_set(run.folder, unknown[0])
    scores = summarise_scores(
        run,
        data,
        learn,
        oof,
        duplicate_scores,
        duplicates,
        decision_scores(oof, nested.part) if learn.task.multilabel else {},
        against_best_single(pairs, singles),
        None if unknown is None else unknown[1],
    )
    write_scores(run.folder, scores)


def blend_members(
    learn: TrainingData, fitted: Sequence[CrossValidationResult], oof: OutOfFold, size: int | None
) -> tuple[NestedBlend, Calibrated, Ensemble]:
    """Choose the weights, the temperatures and the prior correction of the ensemble.

    Parameters
    ----------
    learn
        The training data.
    fitted
        The members that it may have.
    oof
        Their out-of-fold predictions.
    size
        The largest number of members; None: any.

    Returns
    -------
    nested, calibrated
        The choices, and predictions for each part by the choices of the other parts.
    ensemble
        The rule to predict with.
    """
    names = blendable(fitted, size)
    nested = oof.blend(names, size)
    calibrated = _calibrate(nested, learn, oof)
    ensemble = Ensemble(
        {result.member.name: result.member for result in fitted},
        {result.member.name: tuple(result.base_models) for result in fitted if result.base_models},
        {ENSEMBLE: [_by_name(names, nested.blend.weights)] * len(learn.splits)},
        {ENSEMBLE: _by_name(names, nested.blend.temperatures)},
        calibrated.temperature,
        PriorCorrection(calibrated.power, calibrated.prior),
        learn.task.multilabel,
    )
    return nested, calibrated, ensemble


@dataclass(frozen=True)
class Calibrated:
    """The temperature and the prior correction of the blend.

    ``tempered`` and ``powers`` are nested: each part is calibrated on the other parts. So its own score has no effect
    on any choice.
    """

    temperature: float
    power: float
    prior: npt.NDArray[np.float64]
    tempered: Proba
    powers: npt.NDArray[np.float64]

    @property
    def proba(self) -> Proba:
        """(n, n_classes): the predictions of the ensemble, out of fold."""
        return correct_prior_rows(self.tempered, self.prior, self.powers)


def _calibrate(nested: NestedBlend, learn: TrainingData, oof: OutOfFold) -> Calibrated:
    multilabel, weight, truth, part = learn.task.multilabel, oof.weight, oof.truth, nested.part
    prior = np.average(learn.examples.targets == 1, axis=0, weights=learn.examples.weight)
    metric_name = "" if multilabel else learn.task.metric
    by_part = nested_temperatures(nested.proba, truth, part, weight, multilabel=multilabel)
    tempered = apply_temperatures(nested.proba, part, by_part, multilabel=multilabel)
    temperature = choose_temperature(nested.proba, truth, weight, multilabel=multilabel)
    whole = apply_temperature(nested.proba, temperature, multilabel=multilabel)
    return Calibrated(
        temperature,
        choose_power(whole, truth, prior, metric_name, weight),
        prior,
        tempered,
        nested_powers(tempered, truth, part, prior, metric_name, weight),
    )


def learn_duplicate_rows(
    data: RunData, learn: TrainingData, oof: OutOfFold, calibrated: Calibrated
) -> tuple[Duplicates, DuplicateScores]:
    """Learn the predictions for duplicate rows, and score them."""
    scored_keys, unscored_keys = _keys(data, learn, oof)
    parts = deal_groups(oof.groups, len(learn.splits), learn.task.seed)
    duplicates, scores = learn_duplicates(
        scored_keys,
        calibrated.tempered,
        oof.truth,
        oof.folds if learn.prescribed else parts,
        multilabel=learn.task.multilabel,
        unscored=unscored_keys,
    )
    corrected = correct_prior_rows(scores.proba, calibrated.prior, calibrated.powers)
    return duplicates, replace(scores, proba=corrected)


def _keys(
    data: RunData, learn: TrainingData, oof: OutOfFold
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Make the keys by which duplicates are found, of scored rows and of rows that are never scored."""
    if data.summary is None and data.clips.has_audio:
        # rows with equal given features may have different recordings: no row counts as a duplicate
        numbers = np.arange(len(learn.folds), dtype=np.uint64)
        return numbers[: len(oof.rows)], numbers[len(oof.rows) :]
    features = learn.examples.features
    return row_keys(features.iloc[oof.rows]), row_keys(features[learn.folds < 0])


def _write_csv(run: RunFolder, name: str, table: pd.DataFrame) -> None:
    with atomic_path(run.folder / name) as part:
        table.to_csv(part, index=False, float_format="%.6g")


def _by_name(names: list[str], values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in zip(names, values, strict=True) if value > 0}


def _gluon_ensemble(
    fitted: list[CrossValidationResult], learn: TrainingData, oof: OutOfFold
) -> tuple[list[dict[str, float]], Proba]:
    """Compute AutoGluon's weighted ensemble: each fold selects on the validation part of its training folds."""
    from aurist.models.autogluon import select_weights

    names = [result.member.name for result in fitted]
    out = np.zeros_like(oof.probas[names[0]])
    weights = []
    for split in learn.splits:
        ids = learn.clip_ids[split.validation].tolist()
        validation = [_validation_of(result, split).aligned(ids) for result in fitted]
        chosen = select_weights(validation, learn.examples.targets[split.validation], learn.task)
        rows = oof.folds == split.fold
        out[rows] = blend([oof.probas[name][rows] for name in names], chosen)
        weights.append(_by_name(names, chosen))
    return weights, out


def _validation_of(result: CrossValidationResult, split: Split) -> Predictions:
    """Select the predictions of an AutoGluon member for the validation part of one fold."""
    validation = result.validation
    if validation is None:
        raise RunError(f"{result.member.name} has no predictions of its validation part.")
    rows = validation.fold == split.fold
    return Predictions(
        validation.model,
        validation.clip_id[rows],
        validation.proba[rows],
        validation.classes,
        validation.fold[rows],
        "validation",
    )


def _write_predictions(
    run: RunFolder,
    learn: TrainingData,
    fitted: list[CrossValidationResult],
    oof: OutOfFold,
) -> None:
    ids = learn.clip_ids[oof.rows]
    frames = [
        Predictions(name, ids, proba, learn.task.classes, oof.folds).to_frame()
        for name, proba in oof.probas.items()
    ]
    frames += [result.validation.to_frame() for result in fitted if result.validation is not None]
    write_table(pd.concat(frames, ignore_index=True), run.folder / "predictions.parquet")
