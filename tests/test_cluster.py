"""Features, vectors, detections and fits on a Ray cluster of two nodes on this machine are those of one process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist import crossval
from aurist.automl.fit import fit, resume
from aurist.clips.read import ReadOptions
from aurist.cluster import ClusterError, connected, run_on_cluster
from aurist.config import FitConfig
from aurist.detection.sharding import is_finished
from aurist.embedders import clips as clips_of_embedders
from aurist.embedders import on_cluster
from aurist.errors import ConfigError
from aurist.inference import feature_shards
from aurist.run import RunFolder
from aurist.sharding import parse_shard
from aurist.workers import OutOfTimeError

from .archives.made import dataset
from .command import aurist, start
from .embedders.networks import write_onnx
from .small_run import feature_table, small_plan

ray = pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = pytest.mark.slow
FEW = "import aurist.inference.feature_shards as m\nm.CLIPS_PER_SHARD = 2"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, a run, and its features and detections made here."""
    path = tmp_path_factory.mktemp("cluster")
    dataset(path / "set", 24)
    (path / "plan.toml").write_text('[[member]]\nname = "KernelRidge"\nengine = "kernel"\n')
    (path / "new").mkdir()
    rng = np.random.default_rng(0)
    for i in range(8):
        soundfile.write(path / "new" / f"{i}.wav", rng.normal(0, 0.2, 8000 * (2 + i % 3)), 8000)
    for command in (
        ["fit", "set", "--plan", "plan.toml", "--folds", "2", "-o", "run"],
        ["features", "set", "-o", "here.csv"],
        [*SCAN, "-o", "here"],
    ):
        assert aurist(*command, cwd=path).returncode == 0
    return path


SCAN = ["predict", "run", "new", "--window", "0.5", "--min-score", "0.3", "--format", "windows,csv"]


def finished(root: Path) -> int:
    return len(list(root.glob("*/feature_shard.json"))) if root.exists() else 0


def when(condition: Any, act: Any) -> threading.Thread:
    """Do something as soon as a condition holds."""

    def wait() -> None:
        until = time.monotonic() + 600  # a busy machine takes minutes to start workers
        while not condition() and time.monotonic() < until:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_features_are_the_same_though_a_node_is_lost(
    cluster: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_shards, "CLIPS_PER_SHARD", 2)
    node = cluster.add_node(num_cpus=1)
    shards = folder / "lost.csv.shards"
    killer = when(lambda: finished(shards) >= 3, lambda: cluster.remove_node(node, allow_graceful=False))
    feature_shards.features_on_cluster(folder / "set", folder / "lost.csv", ReadOptions(), cluster.address)
    killer.join()
    assert (folder / "lost.csv").read_bytes() == (folder / "here.csv").read_bytes()
    assert not shards.exists()


def test_a_killed_driver_continues(cluster: Any, folder: Path) -> None:
    shards = folder / "killed.csv.shards"
    command = ["features", folder / "set", "--cluster", cluster.address, "-o", folder / "killed.csv"]
    with start(*command, before=FEW) as process:
        when(lambda: finished(shards) >= 2, lambda: os.kill(process.pid, signal.SIGKILL)).join()
        process.communicate()
    made = {path: path.stat().st_mtime_ns for path in shards.glob("*/feature_shard.json")}
    assert process.returncode == -9 and 2 <= len(made) < 12
    with start(*command, before=FEW) as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert (folder / "killed.csv").read_bytes() == (folder / "here.csv").read_bytes()


def test_detections_are_the_same(cluster: Any, folder: Path) -> None:
    result = aurist(*SCAN, "--cluster", cluster.address, "-o", "there", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert not is_finished(folder / "there.shards")
    for name in ("windows.csv", "events.csv"):
        assert (folder / "there" / name).read_bytes() == (folder / "here" / name).read_bytes()


@pytest.fixture(scope="module")
def fitted_here(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of four folds of a forest and a linear model, beside its table."""
    folder = tmp_path_factory.mktemp("fits")
    feature_table().to_csv(folder / "table.csv", index=False)
    return fit(folder / "table.csv", folder / "here", small_plan(folder, folds=4))


def assert_same_models(run: RunFolder, other: RunFolder) -> None:
    columns = ["model", "score", "low", "high"]
    assert run.leaderboard()[columns].equals(other.leaderboard()[columns])
    for member in run.models.iterdir():
        for file in (f"fold{fold}/predictions.parquet" for fold in range(4)):
            assert (member / file).read_bytes() == (other.models / member.name / file).read_bytes()


def begun(run: Path) -> int:
    """How many folds are fitted at this moment."""
    return len(list(run.glob("models/*/.fold*.lock")))


def test_a_fit_is_the_same_though_a_node_is_lost(
    cluster: Any, fitted_here: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crossval, "SMALL_CELLS", 0)  # else the folds are fitted in this process
    folder = fitted_here.folder.parent
    node, output = cluster.add_node(num_cpus=1), folder / "there"
    killer = when(lambda: begun(output) == 3, lambda: cluster.remove_node(node, allow_graceful=False))
    run = fit(folder / "table.csv", output, fitted_here.config(), cluster=cluster.address)
    killer.join()
    assert_same_models(run, fitted_here)


def test_a_fit_whose_driver_is_killed_is_resumed(
    cluster: Any, fitted_here: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crossval, "SMALL_CELLS", 0)
    folder = fitted_here.folder.parent
    output, plan = folder / "twice", fitted_here.config().plan
    options = ["--plan", plan, "--folds", 4, "--cluster", cluster.address]
    with start(
        *("fit", folder / "table.csv", *options, "-o", output),
        before="import aurist.crossval as m\nm.SMALL_CELLS = 0",
    ) as process:
        when(lambda: units(output), lambda: os.kill(process.pid, signal.SIGKILL)).join()
        _, errors = process.communicate()
    assert process.returncode == -9, errors
    made = {path: path.stat().st_mtime_ns for path in units(output)}
    assert 1 <= len(made) < 8
    run = resume(output, cluster=cluster.address)
    assert_same_models(run, fitted_here)
    assert all(path.stat().st_mtime_ns == at for path, at in made.items())


def units(run: Path) -> list[Path]:
    """The folds that are fitted."""
    return list(run.glob("models/*/fold*/unit.json"))


EAR = 'sample_rate = 8000\nseconds = 0.5\noutput = "hidden"\n'
PLAN_OF_VECTORS = """
[[member]]
name = "Logistic_ear"
engine = "classic"
settings = {kind = "logistic", view = "ear"}
"""


@pytest.fixture(scope="module")
def ear(folder: Path) -> Path:
    """The TOML file of a small network beside the recordings."""
    (folder / "home").mkdir()
    write_onnx(folder / "home" / "ear.onnx")
    (folder / "home" / "ear.toml").write_text(EAR)
    (folder / "vectors.toml").write_text(PLAN_OF_VECTORS)
    return folder / "home" / "ear.toml"


def test_vectors_of_a_fit_are_the_same_though_a_node_is_lost(
    cluster: Any, folder: Path, ear: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURIST_EMBEDDERS", str(ear.parent))
    monkeypatch.setattr(on_cluster, "CLIPS_PER_SHARD", 2)
    config = FitConfig(plan=str(folder / "vectors.toml"), embeddings=("ear",), folds=2)
    here = fit(folder / "set", folder / "ear_here", config, cache_dir=folder / "cache_here")
    node, shards = cluster.add_node(num_cpus=1), folder / "ear_there.ear.shards"
    killer = when(
        lambda: len(list(shards.glob("*.sqlite"))) >= 3,
        lambda: cluster.remove_node(node, allow_graceful=False),
    )
    # what this process would compute by itself is not in its cache: it would be an error
    monkeypatch.setattr(clips_of_embedders, "pooled", None)
    there = fit(
        folder / "set",
        folder / "ear_there",
        config,
        cache_dir=folder / "cache_there",
        cluster=cluster.address,
    )
    killer.join()
    assert not shards.exists()
    for name in ("features.parquet", "predictions.parquet"):
        assert pd.read_parquet(there.folder / name).equals(pd.read_parquet(here.folder / name))
    columns = ["model", "score", "low", "high"]
    assert there.leaderboard()[columns].equals(here.leaderboard()[columns])


def test_an_index_is_the_same_though_the_driver_is_killed(cluster: Any, folder: Path, ear: Path) -> None:
    index = ["index", "new", "--embed", ear, "--hop", 0.1]
    assert aurist(*index, "-o", "index_here", cwd=folder).returncode == 0
    shards = folder / "index_there.shards"
    command = [*index, "--cluster", cluster.address, "-o", "index_there"]
    with start(*command, cwd=folder) as process:
        when(
            lambda: len(list(shards.glob("*/failures.json"))) >= 2,
            lambda: os.kill(process.pid, signal.SIGKILL),
        ).join()
        process.communicate()
    assert process.returncode == -9
    result = aurist(*command, cwd=folder)
    assert result.returncode == 0, result.stderr
    assert not shards.exists()
    for file in (folder / "index_here").iterdir():
        if not file.name.startswith("."):
            assert file.read_bytes() == (folder / "index_there" / file.name).read_bytes()


#: A call that any installation can find.
FAIL = partial(parse_shard, "0/0")


def test_the_error_of_a_call_is_the_error_of_all(cluster: Any) -> None:
    with (
        connected(cluster.address) as there,
        pytest.raises(ConfigError, match=r"^shard is '0/0', but must be a number"),
    ):
        run_on_cluster([FAIL, FAIL], there)


def test_calls_end_at_their_time_limit(cluster: Any, tmp_path: Path) -> None:
    with connected(cluster.address) as there:
        assert set(there.machines) == {1}  # other tests add nodes
        with pytest.raises(OutOfTimeError):
            run_on_cluster([partial(time.sleep, 600)] * 3, there, seconds=5)
        run_on_cluster([partial(os.mkdir, tmp_path / "made")], there)  # on a core that is free again
    assert (tmp_path / "made").exists()


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"The cluster ray://127\.0\.0\.1:1 cannot be reached"):
        fit(feature_table(), tmp_path / "never", cluster="ray://127.0.0.1:1")
    assert not (tmp_path / "never").exists()
