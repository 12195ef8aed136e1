"""The window grid, and events out of scores: by arithmetic, and against the plainest way to do it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aurist.errors import ConfigError
from aurist.events import Event, Grid, find_events, parts_of, score_of_stretches, score_over_time, trim_events

grids = st.builds(
    lambda window, share: Grid(window, round(share * window, 3)),
    st.floats(0.5, 20).map(lambda x: round(x, 3)),
    st.floats(0, 0.9),
)


def one_class(grid: Grid, length: float, scores: list[float], threshold: float) -> list[tuple[float, ...]]:
    starts, ends = grid.windows(length)
    events = find_events(starts, ends, np.array(scores)[:, None], np.array([threshold]))
    return [(event.start, event.end, round(event.score, 9)) for event in events]


@given(grids, st.floats(0.02, 500))
def test_windows_cover_a_recording_and_stay_within_it(grid: Grid, length: float) -> None:
    starts, ends = grid.windows(length)
    assert len(starts) == grid.count(length) >= 1
    assert starts[0] == 0 and ends[-1] <= length + 1e-6
    assert length - ends[-1] <= 0.01 + 1e-6
    assert (np.diff(starts) > 0).all() and (starts[1:] <= ends[:-1] + 1e-9).all()
    if length >= grid.window:
        assert np.allclose(ends - starts, grid.window, atol=2e-6)
        assert np.allclose(starts[:-1], grid.hop * np.arange(len(starts) - 1))


@given(grids, st.floats(1, 300), st.integers(1, 7))
def test_windows_in_parts_are_those_of_the_whole(grid: Grid, length: float, size: int) -> None:
    starts, ends = grid.windows(length)
    parts = [grid.windows(length, first, first + size) for first in range(0, len(starts), size)]
    assert np.array_equal(np.concatenate([part[0] for part in parts]), starts)
    assert np.array_equal(np.concatenate([part[1] for part in parts]), ends)
    assert len(grid.windows(length, len(starts), len(starts) + size)[0]) == 0


@pytest.mark.parametrize(("window", "overlap"), [(0, 0), (5, 5), (5, -1), (5, 6), (float("nan"), 0)])
def test_windows_that_cannot_be(window: float, overlap: float) -> None:
    with pytest.raises(ConfigError, match=r"(window|overlap) is"):
        Grid(window, overlap)


def test_windows_without_overlap() -> None:
    assert one_class(Grid(5), 20, [0.1, 0.7, 0.9, 0.2], 0.5) == [(5, 15, 0.9)]
    assert one_class(Grid(5), 20, [0.5, 0.4, 0.0, 0.6], 0.5) == [(0, 5, 0.5), (15, 20, 0.6)]
    assert one_class(Grid(5), 20, [0.0, 0.4, 0.0, 0.4], 0.5) == []


def test_overlapping_windows_are_averaged() -> None:
    # windows from 0, 2, 4, 6 of four seconds; moments have the scores .4 .7 .8 .4 .1
    assert one_class(Grid(4, 2), 10, [0.4, 1.0, 0.6, 0.2], 0.5) == [(2, 6, 0.8)]
    # the last window is moved back: windows from 0, 2, 3
    assert one_class(Grid(4, 2), 7, [0.0, 0.0, 0.9], 0.8) == [(6, 7, 0.9)]


def test_neighbours_that_ought_to_touch_do() -> None:
    # 3 * 0.1 is not 0.3: the windows must meet all the same
    starts, ends = Grid(0.3, 0.2).windows(30.0)
    scores = np.ones((len(starts), 1))
    assert find_events(starts, ends, scores, np.array([0.5])) == [Event(0.0, 30.0, 0, 1.0)]


def test_classes_have_thresholds_of_their_own() -> None:
    starts, ends = Grid(1).windows(3)
    scores = np.array([[0.6, 0.6], [0.2, 0.2], [0.3, 0.9]])
    events = find_events(starts, ends, scores, np.array([0.25, 0.7]))
    assert [(event.start, event.column) for event in events] == [(0, 0), (2, 0), (2, 1)]


def test_what_no_window_holds_is_in_no_event() -> None:
    edges, values = score_over_time(np.array([0.0, 5.0]), np.array([1.0, 6.0]), np.array([1.0, 1.0]))
    assert edges.tolist() == [0, 1, 5, 6] and np.array_equal(values, [1, np.nan, 1], equal_nan=True)
    events = find_events(np.array([0.0, 5.0]), np.array([1.0, 6.0]), np.ones((2, 1)), np.array([0.0]))
    assert [(event.start, event.end) for event in events] == [(0, 1), (5, 6)]
    with pytest.raises(ConfigError, match="order"):
        score_over_time(np.array([1.0, 0.0]), np.array([2.0, 3.0]), np.ones(2))


@given(st.integers(300_000, 304_000), st.integers(0, 299_000), st.integers(1, 20))
@example(window=300_110, overlap=150_055, n=20)
def test_parts_of_windows_are_in_order_whatever_their_length(window: int, overlap: int, n: int) -> None:
    grid = Grid(window / 1e6, overlap / 1e6)
    starts, ends = (times.ravel() for times in parts_of(*grid.windows(3.0), n))
    order = np.lexsort((ends, starts))
    edges, values = score_over_time(starts[order], ends[order], np.ones(len(starts)))
    assert edges[0] == 0 and edges[-1] >= 2.98 and np.nanmin(values) == 1 == np.nanmax(values)


@given(grids, st.floats(1, 60), st.integers(0, 2**32 - 1))
@example(grid=Grid(0.5, 0.312), length=6.0, seed=6611)
def test_events_are_where_the_mean_of_the_windows_is_high(grid: Grid, length: float, seed: int) -> None:
    starts, ends = grid.windows(length)
    scores = np.random.default_rng(seed).random((len(starts), 2)).round(2)
    thresholds = np.array([0.5, 0.7])
    events = find_events(starts, ends, scores, thresholds)
    assert events == sorted(events)
    for column in range(2):
        own = [event for event in events if event.column == column]
        assert all(a.end < b.start for a, b in itertools.pairwise(own))
        for t in np.random.default_rng(seed).uniform(0, ends[-1], 40):
            if np.abs(np.concatenate([starts, ends]) - t).min() < 1e-5:
                continue
            mean = scores[(starts <= t) & (t < ends), column].mean()
            if abs(mean - thresholds[column]) > 1e-9:
                assert any(event.start <= t < event.end for event in own) == (mean > thresholds[column])
        assert all(
            event.score <= scores[(starts < event.end) & (ends > event.start), column].max() + 1e-9
            for event in own
        )


def test_stretches_of_another_length() -> None:
    starts, ends = Grid(2).windows(8)
    window_scores = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.5, 1.0]])
    events = score_of_stretches(
        starts, ends, window_scores, np.array([0.0, 4.0, 20.0]), np.array([4.0, 9.0, 25.0])
    )
    assert np.allclose(events, [[0.5, 1], [0.25, 1], [0, 0]])


@given(st.lists(st.integers(0, 60), min_size=8, max_size=40), st.data())
def test_trimmed_events_stay_in_their_events_and_hold_the_loudest_sound(levels, data) -> None:
    edges = np.arange(len(levels) + 1) * 0.5
    cuts = sorted(data.draw(st.sets(st.integers(0, len(levels)), min_size=2, max_size=6)))
    if len(cuts) % 2:
        cuts = cuts[:-1]
    starts, ends = edges[cuts[::2]], edges[cuts[1::2]]
    loudness = np.array(levels, dtype=float)
    pause = data.draw(st.sampled_from([0.0, 0.5, 2.0, 100.0]))
    trimmed = trim_events(starts, ends, edges, loudness, pause)
    assert sorted(set(trimmed.event)) == list(range(len(starts)))
    assert (trimmed.starts >= starts[trimmed.event]).all() and (trimmed.ends <= ends[trimmed.event]).all()
    assert (trimmed.ends > trimmed.starts).all()
    gaps, same = trimmed.starts[1:] - trimmed.ends[:-1], trimmed.event[1:] == trimmed.event[:-1]
    assert (gaps[same] > pause).all() and (gaps >= 0).all()
    for number, (first, last) in enumerate(zip(cuts[::2], cuts[1::2], strict=True)):
        loudest = edges[first + loudness[first:last].argmax()]
        own = trimmed.event == number
        assert ((trimmed.starts[own] <= loudest) & (loudest < trimmed.ends[own])).any()
        if len(set(levels[first:last])) == 1:
            assert trimmed.starts[own].tolist() == [starts[number]]
            assert trimmed.ends[own].tolist() == [ends[number]]


def test_without_events_nothing_is_trimmed() -> None:
    nothing = np.zeros(0)
    assert not len(trim_events(nothing, nothing, np.arange(3.0), np.zeros(2), 1.0).starts)
