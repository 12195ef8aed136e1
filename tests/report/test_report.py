"""The report: one file that says what the run's files say, and opens by itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips import Clips, make_clips
from aurist.errors import ConfigError
from aurist.report import write_report
from aurist.report.mistakes import worst_mistakes
from aurist.run import RunFolder

from .conftest import trees


class Page(HTMLParser):
    """Tables as lists of rows, addresses of what the page shows, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.addresses += [value for name in ("src", "href") if (value := values.get(name))]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data.strip()


def test_a_run_on_sounds(sound_run: RunFolder, tmp_path: Path) -> None:
    write_report(sound_run, tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert page.addresses and all(address.startswith("data:") for address in page.addresses)
    assert not re.search(
        r"https?://", re.sub(r'"data:[^"]*"', "", (tmp_path / "report.html").read_text("utf-8"))
    )
    board = sound_run.leaderboard()
    # the first table is the leaderboard
    shown = {row[0]: row for row in reversed(page.rows) if row and row[0] in set(board["model"])}
    for row in board.itertuples():
        assert shown[str(row.model)][1:4] == [f"{x:.4f}" for x in (row.score, row.low, row.high)]
    assert "low & <slow>" in page.text and "high $1" in page.text  # as written, not as HTML
    assert any(row and row[0].endswith("broken.wav") for row in page.rows)
    # the two wrong labels are what it is surest to be wrong about
    assert "10.wav" in page.text and "21.wav" in page.text
    assert sum(address.startswith("data:audio/mpeg") for address in page.addresses) >= 2


def test_a_run_on_a_table_has_no_sounds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(90) % 3
    table = pd.DataFrame(
        {"tempo": label + rng.normal(0, 0.7, 90), "genre": np.array(["folk", "rap", "rock"])[label]}
    )
    run = fit(table, tmp_path / "run", trees(tmp_path, 2))
    write_report(run, tmp_path / "report.html", model="ExtraTrees")
    page = Page(tmp_path / "report.html")
    assert "All of ExtraTrees." in page.text and "Mistakes with the highest probability" in page.text
    assert not any(address.startswith("data:audio") for address in page.addresses)
    with pytest.raises(ConfigError, match=r"has no model 'None such'.*ExtraTrees"):
        write_report(run, tmp_path / "report.html", model="None such")


def test_sounds_that_were_moved_and_sounds_left_out(sound_run: RunFolder, tmp_path: Path) -> None:
    write_report(sound_run, tmp_path / "silent.html", with_sound=False)
    assert "data:audio" not in (tmp_path / "silent.html").read_text("utf-8")
    assert (tmp_path / "silent.html").stat().st_size < 400_000
    moved = tmp_path / "run"
    shutil.copytree(sound_run.folder, moved)
    table = pd.read_parquet(moved / "clips.parquet")
    table["path"] = "gone/" + table["path"]
    table.to_parquet(moved / "clips.parquet")
    write_report(RunFolder(moved), tmp_path / "moved.html")
    page = Page(tmp_path / "moved.html")
    assert "10.wav" in page.text and not any(a.startswith("data:audio") for a in page.addresses)


class TestMistakes:
    def clips(self, labels: list[tuple[str, ...]], *, multilabel: bool = False) -> Clips:
        groups = ["g0", "g0", *(f"g{i}" for i in range(2, len(labels)))]
        return make_clips(
            labels, clip_ids=[f"c{i}" for i in range(len(labels))], groups=groups, multilabel=multilabel
        )

    def test_the_surest_first_one_a_group(self) -> None:
        clips = self.clips([("a",), ("a",), ("b",), ("b",)])
        proba = np.array([[0.1, 0.9], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
        mistakes = worst_mistakes(clips, clips.targets(), proba, most=5, with_sound=True)
        assert [one.name for one in mistakes] == ["c0", "c2"]
        assert mistakes[0].truth == [("a", 0.1)] and mistakes[0].predicted[0] == ("b", 0.9)

    def test_of_several_labels_what_is_not_there(self) -> None:
        clips = self.clips([("a", "b"), ("a",), ("b",)], multilabel=True)
        proba = np.array([[0.9, 0.1], [0.9, 0.45], [0.7, 0.2]])
        mistakes = worst_mistakes(clips, clips.targets(), proba, most=5, with_sound=True)
        assert [(one.name, one.predicted) for one in mistakes] == [("c2", [("a", 0.7)])]
        named = np.array([[True, False], [True, True], [False, False]])
        mistakes = worst_mistakes(clips, clips.targets(), proba, named, most=5, with_sound=True)
        assert [(one.name, one.predicted) for one in mistakes] == [("c1", [("b", 0.45)])]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_a_browser_shows_it_and_sorts_its_tables(sound_run: RunFolder, tmp_path: Path) -> None:
    write_report(sound_run, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    click = (
        "<script>document.querySelectorAll('th')[1].click(); document.title = [...document.querySelectorAll"
    )
    click += "('table')[0].tBodies[0].rows].map(row => row.cells[1].textContent).join(' ')</script></body>"
    (tmp_path / "clicked.html").write_text(text.replace("</body>", click), encoding="utf-8")
    arguments = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --dump-dom"
    )
    shown = subprocess.run(
        [
            "chromium",
            *arguments.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            (tmp_path / "clicked.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    title = re.search(r"<title>(.*?)</title>", shown)
    assert title is not None
    scores = [float(score) for score in title.group(1).split()]
    assert len(scores) == len(sound_run.leaderboard()) and scores == sorted(scores, reverse=True)
