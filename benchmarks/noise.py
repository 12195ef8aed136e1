"""Labels without meaning: no model, and no choice from predictions, may be better than the best constant.

Every draw makes noise features (clips of noise for the network) and random labels. All kinds of models predict out of
fold. From the predictions come the blend, its temperature, the prior correction, the second level, thresholds,
poolings, the rule for copies and pseudo-labels, all by aurist's own functions. A cell is the score minus that of the
best constant, chosen with the labels of all scored rows; the mean over the draws with two standard errors. It must not
be above 0 by more than these. Cells that are get a hundred new draws with `--again`, judged with a correction for the
number of cells.

An interrupted command continues: every draw of a model is a line of `draws.jsonl`.

    python benchmarks/noise.py --draws 20 --seconds 280 --output noise/     # again and again until it says "all done"
    python benchmarks/noise.py --again 100 --output noise/                  # then, if a cell is above 0
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

import _common
from _noise_draws import N_FOLDS, SCHEMES, Draw, draw
from aurist.arrays import Proba
from aurist.automl.pseudo import pseudo_examples
from aurist.calibration import apply_temperatures, nested_temperatures
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.blend import nested_blend
from aurist.ensemble.duplicates import deal_groups, learn_duplicates
from aurist.ensemble.prior_correction import correct_prior_rows, nested_powers
from aurist.ensemble.stacking import beats_constant, reason_against, second_level
from aurist.ensemble.thresholds import nested_decisions
from aurist.metrics import metric
from aurist.models.base import Inputs, ModelSpec
from aurist.models.engines import engine
from aurist.plan import SECOND_LEVEL
from aurist.pooling import POOLINGS, choose_pooling, pool
from aurist.predictions import Predictions
from aurist.splits import assign_folds

COLUMNS = ("part", "scheme", "seed", "kind", "metric", "gain")


def _gluon(name: str, kind: str, **settings: Any) -> ModelSpec:
    return ModelSpec(name, "autogluon", {"kind": kind, "refit": True, **settings})


#: Fast models, whose predictions are also blended.
FIRST = (
    ModelSpec("ExtraTrees", "forest", {"trees": 20}),
    ModelSpec("Logistic", "classic", {"kind": "logistic"}),
    ModelSpec("KernelRidge", "kernel"),
    ModelSpec("SVM", "classic", {"kind": "svm"}),
    ModelSpec("LDA", "classic", {"kind": "lda"}),
)
GLUON = (
    _gluon("LightGBM", "GBM", num_boost_round=30),
    _gluon("LightGBMXT", "GBM", num_boost_round=30, extra_trees=True),
    _gluon("XGBoost", "XGB", n_estimators=30),
    _gluon("CatBoost", "CAT", iterations=30),
    _gluon("RandomForest", "RF", n_estimators=30),
    _gluon("NeuralNet", "NN_TORCH", num_epochs=10),
    _gluon("TabM", "TABM", n_epochs=5),
)
#: So many of the first models are blended.
BLENDED = 3
MLJAR, MLJAR_SECONDS = ModelSpec("mljar", "mljar", {"preset": "quick"}), 10.0
ABOVE = (
    ModelSpec("Logistic_L2", "classic", {"kind": "logistic"}, level=2),
    ModelSpec("ExtraTrees_L2", "forest", {"trees": 20}, level=2),
)
ABOVE_GLUON = SECOND_LEVEL


Part = Callable[[Draw], dict[str, dict[str, float]]]


def answers(learn: TrainingData, member: ModelSpec, seconds: float = np.inf) -> CrossValidationResult:
    """Return the out-of-fold predictions of a member, fitted without a process per fold."""
    proba = np.zeros(learn.examples.targets.shape)
    for split in learn.splits:
        with tempfile.TemporaryDirectory() as temporary:
            train, validation = learn.examples.take(split.train), learn.examples.take(split.validation)
            if split.fold in learn.pseudo_labelled:
                train = train.concat(learn.pseudo_labelled[split.fold])
            model = (
                engine(member.engine)
                .fit(Path(temporary), learn.task, member, train, validation, seconds)
                .model
            )
            proba[split.scored] = model.predict_proba(learn.examples.inputs.take(split.scored))
    oof = Predictions(member.name, learn.clip_ids, proba, learn.task.classes, learn.folds)
    return CrossValidationResult(member, oof, None, 0.0, 0.0, base_models=learn.base_models)


def gains(learn: TrainingData, proba: Proba) -> dict[str, float]:
    """Return for each metric the score minus that of the best constant in hindsight."""
    truth, several = learn.examples.targets, learn.task.multilabel
    usual = np.tile(truth.mean(axis=0), (len(truth), 1))
    names = ("log_loss",) if several else ("log_loss", "accuracy")
    return {
        name: metric(name)(truth, proba, multilabel=several) - metric(name)(truth, usual, multilabel=several)
        for name in names
    }


def choices(made: Draw, fitted: list[CrossValidationResult]) -> dict[str, dict[str, float]]:
    """Return the results of all choices from predictions, by row of the table and metric."""
    learn, several = made.learn, made.learn.task.multilabel
    truth, folds = learn.examples.targets, learn.folds
    probas = [one.oof.proba for one in fitted[:BLENDED]]
    scores: dict[str, dict[str, float]] = {}
    ours = nested_blend(
        probas, truth, folds, learn.groups, learn.task.metric, multilabel=several, seed=learn.task.seed
    )
    scores["blend"] = gains(learn, ours.proba)
    heats = nested_temperatures(ours.proba, truth, ours.part, multilabel=several)
    sure = apply_temperatures(ours.proba, ours.part, heats, multilabel=several)
    scores["blend, calibrated"] = gains(learn, sure)
    if several:
        named = nested_decisions(sure, truth, ours.part)
        score, rates = metric("f1_macro"), truth.mean(axis=0)
        # The best constant predicts every class.
        scores["thresholds"] = {
            "f1_macro": score(truth, named, multilabel=True) - float(np.mean(2 * rates / (1 + rates)))
        }
    else:
        prior = truth.mean(axis=0)
        powers = nested_powers(sure, truth, ours.part, prior, "balanced_accuracy")
        tilted = metric("balanced_accuracy")(truth, correct_prior_rows(sure, prior, powers), multilabel=False)
        scores["prior correction"] = {"balanced_accuracy": tilted - 1 / (truth.sum(axis=0) > 0).sum()}
    scores["pooling"] = gains(learn, _pooled(learn))
    if not learn.prescribed and len(np.unique(learn.groups)) == len(learn.groups):
        scores["copies"] = _copies(learn)
    scores["pseudo-labels"] = gains(learn, _taught(made, fitted[0]).oof.proba)
    return scores


def _pooled(learn: TrainingData) -> Proba:
    """Pool windows that hold the shares of the other folds and noise, by the pooling that is best on the other
    folds.
    """
    rng = np.random.default_rng(learn.task.seed)
    truth, several, n = learn.examples.targets, learn.task.multilabel, len(learn.folds)
    usual = np.stack([truth[learn.folds != fold].mean(axis=0) for fold in range(learn.folds.max() + 1)])
    logits = np.log(usual[learn.folds].clip(1e-3, 1 - 1e-3)).repeat(6, axis=0)
    proba = np.exp(logits + rng.normal(size=logits.shape))
    proba = proba / (1 + proba) if several else proba / proba.sum(axis=1, keepdims=True)
    clip = np.arange(n).repeat(6)
    pooled = {how: pool(proba, clip, n, how, multilabel=several) for how in POOLINGS}
    return choose_pooling(pooled, truth, learn.folds, "log_loss", multilabel=several)[1]


def _copies(learn: TrainingData) -> dict[str, float]:
    """Draw pairs of rows, each row with its own label; each is predicted from the label of the other."""
    keys = (np.arange(len(learn.folds)) // 2).astype(np.uint64)
    folds = assign_folds(learn.examples.targets, keys.astype(np.int64), N_FOLDS, learn.task.seed)
    usual = np.stack([learn.examples.targets[folds != fold].mean(axis=0) for fold in range(N_FOLDS)])
    parts = deal_groups(keys.astype(np.int64), N_FOLDS, learn.task.seed)
    duplicates = learn_duplicates(
        keys, usual[folds], learn.examples.targets, parts, multilabel=learn.task.multilabel
    )[1]
    return gains(learn, duplicates.proba)


def _taught(made: Draw, teacher: CrossValidationResult) -> CrossValidationResult:
    """Fit a forest that also learns from pseudo-labels of a teacher of the same fold."""
    learn, pseudo_labelled = made.learn, {}
    for split in learn.splits:
        with tempfile.TemporaryDirectory() as temporary:
            parts = learn.examples.take(split.train), learn.examples.take(split.validation)
            model = engine("forest").fit(Path(temporary), learn.task, teacher.member, *parts, np.inf).model
            inputs = Inputs(made.unlabelled)
            proba = model.predict_proba(inputs)
        pseudo_labelled[split.fold] = pseudo_examples(
            inputs, proba, learn.task.classes, 0.6, float(len(split.train)), multilabel=learn.task.multilabel
        )
    return answers(replace(learn, pseudo_labelled=pseudo_labelled), replace(teacher.member, name="student"))


def above(
    learn: TrainingData, fitted: list[CrossValidationResult], members: tuple[ModelSpec, ...]
) -> dict[str, dict[str, float]]:
    """Return the gains of second-level models. Those that aurist would not fit are marked as refused."""
    if learn.task.multilabel:
        return {}
    shown = second_level(learn, fitted)
    assert shown is not None
    scores = {}
    for member in members:
        refused = reason_against(learn, member) or not any(beats_constant(learn, one) for one in fitted)
        name = f"{member.name}, refused" if refused else member.name
        scores[name] = gains(learn, answers(shown, member).oof.proba)
    return scores


def quick(made: Draw) -> dict[str, dict[str, float]]:
    several = made.learn.task.multilabel
    fitted = [answers(made.learn, one) for one in FIRST if not (several and one.name in ("SVM", "LDA"))]
    scores = {one.member.name: gains(made.learn, one.oof.proba) for one in fitted}
    return scores | choices(made, fitted) | above(made.learn, fitted[:2], ABOVE)


def stacked(made: Draw) -> dict[str, dict[str, float]]:
    """AutoGluon's booster as the second level, as aurist plans it."""
    several = made.learn.task.multilabel
    return (
        {} if several else above(made.learn, [answers(made.learn, one) for one in FIRST[:2]], (ABOVE_GLUON,))
    )


def alone(member: ModelSpec, seconds: float = np.inf) -> Part:
    """A part with one model."""
    return lambda made: {member.name: gains(made.learn, answers(made.learn, member, seconds).oof.proba)}


def network(made: Draw) -> dict[str, dict[str, float]]:
    """A tiny network on clips of noise."""
    from _noise_sound import network_answers

    return {"network": gains(made.learn, network_answers(made.learn))}


PARTS: dict[str, Part] = {
    "quick": quick,
    "stacked": stacked,
    **{member.name: alone(member) for member in GLUON},
    "mljar": alone(MLJAR, MLJAR_SECONDS),
    "network": network,
}
#: Slow models: few draws.
FEW, FEW_DRAWS = ("mljar", "network", "NeuralNet", "TabM"), 5
#: Seeds of new draws start at this number.
AGAIN = 1000


def judged(rows: pd.DataFrame, z: float = 2.0) -> pd.DataFrame:
    """Return for each cell the mean, so many standard errors, and if it is above 0 by more than these."""
    cells = rows.groupby(["kind", "metric", "scheme"], sort=False)["gain"].agg(["mean", "std", "count"])
    cells["error"] = z * cells["std"] / np.sqrt(cells["count"])  # A single draw has no standard error.
    cells["above"] = cells["mean"] > cells["error"] + 1e-9
    return cells.reset_index()


def written(cells: pd.DataFrame) -> str:
    lines = []
    for (kind, name), some in cells.groupby(["kind", "metric"], sort=False):
        by = some.set_index("scheme")
        texts = [
            f"{by.loc[s, 'mean']:+.3f} ± {by.loc[s, 'error']:.3f}{' **!**' if by.loc[s, 'above'] else ''}"
            if s in by.index
            else ""
            for s in SCHEMES
        ]
        lines.append([kind, name, str(int(some["count"].max())), *texts])
    return _common.table(["", "metric", "draws", *SCHEMES], lines)


def report(rows: pd.DataFrame) -> str:
    """Return the table, and the table of the cells that were drawn again."""
    cells, fresh = judged(rows[rows["seed"] < AGAIN]), rows[rows["seed"] >= AGAIN]
    text = written(cells)
    if len(fresh):
        again = judged(fresh, NormalDist().inv_cdf(1 - 0.05 / len(cells)))
        first = cells[cells["above"]][["kind", "metric", "scheme"]]
        text += "\n\nDrawn again, with a correction for the number of cells:\n\n"
        text += written(again.merge(first))
    return text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--again", type=int, default=0, help="new draws of the cells that are above 0")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument(
        "--seconds", type=float, default=np.inf, help="stop after so many seconds; the same command continues"
    )
    parser.add_argument("--output", type=Path, default=Path("noise"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    options.output.mkdir(parents=True, exist_ok=True)
    path, until = options.output / "draws.jsonl", time.monotonic() + options.seconds
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done_before = {(one["part"], one["scheme"], one["seed"]) for one in lines}
    rows = pd.DataFrame(lines, columns=list(COLUMNS))
    todo = [
        (part, scheme, seed)
        for seed in range(options.draws)
        for part in options.parts
        for scheme in SCHEMES
        if seed < FEW_DRAWS or part not in FEW
    ]
    if options.again:
        cells = judged(rows[rows["seed"] < AGAIN])
        doubted = cells[cells["above"] & ~cells["kind"].str.endswith("refused")]
        pairs = sorted({(one["part"], one["scheme"]) for one in rows.merge(doubted).to_dict("records")})
        todo = [(*pair, AGAIN + seed) for seed in range(options.again) for pair in pairs]
    left = [one for one in todo if one not in done_before]
    for part, scheme, seed in left:
        if time.monotonic() > until:
            print("not finished: give the same command again to continue")
            break
        scores = PARTS[part](draw(scheme, seed))
        cells_of_draw = [(kind, name, gain) for kind, by in scores.items() for name, gain in by.items()]
        with path.open("a", encoding="utf-8") as out:
            for cell in cells_of_draw:
                line = dict(zip(COLUMNS, (part, scheme, seed, *cell), strict=True))
                out.write(json.dumps(line) + "\n")
    else:
        print("all done")
    rows = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    (options.output / "table.md").write_text(report(rows) + "\n", encoding="utf-8")
    print(report(rows))


if __name__ == "__main__":
    main()
