"""From boxes to clips: labels and absent labels of windows, and groups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.annotations import Annotations, CutOptions, join_annotations, make_annotations, to_clips
from aurist.annotations.window_choice import next_window, propose_window
from aurist.clips import Clips
from aurist.errors import ConfigError, DataError


def boxes(*rows: tuple[float, float, str], path: str = "a.wav", **more: Any) -> Annotations:
    annotations = [
        {"path": path, "start": start, "end": end, "label": label, **more} for start, end, label in rows
    ]
    return make_annotations(annotations, "test")


def labels(clips: Clips) -> dict[float, tuple[str, ...]]:
    return dict(zip(clips.table["start"], clips.table["labels"], strict=True))


def test_a_window_has_the_label_of_what_it_holds_enough_of() -> None:
    annotations = boxes((4.9, 9.0, "long"), (4.8, 5.2, "short"), (7.0, 7.0, "point"), (4.99, 5.004, "click"))
    clips = to_clips(annotations, {"a.wav": 12.0}, CutOptions(window=5, min_overlap=0.25))
    # 0.1 s of the long one is too little; of short ones half is enough; a last window would share 3 of its 5 s
    assert labels(clips) == {0: ("click", "short"), 5: ("long", "point", "short")}
    assert clips.table["end"].tolist() == [5, 10]
    assert clips.multilabel and clips.classes == ("click", "long", "point", "short")


def test_windows_may_overlap_and_a_short_recording_is_one() -> None:
    clips = to_clips(boxes((1, 2, "x")), {"a.wav": 9.0}, CutOptions(window=5, hop=2))
    assert clips.table["start"].tolist() == [0, 2, 4]
    short = to_clips(boxes((1, 2, "x")), {"a.wav": 3.0}, CutOptions(window=5))
    assert short.table[["start", "end"]].to_numpy().tolist() == [[0, 3]]


def test_boxes_become_clips_with_all_that_is_in_them() -> None:
    annotations = boxes((1, 2, "a"), (1.2, 1.6, "b"), (5, 6, "a"), (5, 6, "c"))
    clips = to_clips(annotations, {"a.wav": 60.0}, CutOptions(clip_mode="boxes"))
    spans = clips.table[["start", "end"]].to_numpy().tolist()
    assert spans == [[1, 2], [1.2, 1.6], [5, 6]]
    assert clips.table["labels"].tolist() == [("a", "b"), ("a", "b"), ("a", "c")]


def test_a_point_gets_a_window_around_it() -> None:
    annotations = boxes((1, 1, "a"), (30, 30, "b"), (31, 33, "c"), (60, 60, "d"))
    clips = to_clips(annotations, {"a.wav": 60.0}, CutOptions(clip_mode="boxes", window=4))
    assert clips.table[["start", "end"]].to_numpy().tolist() == [[0, 4], [28, 32], [31, 33], [56, 60]]
    assert clips.table["labels"].tolist() == [("a",), ("b", "c"), ("c",), ("d",)]
    unknown = to_clips(
        annotations, {"a.wav": 60.0}, CutOptions(clip_mode="boxes", window=4, unannotated="unknown")
    )
    assert len(unknown) == 4


def test_a_point_may_lie_at_the_end_of_the_recording() -> None:
    clips = to_clips(
        boxes((10, 10, "x"), (10.0000005, 10.0000005, "y")), {"a.wav": 10.0}, CutOptions(window=5)
    )
    assert labels(clips) == {0: (), 5: ("x", "y")}
    for start, end in ((10, 11), (10.1, 10.1)):
        with pytest.raises(DataError, match="but the recording lasts 10 s"):
            to_clips(boxes((start, end, "x")), {"a.wav": 10.0}, CutOptions(window=5))


def test_the_band_is_that_of_all_boxes_where_it_is_asked_for() -> None:
    rows = [
        {"path": "a.wav", "start": 1, "end": 2, "label": "a", "low": 900, "high": 2000},
        {"path": "a.wav", "start": 3, "end": 4, "label": "b", "low": 1500, "high": 7000},
        {"path": "a.wav", "start": 3, "end": 4, "label": "b"},
    ]
    annotations = make_annotations(rows, "t")
    assert to_clips(annotations, {"a.wav": 9.0}, CutOptions(band=True)).band == (900, 7000)
    assert to_clips(annotations, {"a.wav": 9.0}, CutOptions(window=5)).band is None
    with pytest.raises(DataError, match="no annotation has a lowest and a highest frequency"):
        to_clips(boxes((1, 2, "x")), {"a.wav": 9.0}, CutOptions(band=True))


def test_what_is_confirmed_absent_is_kept_apart_from_what_is_unknown() -> None:
    rows = [
        {"path": "a.wav", "start": 0, "end": 2, "label": "owl", "state": "absent"},
        {"path": "a.wav", "start": 1, "end": 3, "label": "wren"},
        {"path": "a.wav", "start": 6, "end": 7, "label": "owl"},
        {"path": "a.wav", "start": 6, "end": 7, "label": "owl", "state": "absent"},
    ]
    clips = to_clips(
        make_annotations(rows, "t"), {"a.wav": 10.0}, CutOptions(window=5, unannotated="unknown")
    )
    assert clips.table["labels"].tolist() == [("wren",), ("owl",)]
    assert clips.table["absent"].tolist() == [("owl",), ()]
    assert clips.unannotated == "unknown"


def test_of_recordings_that_are_known_in_part_the_rest_is_unknown() -> None:
    rows = [
        {"path": "a.wav", "start": 0, "end": 2, "label": "owl"},
        {"path": "b.wav", "start": 0, "end": 2, "label": "wren", "state": "absent"},
    ]
    durations = {"a.wav": 10.0, "b.wav": 15.0}
    clips = to_clips(make_annotations(rows, "t"), durations, CutOptions(window=5), partial={"b.wav"})
    assert clips.table["path"].tolist() == ["a.wav", "a.wav", "b.wav", "b.wav", "b.wav"]
    # owl, wren; the windows of b.wav that nobody judged are assumed to have neither
    assert clips.targets().tolist() == [[1, 0], [0, 0], [-1, 0], [0, 0], [0, 0]]
    assert clips.table["part"].tolist() == [*["train"] * 3, *["background"] * 2]
    assert clips.table["weight"].tolist() == [1, 1, 1, 0.5, 0.5]
    whole = to_clips(make_annotations(rows, "t"), durations, CutOptions(window=5))
    assert whole.unannotated == "absent" and len(whole) == 5


def test_assumed_background_touches_no_verdict_and_is_four_times_as_many_windows() -> None:
    rows = [
        {"path": "a.wav", "start": 0, "end": 2, "label": "owl"},
        {"path": "b.wav", "start": 50, "end": 51, "label": "owl", "state": "absent"},
    ]
    durations = {"a.wav": 10.0, "b.wav": 100.0}
    annotations, options = make_annotations(rows, "t"), CutOptions(window=2, hop=1)
    table = to_clips(annotations, durations, options, partial={"b.wav"}).table
    judged = table[(table["path"] == "b.wav") & (table["part"] == "train")]
    assumed = table[table["part"] == "background"]
    assert len(judged) == 2 and len(assumed) == 8
    assert ((assumed["end"] <= judged["start"].min()) | (assumed["start"] >= judged["end"].max())).all()
    unknown = to_clips(annotations, durations, CutOptions(window=2, hop=1, unannotated="unknown")).table
    assert (unknown["part"] == "train").all()
    boxes = to_clips(annotations, durations, CutOptions(clip_mode="boxes"), partial={"b.wav"}).table
    assert (boxes["part"] == "train").all()


def test_of_the_background_some_is_kept() -> None:
    annotations = boxes((0, 1, "x"), (10, 11, "x"))
    counts = [
        len(to_clips(annotations, {"a.wav": 100.0}, CutOptions(window=5, background=share)))
        for share in (None, 0.0, 1.5, 99.0)
    ]
    assert counts == [20, 2, 5, 20]
    a, b, c = (
        to_clips(annotations, {"a.wav": 100.0}, CutOptions(window=5, background=2, seed=seed))
        for seed in (0, 0, 1)
    )
    assert a.table["start"].tolist() == b.table["start"].tolist() != c.table["start"].tolist()


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("recording", ["s1/R_20190522_063000.wav", "s2/x.wav"]),
        ("folder", ["s1", "s2"]),
        ("day", ["2019-05-22", "s2/x.wav"]),
    ],
)
def test_what_hangs_together(group: str, expected: list[str]) -> None:
    rows = [{"path": p, "start": 0, "end": 1, "label": "x"} for p in ("s1/R_20190522_063000.wav", "s2/x.wav")]
    annotations = make_annotations(rows, "t")
    clips = to_clips(
        annotations, dict.fromkeys(annotations.recordings, 4.0), CutOptions(window=5, group_by=group)
    )
    assert clips.table["group"].tolist() == expected


def test_a_recording_without_boxes_is_background() -> None:
    annotations = make_annotations(
        [{"path": "a.wav", "start": 0, "end": 1, "label": "x"}], "t", recordings=["b.wav"]
    )
    clips = to_clips(annotations, {"a.wav": 5.0, "b.wav": 5.0}, CutOptions(window=5))
    assert set(zip(clips.table["path"], clips.table["labels"], strict=True)) == {
        ("a.wav", ("x",)),
        ("b.wav", ()),
    }


def test_what_does_not_fit_the_recordings_is_said_at_once() -> None:
    rows = [
        {"path": "a.wav", "start": 50, "end": 51, "label": "x"},
        {"path": "b.wav", "start": 0, "end": 1, "label": "x"},
    ]
    with pytest.raises(
        DataError, match=r"(?s)b\.wav: its length is not known.*a\.wav: x at 50 s, but .* lasts 30 s"
    ):
        to_clips(make_annotations(rows, "t"), {"a.wav": 30.0}, CutOptions(window=5))
    with pytest.raises(DataError, match="no annotation at all"):
        to_clips(make_annotations([], "t", recordings=["a.wav"]), {"a.wav": 1.0}, CutOptions(window=5))


@pytest.mark.parametrize(
    "wrong",
    [{"clip_mode": "x"}, {"group_by": "y"}, {"window": 0}, {"hop": -1.0}, {"background": -1}],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        CutOptions(**wrong)


@settings(deadline=None, max_examples=60)
@given(
    length=st.integers(1, 600).map(lambda x: x / 10),
    seconds=st.integers(5, 100).map(lambda x: x / 10),
    hop=st.integers(3, 100).map(lambda x: x / 10),
    at=st.integers(0, 100),
    size=st.integers(0, 100),
)
def test_windows_cover_the_recording_and_every_box_is_in_one_of_them(
    length: float, seconds: float, hop: float, at: int, size: int
) -> None:
    start = length * at / 101
    end = min(length, start + size / 10)
    clips = to_clips(
        boxes((start, end, "x")),
        {"a.wav": length},
        CutOptions(window=seconds, hop=min(hop, seconds / 2), group_by="folder"),
    )
    starts, ends = clips.table["start"].to_numpy(), clips.table["end"].to_numpy()
    # what is left at the end is less than half a window
    assert starts[0] == 0 and length - seconds / 2 <= ends[-1] + 1e-6 <= length + 2e-6
    assert (starts[1:] <= ends[:-1] + 1e-9).all()
    assert any(labels for labels in clips.table["labels"])


def test_beside_a_label_the_others_are_absent_and_elsewhere_unknown() -> None:
    rows = [
        {"path": "a.wav", "start": 1, "end": 2, "label": "wren"},
        {"path": "a.wav", "start": 11, "end": 12, "label": "wren", "state": "absent"},
        {"path": "b.wav", "start": 1, "end": 2, "label": "robin"},
    ]
    annotations, lengths = make_annotations(rows, "t"), {"a.wav": 20.0, "b.wav": 10.0}
    clips = to_clips(annotations, lengths, CutOptions(window=5, unannotated="partial"))
    labels_of = {(row.path, row.start): (row.labels, row.absent) for row in clips.table.itertuples()}
    assert labels_of == {
        ("a.wav", 0.0): (("wren",), ("robin",)),
        ("a.wav", 10.0): ((), ("wren",)),
        ("b.wav", 0.0): (("robin",), ("wren",)),
    }
    assert clips.unannotated == "unknown"
    # of recordings that only verdicts speak of, nothing is known beside a label either
    partial = to_clips(annotations, lengths, CutOptions(window=5, unannotated="partial"), partial={"b.wav"})
    assert partial.table.set_index(["path", "start"])["absent"].loc[("b.wav", 0.0)] == ()


@pytest.mark.parametrize(
    ("length", "box", "expected"),
    [
        (5.004, (1, 2), [0]),  # else nearly the same clip twice
        (7.4, (1, 2), [0]),
        (7.5, (1, 2), [0, 2.5]),
        (7.4, (6, 7), [0, 2.4]),  # the only window with the box
        (7.4, (4, 7), [0]),
    ],
)
def test_a_last_window_is_left_out_if_it_shares_more_than_half(
    length: float, box: tuple[float, float], expected: list[float]
) -> None:
    clips = to_clips(boxes((*box, "x")), {"a.wav": length}, CutOptions(window=5))
    assert clips.table["start"].tolist() == pytest.approx(expected)


def test_window_and_hop_are_proposed_by_the_lengths_of_the_boxes() -> None:
    songs = boxes(*((10 * i, 10 * i + length, "x") for i, length in enumerate((0.2, 0.9, 1.3, 1.4, 1.6))))
    clips = to_clips(songs, {"a.wav": 60.0}, CutOptions())
    assert clips.window == 1.5 and clips.table["start"].tolist()[:3] == [0, 0.75, 1.5]
    assert any(note.startswith("windows: 1.5 s, one every 0.75 s") for note in clips.notes)
    # a given length has no overlap, as before
    assert to_clips(songs, {"a.wav": 60.0}, CutOptions(window=2)).table["start"].tolist()[:2] == [0, 2]
    assert to_clips(songs, {"a.wav": 60.0}, CutOptions(hop=1)).table["start"].tolist()[:2] == [0, 1]


@pytest.mark.parametrize(
    ("lengths", "window", "hop"),
    [
        ((0.05, 0.06, 0.1), 1.0, 0.5),
        ((0.005, 0.006, 0.009, 0.02), 0.2, 0.1),  # bats
        ((0.001, 0.002, 0.003), 0.1, 0.05),
        ((1e-9, 1e-9, 1e-9), 0.1, 0.05),
        ((20, 30, 40), 5.0, 2.5),
        ((0, 0), 5.0, 2.5),  # points
        ((5, 5, 5, 5, 5), 5.0, 5.0),  # parts of a recording, as in BirdCLEF
        ((3, 3, 3, 3, 3, 3), 3.0, 3.0),
        ((3, 3), 3.0, 1.5),
    ],
)
def test_proposals_have_limits(lengths: tuple[float, ...], window: float, hop: float) -> None:
    choice = propose_window(
        boxes(*((50 * i, 50 * i + length, "x") for i, length in enumerate(map(float, lengths))))
    )
    assert (choice.window, choice.hop) == (window, hop)


@pytest.mark.parametrize(("pause", "advice"), [(0.1, True), (3.0, False)])
def test_calls_that_follow_each_other_closely_get_advice(pause: float, advice: bool) -> None:
    starts = [number * (0.08 + pause) for number in range(20)]
    choice = propose_window(
        boxes(*((start, start + 0.08 + 0.001 * i, "x") for i, start in enumerate(starts)))
    )
    assert choice.window == 1
    assert ("window=0.2 and hop=0.1 keep them apart" in choice.note) == advice


@pytest.mark.parametrize(
    ("lengths", "proposed", "other"),
    [
        ([0.5] * 3 + [0.6] * 4 + [1.4] * 6, 1.0, 1.5),  # a quarter of the boxes are longer
        ([1.1] * 8 + [1.4] * 3 + [2.8] * 2, 1.5, 3.0),  # they need the same window, nine tenths a longer one
        ([1.1, 1.3, 1.2, 1.4, 1.5], 1.5, None),  # all need the same
        ([3.0] * 9, 3.0, None),  # equal parts of recordings
    ],
)
def test_the_window_to_compare_holds_three_quarters_of_the_boxes_or_nearly_all(
    lengths: list[float], proposed: float, other: float | None
) -> None:
    table = boxes(*((50.0 * i, 50.0 * i + length, "x") for i, length in enumerate(lengths)))
    assert propose_window(table).window == proposed
    assert next_window(table.table, proposed) == other


def test_the_window_to_compare_keeps_calls_apart() -> None:
    starts = [number * 0.18 for number in range(20)]
    table = boxes(*((start, start + 0.08 + 0.001 * i, "x") for i, start in enumerate(starts)))
    assert next_window(table.table, 1.0) == 0.2
    assert next_window(table.table.iloc[:0], 5.0) is None


def test_absent_boxes_propose_nothing() -> None:
    absent = boxes((0, 4, "x"), (10, 13.7, "x"), state="absent")
    assert propose_window(absent).window == 5


def test_boxes_of_impossible_lengths_give_the_longest_window() -> None:
    lengths = [1.0, 2.0, 3.0, 4.0] + 7 * [1.7e308]
    assert propose_window(boxes(*((0.0, length, "x") for length in lengths))).window == 5


def test_a_single_recording_is_divided_by_time_with_unused_gaps() -> None:
    calls = boxes(*((10.0 * i + 1, 10.0 * i + 2, "x") for i in range(20)))
    clips = to_clips(calls, {"a.wav": 200.0}, CutOptions(window=1))
    groups = clips.table.groupby("group", sort=False)
    assert clips.by_time and len(groups) == 10
    spans = list(zip(groups["start"].min(), groups["end"].max(), strict=True))
    assert spans[0] == (0, 19) and spans[1] == (21, 39) and spans[-1] == (181, 200)
    assert any("20 clips" not in note and "between them not used" in note for note in clips.notes)
    two = boxes((1, 2, "x")), boxes((1, 2, "x"), path="b.wav")
    several = to_clips(join_annotations(two), {"a.wav": 200.0, "b.wav": 200.0}, CutOptions(window=1))
    assert not several.by_time and set(several.table["group"]) == {"a.wav", "b.wav"}
    asked = to_clips(
        join_annotations(two), {"a.wav": 200.0, "b.wav": 200.0}, CutOptions(window=1, group_by="time")
    )
    assert asked.by_time and asked.table["group"].nunique() == 20
    short = to_clips(boxes((1, 2, "x")), {"a.wav": 20.0}, CutOptions(window=1))
    assert not short.by_time and set(short.table["group"]) == {"a.wav"}
