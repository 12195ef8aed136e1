"""A sample of `benchmarks/faults.py`: what is killed or finds no room goes on and ends as if nothing had happened."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import cases, harness
from .harness import FULL, KILL, NEVER, SIZE, STATEMENT, WORKER, Case, Server

pytest.importorskip("onnx")
BY_NAME = {case.name: case for case in cases.CASES}
#: A kill soon after the beginning, half-way, or at the last moment, by the share of moments that have passed.
SAMPLE = {"fit": 0.6, "predict (recordings)": 0.5, "index": 0.7, "shards": 0.45, "merge (features)": 0.0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with harness.serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def folder(
    built_once: Callable[[str, Callable[[Path], object]], Path], server: Server, tmp_path: Path
) -> Path:
    whole = built_once("faults", lambda folder: cases.make(folder, server))
    return Path(shutil.copytree(whole, tmp_path / "data"))


@pytest.mark.parametrize("name", SAMPLE)
def test_after_a_full_disk_and_a_kill_the_result_is_whole(name: str, folder: Path, server: Server) -> None:
    case = BY_NAME[name]
    ended = harness.run_case(server, case, folder, "out")
    assert ended.status == 0 and ended.moments >= 3, ended.text
    whole = harness.content(case, folder / case.output("out"))
    assert not harness.fault_problems(server, case, folder, whole, FULL, ended.moments // 3, "out")
    at = int(SAMPLE[name] * ended.moments)
    assert not harness.fault_problems(server, case, folder, whole, KILL, at, "out")


@pytest.mark.parametrize("name", ["features (CSV)", "check"])
def test_a_kill_in_a_transaction_of_the_cache_costs_no_result(
    name: str, folder: Path, server: Server
) -> None:
    case = BY_NAME[name]
    harness.clear_cache(folder)
    ended = harness.run_case(server, case, folder, "out")
    assert ended.status == 0 and ended.statements >= 10, ended.text
    whole = harness.content(case, folder / case.output("out"))
    at = ended.statements - 3
    assert not harness.fault_problems(server, case, folder, whole, STATEMENT, at, "out")
    harness.clear_cache(folder)
    assert harness.run_case(server, case, folder, "new", SIZE, 6000).status == -signal.SIGXFSZ
    assert not harness.fault_problems(server, case, folder, whole, SIZE, 6000, "out")


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_a_folder_that_cannot_be_written_to_is_refused_in_one_message(
    case: Case, folder: Path, server: Server
) -> None:
    ended = harness.run_read_only(server, case, folder, "out")
    assert ended.status == 1 and not harness.message_problems(ended), ended.text
    assert not (folder / case.output("out")).exists()


def test_a_torn_file_and_a_lost_one_are_noticed(tmp_path: Path) -> None:
    case = Case("two files", "check DATA -o OUT", varies=("journal",))
    for name, text in (("a", "out"), ("b", "who")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.csv").write_text(text)
        (tmp_path / name / "journal").write_text(f"{name}\n")
    (tmp_path / "a" / "two.csv").touch()
    whole, other = (harness.content(case, tmp_path / name) for name in "ab")
    assert harness.differences(whole, other) == ["lacks OUT/two.csv", "OUT/one.csv differs"]
    assert harness.message_problems(harness.Ended(1, "aurist: x cannot be written", 0)) == []
    assert harness.message_problems(harness.Ended(1, "aurist: x is wrong\n", 0))
    assert harness.message_problems(harness.Ended(1, "Traceback\naurist: x cannot be written", 0))


def test_a_killed_worker_costs_its_model_until_the_run_is_resumed(folder: Path, server: Server) -> None:
    case = cases.IN_WORKERS
    ended = harness.run_case(server, case, folder, "out", WORKER, NEVER)
    assert ended.status == 0, ended.text
    whole = harness.content(case, folder / "out")
    harness.remove_output(case, folder, "out")
    killed = harness.run_case(server, case, folder, "out", WORKER, 3)
    assert "skipped: ExtraTrees: its process was killed (SIGKILL)" in killed.text
    again = harness.run_again(server, case, folder, "out")
    assert again.status == 0 and not harness.differences(whole, harness.content(case, folder / "out"))
