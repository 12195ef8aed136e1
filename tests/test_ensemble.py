import numpy as np

from aurist.ensemble import blend, greedy_weights, nested_ensemble
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
    found = nested_ensemble(probas, truth, folds, groups, "accuracy", multilabel=False)
    accuracy = metric("accuracy")
    assert accuracy(truth, found.proba) > max(accuracy(truth, p) for p in probas)
    assert found.weights[3] < 0.1
    assert np.isclose(found.weights.sum(), 1)


def test_each_fold_is_blended_by_weights_chosen_on_the_others() -> None:
    truth, probas, folds, groups = models()
    found = nested_ensemble(probas, truth, folds, groups, "accuracy", multilabel=False, seed=4)
    here = folds == 2
    weights = greedy_weights(
        [p[~here] for p in probas], truth[~here], metric("accuracy"), multilabel=False, seed=4
    )
    assert np.allclose(found.proba[here], blend([p[here] for p in probas], weights))


def test_labels_of_a_fold_have_no_part_in_its_blend() -> None:
    truth, probas, folds, groups = models()
    changed = truth.copy()
    changed[folds == 1] = np.roll(truth[folds == 1], 1, axis=1)
    a, b = (nested_ensemble(probas, t, folds, groups, "accuracy", multilabel=False) for t in (truth, changed))
    assert (a.proba[folds == 1] == b.proba[folds == 1]).all()


def test_noise_alone_scores_chance() -> None:
    rng = np.random.default_rng(1)
    truth = np.eye(3, dtype=np.int8)[rng.integers(0, 3, 900)]
    probas = list(rng.dirichlet(np.ones(3), (8, 900)))
    found = nested_ensemble(probas, truth, np.arange(900) % 5, np.arange(900), "accuracy", multilabel=False)
    assert abs(metric("accuracy")(truth, found.proba) - 1 / 3) < 0.06


def test_a_single_fold_is_halved_by_group() -> None:
    truth, probas, _, _ = models()
    groups = np.arange(400) // 4
    found = nested_ensemble(probas, truth, np.zeros(400), groups, "accuracy", multilabel=False)
    assert found.proba.shape == (400, 3)


def test_one_model_is_all_of_the_ensemble() -> None:
    truth, probas, folds, groups = models()
    found = nested_ensemble(probas[:1], truth, folds, groups, "accuracy", multilabel=False)
    assert found.weights.tolist() == [1.0]
    assert np.allclose(found.proba, probas[0])
