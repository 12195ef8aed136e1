"""The line that says how far a network is."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from aurist.automl.training_progress import progress_line, watched

NOW = {"epoch": 3, "epochs": 40, "loss": 0.5, "score": 0.75, "clips_per_second": 61.4, "left": 125}


def write_progress(folder: Path, fold: int, **changed: object) -> Path:
    network_folder = folder / "mel-cnn" / f".fold{fold}" / "net0"
    network_folder.mkdir(parents=True, exist_ok=True)
    path = network_folder / "progress.json"
    path.write_text(json.dumps({**NOW, **changed}))
    return path


def test_the_line_says_what_the_training_that_wrote_last_says(tmp_path: Path) -> None:
    began = time.time() - 1
    write_progress(tmp_path, 0)
    line = progress_line(tmp_path / "mel-cnn", began)
    assert line == "mel-cnn: fold 1, epoch 4 of 40, loss 0.500, best 0.750, 61 clips/s, 2:05 left"


@pytest.mark.parametrize("score", [None, float("nan")])
def test_without_an_inner_part_there_is_no_best(tmp_path: Path, score: float | None) -> None:
    write_progress(tmp_path, 1, score=score)
    line = progress_line(tmp_path / "mel-cnn", 0.0)
    assert line is not None and "best" not in line and line.startswith("mel-cnn: fold 2, ")


def test_what_an_earlier_fit_left_is_not_told(tmp_path: Path) -> None:
    write_progress(tmp_path, 0)
    assert progress_line(tmp_path / "mel-cnn", time.time() + 60) is None
    assert progress_line(tmp_path / "nothing", 0.0) is None


def test_a_file_that_is_being_replaced_is_passed_over(tmp_path: Path) -> None:
    write_progress(tmp_path, 0).write_text('{"epoch": 3')
    assert progress_line(tmp_path / "mel-cnn", 0.0) is None


def test_lines_come_now_and_then_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from aurist.automl import training_progress

    caplog.set_level("INFO", "aurist")
    monkeypatch.setattr(training_progress, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(training_progress, "_LINE_EVERY", 0.0)
    with watched(tmp_path / "mel-cnn"):
        until = time.monotonic() + 10
        while not caplog.messages and time.monotonic() < until:
            write_progress(tmp_path, 0)
            time.sleep(0.01)
    assert caplog.messages[0].startswith("mel-cnn: fold 1, epoch 4 of 40")


def test_a_folder_that_is_renamed_meanwhile_gives_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def glob(folder: Path, pattern: str) -> list[Path]:
        raise FileNotFoundError(folder / ".fold0")

    monkeypatch.setattr(Path, "glob", glob)
    assert progress_line(tmp_path / "mel-cnn", 0.0) is None
