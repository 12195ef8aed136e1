"""scikit-learn's own checks of its estimators."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import aurist

from ..small_run import LDA

PLAN = Path(tempfile.mkdtemp(prefix="aurist-checks-")) / "plan.toml"
PLAN.write_text(LDA)
EXPECTED = {
    "check_fit2d_1feature": "10 random labels in 3 classes: folds of so few rows hold too few of a class"
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [aurist.AudioClassifier(plan=PLAN, jobs=1, folds=2)], expected_failed_checks=lambda _: EXPECTED
)
def test_it_keeps_to_the_rules_of_scikit_learn(
    estimator: aurist.AudioClassifier, check: Callable[[aurist.AudioClassifier], None]
) -> None:
    check(estimator)
