"""A fit that is killed goes on where it was, and ends as if it had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import aurist

from .conftest import feature_table


def start_fit(table: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "aurist", "fit", str(table), "--label", "genre", "-o", str(folder)]
    return subprocess.Popen(
        [*command, "--preset", "quick", "--time-limit", "2m", "--seed", "4"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # the suite may run in the background of a shell, which lets all its children ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for(pattern: str, folder: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert process.poll() is None, "the fit ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("moment", ["models/ExtraTrees/fold1/unit.json", "models/LightGBM/fold0"])
def test_a_killed_fit_ends_as_one_that_was_left_alone(moment: str, tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start_fit(table, killed)
    wait_for(moment, killed, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(aurist.AuristError, match="aurist resume"):
        aurist.load(killed).leaderboard()
    finished = {unit: unit.stat().st_mtime_ns for unit in killed.glob("models/*/fold*/unit.json")}
    resumed = aurist.resume(killed)
    assert all(unit.stat().st_mtime_ns == stamp for unit, stamp in finished.items())
    assert start_fit(table, whole).wait() == 0
    columns = ["model", "score", "low", "high"]
    pd.testing.assert_frame_equal(
        resumed.leaderboard()[columns],
        aurist.load(whole).leaderboard()[columns],
        check_exact=False,
        atol=1e-6,
    )


def test_ctrl_c_leaves_a_run_that_can_be_used_and_gone_on_with(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    run = tmp_path / "run"
    process = start_fit(table, run)
    wait_for("models/LightGBM/.fold*", run, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that it started
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "interrupted: finishing with what there is" in told
    assert "Traceback" not in told
    assert aurist.load(run).leaderboard()["model"].tolist() == ["Ensemble", "ExtraTrees"]
    assert "LightGBM" in aurist.resume(run).leaderboard()["model"].tolist()


def test_ctrl_c_before_the_first_model_says_how_to_go_on(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    process = start_fit(table, tmp_path / "run")
    wait_for("models/ExtraTrees/.fold*", tmp_path / "run", process)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "aurist resume" in told
    assert "Traceback" not in told


def test_a_run_is_fitted_by_one_process_at_a_time(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    run = tmp_path / "run"
    process = start_fit(table, run)
    wait_for("models/ExtraTrees/.fold*", run, process)
    with pytest.raises(aurist.AuristError, match="in use"):
        aurist.resume(run)
    process.kill()
    process.communicate()
