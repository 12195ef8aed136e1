"""Files of settings: plans, recipes, the configuration of a fit, descriptions of embedders."""

from __future__ import annotations

import shutil
from pathlib import Path

from aurist.errors import AuristError

from .harness import Target


def _plan(folder: Path) -> None:
    from aurist.config import FitConfig
    from aurist.models.network_member import recipe_member
    from aurist.plan import FitPlan, Step, table_members, write_plan
    from aurist.recipes import read_recipe

    steps = [Step(member, 0.5, 3.0) for member in table_members(FitConfig())[:3]]
    write_plan(
        folder / "plan.toml", FitPlan((*steps, Step(recipe_member(read_recipe("mel-cnn")))), ("a note",))
    )


def _read_plan(folder: Path) -> object:
    from aurist.plan import read_plan, write_plan

    plan = read_plan(folder / "plan.toml")
    write_plan(folder / "again.toml", plan)
    return plan


def _recipe(folder: Path) -> None:
    from aurist.recipes import recipe_names, recipe_path

    for name in recipe_names()[-1:]:
        shutil.copy(recipe_path(name), folder / f"{name}.toml")
    (folder / "own.toml").write_text(
        'base = "mel-cnn"\n[training]\nepochs = 5\nlr = 0.01\n[window]\nseconds = 1.5\npooling = ["mean", "max"]\n'
    )


def _read_recipes(folder: Path) -> object:
    from aurist.recipes import read_recipe, search_space

    wrong: AuristError | None = None
    for path in sorted(folder.glob("*.toml")):
        try:
            search_space(read_recipe(str(path), {"training.epochs": 3}))
        except AuristError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return None


def _config(folder: Path) -> None:
    from aurist.config import FitConfig, write_config

    write_config(
        folder / "config.toml",
        FitConfig(metric="f1_macro", recipe_settings=("training.epochs=5",), time_limit=60.0),
    )


def _read_config(folder: Path) -> object:
    from aurist.config import read_config

    return read_config(folder / "config.toml")


def _embedder(folder: Path) -> None:
    (folder / "ear.toml").write_text(
        'name = "ear"\nfile = "ear.onnx"\nsample_rate = 32000\nseconds = 5.0\nhop = 2.5\noutput = "hidden"\n'
        'size = 1024\nlevel = "peak"\npeak = 0.25\npool = ["mean", "max"]\nlicence = "MIT"\n'
        "[front]\nn_fft = 1024\nwindow = 800\nhop = 320\nn_mels = 64\nfmin = 50\nfmax = 14000\n"
    )


def _read_embedder(folder: Path) -> object:
    from aurist.embedders.spec import read_embedder

    spec = read_embedder(folder / "ear.toml")
    return spec.n_samples, spec.step, spec.settings_key("0")


TARGETS = (
    Target("plan", _plan, _read_plan, 2),
    Target("recipes", _recipe, _read_recipes, 1),
    Target("config.toml", _config, _read_config, 2),
    Target("embedder", _embedder, _read_embedder, 1),
)
