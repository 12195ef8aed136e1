"""What can be tuned, and what is written for `aurist fit`."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.automl.tuning.subject import read_subject
from aurist.config import FitConfig
from aurist.errors import ConfigError
from aurist.plan import SPACES, read_plan, searchable
from aurist.recipes import read_recipe


def test_a_recipe_is_written_as_one_that_fit_takes(tmp_path: Path) -> None:
    subject = read_subject("mel-cnn", FitConfig(recipe_settings=("training.epochs=9",)))
    own = subject.own_settings()
    assert own is not None and own["training.lr"] == 2e-3
    subject.write(tmp_path / "best.toml", {**own, "training.lr": 3e-3, "window.seconds": 1.5}, "a\nb")
    assert (tmp_path / "best.toml").read_text(encoding="utf-8").startswith("# a\n# b\n")
    written = read_recipe(str(tmp_path / "best.toml"))
    assert written.name == "mel-cnn-tuned" and not written.search
    assert (written.training.lr, written.window.seconds, written.training.epochs) == (3e-3, 1.5, 9)
    assert written.augment == read_recipe("mel-cnn").augment


@pytest.mark.parametrize("name", sorted(SPACES))
def test_a_member_is_written_as_a_plan(name: str, tmp_path: Path) -> None:
    assert searchable(name) is not None
    subject = read_subject(name, FitConfig())
    assert subject.own_settings() is None  # its library's defaults, not ours to know
    chosen = {setting: one.ends[0] for setting, one in subject.space.items()}
    subject.write(tmp_path / "best.toml", chosen, "a\nb")
    (member,) = read_plan(tmp_path / "best.toml").members
    assert (member.name, member.engine) == (f"{name}-tuned", "autogluon")
    assert member.settings == {**subject.member.settings, **chosen}


def test_a_recipe_outside_its_own_search_is_no_point_of_it() -> None:
    assert read_subject("mel-cnn", FitConfig(recipe_settings=("training.lr=0.5",))).own_settings() is None


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("densenet-spectrogram", (), r"no table \[search\]"),
        ("LightBGM", (), "Did you mean 'LightGBM'"),
        ("mel-cn", (), "Did you mean 'mel-cnn'"),
        ("LightGBM", ("training.lr=1",), "--set changes recipes"),
    ],
)
def test_what_cannot_be_tuned_is_said(name: str, settings: tuple[str, ...], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        read_subject(name, FitConfig(recipe_settings=settings))


def test_settings_that_do_not_go_together_are_said() -> None:
    subject = read_subject("mel-cnn", FitConfig())
    with pytest.raises(ConfigError, match="chooses nothing"):
        subject.member_with({"training.top_k": 3})
