"""Start and end of clips: their columns, and times as people write them."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.clips.times import seconds
from aurist.errors import DataError


def read(columns: dict[str, list[object]], **options: str) -> Clips:
    table = {"path": ["a.wav", "b.wav"], **columns, "label": ["x", "y"]}
    return read_clips(pd.DataFrame(table), ReadOptions(**options))  # type: ignore[arg-type]


def spans(columns: dict[str, list[object]], **options: str) -> list[tuple[float, float]]:
    table = read(columns, **options).table
    return list(zip(table["start"], table["end"], strict=True))


@pytest.mark.parametrize(
    ("columns", "right"),
    [
        ({"start": ["00:00:01", "01:00:00"], "end": ["00:00:02.5", "1:00:01"]}, [(1, 2.5), (3600, 3601)]),
        ({"start": ["0:01.5", "59"], "end": ["0:02", "1:02"]}, [(1.5, 2), (59, 62)]),
        ({"start": ["00:00:01,500", "0"], "end": ["00:00:02,250", "1"]}, [(1.5, 2.25), (0, 1)]),
        ({"start": ["PT1S", "PT1M"], "end": ["PT2.5S", "PT1M2S"]}, [(1, 2.5), (60, 62)]),
        ({"start": ["1.5 s", "500 ms"], "end": ["2s", "1m 2s"]}, [(1.5, 2), (0.5, 62)]),
        ({"start_ms": [0, 1500], "end_ms": [1000, 2000]}, [(0, 1), (1.5, 2)]),
        ({"startMs": [0, 1500], "End (ms)": [1000, 2000]}, [(0, 1), (1.5, 2)]),
        ({"start_s": [0, 1.5], "end_sec": [1, 2]}, [(0, 1), (1.5, 2)]),
        ({"start_min": [0, 1.5], "end_min": [1, 2]}, [(0, 60), (90, 120)]),
        ({"start": [0, 1], "duration": [1, 2]}, [(0, 1), (1, 3)]),
        ({"onset": [0, 1], "dur": ["0:01", "0:02"]}, [(0, 1), (1, 3)]),
        ({"offset": [0, 1], "length": [1, 2]}, [(0, 1), (1, 3)]),
        ({"onset": [0, 1], "offset": [1, 2]}, [(0, 1), (1, 2)]),
        ({"begin_ms": [0, 1000], "duration_s": [1, 2]}, [(0, 1), (1, 3)]),
        ({"clip_start": [0, 1], "clip_stop": [1, 2]}, [(0, 1), (1, 2)]),
        ({"start": [0, 1], "end": [1, 2], "duration": [8, 8]}, [(0, 1), (1, 2)]),
        ({"start": [0, 1], "start_ms": [0, 1000], "end": [1, 2]}, [(0, 1), (1, 2)]),
        ({"start": pd.to_timedelta([0, 1], unit="s"), "end": pd.to_timedelta([1, 2], unit="s")}, [(0, 1), (1, 2)]),
    ],
)  # fmt: skip
def test_times_are_read_as_they_are_written(
    columns: dict[str, list[object]], right: list[tuple[float, float]]
) -> None:
    assert [time for span in spans(columns) for time in span] == pytest.approx(
        [t for span in right for t in span]
    )


def test_a_duration_and_a_unit_are_read_where_they_are_named() -> None:
    assert spans({"begins": [0, 1], "lasting": [1, 2], "dur": [3, 4]}, start="begins", end="dur") == [
        (0, 3),
        (1, 5),
    ]
    assert spans({"at_ms": [0, 1000], "to": [1, 2]}, start="at_ms", end="to") == [(0, 1), (1, 2)]


def test_what_was_guessed_of_times_is_said_with_an_example() -> None:
    notes = read({"start": ["00:00:01", "0:01"], "duration": [1, 2]}).notes
    assert "start column: start (guessed; start= names another, or none; '00:00:01' is 1 s)" in notes
    assert "end: start + duration (guessed; end= names another, or none)" in notes


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"start_sample": [0, 8000], "end_sample": [8000, 16000]}, "counts samples.*start=\"none\""),
        ({"start": ["2024-05-01 05:30:00"] * 2, "end": ["2024-05-01 05:31:00"] * 2}, "2 cells.*dates.*start=\"none\""),
        ({"start": ["01.05.2024 05:30"] * 2, "duration": [1, 2]}, "dates"),
        ({"start": ["0:75", "0:01"], "end": ["1:20", "soon"]}, "row 0: start 0:75, .*row 1: .*end soon"),
        ({"start": [0, 1], "duration": [1, 0]}, "row 1: start 1, duration 0"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_are_refused(columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=f"(?s){message}"):
        read(columns)


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"start_time": ["2024-05-01 05:30", "2024-05-01 06:30"]}, "start_time"),
        ({"duration": [1, 2]}, "duration"),
        ({"start": ["early", "late"], "end": ["soon", "later"]}, "start, end"),
        ({"peak_time": [0.5, 1.5]}, "peak_time"),
        ({"start": [0, 1], "end": [1, 2], "rec_length": [8, 8]}, "rec_length"),
    ],
)
def test_what_looks_like_a_time_and_is_not_used_is_said(columns: dict[str, list[object]], named: str) -> None:
    clips = read(columns)
    assert any(named in note and "not" in note for note in clips.notes), clips.notes


def test_times_of_the_recordings_that_slices_were_cut_from_are_not_those_of_the_slices() -> None:
    table = pd.DataFrame(
        {"slice_file_name": ["a.wav", "b.wav"], "start": [50, 60], "end": [54, 64], "class": [1, 2]}
    )
    clips = read_clips(table)
    assert clips.table["start"].isna().all()
    assert any("start, end" in note for note in clips.notes)


@given(st.integers(0, 86_399_999))
def test_a_clock_says_what_its_seconds_say(milliseconds: int) -> None:
    rest, hours = milliseconds % 3_600_000, milliseconds // 3_600_000
    text = f"{hours:02}:{rest // 60_000:02}:{rest % 60_000 / 1000:06.3f}"
    assert seconds(text) == pytest.approx(milliseconds / 1000)
    assert math.isnan(seconds(f"{text}:00"))
