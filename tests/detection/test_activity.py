"""Detections by class, day and hour, against counts by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.annotations import make_annotations
from aurist.detection.activity import Effort, activity_of, summarise, with_expected_false
from aurist.detection.export import ExportOptions, write_detections
from aurist.detection.result import ScanResult
from aurist.detection.store import Detections, Recording
from aurist.errors import ConfigError, DataError
from aurist.events import Grid
from aurist.features.windows import Block
from aurist.metrics import Interval
from aurist.run import ModelFiles
from aurist.run.events_file import EventScores, write_events

from ..command import aurist_process

SETTINGS = {
    "run": "run",
    "model": "Ensemble",
    "channel": "mixed",
    "classes": ["wren", "owl"],
    "window": 60.0,
    "overlap": 0.0,
}
SPEC = SimpleNamespace(task=SimpleNamespace(classes=("wren", "owl")))
BEGAN = datetime(2023, 6, 1, 23, 45)


def events(*rows: tuple[str, float, str]) -> object:
    return make_annotations(
        [{"path": path, "start": start, "end": start + 1, "label": label} for path, start, label in rows],
        "test",
    )


def scanned(folder: Path, names: dict[str, int]) -> ScanResult:
    """Recordings of windows of a minute; every second window holds a call."""
    made, recordings, seconds = Detections(folder / "detections", SETTINGS), [], {}
    for name, n in names.items():
        (folder / name).write_bytes(b"sound")
        recording = Recording(name, folder / name)
        made.progress(recording)
        starts, ends = Grid(60.0).windows(60.0 * n)
        proba = np.stack([np.arange(n) % 2, np.zeros(n)], axis=1)
        made.keep(recording, 0, Block(starts, ends, {}, 60.0 * n), proba)
        recordings.append(recording)
        seconds[name] = 60.0 * n
    return ScanResult(made, ("wren", "owl"), tuple(recordings), seconds, {}, {})


def test_events_and_effort_fall_into_the_hours_of_the_clock() -> None:
    effort = {"a.wav": Effort(BEGAN, 3600.0), "b.wav": Effort(BEGAN + timedelta(hours=24), 600.0)}
    rows = [
        ("a.wav", 10.0, "wren"),
        ("a.wav", 899.0, "wren"),
        ("a.wav", 900.0, "wren"),
        ("b.wav", 0.0, "owl"),
    ]
    activity = summarise(events(*rows), effort)
    cells = activity.hours.set_index(["label", "day", "hour"])
    assert cells["events"].to_dict() == {
        ("owl", "2023-06-01", 23): 0,
        ("owl", "2023-06-02", 0): 0,
        ("owl", "2023-06-02", 23): 1,
        ("wren", "2023-06-01", 23): 2,
        ("wren", "2023-06-02", 0): 1,
        ("wren", "2023-06-02", 23): 0,
    }
    assert cells.loc["wren", "minutes"].tolist() == [15.0, 45.0, 10.0]
    assert cells.loc["wren", "events_per_hour"].tolist() == [8.0, pytest.approx(4 / 3, abs=1e-4), 0.0]
    wren = activity.classes.iloc[0]
    assert (wren["label"], wren["events"], wren["recordings"]) == ("wren", 3, 1)
    assert wren["hours"] == pytest.approx(70 / 60, abs=1e-4)
    assert (wren["first"], wren["last"]) == ("2023-06-01 23:45:10", "2023-06-02 00:00:00")
    assert wren["busiest_hour"] == "23:00"  # 2 in 25 minutes, against 1 in 45


def test_recordings_without_a_date_count_by_class_only() -> None:
    activity = summarise(events(("a.wav", 1.0, "wren")), {"a.wav": Effort(None, 1800.0)})
    assert activity.classes["events_per_hour"].tolist() == [2.0]
    assert activity.classes["busiest_hour"].tolist() == [""] and activity.hours.empty
    assert "1 recording of 1 without a date" in activity.notes[0]


def test_expected_false_events_are_those_of_the_background_at_the_lowest_score(tmp_path: Path) -> None:
    """Two hours of background had 4 false alarms from 0.4 on; in an hour and a half, 3 are expected."""
    rows = [
        {"path": "a.wav", "start": 0, "end": 1, "label": label, "score": 0.5} for label in ("wren", "owl")
    ]
    activity = summarise(make_annotations(rows, "test"), {"a.wav": Effort(None, 5400.0)})
    interval = Interval(0.5, 0.4, 0.6)
    scores = EventScores(
        window=5.0, hop=2.5, precision=interval, recall=interval, touching=interval, touched=interval,
        false_alarms=interval, hours=2.0, events=10, boxes=10,
    )  # fmt: skip
    curve = pd.DataFrame(
        [(0, 0.2, 20), (0, 0.4, 4), (0, 0.6, 1), (1, 0.2, 2), (1, 0.6, 0)],
        columns=["column", "threshold", "alarms"],
    ).assign(events=20, right=1, touching=1, boxes=3)
    write_events(tmp_path, scores, curve)
    files = cast(ModelFiles, SimpleNamespace(folder=tmp_path, remedy="", spec=SPEC))
    expected = with_expected_false(activity, files).classes.set_index("label")["expected_false"]
    assert expected.to_dict() == {"wren": 3.0, "owl": 1.5}
    curve.loc[curve["column"] == 1, "alarms"] = 0
    write_events(tmp_path, scores, curve)
    notes = with_expected_false(replace(activity, weighed=True), files).notes
    assert any("expected_false of 0: none in that time, so up to 2 events" in note for note in notes), (
        "3 / 2 h x 1.5 h"
    )
    assert any(note.startswith("a prior weighed the events") for note in notes)
    with pytest.raises(ConfigError, match="--quiet-recordings"):
        with_expected_false(activity, cast(ModelFiles, SimpleNamespace(folder=tmp_path / "no", remedy="")))


def test_nothing_detected_is_no_error() -> None:
    activity = summarise(make_annotations([], "test", recordings=["a.wav"]), {"a.wav": Effort(BEGAN, 60.0)})
    assert activity.classes.empty and activity.hours.empty


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.floats(0.1, 200_000)), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
)
def test_no_second_and_no_event_is_lost(recordings: list[tuple[int, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    effort = {f"{i}.wav": Effort(BEGAN + timedelta(minutes=m), s) for i, (m, s) in enumerate(recordings)}
    rows = [(name, float(rng.uniform(0, one.seconds)), "wren") for name, one in effort.items()]
    activity = summarise(events(*rows), effort)
    assert activity.hours["events"].sum() == len(rows)
    heard = sum(seconds for _, seconds in recordings) / 60
    assert activity.hours["minutes"].sum() == pytest.approx(heard, abs=0.001 * len(activity.hours) + 1e-6)


def test_the_command_reads_what_predict_wrote(tmp_path: Path) -> None:
    scan = scanned(tmp_path, {"S1_20230601_225900.wav": 4, "plain.wav": 2})
    with pytest.raises(DataError, match=r'has no events\.csv or events\.jsonl.*formats="csv"'):
        activity_of(scan.detections.folder)
    write_detections(scan, ExportOptions(("csv", "raven", "kaleidoscope", "jsonl", "windows")))
    folder = scan.detections.folder
    written = pd.read_csv(folder / "events.csv")
    assert written["clock"].tolist()[:2] == ["2023-06-01T23:00:00.000", "2023-06-01T23:02:00.000"]
    assert written["clock"].isna().tolist() == [False, False, True]
    assert pd.read_csv(folder / "windows.csv")["clock"][3] == "2023-06-01T23:02:00.000"
    raven = pd.read_csv(folder / "events.selections.txt", sep="\t")
    assert raven["Begin Date Time"][1] == "2023-06-01 23:02:00.000"
    table = pd.read_csv(folder / "events.kaleidoscope.csv")
    assert table[["IN FILE", "OFFSET", "DURATION", "TIME", "TOP1MATCH"]].iloc[1].tolist() == [
        *("S1_20230601_225900.wav", 180.0, 60.0, "23:02:00", "wren")
    ]
    assert (
        json.loads((folder / "events.jsonl").read_text().splitlines()[0])["clock"]
        == "2023-06-01T23:00:00.000"
    )

    result = aurist_process("summary", folder)
    assert result.returncode == 0, result.stderr
    assert "1 recording of 2 without a date" in result.stderr + result.stdout
    summary = pd.read_csv(folder / "summary.csv").iloc[0]
    assert (summary["events"], summary["events_per_hour"], summary["busiest_hour"]) == (3, 30.0, "23:00")
    assert pd.read_csv(folder / "activity.csv")["minutes"].tolist() == [1.0, 3.0]
    assert (folder / "activity.png").stat().st_size > 5000
