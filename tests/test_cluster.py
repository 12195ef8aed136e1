"""Features and detections on a Ray cluster of two nodes on this machine are those of one process."""

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
import pytest
import soundfile

from aurist.clips.read import ReadOptions
from aurist.cluster import ClusterError, run_on_cluster
from aurist.detection.sharding import is_finished
from aurist.errors import ConfigError
from aurist.inference import feature_shards
from aurist.sharding import parse_shard

from .archives.made import dataset
from .command import aurist, start

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
        until = time.monotonic() + 200
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


#: A call that any installation can find.
FAIL = partial(parse_shard, "0/0")


def test_the_error_of_a_call_is_the_error_of_all(cluster: Any) -> None:
    with pytest.raises(ConfigError, match=r"^shard is '0/0', but must be a number"):
        run_on_cluster([FAIL, FAIL], cluster.address)


def test_a_cluster_that_is_not_there() -> None:
    with pytest.raises(ClusterError, match=r"The cluster ray://127\.0\.0\.1:1 cannot be reached"):
        run_on_cluster([FAIL], "ray://127.0.0.1:1")
