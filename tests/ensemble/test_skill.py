"""Skill of classes: a permutation test that keeps its level, also where rows of a group are alike."""

from __future__ import annotations

import numpy as np
import pytest

from aurist.ensemble.skill import LEVEL, has_skill
from aurist.ensemble.thresholds import SILENT, default_decisions, default_thresholds, f1_thresholds
from aurist.metrics import UNKNOWN


def grouped(seed: int, n_groups: int, skill: float, n_classes: int = 20) -> tuple[np.ndarray, ...]:
    """Groups of ten rows; scores and labels of a group are alike, and related by ``skill``."""
    rng = np.random.default_rng(seed)
    groups = np.arange(n_groups).repeat(10)
    truth = (rng.random((n_groups, n_classes)) < 0.15).repeat(10, axis=0) & (
        rng.random((len(groups), n_classes)) < 0.7
    )
    logit = rng.normal(size=(n_groups, n_classes)).repeat(10, axis=0) + 0.3 * rng.normal(size=truth.shape)
    return 1 / (1 + np.exp(-logit - skill * truth)), truth.astype(np.int8), groups


@pytest.mark.parametrize("n_groups", [30, 300])
def test_without_skill_few_classes_are_called_skilled(n_groups: int) -> None:
    called = np.concatenate([has_skill(*grouped(seed, n_groups, 0.0)) for seed in range(25)])
    assert called.mean() < LEVEL + 0.025
    # the same test by rows is fooled by groups: so this test can fail
    rows = np.concatenate(
        [
            has_skill(proba, truth, np.arange(len(proba)))
            for proba, truth, _ in [grouped(seed, n_groups, 0.0) for seed in range(5)]
        ]
    )
    assert rows.mean() > 3 * LEVEL


@pytest.mark.parametrize("n_groups", [30, 300])
def test_skill_is_seen(n_groups: int) -> None:
    assert has_skill(*grouped(0, n_groups, 4.0)).mean() > 0.85


def test_a_class_of_one_group_in_few_is_no_proof() -> None:
    truth = np.zeros((40, 1), np.int8)
    truth[:4] = 1
    assert not has_skill(truth.astype(float), truth, np.arange(40) // 4)[0]
    truth[8:12] = truth[20:24] = 1
    assert has_skill(truth.astype(float), truth, np.arange(40) // 4)[0]


def test_classes_without_a_positive_or_negative_row_have_none_and_unknown_rows_do_not_count() -> None:
    proba = np.tile(np.linspace(0, 1, 60)[:, None], (1, 3))
    truth = np.zeros((60, 3), np.int8)
    truth[:, 1] = 1
    truth[40:, 2] = 1
    groups = np.arange(60)
    assert has_skill(proba, truth, groups).tolist() == [False, False, True]
    truth[:, 2] = np.where(truth[:, 2] == 1, 1, UNKNOWN)
    assert has_skill(proba, truth, groups).tolist() == [False, False, False]


def test_defaults_are_silent_without_skill_and_use_thresholds_where_they_gain() -> None:
    rng = np.random.default_rng(1)
    n = 600
    truth = (rng.random((n, 3)) < (0.1, 0.5, 0.1)).astype(np.int8)
    # low and well apart; apart at one half; unrelated
    proba = np.stack(
        [
            np.where(truth[:, 0] == 1, 0.2, 0.05) + rng.normal(0, 0.02, n),
            np.where(truth[:, 1] == 1, 0.9, 0.1),
            rng.random(n) * 0.1,
        ],
        axis=1,
    ).clip(0, 1)
    groups = np.arange(n) // 2
    part = groups % 6
    chosen = default_thresholds(proba, truth, groups, part)
    assert chosen[0] == f1_thresholds(proba, truth)[0] < 0.2
    assert chosen[2] == SILENT
    assert not default_decisions(proba, truth, groups, part)[:, 2].any()
    one_part = default_thresholds(proba, truth, groups, np.zeros(n, np.int64))
    assert one_part[0] == chosen[0]


def test_noise_never_gains_by_its_thresholds() -> None:
    """A class without skill also has a threshold that is best on the rows that chose it."""
    scores = []
    for seed in range(5):
        proba, truth, groups = grouped(seed, 40, 0.0)
        decided = default_decisions(proba, truth, groups, groups % 5)
        scores.append(decided[truth == 0].mean())
        best = (proba >= f1_thresholds(proba, truth)).astype(float)
        assert best[truth == 0].mean() > 0.3
    assert np.mean(scores) < 0.05


def test_judged_detections_do_not_lower_thresholds() -> None:
    """Of another night only the best were judged, with low scores: most are right, and all others are unknown."""
    rng = np.random.default_rng(0)
    n = 300
    truth = (rng.random((n, 2)) < (0.1, 0.3)).astype(np.int8)
    proba = np.clip(np.where(truth == 1, 0.7, 0.2) + rng.normal(0, 0.1, (n, 2)), 0, 1)
    judged = np.full((200, 2), UNKNOWN, np.int8)
    judged[:, 0] = rng.random(200) < 0.8
    low = np.stack([rng.uniform(0.1, 0.2, 200), rng.random(200)], axis=1)
    rows, answers = np.concatenate([truth, judged]), np.concatenate([proba, low])
    groups = np.arange(len(rows))
    alone = default_thresholds(proba, truth, groups[:n], groups[:n] % 5)
    both = default_thresholds(answers, rows, groups, groups % 5)
    assert both[0] == alone[0] > 0.3
    assert f1_thresholds(answers, rows)[0] < 0.25, "all known labels together ask for a lower one"
