"""A small feature table, and settings that fit it in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from aurist.config import FitConfig


def feature_table(n: int = 180, seed: int = 0, shuffled: bool = False) -> pd.DataFrame:
    """Three classes that overlap somewhat, one categorical column, some cells missing, some rows twice."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n)
    table = pd.DataFrame(rng.normal(size=(n, 5)), columns=["tempo", "energy", "valence", "noise1", "noise2"])
    table["tempo"] += 1.8 * (label == 1)
    table["energy"] += 1.8 * (label == 2)
    table["mode"] = rng.choice(["major", "minor"], n)
    table.loc[::23, "valence"] = np.nan
    table["genre"] = np.array(["folk", "rap", "rock"])[rng.permutation(label) if shuffled else label]
    table = pd.concat([table, table.iloc[:12]], ignore_index=True)
    table.insert(0, "ID", [f"TRAIN_{i:04d}" for i in range(len(table))])
    return table


#: A forest, as the default plan has it but smaller, and a linear model: fitted in a second, and without a clock.
SMALL = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 60}

[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}
"""
#: One linear model, fitted at once.
LDA = '[[member]]\nname = "LDA"\nengine = "classic"\nsettings = {kind = "lda"}\n'
#: The default forest of tests with the fixture `hundred_trees`.
HUNDRED = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\nsettings = {trees = 100}\n'


def small_plan(folder: Path, **settings: object) -> FitConfig:
    """Settings of a fit of few small models, by a plan that is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.toml").write_text(SMALL)
    return FitConfig(plan=str(folder / "plan.toml"), **{"folds": 3, **settings})  # type: ignore[arg-type]
