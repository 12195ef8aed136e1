"""The pooling of windows is chosen by folds that the choice is not scored on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from aurist.crossval import CrossValidationResult, TrainingData
from aurist.metrics import metric
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.models.network_member import ONE_CHECKPOINT, POOLED
from aurist.predictions import Predictions
from aurist.results.pooling_choice import (
    VARIANT_COLUMNS,
    compare_variants,
    pooled_as_others_would,
    with_best_pooling,
)

CLASSES = ("a", "b", "c")
N = 240


@pytest.fixture
def learn() -> TrainingData:
    rng = np.random.default_rng(0)
    targets = np.eye(3, dtype=np.int8)[rng.integers(0, 3, N)]
    return TrainingData(
        Task(CLASSES, False, "accuracy", seed=0),
        Examples(Inputs(pd.DataFrame(index=range(N))), targets, np.ones(N)),
        np.array([f"c{i}" for i in range(N)], dtype=object),
        np.arange(N),
        np.arange(N) % 4,
        [],
    )


def saying(learn: TrainingData, name: str, skill: float, seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(3), N) + skill * learn.examples.targets
    proba /= proba.sum(axis=1, keepdims=True)
    order = rng.permutation(N)  # predictions come in the order of the folds, not of the clips
    return Predictions(name, learn.clip_ids[order], proba[order], CLASSES, learn.folds[order])


def fitted(learn: TrainingData, **ways: tuple[float, int]) -> CrossValidationResult:
    probas = {name: saying(learn, name, *way) for name, way in ways.items()}
    member = ModelSpec("net", "network", {"recipe": {}})
    return CrossValidationResult(member, next(iter(probas.values())), None, 1.0, 1.0, probas)


def test_the_best_pooling_is_kept_and_its_own_word_is_nested(learn: TrainingData) -> None:
    result = fitted(learn, **{POOLED + "mean": (0.2, 1), POOLED + "max": (1.0, 2), ONE_CHECKPOINT: (3.0, 3)})
    best = with_best_pooling(result, learn)
    assert best.member.settings == {"recipe": {}, "pooling": "max"}
    ids = learn.clip_ids.tolist()
    # so far apart that every fold's choice is the same: what is told is then what that pooling says
    assert np.allclose(best.oof.aligned(ids), result.variants[POOLED + "max"].aligned(ids))


def test_the_teacher_of_a_fold_pools_as_the_other_folds_would(learn: TrainingData) -> None:
    result = fitted(learn, **{POOLED + "mean": (0.5, 1), POOLED + "max": (0.55, 2)})
    wrong = np.where(
        (learn.folds == 1)[:, None], np.roll(learn.examples.targets, 1, axis=1), learn.examples.targets
    )
    other = replace(learn, examples=replace(learn.examples, targets=wrong))
    poolings = [pooled_as_others_would(result, data, 1).settings["pooling"] for data in (learn, other)]
    assert poolings[0] == poolings[1]
    # with the labels of all other folds wrong, what is worst is best
    wrong = np.where(
        (learn.folds != 1)[:, None], np.roll(learn.examples.targets, 1, axis=1), learn.examples.targets
    )
    turned = replace(learn, examples=replace(learn.examples, targets=wrong))
    far = fitted(learn, **{POOLED + "mean": (0.2, 1), POOLED + "max": (2.0, 2)})
    assert pooled_as_others_would(far, learn, 1).settings["pooling"] == "max"
    assert pooled_as_others_would(far, turned, 1).settings["pooling"] == "mean"
    assert pooled_as_others_would(fitted(learn, **{POOLED + "mean": (0.2, 1)}), learn, 1).settings == {
        "recipe": {}
    }


def test_a_choice_among_equals_is_not_scored_by_its_luck() -> None:
    """The best of eight random poolings looks better than chance on the data that chose it, and not as told."""
    looked, nested = [], []
    for repeat in range(12):
        rng = np.random.default_rng(100 + repeat)
        targets = np.eye(3, dtype=np.int8)[rng.integers(0, 3, N)]
        learn = TrainingData(
            Task(CLASSES, False, "accuracy", seed=0),
            Examples(Inputs(pd.DataFrame(index=range(N))), targets, np.ones(N)),
            np.array([f"c{i}" for i in range(N)], dtype=object),
            np.arange(N),
            np.arange(N) % 4,
            [],
        )
        result = fitted(learn, **{f"{POOLED}{way}": (0.0, 50 * repeat + way) for way in range(8)})
        ids = learn.clip_ids.tolist()
        scores = [metric("accuracy")(targets, way.aligned(ids)) for way in result.variants.values()]
        looked.append(max(scores))
        nested.append(metric("accuracy")(targets, with_best_pooling(result, learn).oof.aligned(ids)))
    assert np.mean(looked) > 1 / 3 + 0.03
    assert abs(np.mean(nested) - 1 / 3) < 0.03


def test_one_way_to_pool_is_no_choice(learn: TrainingData) -> None:
    result = fitted(learn, **{POOLED + "mean": (0.2, 1), ONE_CHECKPOINT: (3.0, 3)})
    assert with_best_pooling(result, learn) is result


def test_each_variant_is_compared_with_the_row_of_the_leaderboard(learn: TrainingData) -> None:
    result = fitted(learn, **{POOLED + "mean": (1.0, 1), POOLED + "max": (0.1, 2), ONE_CHECKPOINT: (1.0, 1)})
    table = compare_variants([result], learn)
    assert table is not None
    assert tuple(table.columns) == VARIANT_COLUMNS
    # what says the same as the row itself is not worth a line
    assert table["variant"].tolist() == [POOLED + "max"]
    own = metric("accuracy")(learn.examples.targets, result.oof.aligned(learn.clip_ids.tolist()))
    row = table.iloc[0]
    assert row["gain"] == pytest.approx(own - row["score"])
    assert 0 < row["low"] < row["gain"] < row["high"] and row["better"] > 0.99


def test_members_without_variants_make_no_table(learn: TrainingData) -> None:
    assert compare_variants([fitted(learn, **{POOLED + "mean": (1.0, 1)})], learn) is None
