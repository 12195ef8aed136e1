"""Trials in a database: what is drawn, stopped, cut, gone on with, and shared."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurist.errors import ConfigError, RunError
from aurist.models.base import FitFailedError
from aurist.recipes import Choice, Range

pytest.importorskip("optuna")

from optuna.trial import TrialState

from aurist.errors import FullDiskError
from aurist.files import is_free
from aurist.tuning.study import Attempt, InterruptedTrialError, Study

SPACE = {"x": Range(-1.0, 1.0), "n": Range(1, 4), "word": Choice(("a", "b"))}
OWN: dict[str, Any] = {"x": 0.5, "n": 2, "word": "b"}


def study(folder: Path, own: dict[str, Any] | None = OWN, **changed: Any) -> Study:
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {"storage": None, "pruner": "median", "n_folds": 3, "seed": 0, **changed}
    return Study(folder, "test", SPACE, own, **settings)


def scored(scores: list[float], tried: list[Attempt] | None = None) -> Callable[[Attempt], float | None]:
    """An evaluation with these scores after each fold."""

    def evaluate(attempt: Attempt) -> float | None:
        if tried is not None:
            tried.append(attempt)
        for step, score in enumerate(scores):
            if attempt.report(step, score, [1.0] * (step + 1)) and step < len(scores) - 1:
                return None
        return scores[-1]

    return evaluate


def test_the_recipe_as_it_was_comes_first_and_is_never_stopped(tmp_path: Path) -> None:
    tried: list[Attempt] = []
    one = study(tmp_path)
    one.run_trial(scored([0.1, 0.1, 0.1], tried))
    one.run_trial(scored([0.9, 0.9, 0.9], tried))
    assert [attempt.as_it_was for attempt in tried] == [True, False]
    assert tried[0].settings == OWN and tried[1].settings != OWN
    assert all(SPACE[name].contains(value) for name, value in tried[1].settings.items())
    best, before = one.best(), one.as_it_was()
    assert best is not None and before is not None and (best.number, before.number) == (1, 0)


def test_a_recipe_outside_its_own_space_is_tried_first_all_the_same(tmp_path: Path) -> None:
    tried: list[Attempt] = []
    one = study(tmp_path, own=None)
    one.run_trial(scored([0.1], tried))
    assert tried[0].as_it_was and tried[0].settings == {}
    assert one.as_it_was() is not None


def test_a_trial_below_the_median_after_as_many_folds_is_stopped(tmp_path: Path) -> None:
    one = study(tmp_path)
    for level in (0.5, 0.6, 0.7, 0.8):
        one.run_trial(scored([level + 0.2, level, level]))  # the first fold is the easy one
    one.run_trial(scored([0.9, 0.64, 0.99]))  # above the median of 0.85, then below that of 0.65
    one.run_trial(scored([0.84, 0.99, 0.99]))  # below at once
    one.run_trial(scored([0.86, 0.66, 0.6]))  # above whenever it counts
    table = one.table()
    assert table["state"].tolist() == ["complete"] * 4 + ["pruned", "pruned", "complete"]
    assert table["folds"].tolist() == [3, 3, 3, 3, 2, 1, 3]
    assert table["score"].tolist()[4:] == [0.64, 0.84, 0.6]


def test_without_a_pruner_nothing_is_stopped(tmp_path: Path) -> None:
    one = study(tmp_path, pruner="none")
    for level in (0.5, 0.6, 0.7, 0.8, 0.1):
        one.run_trial(scored([level] * 3))
    assert one.table()["state"].tolist() == ["complete"] * 5


def test_hyperband_stops_some(tmp_path: Path) -> None:
    one = study(tmp_path, pruner="hyperband")
    for n in range(16):
        one.run_trial(scored([1 - n / 100] * 3))
    assert set(one.table()["state"]) == {"complete", "pruned"}


def test_the_same_seed_draws_the_same_after_a_kill_too(tmp_path: Path) -> None:
    def settings(folder: Path, again: bool, seed: int = 0) -> list[Any]:
        tried: list[Attempt] = []
        one = study(folder, seed=seed)
        for _ in range(14):
            if again:
                one = study(folder, seed=seed)
            one.run_trial(lambda attempt: tried.append(attempt) or float(attempt.settings["x"]))
        return [attempt.settings for attempt in tried]

    first = settings(tmp_path / "whole", False)
    assert first == settings(tmp_path / "killed", True)
    assert first != settings(tmp_path / "other", False, seed=1)


def test_a_trial_that_was_interrupted_changes_no_later_draw(tmp_path: Path) -> None:
    def settings(folder: Path, interrupted: int | None) -> list[Any]:
        tried: list[Attempt] = []
        one = study(folder)

        def evaluate(attempt: Attempt) -> float:
            if len(tried) == interrupted and attempt.number == interrupted:
                raise InterruptedTrialError
            tried.append(attempt)
            return float(attempt.settings["x"])

        while len(tried) < 14:
            try:
                one.run_trial(evaluate)
            except InterruptedTrialError:
                one = study(folder)
                one.requeue_interrupted()
        return [attempt.settings for attempt in tried]

    first = settings(tmp_path / "whole", None)
    assert settings(tmp_path / "first", 0) == first
    assert settings(tmp_path / "later", 5) == first


@pytest.mark.parametrize(
    ("error", "as_type"),
    [
        (InterruptedTrialError("no time"), InterruptedTrialError),
        (FullDiskError("full"), FullDiskError),
        (OSError(28, "No space"), FullDiskError),
    ],
)
def test_a_trial_that_was_cut_is_gone_on_with_in_its_own_folder(
    tmp_path: Path, error: Exception, as_type: type[Exception]
) -> None:
    tried: list[Attempt] = []

    def cut(attempt: Attempt) -> float:
        tried.append(attempt)
        (attempt.folder / "fold0").mkdir()
        attempt.report(0, 0.3, [2.0])
        raise error

    one = study(tmp_path)
    one.run_trial(scored([0.5]))
    with pytest.raises(as_type):
        one.run_trial(cut)
    assert one.n_begun() == 1
    again = study(tmp_path)
    again.requeue_interrupted()
    again.requeue_interrupted()  # once is enough
    again.run_trial(scored([0.7], tried))
    assert tried[1].settings == tried[0].settings
    assert (tried[1].folder / "fold0").is_dir() and not tried[0].folder.exists()
    assert again.table()["state"].tolist() == ["complete", "interrupted", "complete"]
    assert again.n_begun() == 2


def test_a_trial_is_held_until_its_score_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, free = study(tmp_path), []
    store = one._study._storage.set_trial_state_values

    def tell(number: int, state: TrialState, *values: Any, **named: Any) -> bool:
        if state == TrialState.COMPLETE:
            free.append(is_free(one.trial_folder(0)))
        return store(number, state, *values, **named)

    monkeypatch.setattr(one._study._storage, "set_trial_state_values", tell)
    one.run_trial(scored([0.5]))
    assert free == [False]
    assert is_free(one.trial_folder(0))


def test_a_trial_that_is_finished_meanwhile_is_not_taken_for_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = study(tmp_path)
    trial = one._study.ask()
    one.trial_folder(trial.number).mkdir(parents=True)

    def finished_by_another(folder: Path) -> bool:
        one._study.tell(trial, 0.5)
        return True

    monkeypatch.setattr("aurist.tuning.study.is_free", finished_by_another)
    one.requeue_interrupted()
    assert one.table()["state"].tolist() == ["complete"]


def test_a_trial_that_fails_says_why_and_is_not_tried_again(tmp_path: Path) -> None:
    def fail(attempt: Attempt) -> float:
        raise MemoryError("too large")

    one = study(tmp_path)
    one.run_trial(scored([0.5]))
    one.run_trial(fail)
    one.requeue_interrupted()
    table = one.table()
    assert table["state"].tolist() == ["complete", "failed"] and table["why"].iloc[1] == "too large"
    assert one.n_begun() == 2


def test_settings_that_were_tried_are_not_tried_again(tmp_path: Path) -> None:
    tried: list[Attempt] = []
    space = {"word": Choice(("a", "b"))}
    one = Study(tmp_path, "t", space, {"word": "b"}, storage=None, pruner="none", n_folds=1, seed=0)
    for _ in range(8):
        one.run_trial(scored([0.25], tried) if len(tried) == 0 else scored([0.75], tried))
    assert [attempt.settings["word"] for attempt in tried] == ["b", "a"]
    table = one.table()
    assert (table["score"] == table["word"].map({"a": 0.75, "b": 0.25})).all() and len(table) == 8
    best = one.best()
    assert best is not None and best.number == tried[1].number
    assert table["why"].notna().sum() == 6 and one.n_begun() == 8


def test_where_the_recipe_as_it_was_fails_the_search_ends(tmp_path: Path) -> None:
    def fail(attempt: Attempt) -> float:
        raise FitFailedError("no good")

    one = study(tmp_path)
    with pytest.raises(FitFailedError, match="no good"):
        one.run_trial(fail)
    one.requeue_interrupted()
    tried: list[Attempt] = []
    one.run_trial(scored([0.5], tried))
    assert tried[0].as_it_was and tried[0].settings == OWN


def test_models_of_the_best_and_of_the_recipe_as_it_was_are_kept(tmp_path: Path) -> None:
    one = study(tmp_path)
    for level in (0.5, 0.9, 0.6, 0.7):
        one.run_trial(scored([level]))
        one.remove_models()
    kept = sorted(path.name for path in (tmp_path / "trials").iterdir())
    assert kept == ["trial0", "trial1"]


def test_a_trial_whose_process_was_killed_is_tried_again_and_one_that_lives_is_left_alone(
    tmp_path: Path,
) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests_study import study\n"
        "def wait(attempt):\n"
        "    (attempt.folder / 'begun').touch(); time.sleep(100)\n"
        "study(Path(sys.argv[1])).run_trial(wait)\n"
    )
    (tmp_path / "tests_study.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    folder = tmp_path / "study"
    study(folder).run_trial(scored([0.5]))
    others = []
    for number in (1, 2):
        others.append(subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=tmp_path))
        deadline = time.monotonic() + 60
        while not (folder / "trials" / f"trial{number}" / "begun").exists():
            assert others[-1].poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    others[0].send_signal(signal.SIGKILL)
    others[0].wait()
    one = study(folder)
    one.requeue_interrupted()
    assert one.table()["state"].tolist() == ["complete", "interrupted", "running", "waiting"]
    others[1].kill()
    others[1].wait()


def test_scores_that_are_not_defined_stop_nothing(tmp_path: Path) -> None:
    one = study(tmp_path)
    for _ in range(5):
        one.run_trial(scored([math.nan, 0.5]))
    one.run_trial(scored([math.nan, 0.9]))
    assert one.table()["state"].tolist() == ["complete"] * 6


@pytest.mark.parametrize("url", ["nothing", "oracle://a/b", "sqlite:////nowhere/at/all/x.db"])
def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="Cannot open the database"):
        study(tmp_path, storage=url)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    study(tmp_path).run_trial(scored([0.5]))
    path = tmp_path / "study.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))  # the pages of the tables
    with pytest.raises((RunError, ConfigError), match=str(path)):
        study(tmp_path)
    path.write_bytes(whole)
    one = study(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE trials")
    with pytest.raises(RunError, match=rf"{path} is damaged, or out of reach: no such table"):
        one.best()
