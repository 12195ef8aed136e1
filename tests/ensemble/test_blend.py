from dataclasses import replace

import numpy as np
import pytest

from aurist.calibration import apply_temperature
from aurist.ensemble.blend import _drawn, choose_blend, nested_blend, seconds_a_model
from aurist.metrics import metric


def models(n: int = 400, seed: int = 0):
    rng = np.random.default_rng(seed)
    truth = np.eye(3, dtype=np.int8)[rng.integers(0, 3, n)]
    signal = truth + rng.normal(scale=0.9, size=(4, n, 3))
    signal[3] = rng.normal(size=(n, 3))
    proba = np.exp(signal) / np.exp(signal).sum(axis=2, keepdims=True)
    return truth, list(proba), rng.integers(0, 5, n), np.arange(n)


def test_the_blend_beats_its_members_and_leaves_out_noise() -> None:
    truth, probas, folds, groups = models()
    blend = nested_blend(probas, truth, folds, groups, "accuracy", multilabel=False)
    accuracy = metric("accuracy")
    assert accuracy(truth, blend.proba) > max(accuracy(truth, p) for p in probas)
    assert blend.blend.weights[3] < 0.1
    assert np.isclose(blend.blend.weights.sum(), 1)


def test_each_fold_is_blended_by_weights_chosen_on_the_others() -> None:
    truth, probas, folds, groups = models()
    blend = nested_blend(probas, truth, folds, groups, "accuracy", multilabel=False, seed=4)
    here = folds == 2
    by_others = choose_blend(
        [p[~here] for p in probas],
        truth[~here],
        groups[~here],
        metric("accuracy"),
        multilabel=False,
        seed=4,
    )
    assert np.allclose(blend.proba[here], by_others.apply([p[here] for p in probas], multilabel=False))


def test_labels_of_a_fold_have_no_part_in_its_blend() -> None:
    truth, probas, folds, groups = models()
    changed = truth.copy()
    changed[folds == 1] = np.roll(truth[folds == 1], 1, axis=1)
    a, b = (nested_blend(probas, t, folds, groups, "accuracy", multilabel=False) for t in (truth, changed))
    assert (a.proba[folds == 1] == b.proba[folds == 1]).all()


def test_noise_alone_scores_chance() -> None:
    rng = np.random.default_rng(1)
    truth = np.eye(3, dtype=np.int8)[rng.integers(0, 3, 900)]
    probas = list(rng.dirichlet(np.ones(3), (8, 900)))
    blend = nested_blend(probas, truth, np.arange(900) % 5, np.arange(900), "accuracy", multilabel=False)
    assert abs(metric("accuracy")(truth, blend.proba) - 1 / 3) < 0.06


def test_a_single_fold_is_halved_by_group() -> None:
    truth, probas, _, _ = models()
    groups = np.arange(400) // 4
    blend = nested_blend(probas, truth, np.zeros(400), groups, "accuracy", multilabel=False)
    assert blend.proba.shape == (400, 3)


def test_one_model_is_all_of_the_ensemble() -> None:
    truth, probas, folds, groups = models()
    blend = nested_blend(probas[:1], truth, folds, groups, "accuracy", multilabel=False)
    assert blend.blend.weights.tolist() == [1.0]
    assert np.allclose(blend.proba, probas[0])


def test_a_model_that_is_too_sure_of_itself_does_not_drown_the_others() -> None:
    truth, probas, folds, groups = models()
    loud = [apply_temperature(probas[0], 0.2, multilabel=False), *probas[1:]]
    as_it_was, tempered = (
        nested_blend(p, truth, folds, groups, "accuracy", multilabel=False) for p in (probas, loud)
    )
    assert tempered.blend.temperatures[0] > 3 * as_it_was.blend.temperatures[0]
    assert np.abs(tempered.proba - as_it_was.proba).mean() < 0.02


def test_groups_are_drawn_whole() -> None:
    groups = np.repeat(np.arange(40), 3)
    rows = _drawn(groups, np.random.default_rng(0))
    drawn, counts = np.unique(groups[rows], return_counts=True)
    assert len(rows) == 120
    assert (counts % 3 == 0).all()
    assert 20 < len(drawn) < 32  # about 1 - 1/e of them


def test_of_many_rows_some_are_drawn() -> None:
    rows = _drawn(np.arange(50_000), np.random.default_rng(0))
    assert len(rows) == 10_000


def test_several_labels_a_row() -> None:
    rng = np.random.default_rng(2)
    truth = (rng.random((300, 4)) < 0.3).astype(np.int8)
    good = np.clip(0.3 + 0.4 * truth + rng.normal(scale=0.2, size=truth.shape), 0.01, 0.99)
    noise = rng.random((300, 4))
    blend = nested_blend(
        [good, noise], truth, np.arange(300) % 3, np.arange(300), "average_precision", multilabel=True
    )
    assert blend.blend.weights[0] > 0.7
    assert ((blend.proba >= 0) & (blend.proba <= 1)).all()


@pytest.mark.parametrize("name", ["average_precision", "roc_auc"])
def test_draws_that_hold_no_positive_are_weighed_by_their_loss(name: str) -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((90, 1), dtype=np.int8)
    truth[:12] = 1  # in 4 of 30 recordings
    groups = np.repeat(np.arange(30), 3)
    probas = [np.clip(truth * 0.9 + 0.05 + rng.normal(0, 0.02, truth.shape), 0.01, 0.99) for _ in range(3)]
    folds = np.repeat([0, 0, 1, 2, 3] + [0, 1, 2, 3] * 7, 3)[:90]
    for seed in range(3):
        blend = nested_blend(probas, truth, folds, groups, name, multilabel=True, seed=seed)
        assert np.isclose(blend.blend.weights.sum(), 1)
        assert metric(name)(truth, blend.proba, multilabel=True) > 0.99


def test_a_single_group_that_is_scored_chooses_nothing() -> None:
    truth, probas, _, _ = models(40)
    blend = nested_blend(probas, truth, np.zeros(40), np.zeros(40), "accuracy", multilabel=False)
    assert np.allclose(blend.proba, np.mean(probas, axis=0))
    assert np.isclose(blend.blend.weights.sum(), 1)


def test_what_it_will_cost_is_told_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trial of weights takes a second by this clock, so that what is told is how many there will be."""
    truth = np.eye(3, dtype=np.int8)[np.arange(60) % 3]
    ticks = iter(range(1000))
    with monkeypatch.context() as patched:
        patched.setattr("aurist.ensemble.blend.time.perf_counter", lambda: next(ticks))
        estimate = seconds_a_model(truth, 3, "accuracy", multilabel=False)
    tried = 0
    accuracy = metric("accuracy")

    def counted(*given: object, **more: object) -> float:
        nonlocal tried
        tried += 1
        return accuracy.function(*given, **more)

    monkeypatch.setattr(
        "aurist.ensemble.blend.metric",
        lambda name: replace(accuracy, function=counted) if name == "accuracy" else metric(name),
    )
    rng = np.random.default_rng(0)
    probas = [rng.dirichlet(np.ones(3), 60) for _ in range(2)]
    nested_blend(probas, truth, np.arange(60) // 20, np.arange(60), "accuracy", multilabel=False)
    assert tried == 2 * estimate
