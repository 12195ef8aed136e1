"""Blend the members, score all honestly, and write the leaderboard and the run's own word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, apply_temperatures, choose_temperature, nested_temperatures
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.blend import Ensemble, blend
from aurist.ensemble.duplicates import dealt, learn_duplicates
from aurist.ensemble.prior_correction import choose_power, correct_prior_rows, nested_powers
from aurist.errors import RunError
from aurist.features.schema import row_keys
from aurist.files import atomic_path, write_json
from aurist.metrics import metric
from aurist.plan import ENSEMBLE, GLUON_ENSEMBLE
from aurist.predictions import Predictions
from aurist.results.decisions import decision_scores, write_thresholds
from aurist.results.leaderboard import run_leaderboard
from aurist.results.out_of_fold import OutOfFold, blendable, blended, scored_by
from aurist.results.pairwise import against_best_single, compare_rows
from aurist.results.pooling_choice import compare_variants
from aurist.results.scores import summarise_scores
from aurist.run import RunData, RunFolder
from aurist.splits import Split


def write_results(
    run: RunFolder, data: RunData, learn: TrainingData, fitted: list[CrossValidationResult]
) -> None:
    """Blend, score, and write ``ensemble.json thresholds.json predictions.parquet leaderboard.csv scores.json`` ..."""
    scored = scored_by(learn, fitted)
    ids = learn.clip_ids[scored.rows].tolist()
    weights: dict[str, list[dict[str, float]]] = {}
    size = run.config().ensemble_size
    names = blendable(fitted, size)
    gluon = [found for found in fitted if found.member.engine == "autogluon" and not found.base_models]
    if len(gluon) > 1 and not learn.task.multilabel:
        weights[GLUON_ENSEMBLE], scored.probas[GLUON_ENSEMBLE] = _gluon_ensemble(gluon, learn, scored)
    ours = blended(learn, scored, names, size)
    weights[ENSEMBLE] = [_named(names, ours.blend.weights)] * len(learn.splits)
    sure = _calibrated(ours, learn, scored)
    scored.probas[ENSEMBLE] = correct_prior_rows(sure.tempered, sure.prior, sure.powers)
    scored_keys, unscored_keys = _keys(data, learn, ids)
    parts = dealt(learn.groups[scored.rows], len(learn.splits), learn.task.seed)
    seen, as_seen = learn_duplicates(
        scored_keys,
        sure.tempered,
        scored.truth,
        scored.folds if learn.prescribed else parts,
        multilabel=learn.task.multilabel,
        unscored=unscored_keys,
    )
    with atomic_path(run.folder / "duplicates.npz") as part, part.open("wb") as file:
        np.savez(file, keys=seen.keys, proba=seen.proba, counts=seen.counts, rows=seen.rows,
                 strength=seen.twins.strength, logits=seen.twins.logits, unscored=seen.unscored)  # fmt: skip
    as_seen = replace(as_seen, proba=correct_prior_rows(as_seen.proba, sure.prior, sure.powers))
    write_json(
        run.folder / "ensemble.json",
        {
            "members": [_described(f) for f in fitted],
            "weights": weights,
            "temperatures": {ENSEMBLE: _named(names, ours.blend.temperatures)},
            "temperature": sure.temperature,
            "prior_correction": {"power": sure.power, "prior": sure.prior.tolist()},
        },
    )
    _write_predictions(run, learn, fitted, scored, ids)
    if learn.task.multilabel:
        write_thresholds(run, learn, scored)
    in_hand = ours.blend.apply([scored.probas[name] for name in names], multilabel=learn.task.multilabel)
    chosen_on = {
        ENSEMBLE: float(metric(learn.task.metric)(scored.truth, in_hand, multilabel=learn.task.multilabel))
    }
    board = run_leaderboard(learn, fitted, scored, weights, chosen_on)
    with atomic_path(run.folder / "leaderboard.csv") as part:
        board.to_csv(part, index=False, float_format="%.6g")
    variants = compare_variants(fitted, learn)
    if variants is not None:
        with atomic_path(run.folder / "variants.csv") as part:
            variants.to_csv(part, index=False, float_format="%.6g")
    word = summarise_scores(run, data, learn, scored, as_seen, seen)
    if learn.task.multilabel:
        word["decisions"] = decision_scores(learn, scored, ours.part)
    word["vs_best_single"] = against_best_single(
        compare_rows(run), {found.member.name for found in fitted if not found.base_models}
    )
    write_json(run.folder / "scores.json", word)


@dataclass(frozen=True)
class Calibrated:
    """How the blend is tempered and tilted: to predict with, and for its own word by choices of other parts.

    ``tempered`` and ``powers`` are nested: each part as the others had it.
    """

    temperature: float
    power: float
    prior: npt.NDArray[np.float64]
    tempered: Proba
    powers: npt.NDArray[np.float64]


def _calibrated(ours: Ensemble, learn: TrainingData, scored: OutOfFold) -> Calibrated:
    several = learn.task.multilabel
    weight = learn.examples.weight[scored.rows]
    prior = np.average(learn.examples.targets == 1, axis=0, weights=learn.examples.weight)
    level = "" if several else learn.task.metric
    found = nested_temperatures(ours.proba, scored.truth, ours.part, weight, multilabel=several)
    nested = apply_temperatures(ours.proba, ours.part, found, multilabel=several)
    temperature = choose_temperature(ours.proba, scored.truth, weight, multilabel=several)
    whole = apply_temperature(ours.proba, temperature, multilabel=several)
    return Calibrated(
        temperature,
        choose_power(whole, scored.truth, prior, level, weight),
        prior,
        nested,
        nested_powers(nested, scored.truth, ours.part, prior, level, weight),
    )


def _keys(
    data: RunData, learn: TrainingData, ids: list[str]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """By which twins are known, of the rows that are scored and of those that never are."""
    if data.summary is None and data.clips.has_audio:
        # features that were given beside recordings may be alike where what networks hear is not: no row has a twin
        numbers = np.arange(len(learn.folds), dtype=np.uint64)
        return numbers[: len(ids)], numbers[len(ids) :]
    scored = row_keys(data.features.iloc[_positions(data, ids)])
    return scored, row_keys(learn.examples.features[learn.folds < 0])


def _positions(data: RunData, ids: list[str]) -> npt.NDArray[np.intp]:
    found: npt.NDArray[np.intp] = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(ids))
    return found


def _named(names: list[str], weights: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(w), 6) for name, w in zip(names, weights, strict=True) if w > 0}


def _described(found: CrossValidationResult) -> dict[str, Any]:
    member = found.member
    told = {"name": member.name, "engine": member.engine, "settings": dict(member.settings)}
    return told | ({"base_models": list(found.base_models)} if found.base_models else {})


def _gluon_ensemble(
    fitted: list[CrossValidationResult], learn: TrainingData, scored: OutOfFold
) -> tuple[list[dict[str, float]], Proba]:
    """AutoGluon's own weighted ensemble: in each fold, its selection on the validation part of the training folds."""
    from aurist.models.autogluon import select_weights

    names = [found.member.name for found in fitted]
    out = np.zeros_like(scored.probas[names[0]])
    weights = []
    for split in learn.splits:
        ids = learn.clip_ids[split.validation].tolist()
        validation = [_validation_of(found, split).aligned(ids) for found in fitted]
        chosen = select_weights(validation, learn.examples.targets[split.validation], learn.task)
        here = scored.folds == split.fold
        out[here] = blend([scored.probas[name][here] for name in names], chosen)
        weights.append(_named(names, chosen))
    return weights, out


def _validation_of(found: CrossValidationResult, split: Split) -> Predictions:
    """What a member of AutoGluon's said of the validation part of one fold."""
    validation = found.validation
    if validation is None:
        raise RunError(f"{found.member.name} said nothing of its validation part.")
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
    scored: OutOfFold,
    ids: list[str],
) -> None:
    ids_array = np.asarray(ids, dtype=object)
    frames = [
        Predictions(name, ids_array, proba, learn.task.classes, scored.folds).to_frame()
        for name, proba in scored.probas.items()
    ]
    frames += [found.validation.to_frame() for found in fitted if found.validation is not None]
    with atomic_path(run.folder / "predictions.parquet") as part:
        pd.concat(frames, ignore_index=True).to_parquet(part)
