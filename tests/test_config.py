from pathlib import Path

import pytest

from aurist.config import FitConfig, config_from, parse_duration, read_config, write_config
from aurist.errors import ConfigError


def test_settings_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    config = FitConfig(metric="f1_macro", preset="best", time_limit=900, seed=3, sample_rate=44100)
    write_config(tmp_path / "config.toml", config)
    assert read_config(tmp_path / "config.toml") == config


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match=r"unknown setting 'metrik'. Did you mean 'metric'"):
        config_from({"metrik": "accuracy"}, "config.toml")


@pytest.mark.parametrize("values", [{"seed": "3"}, {"preset": 1}, {"allow_loss": 1}, {"folds": 2.5}])
def test_a_wrong_type_is_refused(values: dict) -> None:
    with pytest.raises(ConfigError, match="must be of type"):
        config_from(values, "config.toml")


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("seed = = 3")
    with pytest.raises(ConfigError, match="Cannot read the settings"):
        read_config(tmp_path / "config.toml")


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "1h30", "-3"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="duration"):
        parse_duration(text)


def test_too_few_folds_are_called_by_both_their_names() -> None:
    with pytest.raises(ConfigError, match="folds is 1, but must be at least 2"):
        FitConfig(folds=1)
