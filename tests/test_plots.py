"""Pictures: they are written whole, show what they are given, and bear any name."""

from __future__ import annotations

import logging

import matplotlib
import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from aurist.errors import DataError
from aurist.plots import (
    charts,
    event_curves,
    plot_confusion,
    plot_event_curves,
    plot_importance,
    plot_leaderboard,
    plot_reliability,
)
from aurist.results.tables import reliability


@pytest.fixture
def drawn(monkeypatch):
    """The figures saved, each as the texts that stand in it."""
    texts: list[list[str]] = []
    save = charts.save

    def keep(figure, path):
        from matplotlib.text import Text

        save(figure, path)
        # a tick has two texts, of which one is hidden
        texts.append(
            [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        )

    monkeypatch.setattr(charts, "save", keep)
    return texts


def board(**columns):
    table = pd.DataFrame(
        {"model": ["a", "b"], "score": [0.61, 0.72], "low": [0.6, 0.7], "high": [0.63, 0.75]}
    )
    return table.assign(metric="f1_macro", **columns)


def pixels(path):
    return matplotlib.image.imread(path)[:, :, :3]


@pytest.mark.parametrize("n", [1, 2, 5, 15, 40, 90])
def test_confusion_of_any_number_of_classes(tmp_path, drawn, n):
    matrix = np.diag(np.arange(n) + 1000)
    matrix[0, -1] += 7
    plot_confusion(matrix, [f"class {i}" for i in range(n)], tmp_path / "confusion.png")
    image = pixels(tmp_path / "confusion.png")
    assert min(image.shape[:2]) > 200
    assert image.std() > 0.01
    assert [path.name for path in tmp_path.iterdir()] == ["confusion.png"]  # nothing left beside it
    counts = [text for text in drawn[0] if text.isdigit()]
    assert sorted(counts) == sorted(str(count) for count in matrix[matrix > 0])
    assert f"class {n - 1}" in drawn[0]


def test_confusion_colours_are_shares_of_the_row(tmp_path):
    # a rare and a frequent class, each recognised in every case, are of one colour: the darkest there is
    plot_confusion(np.array([[3, 0], [0, 3000]]), ["a", "b"], tmp_path / "a.png")
    plot_confusion(np.array([[0, 3], [3000, 0]]), ["a", "b"], tmp_path / "b.png")
    darkest = np.array([8, 48, 107]) / 255
    first, second = (
        (np.abs(pixels(tmp_path / name) - darkest).max(axis=2) < 0.02).sum() for name in ("a.png", "b.png")
    )
    assert first == pytest.approx(second, rel=0.1)
    assert first > 2 * 80 * 80


NAMES = [
    "발라드",
    "ガムラン",
    "สามช่า",
    "موسيقى",
    "$x$ \\frac{",
    "two\nlines",
    "",
    "%s {0}",
    "a" * 200,
    "🦉",
    "Rhinella jimi",
    "_x",
]


def test_any_name_can_be_drawn(tmp_path, caplog, drawn):
    n = len(NAMES)
    with caplog.at_level(logging.WARNING):
        plot_confusion(np.eye(n, dtype=int), NAMES, tmp_path / "c.png")
    assert sum("no installed font" in message for message in caplog.messages) <= 1  # not one a letter
    assert {"발라드", "$x$ \\frac{", "two lines", "Rhinella jimi", "_x"} <= set(drawn[0])
    assert max(map(len, drawn[0])) <= 40
    scores = np.linspace(0, 1, n)
    plot_leaderboard(
        pd.DataFrame({"model": NAMES, "score": scores, "low": scores, "high": scores, "metric": "accuracy"}),
        tmp_path / "l.png",
    )
    plot_importance(
        pd.DataFrame({"feature": NAMES, "importance": scores, "low": scores, "high": scores}),
        tmp_path / "i.png",
    )
    assert len(list(tmp_path.iterdir())) == 3


def test_leaderboard_keeps_its_order_and_bears_missing_bounds(tmp_path, drawn):
    plot_leaderboard(board(), tmp_path / "l.png")
    names = [text for text in drawn[0] if text in ("a", "b")]
    assert names == ["a", "b"]  # from the top: the first is what predicts, whatever its score
    assert {"0.720", "0.610"} <= set(drawn[0])
    plot_leaderboard(board(low=np.nan, high=np.nan), tmp_path / "l.png")
    plot_leaderboard(board(score=[np.nan, 0.5], low=np.nan, high=np.nan), tmp_path / "l.png")
    assert "no score" in drawn[2]
    plot_leaderboard(board(score=np.nan, low=np.nan, high=np.nan), tmp_path / "l.png")


def test_importance_shows_the_first_and_says_how_many_there_are(tmp_path, drawn):
    values = np.arange(50.0)
    table = pd.DataFrame({"feature": [f"f{i}" for i in range(50)], "importance": values})
    plot_importance(table.assign(low=values - 1, high=values + 1), tmp_path / "i.png", most=10)
    assert [text for text in drawn[0] if text.startswith("f")] == [f"f{i}" for i in range(49, 39, -1)]
    assert any(text.startswith("10 of 50 features") for text in drawn[0])


def test_reliability_says_the_calibration_error(tmp_path, drawn):
    truth = np.eye(2)[[0] * 6 + [1] * 4]
    table = reliability(truth, np.tile([0.9, 0.1], (10, 1)))
    plot_reliability(table, tmp_path / "r.png")
    assert any("10 decisions, expected calibration error 0.300" in text for text in drawn[0])
    plot_reliability(reliability(truth[:0], truth[:0]), tmp_path / "r.png")  # nothing in any bin
    assert pixels(tmp_path / "r.png").std() > 0.01


def test_the_same_picture_twice_is_the_same_file(tmp_path):
    for name in ("one.png", "two.png"):
        plot_leaderboard(board(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_plot_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "l.png"
    path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        plot_leaderboard(board(), path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["l.png"]


@pytest.mark.parametrize("n", [1, 4])
def test_curves_of_events_name_their_axes_and_lines(tmp_path, drawn, monkeypatch, n):
    monkeypatch.setattr(event_curves, "save", charts.save)  # the one that keeps the texts
    curve = pd.DataFrame({"column": np.arange(n), "threshold": 0.5, "events": 4, "right": 2, "boxes": 3})
    names = [f"class {i}" for i in range(n)]
    plot_event_curves(curve.assign(alarms=1), names, 2.0, tmp_path / "events.png")
    edges = min(n, 2)  # rows of panels
    assert drawn[0].count("precision, recall") == drawn[0].count("false alarms an hour") == edges
    assert drawn[0].count("threshold") == min(n, 3), "below each column"
    lines = ("precision", "recall", "false alarms an hour (right scale)")
    assert [drawn[0].count(text) for text in lines] == [1, 1, 1]
    assert set(names) <= set(drawn[0])


def test_no_global_state(tmp_path):
    before = dict(matplotlib.rcParams)
    plot_leaderboard(board(), tmp_path / "l.png")
    assert dict(matplotlib.rcParams) == before


def test_bad_tables_are_named(tmp_path):
    with pytest.raises(DataError, match=r"of 3 classes is \(3, 3\); this one is \(2, 2\)"):
        plot_confusion(np.eye(2), list("abc"), tmp_path / "c.png")
    with pytest.raises(DataError, match="lacks the columns low, high; it has model, score"):
        plot_leaderboard(board().drop(columns=["low", "high"]), tmp_path / "l.png")
    with pytest.raises(DataError, match="no rows"):
        plot_importance(pd.DataFrame(columns=["feature", "importance", "low", "high"]), tmp_path / "i.png")
    assert not list(tmp_path.iterdir())
