"""A search that is refused leaves its folder to the next."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from aurist.config import FitConfig
from aurist.errors import AuristError, ConfigError
from aurist.files import write_json
from aurist.tuning import TuneConfig, tune

from ..small_run import feature_table

pytest.importorskip("optuna")
module = importlib.import_module("aurist.tuning.tune")


def test_wrong_data_claims_no_folder(tmp_path: Path) -> None:
    with pytest.raises(AuristError, match="at least two"):
        tune(feature_table(60).assign(genre="folk"), tmp_path / "study", "LightGBM")
    assert not list(tmp_path.iterdir())


def test_what_is_refused_after_its_data_was_read_claims_none_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = feature_table(60)

    def search(*_: object) -> object:
        raise ConfigError("begun")

    monkeypatch.setattr(module, "_search", search)
    with pytest.raises(ConfigError, match="too few"):
        tune(
            table.iloc[:5].assign(genre=list("aabba")),
            tmp_path / "study",
            "LightGBM",
            None,
            TuneConfig(holdout=0.5),
        )
    with pytest.raises(ConfigError, match="begun"):
        tune(table, tmp_path / "study", "LightGBM", FitConfig(seed=3), TuneConfig(holdout=0.2))
    # once its data is ready, the folder is its own
    with pytest.raises(AuristError, match=r"something else: settings\.seed differs"):
        tune(table, tmp_path / "study", "LightGBM", FitConfig(seed=4), TuneConfig(holdout=0.2))


def test_a_killed_command_that_had_no_data_yet_claims_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*_: object) -> object:
        raise ConfigError("begun")

    monkeypatch.setattr(module, "_search", search)
    write_json(tmp_path / "study" / "study.json", {"data": "another", "reading": {}, "settings": {}})
    with pytest.raises(ConfigError, match="begun"):
        tune(feature_table(60), tmp_path / "study", "LightGBM")
