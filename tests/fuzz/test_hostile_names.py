"""Labels and ids that a terminal, a browser, a spreadsheet or Markdown would obey."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ..command import aurist
from ..small_run import LDA, feature_table

LABELS = {
    "folk": "<img src=x onerror=alert(1)>",
    "rap": "\x1b]0;title\x07=cmd|' /C calc'!A0",
    "rock": "![x](http://a.b/c)\n# title",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose classes have such names."""
    path = tmp_path_factory.mktemp("hostile")
    table = feature_table()
    table.assign(genre=table["genre"].map(LABELS)).to_csv(path / "train.csv", index=False)
    table.drop(columns="genre").head(3).assign(ID=["=1+1", "@x", "\x1b[2J"]).to_csv(
        path / "new.csv", index=False
    )
    (path / "plan.toml").write_text(LDA)
    fitted = aurist("fit", "train.csv", "--label", "genre", "--plan", "plan.toml", "-o", "run", cwd=path)
    assert fitted.returncode == 0, fitted.stderr
    assert "\x1b" not in fitted.stdout + fitted.stderr and "\x07" not in fitted.stdout + fitted.stderr
    return path


def test_the_terminal_shows_control_characters_and_obeys_none(folder: Path) -> None:
    for command in (
        ["check", "train.csv"],
        ["leaderboard", "run"],
        ["predict", "run", "new.csv", "-o", "new_out.csv"],
    ):
        result = aurist(*command, cwd=folder)
        assert result.returncode == 0, result.stderr
        assert not {"\x1b", "\x07"} & set(result.stdout + result.stderr), command


def test_a_spreadsheet_finds_no_formula(folder: Path) -> None:
    aurist("predict", "run", "new.csv", "--safe-csv", "-o", "safe.csv", cwd=folder)
    with (folder / "safe.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=1+1" in cells and "'@x" in cells
    assert not [cell for cell in cells if cell.lstrip("'")[:1] in tuple("=+-@") and not cell.startswith("'")]


def test_the_report_and_the_card_hold_names_as_text(folder: Path) -> None:
    assert aurist("report", "run", cwd=folder).returncode == 0
    assert aurist("export", "run", "-o", "model", cwd=folder).returncode == 0
    page = next((folder / "run").glob("*.html")).read_text()
    assert "<img src=x" not in page and "img src=x onerror" in page
    card = (folder / "model" / "README.md").read_text()
    assert r"\<img src=x onerror=alert\(1\)\>" in card and r"\!\[x\]\(http://a.b/c\) \# title" in card
    assert "\x1b" not in card
