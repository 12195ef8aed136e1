"""Threads that work ahead, and worker processes: killed when their time is up, gone when their parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from aurist import workers
from aurist.errors import DataError
from aurist.workers import OutOfTimeError, WorkerDiedError, ahead, run_in_processes, warm_workers


def write_own_id(path: Path, seconds: float = 0.0) -> partial[None]:
    """As text: a worker cannot import this module."""
    return partial(
        exec,
        f"import os, pathlib, time; pathlib.Path({str(path)!r}).write_text(str(os.getpid())); time.sleep({seconds})",
    )


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # a zombie that its new parent has not buried yet does nothing any more
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_calls_are_made_in_other_processes(tmp_path: Path) -> None:
    run_in_processes([write_own_id(tmp_path / str(n)) for n in range(4)], 2, 60)
    ids = {int((tmp_path / str(n)).read_text()) for n in range(4)}
    assert os.getpid() not in ids
    assert 1 <= len(ids) <= 2


def test_results_are_in_the_order_of_the_calls() -> None:
    assert run_in_processes([partial(pow, n, 2) for n in range(5)], 2, 60) == [0, 1, 4, 9, 16]


def test_a_worker_that_serves_again_is_where_its_parent_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths may be relative, and a notebook changes its folder and its settings between two fits."""
    code = (
        "import os, pathlib; pathlib.Path('here').write_text(f'{os.getpid()} {os.environ.get(\"AURIST_X\")}')"
    )
    workers._pool.kill()  # earlier tests may have left several workers
    written = []
    for name, setting in (("a", "1"), ("b", None)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        if setting is None:
            monkeypatch.delenv("AURIST_X")
        else:
            monkeypatch.setenv("AURIST_X", setting)
        run_in_processes([partial(exec, code)], 1, 60)
        written.append((tmp_path / name / "here").read_text().split())
    (first, with_setting), (second, without) = written
    assert first == second and (with_setting, without) == ("1", "None")


def test_a_call_that_is_late_is_killed(tmp_path: Path) -> None:
    run_in_processes([write_own_id(tmp_path / "warm")], 1, 60)
    began = time.monotonic()
    with pytest.raises(OutOfTimeError):
        run_in_processes([write_own_id(tmp_path / "late", 60.0)], 1, 3.0)
    assert time.monotonic() - began < 30
    assert not is_alive(int((tmp_path / "late").read_text()))
    run_in_processes([write_own_id(tmp_path / "after")], 1, 60)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_calls_that_never_began_end_quietly(tmp_path: Path) -> None:
    calls = [write_own_id(tmp_path / str(n), 60.0) for n in range(12)]
    with pytest.raises(OutOfTimeError):
        run_in_processes(calls, 1, 3.0)
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["0"])
    run_in_processes([write_own_id(tmp_path / "after")], 1, 60)


def test_calls_that_are_stopped_as_they_are_handed_over_end_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "wait", interrupted)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run_in_processes([partial(time.sleep, 1)] * 4, workers=2)
    assert raised == []


def test_the_error_of_a_call_is_raised() -> None:
    with pytest.raises(DataError, match="as told"):
        run_in_processes([partial(exec, "from aurist import DataError; raise DataError('as told')")], 1, 60)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "from functools import partial; from pathlib import Path; from aurist.workers import run_in_processes\n"
        "import os, time\n"
        "def hold(place):\n"
        "    place.with_suffix('.part').write_text(str(os.getpid()))\n"
        "    place.with_suffix('.part').rename(place)\n"
        "    time.sleep(120)\n"
        f"run_in_processes([partial(hold, Path({str(tmp_path / 'child')!r}))], 1, 200)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_until((tmp_path / "child").exists)
    child = int((tmp_path / "child").read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not is_alive(child))


def test_calls_ahead_keep_their_order_and_few_wait() -> None:
    running: list[int] = []

    def call(number: int) -> int:
        running.append(number)
        time.sleep(0.02 * (number % 3))
        return number

    seen = []
    for name, future in ahead(((i, partial(call, i)) for i in range(12)), threads=2):
        seen.append((name, future.result()))
        # what is asked for, one more that was begun for it, and those that the threads make meanwhile
        assert len(running) <= len(seen) + 3
    assert seen == [(i, i) for i in range(12)]


def test_what_a_call_ahead_raises_is_raised_where_it_is_asked_for() -> None:
    def fail() -> int:
        raise DataError("a.wav is empty")

    (_, first), (_, second) = ahead([("a", fail), ("b", lambda: 1)], threads=1)
    with pytest.raises(DataError, match="empty"):
        first.result()
    assert second.result() == 1


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("os.kill(os.getpid(), 9)", "killed .SIGKILL., most likely because memory ran out"),
        ("os.kill(os.getpid(), 11)", "crashed .SIGSEGV"),
        ("os._exit(3)", "crashed .EXIT.3"),
    ],
)
def test_a_worker_that_is_killed_is_told_of_and_the_next_calls_are_made(
    end: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkerDiedError, match=why):
        run_in_processes([partial(exec, f"import os; {end}")], 1, 60)
    run_in_processes([write_own_id(tmp_path / "next")], 1, 60)
    assert (tmp_path / "next").exists()


def test_a_worker_of_a_worker_that_is_killed_is_told_of() -> None:
    inner = "import os; os.kill(os.getpid(), 9)"
    outer = "from functools import partial; from aurist.workers import run_in_processes as run"
    with pytest.raises(WorkerDiedError, match="was killed"):
        run_in_processes([partial(exec, f"{outer}; run([partial(exec, {inner!r})], 1, 60)")], 1, 60)


def writes_what_is_loaded(path: Path) -> partial[None]:
    lines = ("import os, pathlib, sys", f"path = pathlib.Path({str(path)!r})",
             "path.write_text(f'{os.getpid()} {\"wave\" in sys.modules}')")  # fmt: skip
    return partial(exec, "\n".join(lines))


def test_warm_workers_have_the_modules_and_stay_for_later_calls(tmp_path: Path) -> None:
    workers._pool.kill()
    with warm_workers(2, ["no_such_module", "wave"]):
        pass
    run_in_processes([writes_what_is_loaded(tmp_path / str(n)) for n in range(4)], 1, 60)  # one at a time
    run_in_processes([writes_what_is_loaded(tmp_path / str(n)) for n in range(4, 8)], 2, 60)
    written = [(tmp_path / str(n)).read_text().split() for n in range(8)]
    assert {loaded for _, loaded in written} == {"True"}
    assert len({process for process, _ in written}) <= 2


def test_warm_workers_end_with_an_error_of_the_body() -> None:
    workers._pool.kill()
    with pytest.raises(DataError), warm_workers(2, ["wave"]):
        executor = workers._pool._executor
        wait_until(lambda: len(executor._processes) == 2)
        ids = list(executor._processes)
        raise DataError("no such column")
    assert not any(map(is_alive, ids))
