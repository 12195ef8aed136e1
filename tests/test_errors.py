"""Messages of errors of other libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aurist.config import duration
from aurist.errors import reason
from aurist.models.base import Examples, FitFailedError, Inputs, ModelSpec, Task


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("a larger time_limit. Time remaining: -0.17s", "a larger time_limit. Time remaining: 0s"),
        ("(time_limit=-2.00s, time_left=-12 seconds)", "(time_limit=0s, time_left=0 seconds)"),
        ("(remaining: -3.25, needed: 5.0)", "(remaining: 0, needed: 5.0)"),
        ("from 10-20 s, 1e-5 s, step -0.5, x-3s", "from 10-20 s, 1e-5 s, step -0.5, x-3s"),
        ("two\n  lines", "two lines"),
    ],
)
def test_no_time_below_zero_is_passed_on(message: str, expected: str) -> None:
    assert reason(ValueError(message)) == expected


def test_a_duration_below_zero_is_none() -> None:
    assert duration(-0.17) == "0 s" and duration(-7200) == "0 s"


def test_a_learner_without_time_does_not_say_a_time_below_zero(tmp_path: object) -> None:
    tabular = pytest.importorskip("aurist.models.autogluon")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40, 2)).astype(np.float32), columns=["a", "b"])
    targets = np.eye(2, dtype=np.int8)[np.arange(40) % 2]
    rows = Examples(Inputs(table), targets, np.ones(40))
    member = ModelSpec("LightGBM", "autogluon", {"kind": "GBM"})
    with pytest.raises(FitFailedError, match="the time was too short") as raised:
        tabular.AutoGluonEngine().fit(
            tmp_path, Task(("x", "y"), False, "accuracy", 0, 1), member, rows, rows, -3.0
        )
    assert "-" not in str(raised.value).replace("LightGBM", "")
