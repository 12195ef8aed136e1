"""Processes that train together end together, with one error that says why."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from aurist import workers
from aurist.workers import WorkerDiedError

from ..sounds import sound_data, tiny

pytest.importorskip("timm")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
KILLED_AT_ITS_START = """
import os, sys
if "joblib.externals.loky.backend.popen_loky_posix" in sys.orig_argv:
    os.kill(os.getpid(), 9)
"""


def size_of(content: bytes, fabric: object) -> int:
    return len(content)


def test_processes_that_are_killed_at_their_start_end_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads the call then, which is larger than what a pipe holds."""
    from aurist.models.training.devices import launch

    (tmp_path / "sitecustomize.py").write_text(KILLED_AT_ITS_START)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    workers._pool.kill()
    with pytest.raises(WorkerDiedError, match="was killed"):
        launch(tiny(training={"devices": 2}).training, "32", partial(size_of, bytes(1 << 20)))


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, 1])
def test_a_process_that_is_killed_in_an_epoch_ends_the_training(which: int, tmp_path: Path) -> None:
    from aurist.models.training import fold

    data = sound_data(tmp_path / "sounds", n=24)
    split = data.splits[0]
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    recipe = tiny(training={"epochs": 100_000, "keep": "last", "top_k": 1, "devices": 2})
    workers._pool.kill()
    ids: list[int] = []

    def kill() -> None:
        while not (tmp_path / "net0" / "history.csv").exists():
            time.sleep(0.05)
        ids.extend(sorted(workers._pool._executor._processes))
        os.kill(ids[which], signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    with pytest.raises(WorkerDiedError, match="was killed"):
        fold.fit_fold(tmp_path, recipe, data.task, train, validation, seconds=600.0)
    assert len(ids) == 2
    for process in ids:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
