"""Fixtures that several tests share."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from aurist.automl.fit import fit
from aurist.models.base import ModelSpec
from aurist.run import RunFolder

from .small_run import feature_table, small_plan

# the time of a machine that others use, too, says nothing about an example
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_configure() -> None:
    """Give each worker of xdist a core of its own if there are no more cores than workers.

    A fit on all cores then starts one process, not one for each core in each worker.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) >= len(cores):
            os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data, which is not part of the project: tests that need it skip without it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AURIST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"needs the real data, which is not in {folder}; set AURIST_DATA to where it is")
    return folder


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Fill a folder once, whichever worker comes first; the tests of all workers read it and write nothing there."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def build(name: str, fill: Callable[[Path], object]) -> Path:
        folder = root / name
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (root / f"{name}.done").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                (root / f"{name}.done").touch()
        return folder

    return build


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return feature_table()


@pytest.fixture(scope="module")
def hundred_trees() -> Iterator[None]:
    """The default forest, which alone is compared with a random split, has a hundred trees, as `HUNDRED` has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aurist.automl.train.FOREST", ModelSpec("ExtraTrees", "forest", {"trees": 100}))
        patch.setattr("aurist.models.forest.SOME_ROWS", 0)
        yield


@pytest.fixture(scope="session")
def run(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of two small models on the table, with a test table that shares rows with it. Tests only read it."""
    folder = tmp_path_factory.mktemp("fitted")
    test = pd.concat([feature_table(40, seed=9), table.iloc[:20]], ignore_index=True).drop(
        columns=["ID", "genre"]
    )
    config = small_plan(folder, metric="f1_macro", seed=1, jobs=1)
    return fit(table, folder / "run", config, test=test)
