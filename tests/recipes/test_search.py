"""What of a recipe may be searched is checked when the recipe is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.errors import ConfigError
from aurist.models.network_member import recipe_member, recipe_of
from aurist.recipes import (
    Choice,
    Range,
    read_recipe,
    read_space,
    recipe_from,
    search_space,
    setting,
    with_settings,
)


def written(folder: Path, search: str, more: str = "") -> str:
    path = folder / "own.toml"
    path.write_text(f'name = "own"\n{more}\n[search]\n{search}\n', encoding="utf-8")
    return str(path)


def test_the_space_is_what_the_file_says(tmp_path: Path) -> None:
    space = search_space(
        read_recipe(
            written(
                tmp_path,
                '"training.lr" = { low = 1e-4, high = 1e-2, log = true }\n'
                '"network.dropout" = [0.0, 0.2, 0.4]\n'
                '"window.seconds" = { low = 1.0, high = 4.0, step = 0.5 }\n'
                '"training.top_k" = { low = 1, high = 5 }\n',
            )
        )
    )
    assert space == {
        "training.lr": Range(1e-4, 1e-2, log=True),
        "network.dropout": Choice((0.0, 0.2, 0.4)),
        "window.seconds": Range(1.0, 4.0, 0.5),
        "training.top_k": Range(1, 5),
    }
    assert [name for name, one in space.items() if isinstance(one, Range) and one.whole] == ["training.top_k"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ('"training.lrr" = [0.1, 0.2]', "unknown setting 'training.lrr'. Did you mean 'training.lr'?"),
        ('"name" = ["a", "b"]', "unknown setting 'name'"),
        ("training.lr = { low = 0.1, high = 0.2 }", 'in quotes: "training.lr"'),
        ('"training.lr" = { low = 0.1, hgih = 0.2 }', "unknown key 'hgih'. Did you mean 'high'?"),
        ('"training.lr" = { low = 0.1 }', "it has no high"),
        ('"training.lr" = 0.1', "must be a list of values"),
        ('"training.lr" = [0.1]', "at least two different values"),
        ('"training.lr" = [0.1, 0.1]', "at least two different values"),
        ('"window.pooling" = [["mean"], ["max"]]', "neither a number, nor a word"),
        ('"training.lr" = { low = 0.2, high = 0.1 }', "nothing between them"),
        ('"training.lr" = { low = "a", high = 0.1 }', "low is 'a', but must be a number"),
        ('"training.lr" = { low = 0.1, high = inf }', "high is inf"),
        ('"training.lr" = { low = 0.0, high = 0.1, log = true }', "above 0 with log"),
        ('"training.lr" = { low = 0.1, high = 0.3, log = 1 }', "log is 1"),
        ('"training.lr" = { low = 0.1, high = 0.3, log = true, step = 0.1 }', "cannot be combined"),
        ('"window.seconds" = { low = 1.0, high = 4.0, step = 0.7 }', "steps of 0.7 do not lead from 1 to 4"),
        ('"window.seconds" = { low = 1, high = 4, step = 0.5 }', "write low = 1.0"),
        # possible ranges of settings that cannot have these values
        ('"training.lr" = { low = -0.1, high = 0.1 }', "lr is -0.1, but must be above 0"),
        ('"training.epochs" = { low = 1.0, high = 9.0 }', "epochs is 1.0, but must be of type int"),
        ('"training.optimizer" = ["sgd", "adm"]', "optimizer is 'adm'"),
        ('"training.top_k" = [1, true]', "top_k is True"),
    ],
)
def test_what_cannot_be_searched_is_said(tmp_path: Path, search: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_recipe(written(tmp_path, search))
    assert expected in str(caught.value)
    assert "own.toml" in str(caught.value) and "[search]" in str(caught.value)


def test_ends_that_do_not_go_with_the_rest_of_the_recipe_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chooses nothing, but patience"):
        read_recipe(written(tmp_path, '"training.patience" = [3, 5]', '[training]\nkeep = "last"'))


def test_a_search_is_inherited_or_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('base = "mel-cnn"\n[training]\nepochs = 7\n', encoding="utf-8")
    assert search_space(read_recipe(str(path))) == search_space(read_recipe("mel-cnn"))
    path.write_text('base = "mel-cnn"\n[search]\n"training.lr" = [0.1, 0.2]\n', encoding="utf-8")
    assert search_space(read_recipe(str(path))) == {"training.lr": Choice((0.1, 0.2))}


def test_settings_outside_the_search_are_no_error() -> None:
    recipe = read_recipe("mel-cnn", {"training.lr": 0.5, "window.seconds": 9.0})
    assert not search_space(recipe)["training.lr"].contains(setting(recipe, "training.lr"))


def test_settings_once_chosen_there_is_nothing_left_to_search() -> None:
    recipe = read_recipe("mel-cnn")
    chosen = with_settings(recipe, {"training.lr": 1e-3, "window.seconds": 3.0})
    assert (chosen.training.lr, chosen.window.seconds, chosen.search) == (1e-3, 3.0, {})
    assert chosen.augment == recipe.augment
    member = recipe_member(recipe)
    assert "search" not in member.settings["recipe"]
    assert with_settings(recipe, {}) == recipe_of(member)
    assert recipe_from(recipe.to_dict(), "again") == recipe


def test_mel_cnn_may_be_found_to_be_best() -> None:
    recipe = read_recipe("mel-cnn")
    assert all(one.contains(setting(recipe, name)) for name, one in search_space(recipe).items())


numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers, numbers)
def test_the_ends_of_a_range_belong_to_it(a: float, b: float) -> None:
    low, high = sorted((a, b))
    if low < high:
        one = Range(low, high)
        assert one.contains(low) and one.contains(high) and one.contains(low + (high - low) / 2)
        assert not one.contains(high + 1) and not one.contains(None) and not one.contains(True)


@given(st.integers(-50, 50), st.integers(1, 7), st.integers(1, 9))
def test_a_range_with_steps_holds_just_these(low: int, step: int, n: int) -> None:
    one = Range(low, low + n * step, step)
    assert [x for x in range(low - 9, low + n * step + 9) if one.contains(x)] == [
        low + i * step for i in range(n + 1)
    ]
    tenths = Range(low / 10, (low + n * step) / 10, step / 10)
    assert sum(tenths.contains(x / 10) for x in range(low - 9, low + n * step + 9)) == n + 1


@pytest.mark.parametrize("value", [8, 8.0, True, "8", None])
def test_a_choice_holds_its_values_alone(value: Any) -> None:
    assert Choice((8, 16)).contains(value) == (value == 8 and not isinstance(value, bool))


def test_the_space_of_any_table_may_be_read() -> None:
    with pytest.raises(ConfigError, match="here"):
        read_space({"depth": [1, 2]}, ["dept", "lr"], "here")
