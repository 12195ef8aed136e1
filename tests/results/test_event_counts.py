"""Events against boxes: counts by hand, and against a slow search."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.results.event_counts import InWindows, lay_out, merged
from aurist.results.event_matching import LEAST_IOU, match_events
from aurist.results.event_scores import CURVE_THRESHOLDS, event_curve

STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=12)


@given(events=STRETCHES, boxes=STRETCHES)
def test_matches_are_those_of_a_slow_search(
    events: list[tuple[int, int]], boxes: list[tuple[int, int]]
) -> None:
    starts, ends = merged(
        np.array([a for a, _ in events], float), np.array([a + n for a, n in events], float)
    )
    ordered = sorted((float(a), float(a + n)) for a, n in boxes)
    box_starts, box_ends = (np.array([box[i] for box in ordered]) for i in (0, 1))
    right, touching, touched = match_events(starts, ends, box_starts, box_ends)
    shared = np.minimum.outer(ends, box_ends) - np.maximum.outer(starts, box_starts)
    union = np.maximum.outer(ends, box_ends) - np.minimum.outer(starts, box_starts)
    assert touching.tolist() == (shared > 0).any(axis=1).tolist()
    assert touched.tolist() == (shared > 0).any(axis=0).tolist()
    iou = np.where(shared > 0, shared / union, 0.0)
    n_right = 0
    while iou.size and iou.max() >= LEAST_IOU:
        i, j = np.unravel_index(iou.argmax(), iou.shape)
        iou[i], iou[:, j], n_right = 0, 0, n_right + 1
    # equal fits may be matched in another order
    assert abs(right.sum() - n_right) <= 1


@given(stretches=STRETCHES)
def test_merged_stretches_cover_the_same(stretches: list[tuple[int, int]]) -> None:
    starts, ends = (
        np.array([a for a, _ in stretches], float),
        np.array([a + n for a, n in stretches], float),
    )
    first, last = merged(starts, ends)
    covered = {second for a, n in stretches for second in range(a, a + n)}
    assert covered == {int(second) for a, b in zip(first, last, strict=True) for second in np.arange(a, b)}
    assert (first[1:] > last[:-1]).all()


def two_recordings() -> tuple[pd.DataFrame, np.ndarray, np.ndarray, pd.DataFrame]:
    """Two recordings of 10 s in windows of 2 s every second; calls at 3 to 5 s of the first and all over the second."""
    starts = np.arange(9.0)
    table = pd.DataFrame(
        {"path": ["a.wav"] * 9 + ["b.wav"] * 9, "start": np.tile(starts, 2), "end": np.tile(starts + 2, 2)}
    )
    boxes = pd.DataFrame(
        {
            "path": ["b.wav", "a.wav", "elsewhere.wav"],
            "start": [0.0, 3.0, 0.0],
            "end": [10.0, 5.0, 1.0],
            "label": ["wren", "robin", "wren"],
        }
    )
    return table, np.repeat([0, 1], 9), np.repeat([4, 7], 9), boxes


def test_counts_by_hand() -> None:
    heard = lay_out(*two_recordings(), ["robin", "wren"])
    assert heard is not None
    assert heard.hours.tolist() == pytest.approx([8 / 3600, 0.0])  # no box; the second is covered
    assert heard.folds.tolist() == [0, 1] and heard.groups.tolist() == [4, 7]
    proba = np.zeros((18, 2))
    proba[3, 0] = 0.9  # 3 to 5 s of the first: right
    proba[7:9, 0] = 0.8  # 7 to 10 s: no box of any class
    proba[9:11, 0] = 0.8  # the wren of the second: wrong class, no false alarm of background
    proba[12, 1] = 0.9  # touches the wren, but is 2 of 10 s
    robin = heard.count(heard.scores(proba, 0), 0, np.full(2, 0.4))
    assert {name: counts.tolist() for name, counts in robin.items()} == {
        "events": [2, 1],
        "right": [1, 0],
        "touching": [1, 0],
        "boxes": [1, 0],
        "touched": [1, 0],
        "alarms": [1, 0],
    }
    wren = heard.count(heard.scores(proba, 1), 1, np.full(2, 0.4))
    assert wren["touching"].tolist() == [0, 1] and wren["right"].sum() == 0 and wren["alarms"].sum() == 0
    # each recording has its own threshold
    assert heard.count(heard.scores(proba, 0), 0, np.array([0.4, 0.95]))["events"].tolist() == [2, 0]


def test_frames_divide_windows() -> None:
    table, folds, groups, boxes = two_recordings()
    heard = lay_out(table, folds, groups, boxes, ["robin", "wren"])
    assert heard is not None
    proba = np.zeros((18, 2))
    proba[2:5, 0] = 0.9  # 2 to 7 s of the first
    when = np.full((18, 2, 2), 255, np.uint8)
    when[2, 0, 0] = when[4, 1, 0] = 0  # frames: 3 to 5 s
    by_windows, by_frames = heard.scores(proba, 0), heard.scores(proba, 0, InWindows(when=when))
    assert by_windows.edges[np.nanargmax(by_windows.values)] == 3
    above = by_frames.values >= 0.4
    assert by_frames.edges[:-1][above].min() == 3 and by_frames.edges[1:][above].max() == 5


def test_events_are_trimmed_to_levels_and_their_parts_stay_in_the_recording() -> None:
    table, folds, groups, boxes = two_recordings()
    laid_out = lay_out(table, folds, groups, boxes, ["robin", "wren"])
    assert laid_out is not None
    proba = np.zeros((18, 2))
    proba[2:5, 0] = 0.9
    levels = np.full((18, 2, 2), 40, np.uint8)
    levels[3, 0, 0] = levels[2, 1, 0] = levels[4, 0, 0] = 90
    half = np.full(2, 0.5)
    whole = laid_out.count(laid_out.scores(proba, 0), 0, half)
    trimmed = laid_out.count(laid_out.scores(proba, 0, InWindows(levels=levels)), 0, half)
    assert whole["events"].tolist() == trimmed["events"].tolist() == [1, 0]
    assert trimmed["right"].tolist() == [1, 0] and trimmed["touched"].tolist() == [1, 0]


def test_the_curve_falls_and_ends_without_events() -> None:
    heard = lay_out(*two_recordings(), ["robin", "wren"])
    assert heard is not None
    curve = event_curve(heard, np.random.default_rng(0).random((18, 2)) * 0.9)
    assert len(curve) == 2 * len(CURVE_THRESHOLDS) and set(curve["boxes"]) == {1}
    assert curve[curve["threshold"] > 0.9]["events"].sum() == 0 and curve["events"].max() > 1
    assert (curve["right"] <= curve["touching"]).all() and (
        curve["touching"] + curve["alarms"] <= curve["events"]
    ).all()


def test_without_boxes_or_windows_there_is_nothing_to_score() -> None:
    table, folds, groups, boxes = two_recordings()
    assert lay_out(table.iloc[:0], folds[:0], groups[:0], boxes, ["robin"]) is None
    assert lay_out(table, folds, groups, boxes.iloc[:0], ["robin"]) is None


def test_stretches_of_a_recording_have_their_own_boxes() -> None:
    starts = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    table = pd.DataFrame({"path": "a.wav", "start": starts, "end": starts + 2})
    boxes = pd.DataFrame(
        {"path": "a.wav", "start": [1.0, 3.5, 6.0, 11.0], "end": [2.0, 10.5, 7.0, 11.0], "label": "wren"}
    )
    heard = lay_out(table, np.repeat([0, 1], 3), np.repeat([0, 1], 3), boxes, ["wren"])
    assert heard is not None
    # the second box is cut by both, the third lies in the gap, the fourth is a point
    placed = heard.boxes.assign(length=heard.boxes["end"] - heard.boxes["start"])
    assert placed["recording"].tolist() == [0, 0, 1, 1]
    assert placed["length"].tolist() == pytest.approx([1, 0.5, 0.5, 0.001])
    assert heard.hours.tolist() == pytest.approx([2.5 / 3600, 3.499 / 3600])
