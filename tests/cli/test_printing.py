"""What is printed fits the terminal and can be read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aurist.cli.printing import paragraph, print_confusion, print_table
from aurist.cli.show import SHOWN

NAMES = ["blues", "classical", "country", "dark trap", "electronic", "emo", "hiphop", "jazz", "metal", "pop",
         "reggae", "rock", "trap metal", "underground rap", "psytrance"]  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("n", [2, 7, 15, 40, 200])
def test_confusions_fit_the_terminal(n, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    matrix = np.random.default_rng(0).integers(1, 999, (n, n))
    names = [f"{NAMES[i % 15]} {i // 15}" if i >= 15 else NAMES[i] for i in range(n)]
    print_confusion(matrix, names)
    lines = printed(capsys)
    assert max(map(len, lines)) <= columns
    cells = " ".join(lines[2:]).replace(".", " ").split()
    assert str(matrix[0, 1]) in cells or n >= 40
    assert not any("\u2026" in line for line in lines)


def test_numbered_columns_are_the_rows(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    matrix = np.diag(np.arange(100, 115))
    matrix[13, 1] = 7
    print_confusion(matrix, NAMES)
    lines = printed(capsys)
    assert lines[1].split() == ["truth", *map(str, range(1, 16))]
    assert lines[15].split() == ["14", "underground", "rap", ".", "7", *["."] * 11, "113", "."]


def test_where_no_matrix_fits_the_commonest_confusions_are_named(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    matrix = np.diag(np.full(60, 90))
    matrix[3, 5], matrix[7, 0] = 10, 30
    print_confusion(matrix, [f"species {i}" for i in range(60)])
    lines = printed(capsys)
    assert "commonest 2 of 2 confusions of 60 classes" in lines[0]
    assert [" ".join(line.split()) for line in lines[-2:]] == [
        "species 7 species 0 30 25%",
        "species 3 species 5 10 10%",
    ]


def test_the_leaderboard_fits_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    row = {"model": "AutoGluonEnsemble", "score": -0.12345, "low": -0.2, "high": -0.1, "fit_time": 12345.6,
           "pred_time": 123.4, "stack_level": 2}  # fmt: skip
    print_table(pd.DataFrame([row])[SHOWN], title="balanced_accuracy, higher is better; " + "words " * 20)
    lines = printed(capsys)
    assert max(map(len, lines)) <= 80
    assert lines[-2].split() == SHOWN
    assert lines[-1].split()[0] == "AutoGluonEnsemble"


def test_sentences_break_between_words_on_a_terminal_and_never_in_a_pipe(monkeypatch, capsys):
    text = "none of which its models had seen " * 9
    monkeypatch.setenv("COLUMNS", "80")
    paragraph(text)
    lines = printed(capsys)
    assert " ".join(lines).split() == text.split() and max(map(len, lines)) <= 80
    monkeypatch.delenv("COLUMNS")
    paragraph(text)
    assert len(printed(capsys)) == 1
