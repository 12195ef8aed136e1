"""Cells to click on, the comparison of two runs, and advice: what is listed, heard and said."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aurist.clips import make_clips
from aurist.metrics import Interval
from aurist.report import write_comparison, write_report
from aurist.report.advice import about_twice, neediest
from aurist.report.cells import common_confusions, confusion_cells
from aurist.results.data_curve import DataCurve
from aurist.results.tables import confusion
from aurist.run import RunFolder

from ..serve.browser import browser, visit


def cell_data(path: Path) -> dict[str, Any]:
    """The clips and sounds that a page holds."""
    text = re.search(
        r'<script id="cell-data" type="application/json">(.*?)</script>', path.read_text("utf-8")
    )
    assert text is not None
    data: dict[str, Any] = json.loads(text[1])
    return data


class TestCells:
    def test_the_matrix_counts_as_the_confusion_matrix(self) -> None:
        rng = np.random.default_rng(0)
        labels = rng.integers(0, 3, 40)
        clips = make_clips([("abc"[i],) for i in labels])
        proba = rng.dirichlet(np.ones(3), 40)
        truth = clips.targets()
        table = confusion_cells(clips, truth, proba, np.eye(3, dtype=bool)[proba.argmax(axis=1)])
        counts = np.zeros((3, 3), int)
        for at, cell in table.cells.items():
            counts[at] = len(cell.entries)
            sure = [proba[entry.row, at[1]] for entry in cell.entries]
            assert sure == sorted(sure, reverse=cell.wrong)
        assert (counts == confusion(truth, proba)).all()
        most = common_confusions(table, 2)
        assert len(most[0][1].entries) == (counts - np.diag(np.diag(counts))).max()

    def test_of_several_labels_right_false_and_missed(self) -> None:
        clips = make_clips([("a", "b"), ("a",), ("b",), ()], multilabel=True)
        proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.7, 0.1]])
        table = confusion_cells(clips, clips.targets(), proba, proba > 0.5)
        listed = {at: [entry.row for entry in cell.entries] for at, cell in table.cells.items()}
        assert listed == {(0, 0): [0], (0, 1): [3], (0, 2): [1], (1, 0): [2], (1, 1): [1], (1, 2): [0]}


class TestAdvice:
    def test_the_class_that_needs_clips(self) -> None:
        table = pd.DataFrame({"class": ["a", "b", "c"], "n": [10, 100, 10], "f1": [0.9, 0.5, 0.8]})
        row = neediest(table)
        assert row is not None and row["class"] == "c"
        assert neediest(table.assign(f1=1.0)) is None

    def test_twice_the_clips(self) -> None:
        score = Interval(0.8, 0.7, 0.9)
        curve = DataCurve("accuracy", (50, 100), (score, score), Interval(0.85, 0.8, 0.9), 0.8)
        assert "from 0.800 to about 0.850 [0.800, 0.900]" in about_twice(curve)
        flat = DataCurve("accuracy", (50, 100), (score, score), Interval(0.801, 0.7, 0.9), 0.8)
        assert "little" in about_twice(flat)


def test_errors_are_heard(sound_run: RunFolder, tmp_path: Path) -> None:
    write_report(sound_run, tmp_path / "report.html")
    data = cell_data(tmp_path / "report.html")
    wrong = [cell for cell in data["cells"].values() if "predicted as" in cell["title"]]
    rows = {row for cell in wrong for row, _ in cell["clips"]}
    page = (tmp_path / "report.html").read_text("utf-8")
    mistakes = {int(row) for row in re.findall(r'data-row="(\d+)"', page)}
    assert rows and all(str(row) in data["sounds"] or row in mistakes for row in rows)
    assert not mistakes & set(map(int, data["sounds"]))  # no sound is there twice
    assert sum(len(cell["clips"]) for cell in data["cells"].values()) == len(data["names"]) == 48


def test_the_comparison_of_a_run_with_itself(sound_run: RunFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sound_run.folder, copy)
    write_comparison(sound_run, RunFolder(copy), tmp_path / "both.html")
    page = (tmp_path / "both.html").read_text("utf-8")
    assert "No clear difference" in page
    assert set(cell_data(tmp_path / "both.html")["cells"]) <= {"runs-0-0", "runs-1-1"}


def test_cells_by_keyboard(sound_run: RunFolder, tmp_path: Path) -> None:
    write_report(sound_run, tmp_path / "report.html")
    with browser() as opened:
        seen = visit(opened)
        page = seen.page
        page.goto((tmp_path / "report.html").as_uri())
        cell = page.locator(".cell.wrong").first
        count = int(cell.inner_text())
        cell.focus()
        page.keyboard.press("Enter")
        assert page.locator("#clips-of-cell li").count() == count
        assert page.locator("#clips-of-cell audio").count() == count
        assert page.evaluate("document.activeElement.id") == "cell-title"
        seconds = page.evaluate(
            """() => new Promise((done) => {
              const audio = document.querySelector("#clips-of-cell audio");
              audio.onloadedmetadata = () => done(audio.duration);
              audio.load();
            })"""
        )
        assert seconds == pytest.approx(1.0, abs=0.15)
        page.keyboard.press("Escape")
        assert page.locator("#clips-of-cell").is_hidden()
        assert page.evaluate("document.activeElement.classList.contains('wrong')")
        assert seen.errors == [] and all(url.startswith(("file:", "data:")) for url in seen.requests)
