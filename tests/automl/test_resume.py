"""A fit that is killed goes on where it was, and ends as if it had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pandas as pd
import pytest

import aurist
from aurist.automl.fit import fit, resume
from aurist.clips.read import ReadOptions
from aurist.config import FitConfig
from aurist.run import RunFolder, open_run

from ..small_run import feature_table

SEED = 4


def plan(trees: int) -> str:
    """Two forests; the second takes seconds, in which the fit can be stopped, and so does the first with many trees."""
    member = '[[member]]\nname = "{}"\nengine = "forest"\nsettings = {{trees = {}}}\n'
    return member.format("ExtraTrees", trees) + member.format("Second", 300)


def start_fit(table: Path, folder: Path, trees: int = 150) -> subprocess.Popen[str]:
    # not `python -m`: if Ctrl-C comes while a library runs a string as code, Python itself then ends `-m` by the
    # signal, whatever status the program gives
    script = Path(sysconfig.get_path("scripts")) / "aurist"
    command = [str(script), "fit", str(table), "--label", "genre", "-o", str(folder)]
    written = table.with_name("plan.toml")
    written.write_text(plan(trees))
    return subprocess.Popen(
        [*command, "--plan", str(written), "--folds", "3", "--jobs", "2", "--seed", str(SEED)],
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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A fit of the same that was left alone."""
    folder = tmp_path_factory.mktemp("whole")
    feature_table(300, seed=8).to_csv(folder / "train.csv", index=False)
    (folder / "plan.toml").write_text(plan(150))
    config = FitConfig(plan=str(folder / "plan.toml"), folds=3, jobs=2, seed=SEED)
    return fit(folder / "train.csv", folder / "run", config, options=ReadOptions(label="genre"))


@pytest.mark.parametrize("moment", ["models/ExtraTrees/fold1/unit.json", "models/Second/fold0"])
def test_a_killed_fit_ends_as_one_that_was_left_alone(moment: str, whole: RunFolder, tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    killed = tmp_path / "killed"
    process = start_fit(table, killed)
    wait_for(moment, killed, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if "ExtraTrees" in moment:
        with pytest.raises(aurist.AuristError, match="aurist resume"):
            open_run(killed).leaderboard()
    else:  # what was done can be used
        assert set(open_run(killed).leaderboard()["model"]) == {"ExtraTrees", "Ensemble"}
        assert not open_run(killed).is_finished()
    finished = {unit: unit.stat().st_mtime_ns for unit in killed.glob("models/*/fold*/unit.json")}
    assert 0 < len(finished) < 6
    resumed = resume(killed)
    assert all(unit.stat().st_mtime_ns == stamp for unit, stamp in finished.items())
    columns = ["model", "score", "low", "high"]
    pd.testing.assert_frame_equal(
        resumed.leaderboard()[columns],
        whole.leaderboard()[columns],
        check_exact=False,
        atol=1e-6,
    )


def test_ctrl_c_leaves_a_run_that_can_be_used_and_gone_on_with(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    run = tmp_path / "run"
    process = start_fit(table, run)
    wait_for("models/Second/.fold*", run, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that it started
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "interrupted: finishing with what there is" in errors
    assert "Traceback" not in errors
    assert open_run(run).leaderboard()["model"].tolist() == ["Ensemble", "ExtraTrees"]
    assert "Second" in resume(run).leaderboard()["model"].tolist()


def test_ctrl_c_before_the_first_model_says_how_to_go_on(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    process = start_fit(table, tmp_path / "run", trees=300)
    wait_for("models/ExtraTrees/.fold*", tmp_path / "run", process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors
    assert "aurist resume" in errors
    assert "Traceback" not in errors


def test_ctrl_c_that_a_library_answers_with_another_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit_member(*_: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise ValueError("not a valid PEP 3118 buffer format string") from None

    monkeypatch.setattr("aurist.automl.train.fit_member", fit_member)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(aurist.AuristError, match="Interrupted before the first model was done"):
            fit(
                feature_table(60),
                tmp_path / "run",
                FitConfig(preset="quick", jobs=1),
                options=ReadOptions(label="genre"),
            )
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_run_is_fitted_by_one_process_at_a_time(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(300, seed=8).to_csv(table, index=False)
    run = tmp_path / "run"
    process = start_fit(table, run, trees=300)
    wait_for("models/ExtraTrees/.fold*", run, process)
    with pytest.raises(aurist.AuristError, match="in use"):
        resume(run)
    process.kill()
    process.communicate()
