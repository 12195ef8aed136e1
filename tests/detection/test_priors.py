"""Priors by place and time: tables, rules, and what they do to scores and events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.detection.activity import activity_of
from aurist.detection.export import ExportOptions, write_detections
from aurist.detection.priors import Priors, Rule, read_priors, with_odds
from aurist.detection.result import ScanResult
from aurist.detection.store import Detections, Recording
from aurist.errors import ConfigError, DataError
from aurist.events import Grid
from aurist.features.windows import Block

CLASSES = ("wren", "owl")
SETTINGS = {
    "run": "run",
    "model": "Ensemble",
    "channel": "mixed",
    "classes": list(CLASSES),
    "window": 60.0,
    "overlap": 0.0,
}


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def scanned(folder: Path, name: str, proba: list[list[float]]) -> ScanResult:
    """A recording of windows of a minute with these scores."""
    made, recording = Detections(folder / "detections", SETTINGS), Recording(name, folder / name)
    recording.file.write_bytes(b"sound")
    made.progress(recording)
    starts, ends = Grid(60.0).windows(60.0 * len(proba))
    made.keep(recording, 0, Block(starts, ends, {}, 60.0 * len(proba)), np.array(proba))
    return ScanResult(made, CLASSES, (recording,), {name: 60.0 * len(proba)}, {}, {})


def test_the_last_rule_that_applies_counts(tmp_path: Path) -> None:
    text = "label,prior,site,month,hour\nowl,0.5,,,\nowl,0.1,,,12\nowl,2,S1,,\nwren,0.3,,6,\n"
    priors = read_priors(table(tmp_path / "prior.csv", text), CLASSES)
    noon, night = datetime(2023, 6, 1, 12, 30), datetime(2023, 1, 1, 23, 0)
    assert priors.of("a.wav", "owl", None) == 0.5
    assert priors.of("a.wav", "owl", noon) == 0.1
    assert priors.of("S1_20230601.wav", "owl", noon) == 2
    assert priors.of("S12_20230601.wav", "owl", noon) == 0.1
    assert (priors.of("a.wav", "wren", noon), priors.of("a.wav", "wren", night)) == (0.3, 1)


def test_sites_of_digits_stay_text(tmp_path: Path) -> None:
    priors = read_priors(table(tmp_path / "prior.csv", "label,prior,site\nowl,0.5,007\nowl,0.2,\n"), CLASSES)
    assert [rule.site for rule in priors.rules] == ["007", None]


def test_all_wrong_rows_are_listed(tmp_path: Path) -> None:
    text = "label,prior,month,hour\nowl,0.5,,\nfinch,1,,\nwren,-1,,\nwren,often,,\nwren,1,13,\nwren,1,,1.5\n"
    with pytest.raises(DataError, match="5 rows cannot be used") as raised:
        read_priors(table(tmp_path / "prior.csv", text), CLASSES)
    for words in (
        "line 3: 'finch' is no class of the run: " + ", ".join(CLASSES),
        "line 4: prior is '-1'",
        "line 5: prior is 'often'",
        "line 6: month is 13,",
        "line 7: hour is 1.5,",
    ):
        assert words in str(raised.value)


@pytest.mark.parametrize("header", ["label,month", "prior,hour", "label,prior,week"])
def test_columns_are_named(tmp_path: Path, header: str) -> None:
    with pytest.raises(ConfigError, match="A table of priors has label and prior"):
        read_priors(table(tmp_path / "prior.csv", f"{header}\n" + "1," * header.count(",") + "1\n"), CLASSES)


def test_scores_are_weighed_by_the_hour_of_each_window(tmp_path: Path) -> None:
    scan = scanned(tmp_path, "a_20230601_235800.wav", [[0.9, 0.9]] * 4)
    priors = Priors((Rule("owl", 0.0, hour=23), Rule("owl", 0.5, month=6, hour=0)))
    weighed = replace(scan, priors=priors).scores(scan.recordings[0]).proba
    assert weighed[:, 0] == pytest.approx(0.9)
    # from two minutes before midnight, and in another day of June
    assert weighed[:, 1] == pytest.approx([0, 0, 0.9 * 0.5 / (0.9 * 0.5 + 0.1), 0.45 / 0.55], abs=1e-6)
    only = replace(scan, priors=priors).scores(scan.recordings[0], np.array([1])).proba
    assert only[:, 0] == pytest.approx(weighed[:, 1])


@pytest.mark.parametrize(("weigh", "labels"), [(True, ["wren"]), (False, ["wren", "owl"])])
def test_events_have_their_prior(tmp_path: Path, weigh: bool, labels: list[str]) -> None:
    scan = scanned(tmp_path, "a_20230601_050000.wav", [[0.9, 0.9], [0.1, 0.1]])
    priors = Priors((Rule("owl", 0.01), Rule("wren", 0.8, hour=5)), weigh)
    write_detections(replace(scan, priors=priors), ExportOptions(("csv", "jsonl", "raven")))
    events = pd.read_csv(tmp_path / "detections" / "events.csv")
    assert events["label"].tolist() == labels
    assert events[priors.column].tolist() == [0.8, 0.01][: len(labels)]
    assert activity_of(tmp_path / "detections").weighed is weigh
    assert f'"{priors.column}": 0.8' in (tmp_path / "detections" / "events.jsonl").read_text()
    if weigh:
        assert events["score"].tolist() == [pytest.approx(0.72 / 0.82, abs=1e-6)]


def test_recordings_without_a_clock_are_named_if_rules_need_one() -> None:
    dated = {"a.wav": None, "b.wav": datetime(2023, 6, 1)}
    assert Priors((Rule("owl", 0.5, month=1),)).note(dated) == (
        "priors by month and hour do not apply to 1 recording of 2 without a clock time, such as a.wav"
    )
    assert Priors((Rule("owl", 0.5, site="S1"),)).note(dated) is None


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
def test_weighing_is_a_change_of_odds(proba: list[float], first: float, second: float) -> None:
    p = np.array(proba)
    once, twice = with_odds(p, np.full(len(p), first)), with_odds(p, np.full(len(p), second))
    assert ((once >= 0) & (once <= 1)).all()
    assert (np.diff(once[np.argsort(p, kind="stable")]) >= -1e-12).all()
    if first <= second:
        assert (once <= twice + 1e-12).all()
    assert with_odds(p, np.ones(len(p))) == pytest.approx(p)
