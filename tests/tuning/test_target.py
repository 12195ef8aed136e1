"""What can be tuned, and what is written for `aurist fit`."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.config import FitConfig
from aurist.errors import ConfigError
from aurist.plan import SPACES, read_plan, searchable
from aurist.recipes import TunedBy, read_recipe
from aurist.tuning.target import read_target

TUNED = TunedBy(12, "accuracy", 0.875, "0000000000000007 00000000000000ff")


def test_a_recipe_is_written_as_one_that_fit_takes(tmp_path: Path) -> None:
    target = read_target("mel-cnn", FitConfig(recipe_settings=("training.epochs=9",)))
    own = target.own_settings()
    assert own is not None and own["training.lr"] == 2e-3
    target.write(tmp_path / "best.toml", {**own, "training.lr": 3e-3, "window.seconds": 1.5}, "a\nb", TUNED)
    assert (tmp_path / "best.toml").read_text(encoding="utf-8").startswith("# a\n# b\n")
    written = read_recipe(str(tmp_path / "best.toml"))
    assert written.name == "mel-cnn-tuned" and not written.search
    assert (written.training.lr, written.window.seconds, written.training.epochs) == (3e-3, 1.5, 9)
    assert written.augment == read_recipe("mel-cnn").augment
    assert written.tuned == TUNED and not read_recipe("mel-cnn").tuned.trials
    (tmp_path / "mine.toml").write_text('base = "best.toml"\n[training]\nepochs = 3\n', encoding="utf-8")
    assert read_recipe(str(tmp_path / "mine.toml")).tuned == TUNED


@pytest.mark.parametrize("name", sorted(SPACES))
def test_a_member_is_written_as_a_plan(name: str, tmp_path: Path) -> None:
    assert searchable(name) is not None
    target = read_target(name, FitConfig())
    assert target.own_settings() is None  # its library's defaults, not ours to know
    chosen = {setting: one.extremes[0] for setting, one in target.space.items()}
    target.write(tmp_path / "best.toml", chosen, "a\nb", TUNED)
    (step,) = read_plan(tmp_path / "best.toml").steps
    member = step.member
    assert step.tuned == TUNED
    assert (member.name, member.engine) == (f"{name}-tuned", "autogluon")
    assert member.settings == {**target.member.settings, **chosen}


def test_a_recipe_outside_its_own_search_is_no_point_of_it() -> None:
    assert read_target("mel-cnn", FitConfig(recipe_settings=("training.lr=0.5",))).own_settings() is None


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("densenet-spectrogram", (), r"no table \[search\]"),
        ("LightBGM", (), "Did you mean 'LightGBM'"),
        ("mel-cn", (), "Did you mean 'mel-cnn'"),
        ("LightGBM", ("training.lr=1",), "recipe_settings= changes recipes"),
    ],
)
def test_what_cannot_be_tuned_is_said(name: str, settings: tuple[str, ...], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        read_target(name, FitConfig(recipe_settings=settings))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("trails = 3", "unknown setting 'trails'. Did you mean 'trials'"),
        ("trials = -1", "trials is -1, but must be 0 or more"),
        ("trials = 'many'", "trials is 'many', but must be of type int"),
        ("clips = 'all'", "clips is 'all', but must be as `aurist tune` wrote it"),
    ],
)
def test_a_search_that_cannot_have_been_is_refused(table: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(f'base = "mel-cnn"\n[tuned]\n{table}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=expected):
        read_recipe(str(tmp_path / "r.toml"))
    plan = f'[[member]]\nname = "F"\nengine = "forest"\n[member.tuned]\n{table}\n'
    (tmp_path / "p.toml").write_text(plan, encoding="utf-8")
    with pytest.raises(ConfigError, match=expected):
        read_plan(tmp_path / "p.toml")


def test_how_settings_were_found_is_no_setting_to_search(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        'base = "mel-cnn"\n[search]\n"tuned.trials" = [1, 2]\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"tuned\.trials"):
        read_recipe(str(tmp_path / "r.toml"))


def test_settings_that_do_not_go_together_are_said() -> None:
    target = read_target("mel-cnn", FitConfig())
    with pytest.raises(ConfigError, match="chooses nothing"):
        target.member_with({"training.top_k": 3})
