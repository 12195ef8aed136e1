"""Workers that are killed, disks that are full, two fits at once: nothing is lost, and every end says how to go on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aurist
from aurist import crossval
from aurist.automl.fit import fit, resume
from aurist.config import FitConfig
from aurist.errors import RunError
from aurist.killed import KILLED_FILE
from aurist.run import open_run, read_ensemble

from ..command import start
from ..small_run import feature_table

PLAN = """
[[member]]
name = "Trees"
engine = "forest"
settings = {trees = 20}

[[member]]
name = "Hungry"
engine = "classic"
settings = {kind = "lda"}
"""
fit_fold = crossval._fit_fold


def config(tmp_path: Path, jobs: int) -> FitConfig:
    (tmp_path / "plan.toml").write_text(PLAN)
    return FitConfig(preset="quick", plan=str(tmp_path / "plan.toml"), folds=2, jobs=jobs)


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(folder: Path, data: Any, member: Any, *rest: Any) -> None:
        import os

        from aurist.crossval import _fit_fold

        if member.name == "Hungry":
            os.kill(os.getpid(), 9)  # as the system does where memory runs out
        _fit_fold(folder, data, member, *rest)

    monkeypatch.setattr(crossval, "_fit_fold", killed)
    monkeypatch.setattr(crossval, "SMALL_CELLS", 0)  # in worker processes


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("killer")
def test_a_member_whose_worker_is_killed_is_skipped(
    tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "aurist")
    run = fit(feature_table(90), tmp_path / "run", config(tmp_path, jobs))
    assert run.is_finished() and set(read_ensemble(run).weights["Ensemble"][0]) == {"Trees"}
    assert any(
        "skipped: Hungry: its process was killed (SIGKILL), most likely because memory" in line
        for line in caplog.messages
    )
    monkeypatch.setattr(crossval, "_fit_fold", fit_fold)
    caplog.clear()
    resumed = resume(run.folder)
    names = set(read_ensemble(resumed).members)
    if jobs == 2:  # one fold at a time it has twice the memory
        assert names == {"Trees", "Hungry"}
        return
    assert names == {"Trees"} and any("Hungry: not tried again" in line for line in caplog.messages)
    (run.models / "Hungry" / KILLED_FILE).unlink()
    assert len(read_ensemble(resume(run.folder)).members) == 2


@pytest.mark.parametrize("in_workers", [False, True])
def test_memory_that_runs_out_skips_the_member_too(
    in_workers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def hungry(folder: Path, data: Any, member: Any, *rest: Any) -> None:
        if member.name == "Hungry":
            raise MemoryError
        fit_fold(folder, data, member, *rest)

    monkeypatch.setattr(crossval, "_fit_fold", hungry)
    if in_workers:
        monkeypatch.setattr(crossval, "SMALL_CELLS", 0)
    caplog.set_level("INFO", "aurist")
    run = fit(feature_table(90), tmp_path / "run", config(tmp_path, 1))
    assert run.is_finished() and any(
        "Hungry: there was not enough memory" in line for line in caplog.messages
    )


def test_memory_that_runs_out_here_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("aurist.automl.train.write_results", hungry)
    with pytest.raises(RunError, match=r"Memory ran out.*aurist resume"):
        fit(feature_table(90), tmp_path / "run", config(tmp_path, 1))
    monkeypatch.undo()
    assert resume(tmp_path / "run").is_finished()


def test_a_disk_that_is_full_says_which_file_and_how_to_go_on(tmp_path: Path) -> None:
    feature_table(200).to_csv(tmp_path / "train.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN.replace("trees = 20", "trees = 100"))
    command = f"{sys.executable} -m aurist fit train.csv --label genre --plan plan.toml --jobs 1 -o run"
    # 80 kB a file: the table of clips and compiled code have room, the trees have not
    result = subprocess.run(
        ["bash", "-c", f"ulimit -f 80; {command}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert "forest.npz cannot be written: there is no room" in last
    assert last.endswith("continue with: aurist resume run") and "Traceback" not in result.stderr
    assert resume(tmp_path / "run").is_finished()


def test_of_two_fits_at_once_into_one_folder_one_is_refused_and_the_other_whole(tmp_path: Path) -> None:
    config(tmp_path, 1)
    table = feature_table(90)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.assign(genre=table["genre"] + "2").to_csv(tmp_path / "b.csv", index=False)
    options = ("--label", "genre", "--plan", "plan.toml", "--jobs", 1, "-o", "run")
    both = {name: start("fit", f"{name}.csv", *options, cwd=tmp_path) for name in ("a", "b")}
    errors = {name: process.communicate()[1] for name, process in both.items()}
    codes = {name: process.returncode for name, process in both.items()}
    assert sorted(codes.values()) == [0, 1], errors
    won, lost = sorted(codes, key=lambda name: codes[name])
    assert "in use" in errors[lost] or "holds a" in errors[lost]
    classes = open_run(tmp_path / "run").classes()
    assert all(name.endswith("2") == (won == "b") for name in classes)
    clips = pd.read_parquet(tmp_path / "run" / "clips.parquet")
    assert {label for labels in clips["labels"] for label in labels} == set(classes)


def test_a_fit_that_begins_while_another_prepares_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepared(*_: Any, **__: Any) -> Any:
        monkeypatch.undo()
        with pytest.raises(RunError, match="is in use"):
            fit(feature_table(90), tmp_path / "run", config(tmp_path, 1))
        raise RunError("that is enough")

    monkeypatch.setattr("aurist.automl.fit.prepare", prepared)
    with pytest.raises(RunError, match="enough"):
        fit(feature_table(90), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_in_a_folder_already_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "config.toml").write_text("theirs = true")
    with pytest.raises(RunError, match=r"is no run folder.*config\.toml, models"):
        fit(feature_table(90), tmp_path)
    assert (tmp_path / "config.toml").read_text() == "theirs = true"


def test_a_fit_that_was_refused_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(aurist.AuristError):
        fit(feature_table(90).assign(genre="folk"), tmp_path / "runs" / "run")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_attempt_left_is_no_part_of_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").touch()
    (folder / "test_keys.parquet").write_bytes(b"cut")
    (folder / "recipes.json").write_text(json.dumps([{"name": "../x"}]))
    run = fit(feature_table(90), folder, config(tmp_path, 1))
    assert run.recipes() == [] and run.is_finished()
