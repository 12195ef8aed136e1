from __future__ import annotations

from pathlib import Path

import pytest

from aurist.errors import ConfigError
from aurist.models.base import ModelSpec
from aurist.models.network_member import recipe_member, recipe_of
from aurist.plan import FOREST, FitPlan, Step, read_plan, with_epochs, write_plan
from aurist.recipes import read_recipe


def test_a_plan_reads_back_as_it_was_written(tmp_path: Path) -> None:
    network = with_epochs(recipe_member(read_recipe("iaml-slices")), 7, "32")
    boosted = ModelSpec("LightGBM", "autogluon", {"kind": "GBM", "refit": True}, seconds_per_row=0.01)
    above = ModelSpec("LightGBM_L2", "autogluon", {"kind": "GBM"}, level=2)
    plan = FitPlan(
        (Step(FOREST, 0.4), Step(boosted, 0.4, 12.5), Step(network, seconds=90.0), Step(above)),
        ("it is so", 'for "x"'),
    )
    write_plan(tmp_path / "plan.toml", plan)
    assert read_plan(tmp_path / "plan.toml") == plan


def test_epochs_are_never_more_than_the_recipe_has() -> None:
    member = recipe_member(read_recipe("mel-cnn"))
    assert recipe_of(with_epochs(member, 1000, "bf16")).training.epochs == 300
    assert recipe_of(with_epochs(member, 9, "bf16")).training.precision == "bf16"


def test_a_recipe_may_stand_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('[[member]]\nname = "ours"\nengine = "network"\nrecipe = "mel-cnn"\n')
    (member,) = read_plan(path).members
    assert member.name == "ours"
    assert recipe_of(member).network.backbone == "mel_cnn"


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[[member]]\nname = "a"\nengine = "sklearn"\n'
        '[[member]]\nname = "b"\nengine = "forest"\nepochs = 3\n'
        '[[member]]\nname = "c"\nengine = "network"\n'
        '[[member]]\nname = "d"\nengine = "network"\nrecipe = "mel-cmn"\n'
        '[[member]]\nname = "e"\nengine = "forest"\n'
        '[[member]]\nname = "e"\nengine = "forest"\n'
        '[[member]]\nname = "f"\nengine = "forest"\nlevel = 3\n'
        '[[member]]\nname = "g"\nengine = "network"\nrecipe = "mel-cnn"\nlevel = 2\n'
    )
    with pytest.raises(ConfigError) as error:
        read_plan(path)
    text = str(error.value)
    assert "7 of 8 members" in text
    for part in (
        "member 1: engine is 'sklearn'",
        "member 2: unknown epochs",
        "needs its recipe",
        "Did you mean 'mel-cnn'",
        "a second member has the name e",
        "level is 3, but must be 1, or 2",
        "a network learns from recordings, and cannot be of level 2",
    ):
        assert part in text


@pytest.mark.parametrize("text", ["[[member", 'notes = ["x"]', "member = 3"])
def test_a_file_that_is_no_plan_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"plan\.toml"):
        read_plan(path)


@pytest.mark.parametrize("engine", ['"forest"', '"network"\nrecipe = "mel-cnn"'])
def test_a_member_whose_name_leads_out_of_the_run_is_refused(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        "".join(f'[[member]]\nname = "{name}"\nengine = {engine}\n' for name in ("../victim", "/tmp/x", ".a"))
    )
    with pytest.raises(ConfigError) as error:
        read_plan(path)
    assert "3 of 3 members" in str(error.value)
    assert "member 1: The model's name is '../victim'" in str(error.value).replace("recipe's", "model's")


def test_a_member_is_called_like_no_other_row_of_the_leaderboard(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        "".join(f'[[member]]\nname = "{name}"\nengine = "forest"\n' for name in ("A", "a", "Ensemble"))
    )
    with pytest.raises(
        ConfigError, match=r"(?s)member 2: a second member has the name a.*member 3: Ensemble is"
    ):
        read_plan(path)
