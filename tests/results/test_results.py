"""Intervals, tables and the leaderboard against known answers."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from aurist.errors import ConfigError, DataError
from aurist.metrics import METRICS, metric
from aurist.results.best_of import best_of
from aurist.results.bootstrap import all_scores, bootstrap, resampled_scores
from aurist.results.bounds import fold_degrees
from aurist.results.chance import chance
from aurist.results.differences import paired
from aurist.results.leaderboard import LEADERBOARD_COLUMNS, LeaderboardRow, Score, leaderboard
from aurist.results.tables import confusion, ece, per_class, reliability


def data(seed: int, n: int = 120, n_classes: int = 4, group_size: int = 3):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    truth = np.eye(n_classes, dtype=np.int8)[y]
    proba = rng.dirichlet(np.ones(n_classes), size=n) + 0.4 * truth
    groups = np.array([f"recording {i // group_size}" for i in range(n)], dtype=object)
    return truth, proba / proba.sum(axis=1, keepdims=True), rng.permutation(groups)


# intervals


@pytest.mark.parametrize("name", sorted(METRICS))
def test_bootstrap_is_what_drawing_whole_groups_by_hand_gives(name):
    truth, proba, groups = data(1, n_classes=6)
    names = list(dict.fromkeys(groups))  # numbered as they appear
    rows_of = [np.flatnonzero(groups == interval) for interval in names]
    rng = np.random.default_rng(7)
    by_hand = []
    for _ in range(50):
        rows = np.concatenate([rows_of[i] for i in rng.integers(len(names), size=len(names))])
        by_hand.append(metric(name)(truth[rows], proba[rows], multilabel=False))
    interval = bootstrap(truth, proba, groups, name, rounds=50, level=0.8, seed=7)
    assert interval.score == pytest.approx(metric(name)(truth, proba))
    bounds = np.array([interval.low, interval.high])
    if name == "log_loss":
        assert bounds == pytest.approx(np.quantile(by_hand, [0.1, 0.9]))
        return
    # means over classes have a bias, which their resamples have twice
    middle = 2 * interval.score - np.mean(by_hand) if metric(name).over_classes else interval.score
    if np.var(by_hand) < 1e-12:
        assert bounds == pytest.approx([1 / (1 + 1.2815515655**2 / len(names)), 1.0])
    else:  # Wilson's: shares that lie 1.28 of their own deviations away, and are otherwise as certain as the resamples
        far = (bounds - middle) ** 2 / (bounds * (1 - bounds))
        assert far == pytest.approx(1.2815515655**2 * np.var(by_hand) / (middle * (1 - middle)))


def few_positives(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Fifteen labels that one clip in ten has, and scores a deviation and a half higher where it has them."""
    truth = (rng.random((n, 15)) < 0.1).astype(np.int8)
    return truth, 1 / (1 + np.exp(1.5 - rng.normal(size=truth.shape) - 1.5 * truth))


def test_intervals_of_average_precision_hold_the_truth_where_positives_are_few():
    rng = np.random.default_rng(0)
    true = metric("average_precision")(*few_positives(rng, 20_000), multilabel=True)
    held, inside = 0, 0
    for trial in range(60):
        truth, proba = few_positives(rng, 80)
        interval = bootstrap(truth, proba, None, "average_precision", rounds=200, seed=trial, multilabel=True)
        held += interval.low <= true <= interval.high
        inside += interval.low <= interval.score <= interval.high
    # by plain percentiles 27: of few clips the score is too high, and its resamples are higher
    assert held >= 48
    assert inside == 60


@pytest.mark.parametrize("right", [0, 1, 38, 40])
def test_interval_of_a_share_is_that_of_wilson_near_the_ends(right):
    proba = np.where(np.arange(40)[:, None] < right, [0.9, 0.1], [0.1, 0.9])
    interval = bootstrap(np.tile([1, 0], (40, 1)), proba, None, "accuracy", rounds=4000)
    wilson = binomtest(right, 40).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((wilson.low, wilson.high), abs=0.003)


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "average_precision", "lwlrap"])
def test_all_right_is_not_all_known(name):
    truth = np.eye(3)[np.arange(30) % 3]
    interval = bootstrap(truth, truth, np.arange(30) // 2, name)
    assert interval.score == interval.high == 1.0
    assert interval.low == pytest.approx(1 / (1 + 1.959964**2 / 15))


def test_interval_of_a_share_is_that_of_the_binomial():
    rng = np.random.default_rng(0)
    right = rng.random(2000) < 0.7
    truth = np.tile([1, 0], (2000, 1))
    proba = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
    interval = bootstrap(truth, proba, None, "accuracy", rounds=4000)
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 2000)
    assert interval.low == pytest.approx(right.mean() - half, abs=0.0015)
    assert interval.high == pytest.approx(right.mean() + half, abs=0.0015)


def test_whole_groups_make_the_interval_as_wide_as_their_number_says():
    # every row four times: the same score, and by group the same interval, not one of half the width
    truth, proba, _ = data(2, n=200)
    once = bootstrap(truth, proba, None, "f1_macro", seed=3)
    rows = np.repeat(np.arange(200), 4)
    copies = bootstrap(truth[rows], proba[rows], rows, "f1_macro", seed=3)
    careless = bootstrap(truth[rows], proba[rows], None, "f1_macro", seed=3)
    assert (copies.score, copies.low, copies.high) == pytest.approx((once.score, once.low, once.high))
    assert (careless.high - careless.low) < 0.65 * (once.high - once.low)


def test_intervals_cover_the_true_score_as_often_as_they_say():
    rng = np.random.default_rng(5)
    held = 0
    for trial in range(400):
        by_group = rng.beta(7, 3, size=60)  # the accuracy in each recording; 0.7 on average
        right = (rng.random((60, 5)) < by_group[:, None]).ravel()
        proba = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
        groups = np.repeat(np.arange(60), 5)
        interval = bootstrap(np.tile([1, 0], (300, 1)), proba, groups, "accuracy", rounds=300, seed=trial)
        held += interval.low <= 0.7 <= interval.high
    assert 0.91 <= held / 400 <= 0.98


def test_same_seed_same_interval():
    truth, proba, groups = data(3)
    first, again, other = (bootstrap(truth, proba, groups, "lwlrap", rounds=99, seed=s) for s in (4, 4, 5))
    assert first == again
    assert first != other


@pytest.mark.parametrize("groups", [["one"] * 6, np.zeros(6, dtype=int)])
def test_one_group_has_a_score_and_no_bounds(groups):
    interval = bootstrap(np.eye(3)[[0, 1, 2, 0, 1, 2]], np.eye(3)[[0, 1, 2, 1, 2, 0]], groups, "accuracy")
    assert interval.score == 0.5
    assert np.isnan([interval.low, interval.high]).all()


def test_no_rows_is_nan():
    interval = bootstrap(np.zeros((0, 3)), np.zeros((0, 3)), [], "f1_macro")
    assert np.isnan([interval.score, interval.low, interval.high]).all()


@pytest.mark.parametrize("missing", [None, np.nan])
def test_rows_without_a_group_are_each_alone(missing):
    truth, proba, _ = data(4, n=40)
    named = [missing, "a", missing, "a"] * 10
    numbered = [f"row {i}" if i % 2 == 0 else "a" for i in range(40)]
    without = bootstrap(truth, proba, named, "accuracy", rounds=4000)
    given = bootstrap(truth, proba, numbered, "accuracy", rounds=4000)
    assert (without.low, without.high) == pytest.approx((given.low, given.high), abs=0.03)
    everyone = bootstrap(truth, proba, [missing] * 40, "accuracy")
    assert everyone == bootstrap(truth, proba, None, "accuracy")


def test_undefined_resamples_are_left_out():
    truth = np.array([[1, 0]] * 9 + [[0, 1]])  # many resamples lack the second class: no AUC
    proba = np.tile([0.6, 0.4], (10, 1))
    interval = bootstrap(truth, proba, None, "roc_auc", rounds=200)
    assert interval.score == 0.5
    assert 0.2 < interval.low < 0.5 < interval.high < 0.8


def rare_class(seed: int, few: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two easy classes of 25 recordings and one of few, which is hard: recall 0.9, 0.9 and 0.4 on average."""
    rng = np.random.default_rng(seed)
    label = np.repeat([0, 1, 2], [25, 25, few])
    recall = np.array([0.9, 0.9, 0.4])[label]
    right = rng.random((len(label), 5)) < rng.beta(4 * recall, 4 * (1 - recall))[:, None]
    truth = np.eye(3)[np.repeat(label, 5)]
    proba = np.where(right.reshape(-1, 1), truth, np.roll(truth, 1, axis=1)) * 0.8 + 0.1
    return truth, proba, np.repeat(np.arange(len(label)), 5)


@pytest.mark.parametrize("name", ["balanced_accuracy", "average_precision", "roc_auc", "f1_macro"])
def test_a_rare_class_is_in_every_resample(name):
    # two classes always right, one of three recordings always wrong: without it a resample would score 1
    label = np.repeat([0, 1, 2], [25, 25, 3])
    proba = np.array([[0.7, 0.1, 0.2], [0.1, 0.7, 0.2], [0.6, 0.4, 0.0]])[label]
    scorer = metric(name).scorer(np.eye(3)[label], proba)
    score, drawn = resampled_scores([scorer], np.eye(3)[label], None, 1000, 0, over_classes=True)
    assert drawn.max() < 0.75
    interval = bootstrap(np.eye(3)[label], proba, None, name)
    assert interval.low <= score[0] <= interval.high


def test_intervals_with_a_rare_class_miss_on_both_sides_alike():
    below = above = 0
    for trial in range(250):
        truth, proba, groups = rare_class(10_000 + trial)
        interval = bootstrap(truth, proba, groups, "balanced_accuracy", rounds=200, seed=trial)
        below, above = below + (interval.high < 2.2 / 3), above + (interval.low > 2.2 / 3)
    # the plain bootstrap hardly ever misses below (3 of 400): its upper bounds are of resamples without the class
    assert below >= 10
    assert below + above <= 50  # three recordings say little; a t interval would be wider
    assert 1 / 3 < (below + 1) / (above + 1) < 3


def test_the_spread_of_a_rare_class_is_that_of_its_mean():
    # three recordings with recalls 0, 1/2 and 1: the standard error of their mean is 1 / sqrt(12)
    truth = np.eye(2)[[0] * 80 + [1] * 12]
    proba = truth.copy()
    proba[[80, 81, 82, 83, 84, 85]] = [1, 0]
    groups = [*range(80), *([100] * 4), *([101] * 4), *([102] * 4)]
    scorer = metric("balanced_accuracy").scorer(truth, proba, False)
    _, resampled = resampled_scores([scorer], truth, groups, 4000, 0, over_classes=True)
    assert resampled.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.03)
    assert resampled.mean() == pytest.approx(0.75, abs=0.01)


def test_one_group_a_class_has_no_bounds():
    truth, proba, groups = np.eye(3)[[0, 0, 1, 2]], np.eye(3)[[0, 1, 1, 2]], ["a", "a", "b", "c"]
    interval = bootstrap(truth, proba, groups, "balanced_accuracy")
    assert interval.score == pytest.approx(2.5 / 3)
    assert np.isnan([interval.low, interval.high]).all()
    whole = bootstrap(truth, proba, groups, "accuracy")  # does not ask of which class a clip is
    assert whole.low < 0.75 < whole.high


def test_rare_classes_do_not_freeze_the_recordings_that_they_are_in():
    # 40 recordings of ten clips, which are right or wrong together; in 30 of them one clip is of a class of its own
    rng = np.random.default_rng(0)
    label = np.array([[0, 1] * 4 + [0, 2 + n if n < 30 else 1] for n in range(40)]).ravel()
    truth, groups = np.eye(32)[label], np.repeat(np.arange(40), 10)
    proba = np.where(np.repeat(rng.random(40) < 0.6, 10)[:, None], truth, np.roll(truth, 1, axis=1))
    common = np.where(label < 2, label, 0)
    alone = bootstrap(np.eye(2)[common], proba[:, :2] + 1e-3, groups, "accuracy")
    wide = alone.high - alone.low
    for name in ("accuracy", "f1_weighted"):
        interval = bootstrap(truth, proba, groups, name)
        assert interval.high - interval.low > 0.8 * wide


def test_paired_sees_a_small_steady_difference():
    truth, proba, groups = data(6, n=600)
    worse = proba.copy()
    worse[:12] = np.roll(worse[:12], 1, axis=1)
    difference = paired(truth, proba, worse, groups, "log_loss", rounds=500)
    alone = bootstrap(truth, proba, groups, "log_loss", rounds=500)
    assert difference.score == pytest.approx(
        metric("log_loss")(truth, proba) - metric("log_loss")(truth, worse)
    )
    assert difference.high - difference.low < alone.high - alone.low
    turned = paired(truth, worse, proba, groups, "log_loss", rounds=500)
    assert (turned.score, turned.low, turned.high) == pytest.approx(
        (-difference.score, -difference.high, -difference.low)
    )
    assert turned.better + difference.better == pytest.approx(1)
    assert difference.better > 0.95


def test_paired_of_the_same_is_nothing():
    truth, proba, groups = data(7)
    difference = paired(truth, proba, proba, groups, "f1_macro")
    assert (difference.score, difference.low, difference.high, difference.better) == (0, 0, 0, 0.5)


@settings(deadline=None)
@given(st.sampled_from(sorted(METRICS)), st.integers(0, 10_000), st.integers(2, 25))
def test_bounds_are_in_order_and_in_range(name, seed, n):
    truth, proba, groups = data(seed, n=n)
    interval = bootstrap(truth, proba, groups, name, rounds=30)
    if not np.isnan(interval.low):
        assert interval.low <= interval.high
        assert name == "log_loss" or (interval.low >= 0 and interval.high <= 1 + 1e-12)


def test_bad_settings_are_named():
    truth, proba, groups = data(8)
    with pytest.raises(ConfigError, match="at least one round"):
        bootstrap(truth, proba, groups, "accuracy", rounds=0)
    with pytest.raises(ConfigError, match=r"0\.95; 95 was given"):
        bootstrap(truth, proba, groups, "accuracy", level=95)
    with pytest.raises(ConfigError, match="Did you mean 'accuracy'"):
        bootstrap(truth, proba, groups, "acuracy")
    with pytest.raises(DataError, match="3 groups for 120 rows"):
        bootstrap(truth, proba, groups[:3], "accuracy")


def test_all_scores_are_those_of_each_metric():
    truth, proba, groups = data(9)
    table = all_scores(truth, proba, groups, rounds=60, seed=2).set_index("metric")
    assert set(table.index) == set(METRICS) - {"top_5"}  # of four classes five say nothing
    for name, row in table.iterrows():
        alone = bootstrap(truth, proba, groups, name, rounds=60, seed=2)
        assert (row.score, row.low, row.high) == (alone.score, alone.low, alone.high)
        assert row.chance == chance(truth, name)
    several = all_scores((proba > 0.3).astype(int), proba, groups, rounds=10)
    assert set(several["metric"]) == {name for name, measure in METRICS.items() if measure.multilabel}


def test_chance_is_that_of_the_prior():
    truth = np.eye(3)[[0] * 6 + [1] * 3 + [2]]
    assert chance(truth, "accuracy") == 0.6
    assert chance(truth, "roc_auc") == 0.5
    assert chance(truth, "f1_macro") == pytest.approx(1 / 3)  # of the right answers in random order
    assert chance(truth, "f1_weighted") == pytest.approx(0.6**2 + 0.3**2 + 0.1**2)
    assert chance(truth, "log_loss") == pytest.approx(
        0.6 * np.log(0.6) + 0.3 * np.log(0.3) + 0.1 * np.log(0.1)
    )
    assert np.isnan(chance(np.zeros((0, 3)), "accuracy"))


@pytest.mark.parametrize("name", ["average_precision", "f1_macro", "f1_weighted"])
def test_chance_is_what_random_scores_get_of_few_rows(name: str) -> None:
    """Average precision of random scores is above the share of the positives, the more the fewer rows there are."""
    rng = np.random.default_rng(0)
    truth = np.eye(4)[[0] * 12 + [1] * 6 + [2] * 4 + [3] * 2]
    drawn = [metric(name)(truth, rng.permutation(truth) + 0.1 * rng.random(truth.shape)) for _ in range(3000)]
    if name == "average_precision":
        drawn = [metric(name)(truth, rng.random(truth.shape)) for _ in range(3000)]
        assert np.mean(drawn) > 0.25 + 0.06
    assert chance(truth, name) == pytest.approx(np.mean(drawn), abs=0.005)


def test_chance_leaves_out_cells_that_are_not_known() -> None:
    truth = np.array([[1, 0], [0, 1], [0, -1], [0, -1]])
    # one positive among four, at rank k: (1 + 1/2 + 1/3 + 1/4) / 4; one among two: (1 + 1/2) / 2
    assert chance(truth, "average_precision") == pytest.approx((25 / 48 + 3 / 4) / 2)


def test_the_best_of_many_noises_is_flattered_by_what_it_is_above_them() -> None:
    leads, optimism = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth, groups = np.eye(2)[np.arange(60) % 2], np.arange(60)
        best = best_of(truth, {f"m{i}": rng.random((60, 2)) for i in range(8)}, groups, "accuracy", rounds=50)
        assert best is not None and best.models == 8
        leads.append(best.score - 0.5)
        optimism.append(best.optimism)
    assert np.mean(leads) > 0.06
    # the mean of all eight is not at one half itself, so that the lead over it is a little less
    assert np.mean(optimism) == pytest.approx(np.mean(leads), abs=0.02)


def test_a_model_that_is_really_the_best_is_hardly_flattered() -> None:
    rng = np.random.default_rng(0)
    truth = np.eye(2)[np.arange(200) % 2]
    good = 0.3 * truth + 0.7 * rng.random((200, 2))
    best = best_of(truth, {"noise": rng.random((200, 2)), "good": good}, None, "accuracy")
    assert best is not None and best.model == "good" and best.optimism < 0.01
    assert best_of(truth, {"good": good}, None, "accuracy") is None


def test_answers_out_of_fold_of_few_groups_are_less_sure_than_those_of_one_model() -> None:
    rng = np.random.default_rng(0)
    for of_each, least, most in ((3, 1.2, 2.3), (200, 1.0, 1.02)):
        truth = np.eye(4)[np.arange(4).repeat(of_each)]
        proba = truth + rng.normal(0, 1, truth.shape)
        one, folds = (bootstrap(truth, proba, None, "accuracy", out_of_fold=out) for out in (False, True))
        assert one.score == folds.score and folds.low <= one.low and one.high <= folds.high
        assert least < (folds.high - folds.low) / (one.high - one.low) < most


def test_degrees_of_freedom_are_those_of_the_classes_that_most_rows_have() -> None:
    truth = np.eye(3)[[0] * 30 + [1] * 30 + [2]]
    assert 28 > fold_degrees(truth, np.arange(61)) > 18  # one row of a class of its own hardly counts
    assert fold_degrees(truth[:60], np.arange(60) // 10) == pytest.approx(2)  # three groups a class
    assert fold_degrees(truth[:0], np.arange(0)) == 1.0


# tables


def test_per_class_agrees_with_scikit_learn():
    truth, proba, _ = data(10)
    table = per_class(truth, proba, list("abcd"))
    y, predicted = truth.argmax(axis=1), proba.argmax(axis=1)
    precision, recall, f1, n = sk.precision_recall_fscore_support(y, predicted)
    np.testing.assert_allclose(table["precision"], precision)
    np.testing.assert_allclose(table["recall"], recall)
    np.testing.assert_allclose(table["f1"], f1)
    np.testing.assert_array_equal(table["n"], n)
    np.testing.assert_allclose(
        table["average_precision"], sk.average_precision_score(truth, proba, average=None)
    )
    np.testing.assert_allclose(table["roc_auc"], sk.roc_auc_score(truth, proba, average=None))
    assert table["f1"].mean() == pytest.approx(metric("f1_macro")(truth, proba))


def test_per_class_says_what_is_not_defined():
    y, predicted = np.array([0, 0, 1]), np.array([0, 2, 0])
    table = per_class(np.eye(4)[y], np.eye(4)[predicted], list("abcd")).set_index("class")
    assert np.isnan(table.loc["b", "precision"])
    assert table.loc["b", ["recall", "f1"]].tolist() == [0, 0]
    assert np.isnan(table.loc["c", "recall"])
    assert table.loc["c", ["precision", "f1"]].tolist() == [0, 0]
    assert table.loc["d", ["precision", "recall", "f1", "average_precision", "roc_auc"]].isna().all()
    assert table["f1"].mean() == pytest.approx(metric("f1_macro")(np.eye(4)[y], np.eye(4)[predicted]))
    with pytest.raises(DataError, match="3 class names for 4 columns"):
        per_class(np.eye(4), np.eye(4), list("abc"))


def test_confusion_agrees_with_scikit_learn():
    truth, proba, _ = data(11)
    matrix = confusion(truth, proba)
    np.testing.assert_array_equal(matrix, sk.confusion_matrix(truth.argmax(axis=1), proba.argmax(axis=1)))
    assert matrix.dtype == np.int64
    with pytest.raises(DataError, match="exactly one label"):
        confusion(np.array([[1, 1]]), np.array([[0.5, 0.5]]))


def test_reliability_agrees_with_scikit_learn():
    rng = np.random.default_rng(12)
    proba = rng.random(500)
    truth = (rng.random(500) < proba**2).astype(int)
    table = reliability(truth[:, None], proba[:, None], bins=10, multilabel=True)
    frequency, confidence = calibration_curve(truth, proba, n_bins=10)
    np.testing.assert_allclose(table["confidence"], confidence)
    np.testing.assert_allclose(table["frequency"], frequency)
    assert table["n"].sum() == 500


def test_the_calibration_error_is_that_of_the_table():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(3), 50)
    truth = np.eye(3)[rng.integers(3, size=50)]
    held = reliability(truth, proba).query("n > 0")
    error = np.average((held["confidence"] - held["frequency"]).abs(), weights=held["n"])
    assert ece(truth, proba) == pytest.approx(error)  # by the same bins


def test_ece_of_known_miscalibration():
    # sure to 0.9 and right in 6 of 10; sure to 0.6 and right in 6 of 10
    truth = np.eye(2)[[0] * 6 + [1] * 4 + [0] * 6 + [1] * 4]
    proba = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    assert ece(truth, proba) == pytest.approx(0.15)
    assert ece(truth, truth) == 0
    assert np.isnan(ece(truth[:0], proba[:0]))
    with pytest.raises(ConfigError, match="at least one bin"):
        ece(truth, proba, bins=0)
    with pytest.raises(DataError, match="-1 to 2"):
        ece(np.eye(2), np.array([[2.0, -1.0], [0.0, 1.0]]))


# the leaderboard


def test_leaderboard_is_sorted_and_whole():
    scores = [0.2, 0.9, float("nan"), 0.9]
    rows = [LeaderboardRow(Score(f"m{i}", "accuracy", s, s, s, 10)) for i, s in enumerate(scores)]
    table = leaderboard(rows)
    assert tuple(table.columns) == LEADERBOARD_COLUMNS
    assert table["model"].tolist() == ["m1", "m3", "m0", "m2"]
    assert table["can_infer"].tolist() == [True] * 4
    assert leaderboard(rows, "m0")["model"].tolist() == ["m0", "m1", "m3", "m2"]  # what predicts
    assert tuple(leaderboard([]).columns) == LEADERBOARD_COLUMNS


def test_a_row_of_weight_two_is_a_row_that_stands_twice() -> None:
    rng = np.random.default_rng(5)
    truth = np.eye(3)[rng.integers(3, size=40)]
    proba = rng.dirichlet(np.ones(3), 40)
    weight = rng.integers(0, 3, 40)
    groups = np.arange(40)
    weighted = bootstrap(truth, proba, groups, "f1_macro", weight=weight.astype(float))
    twice = np.repeat(np.arange(40), weight)
    assert weighted.score == pytest.approx(
        bootstrap(truth[twice], proba[twice], groups[twice], "f1_macro").score
    )
    assert weighted.low < weighted.score < weighted.high
