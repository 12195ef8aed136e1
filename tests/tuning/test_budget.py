"""No fold is begun that would not be finished in time."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from aurist.crossval import CrossValidationResult
from aurist.models.base import ModelSpec
from aurist.plan import Clock
from aurist.predictions import Predictions
from aurist.tuning.budget import Budget

NOTHING = Predictions("m", np.array([]), np.zeros((0, 2)), ("a", "b"), np.array([], dtype=np.int64))


def budget(
    limit: float, used: float = 0.0, n_predictions: int = 0, fold_seconds: tuple[float, ...] = ()
) -> Budget:
    return Budget(Clock(time.monotonic() - used, limit), n_predictions, list(fold_seconds))


def test_a_first_fold_is_begun_where_any_time_is_left() -> None:
    assert budget(100).has_room([]) and not budget(100, used=99).has_room([])


@pytest.mark.parametrize(("of_this", "expected"), [([], False), ([20.0], True), ([20.0, 45.0], False)])
def test_the_slowest_fold_of_the_trial_decides_else_of_all(of_this: list[float], expected: bool) -> None:
    # 40 s are left, less those for the end
    assert budget(100, used=60, fold_seconds=(5.0, 50.0)).has_room(of_this) is expected


def test_time_to_answer_for_what_is_held_out_is_kept_back() -> None:
    one = budget(1000, n_predictions=600)
    before = one.left()
    # 100 clips in 5 s, so that 600 take 30
    one.record(CrossValidationResult(ModelSpec("m", "forest"), NOTHING, None, 1.0, 5.0), 100, 12.0)
    assert before - one.left() == pytest.approx(30, abs=1)
    assert one.fold_seconds == [12.0]


def test_the_end_never_takes_more_than_a_part_of_the_time() -> None:
    one = budget(10, n_predictions=10_000)
    one.record(CrossValidationResult(ModelSpec("m", "forest"), NOTHING, None, 1.0, 5.0), 100, 1.0)
    assert one.left() == pytest.approx(7, abs=0.5)


def test_a_fold_is_stopped_within_a_twentieth_of_the_limit() -> None:
    one = budget(1000, used=900)
    assert one.left() < one.at_most() <= 100 + 50
    assert math.isinf(budget(math.inf).at_most()) and budget(math.inf).has_room([1e9])
