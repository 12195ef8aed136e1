"""Blend the members, score all honestly, and write the leaderboard and the run's own word."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.automl.blender import Answers
from aurist.automl.careless import interval, read_careless
from aurist.automl.gain import compare_rows, ensemble_gain
from aurist.automl.prepare import Say
from aurist.automl.windows import compare_variants
from aurist.crossval import FoldsFitted, TrainingData
from aurist.ensemble import Ensemble, blend, nested_ensemble
from aurist.errors import RunError
from aurist.evaluate import Interval, LeaderboardRow, Score, chance, leaderboard
from aurist.features.schema import row_keys
from aurist.files import atomic_path, write_json
from aurist.models.base import Proba
from aurist.plan import ENSEMBLE, GLUON_ENSEMBLE
from aurist.predictions import Predictions
from aurist.run import Run, RunData, held_out
from aurist.seen import Seen, SeenScores, learn_seen, overlap
from aurist.splits import Split
from aurist.temper import choose_temperature, nested_temperatures, temper, temper_parts
from aurist.tilt import choose_power, nested_powers, tilt_rows


@dataclass(frozen=True)
class Scored:
    """The rows that are scored, and what every model says of them."""

    rows: npt.NDArray[np.intp]
    truth: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    probas: dict[str, Proba]


def finish(run: Run, data: RunData, learn: TrainingData, fitted: list[FoldsFitted], say: Say) -> None:
    """Blend, score, and write ``ensemble.json predictions.parquet leaderboard.csv scores.json seen.npz``."""
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows].tolist()
    scored = Scored(
        rows,
        learn.examples.targets[rows],
        learn.groups[rows],
        learn.folds[rows],
        {found.member.name: found.oof.aligned(ids) for found in fitted},
    )
    weights: dict[str, list[dict[str, float]]] = {}
    names = list(scored.probas)
    gluon = [found for found in fitted if found.member.engine == "autogluon"]
    if len(gluon) > 1 and not learn.task.multilabel:
        weights[GLUON_ENSEMBLE], scored.probas[GLUON_ENSEMBLE] = _gluon_ensemble(gluon, learn, scored)
    ours = nested_ensemble(
        [scored.probas[name] for name in names],
        scored.truth,
        scored.folds,
        scored.groups,
        learn.task.metric,
        multilabel=learn.task.multilabel,
        seed=learn.task.seed,
        row_weight=learn.examples.weight[rows],
    )
    weights[ENSEMBLE] = [_named(names, ours.weights)] * len(learn.splits)
    sure = _calibrated(ours, learn, scored)
    scored.probas[ENSEMBLE] = tilt_rows(sure.tempered, sure.prior, sure.powers)
    seen, as_seen = learn_seen(
        row_keys(data.features.iloc[_positions(data, ids)]),
        sure.tempered,
        scored.truth,
        scored.folds,
        multilabel=learn.task.multilabel,
        unscored=row_keys(learn.examples.features[learn.folds < 0]),
    )
    with atomic_path(run.folder / "seen.npz") as part, part.open("wb") as file:
        np.savez(file, keys=seen.keys, proba=seen.proba, counts=seen.counts, rows=seen.rows,
                 strength=seen.strength, unscored=seen.unscored)  # fmt: skip
    as_seen = replace(as_seen, proba=tilt_rows(as_seen.proba, sure.prior, sure.powers))
    write_json(
        run.folder / "ensemble.json",
        {
            "members": [_described(f) for f in fitted],
            "weights": weights,
            "temperature": sure.temperature,
            "tilt": {"power": sure.power, "prior": sure.prior.tolist()},
        },
    )
    _write_predictions(run, learn, fitted, scored, ids)
    board = _leaderboard(learn, fitted, scored, weights)
    with atomic_path(run.folder / "leaderboard.csv") as part:
        board.to_csv(part, index=False, float_format="%.6g")
    variants = compare_variants(fitted, learn)
    if variants is not None:
        with atomic_path(run.folder / "variants.csv") as part:
            variants.to_csv(part, index=False, float_format="%.6g")
    word = _word(run, data, learn, scored, as_seen, seen)
    held = held_out(data)
    if held is not None:
        word["held_out"] = _held_out_word(run, held, seen)
    word["against"] = ensemble_gain(compare_rows(run))
    write_json(run.folder / "scores.json", word)
    run.log("finished", {"best": ENSEMBLE, "score": float(board.set_index("model")["score"][ENSEMBLE])})
    say(f"run written to {run.folder}")


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


def _calibrated(ours: Ensemble, learn: TrainingData, scored: Scored) -> Calibrated:
    several = learn.task.multilabel
    weight = learn.examples.weight[scored.rows]
    prior = np.average(learn.examples.targets, axis=0, weights=learn.examples.weight)
    level = "" if several else learn.task.metric
    found = nested_temperatures(ours.proba, scored.truth, ours.part, weight, multilabel=several)
    nested = temper_parts(ours.proba, ours.part, found, multilabel=several)
    temperature = choose_temperature(ours.proba, scored.truth, weight, multilabel=several)
    whole = temper(ours.proba, temperature, multilabel=several)
    return Calibrated(
        temperature,
        choose_power(whole, scored.truth, prior, level, weight),
        prior,
        nested,
        nested_powers(nested, scored.truth, ours.part, prior, level, weight),
    )


def _positions(data: RunData, ids: list[str]) -> npt.NDArray[np.intp]:
    found: npt.NDArray[np.intp] = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(ids))
    return found


def _named(names: list[str], weights: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(w), 6) for name, w in zip(names, weights, strict=True) if w > 0}


def _described(found: FoldsFitted) -> dict[str, Any]:
    member = found.member
    return {"name": member.name, "engine": member.engine, "settings": dict(member.settings)}


def _gluon_ensemble(
    fitted: list[FoldsFitted], learn: TrainingData, scored: Scored
) -> tuple[list[dict[str, float]], Proba]:
    """AutoGluon's own weighted ensemble: in each fold, its selection on the inner part of the training folds."""
    from aurist.models.tabular import select_weights

    names = [found.member.name for found in fitted]
    out = np.zeros_like(scored.probas[names[0]])
    weights = []
    for split in learn.splits:
        ids = learn.clip_ids[split.inner].tolist()
        inner = [_inner_of(found, split).aligned(ids) for found in fitted]
        chosen = select_weights(inner, learn.examples.targets[split.inner], learn.task)
        here = scored.folds == split.fold
        out[here] = blend([scored.probas[name][here] for name in names], chosen)
        weights.append(_named(names, chosen))
    return weights, out


def _inner_of(found: FoldsFitted, split: Split) -> Predictions:
    """What a member of AutoGluon's said of the inner part of one fold."""
    inner = found.inner
    if inner is None:
        raise RunError(f"{found.member.name} said nothing of its inner part.")
    rows = inner.fold == split.fold
    return Predictions(
        inner.model, inner.clip_id[rows], inner.proba[rows], inner.classes, inner.fold[rows], "inner"
    )


def _write_predictions(
    run: Run, learn: TrainingData, fitted: list[FoldsFitted], scored: Scored, ids: list[str]
) -> None:
    ids_array = np.asarray(ids, dtype=object)
    frames = [
        Predictions(name, ids_array, proba, learn.task.classes, scored.folds).to_frame()
        for name, proba in scored.probas.items()
    ]
    frames += [found.inner.to_frame() for found in fitted if found.inner is not None]
    with atomic_path(run.folder / "predictions.parquet") as part:
        pd.concat(frames, ignore_index=True).to_parquet(part)


def _leaderboard(
    learn: TrainingData,
    fitted: list[FoldsFitted],
    scored: Scored,
    weights: dict[str, list[dict[str, float]]],
) -> pd.DataFrame:
    times = {found.member.name: (found.fit_time, found.pred_time) for found in fitted}
    facts = {found.member.name: found.facts for found in fitted}
    rows = []
    for name, proba in scored.probas.items():
        used = set().union(*weights[name]) if name in weights else {name}
        # the weights of the ensembles were chosen on what all members said
        fit = sum(times[member][0] for member in (times if name in weights else used))
        found = _interval(learn, scored, proba)
        rows.append(
            LeaderboardRow(
                Score(name, learn.task.metric, found.score, found.low, found.high, len(scored.rows)),
                fit_time=round(fit, 2),
                pred_time=round(sum(times[member][1] for member in used), 3),
                stack_level=2 if name in weights else 1,
                params=facts.get(name, {}).get("params", float("nan")),
                train_speed=round(facts.get(name, {}).get("train_speed", float("nan")), 1),
                pred_speed=round(len(scored.rows) / max(1e-9, sum(times[member][1] for member in used)), 1),
            )
        )
    return leaderboard(rows)


def _interval(learn: TrainingData, scored: Scored, proba: Proba) -> Interval:
    return interval(learn.task, scored.truth, proba, scored.groups, learn.examples.weight[scored.rows])


def _word(
    run: Run,
    data: RunData,
    learn: TrainingData,
    scored: Scored,
    as_seen: SeenScores,
    seen: Seen,
) -> dict[str, Any]:
    """What the run says of itself: its honest score, the careless one, and those for the test table."""
    task = learn.task
    word: dict[str, Any] = {
        "metric": task.metric,
        "best": ENSEMBLE,
        "score": asdict(_interval(learn, scored, scored.probas[ENSEMBLE])),
        "chance": chance(scored.truth, task.metric, multilabel=task.multilabel),
        "n_scored": len(scored.rows),
        "n_groups": len(np.unique(scored.groups)),
        "careless": read_careless(run),
    }
    if data.test_keys is not None:
        word["test"] = _test_word(data.test_keys, learn, scored, as_seen, seen)
    return word


def _held_out_word(run: Run, held: RunData, seen: Seen) -> dict[str, Any]:
    """The score on the part "test", which had no part in anything until now; new rows apart where some are not."""
    task = held.task
    keys = row_keys(held.features)
    known = seen.known(keys)
    proba = Answers(run, held).proba(held.inputs(), seen)
    truth = held.clips.targets(task.classes)

    def score(rows: npt.NDArray[np.bool_]) -> dict[str, float]:
        return asdict(interval(task, truth[rows], proba[rows], held.groups[rows]))

    word: dict[str, Any] = {"n": len(known), "seen": int(known.sum()), "score": score(np.ones_like(known))}
    if known.any() and not known.all():
        word["new"] = score(~known)
    return word


def _test_word(
    test_keys: npt.NDArray[np.uint64],
    learn: TrainingData,
    scored: Scored,
    as_seen: SeenScores,
    seen: Seen,
) -> dict[str, Any]:
    """The score to expect on the rows of the test table that are new, and on the whole of it."""
    known = seen.known(test_keys)
    found = overlap(as_seen.copies, float(known.mean()))
    weight = learn.examples.weight[scored.rows]
    proba = scored.probas[ENSEMBLE]
    task = learn.task
    new = interval(task, scored.truth, proba, scored.groups, weight * found.new_weight)
    both = interval(
        task,
        np.concatenate([scored.truth, scored.truth]),
        np.concatenate([proba, as_seen.proba]),
        np.concatenate([scored.groups, scored.groups]),
        np.concatenate([weight * found.new_weight, weight * found.seen_weight]),
    )
    return {
        "rows": len(test_keys),
        "seen": int(known.sum()),
        "expected_new": asdict(new),
        "expected_all": asdict(both),
    }
