"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.run import RunFolder

from .small_run import feature_table

# the time of a machine that others use, too, says nothing about an example
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data, which is not part of the project: tests that need it skip without it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AURIST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the real data, which is not in {folder}; set AURIST_DATA to where it is")
    return folder


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return feature_table()


@pytest.fixture(scope="session")
def run(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A quick run on the table, told of a test table that shares rows with it."""
    folder = tmp_path_factory.mktemp("fitted")
    test = pd.concat([feature_table(40, seed=9), table.iloc[:20]], ignore_index=True).drop(
        columns=["ID", "genre"]
    )
    config = FitConfig(preset="quick", time_limit=60, metric="f1_macro", seed=1)
    return fit(table, Path(folder) / "run", config, test=test)
