"""What is printed fits the terminal and can be read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from aurist.cli.leaderboard import SHOWN
from aurist.cli.printing import paragraph, print_confusion, print_json, print_table, say, show

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
    text = "groups that its models had not seen " * 9
    monkeypatch.setenv("COLUMNS", "80")
    paragraph(text)
    lines = printed(capsys)
    assert " ".join(lines).split() == text.split() and max(map(len, lines)) <= 80
    monkeypatch.delenv("COLUMNS")
    paragraph(text)
    assert len(printed(capsys)) == 1


#: What colours, titles of windows, links, backward writing and undecodable names are made of, and how it is spelt.
OBEYED = {
    "\x1b[31mred\x1b[0m": r"\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x9b2J": r"\x9b2J",
    "a\rb": r"a\x0db",
    "\u202egpj.wav": r"\u202egpj.wav",
    "caf\udce9": r"caf\xe9",
    "[/bold]": "[/bold]",
    "M\u00e9sange \uad74\ub69d\uc0c8": "M\u00e9sange \uad74\ub69d\uc0c8",
}


@pytest.mark.parametrize(("name", "spelt"), OBEYED.items())
def test_nothing_in_a_name_is_obeyed_by_the_terminal(name, spelt, capsys):
    say(name)
    show(name)
    paragraph(name)
    table = pd.DataFrame({"class": [name], name: [1]})
    print_table(table, title=name)
    print_confusion(np.array([[3, 1], [0, 2]]), [name, "other"])
    out, err = capsys.readouterr()
    assert err == f"{spelt}\n"
    assert out.count(spelt) >= 6
    assert spelt == name or name not in out


@pytest.mark.parametrize("columns", [40, 160])
def test_confusions_of_names_with_controls_fit(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    names = [f"\x1b[{i}mclass\n{i}" for i in range(12)]
    print_confusion(np.ones((12, 12), dtype=np.int64), names)
    out = capsys.readouterr().out
    assert "\x1b" not in out and max(map(len, out.splitlines())) <= columns


def test_json_spells_them_so_that_they_are_read_back(capsys):
    value = {"\x1b[31m": ["\x9b\u202e", "caf\udce9", "\uad74"]}
    print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value and "\uad74" in out
    assert not set("\x1b\x9b\u202e\udce9") & set(out)
