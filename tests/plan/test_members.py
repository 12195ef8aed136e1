"""The models of the presets."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aurist.config import FitConfig
from aurist.errors import ConfigError
from aurist.extras import has_extra
from aurist.plan import is_slow, n_splits, second_level_members, table_members, time_limit, without_missing


def test_instant_needs_no_extra_and_no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    config = FitConfig(preset="instant")
    for multilabel in (False, True):
        members = table_members(config, 80, multilabel=multilabel)
        assert {member.engine for member in members} == {"classic", "kernel"}
        monkeypatch.setattr("aurist.plan.installed.has_extra", lambda _: False)
        assert without_missing(members) == (members, [])
    assert [n_splits(config, fewest) for fewest in (None, 2, 5, 6, 9, 30)] == [5, 5, 5, 6, 9, 10]
    assert n_splits(FitConfig(preset="instant", folds=3), 9) == 3
    assert time_limit(config) == math.inf
    assert time_limit(FitConfig(preset="instant", time_limit=30.0)) == 30.0


def test_instant_has_no_second_level() -> None:
    assert second_level_members(FitConfig(preset="instant"), 10_000, 4) == []
    assert second_level_members(FitConfig(preset="good"), 10_000, 4) or not has_extra("automl")


@pytest.mark.parametrize("other", [{"engine": "mljar"}, {"engine": "all"}, {"recipes": ("mel-cnn",)}])
def test_instant_goes_with_no_other_engine(other: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="leave engine= and recipes= out"):
        FitConfig(preset="instant", **other)


def test_what_is_fitted_for_each_label_comes_after_the_network() -> None:
    members = table_members(FitConfig(), 10_000, multilabel=True)
    assert [m.name for m in members if not is_slow(m, 10_000, multilabel=True)] == [
        "ExtraTrees",
        "Logistic",
        "KernelRidge",
    ]
    assert not any(is_slow(member, 10_000) for member in members)
