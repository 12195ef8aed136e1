"""Models whose extra is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist import extras
from aurist.config import FitConfig
from aurist.errors import MissingExtraError
from aurist.plan import installed as room
from aurist.plan import need_engines, table_members, without_missing

AUTOML_LINE, NETWORKS_LINE = "pip install 'aurist[automl]'", "pip install 'aurist[networks]'"


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return a set of extras that count as not installed."""
    names: set[str] = set()
    for module in (extras, room):
        monkeypatch.setattr(module, "has_extra", lambda extra: extra not in names)
    return names


def test_nothing_is_left_out_if_all_is_installed(missing: set[str]) -> None:
    members = table_members(FitConfig(preset="best"))
    assert without_missing(members) == (members, [])


def test_without_autogluon_our_own_models_stay_with_one_note(missing: set[str]) -> None:
    missing.update({"automl", "networks"})
    left, notes = without_missing(table_members(FitConfig(preset="best")))
    assert [member.name for member in left] == ["ExtraTrees", "Logistic", "KernelRidge", "SVM", "LDA"]
    assert len(notes) == 1
    assert AUTOML_LINE in notes[0]
    assert "LightGBM" in notes[0]
    assert "TabM" in notes[0]


def test_without_pytorch_only_the_networks_of_tables_are_left_out(missing: set[str]) -> None:
    missing.add("networks")
    members = table_members(FitConfig(preset="best"))
    left, notes = without_missing(members)
    assert {member.name for member in members} - {member.name for member in left} == {"NeuralNet", "TabM"}
    assert len(notes) == 1
    assert NETWORKS_LINE in notes[0]


@pytest.mark.parametrize(
    ("config", "extra", "named"),
    [
        (FitConfig(engine="autogluon"), "automl", "The engine autogluon"),
        (FitConfig(engine="mljar"), "mljar", "The engine mljar"),
        (FitConfig(engine="all"), "mljar", "The engine mljar"),
        (FitConfig(recipes=("mel-cnn",)), "networks", "The recipe mel-cnn"),
    ],
)
def test_an_engine_asked_for_by_name_must_be_there(
    config: FitConfig, extra: str, named: str, missing: set[str]
) -> None:
    need_engines(config)
    missing.add(extra)
    with pytest.raises(MissingExtraError, match=rf"{named} .*pip install 'aurist\[{extra}\]'"):
        need_engines(config)


def test_a_model_of_a_given_plan_must_be_there(tmp_path: Path, missing: set[str]) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[member]]\nname = "Boosted"\nengine = "autogluon"\nsettings = {kind = "GBM"}\n')
    config = FitConfig(plan=str(plan))
    need_engines(config)
    missing.add("automl")
    with pytest.raises(MissingExtraError, match=r"The model Boosted of .*aurist\[automl\]"):
        need_engines(config)


def test_the_default_settings_need_nothing(missing: set[str]) -> None:
    missing.update(extras.MODULES)
    need_engines(FitConfig())
