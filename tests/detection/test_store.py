"""The folder of detections, and the way through recordings, with a listener who says how loud a window is."""

from __future__ import annotations

import logging.handlers
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.detection.result import ScanResult
from aurist.detection.scan import _Scan
from aurist.detection.store import JOURNAL, Detections, Recording
from aurist.detection.window_model import BlockScores
from aurist.errors import ConfigError, DataError
from aurist.events import Grid
from aurist.features.windows import Block, WindowSettings
from aurist.progress import logger

RATE = 8000


class Loudness:
    """In place of a run's models."""

    classes = ("loud", "soft")

    def expect(self, windows: int) -> None:
        pass

    def score(self, block: Block) -> BlockScores:
        loud = np.array([np.abs(block.waves[RATE].window(row)).mean() for row in range(len(block))])
        return BlockScores(np.stack([loud, 1 - loud], axis=1), None, None)


def heard_in(folder: Path, *recordings: Recording, threads: int = 1) -> tuple[ScanResult, list[str]]:
    """Score windows of five seconds in blocks of a minute; give the result and the logged warnings."""
    log = logging.handlers.BufferingHandler(1000)
    windows = WindowSettings(Grid(5.0, 2.5), (RATE,))
    detections = Detections(folder / "out", {"window": 5.0})
    listening = _Scan(detections, Loudness(), windows, False, threads)  # type: ignore[arg-type]
    logger.addHandler(log)
    try:
        result = listening.all(recordings)
    finally:
        logger.removeHandler(log)
    return result, [record.getMessage() for record in log.buffer]


def noise(path: Path, seconds: float, **options: str) -> Recording:
    path.parent.mkdir(exist_ok=True)
    y = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * RATE))
    soundfile.write(path, y, RATE, **options)
    return Recording(path.name, path)


@pytest.fixture(autouse=True)
def blocks_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aurist.features.windows._SECONDS", 60.0)


@pytest.mark.parametrize("at", [0.03, 0.5, 0.97])
def test_one_bad_byte_costs_less_than_a_second(tmp_path: Path, at: float) -> None:
    one = noise(tmp_path / "a.flac", 200)
    expected = heard_in(tmp_path / "whole", one)[0].detections.scores(one)
    raw = bytearray(one.file.read_bytes())
    raw[round(at * len(raw))] ^= 0x55
    one.file.write_bytes(raw)
    scanned, messages = heard_in(tmp_path, one)
    assert scanned.seconds == {"a.flac": 200.0} and not scanned.failures and not messages
    note = scanned.notes["a.flac"]
    begin, end = map(
        float, note.removeprefix("is damaged, and was replaced by silence, from ")[:-2].split(" to ")
    )
    assert begin - 1 <= 200 * at <= end + 1 and end - begin < 1.3
    scores = scanned.detections.scores(one)
    assert np.array_equal(scores.starts, expected.starts) and np.array_equal(scores.ends, expected.ends)
    away = (scores.ends < begin) | (scores.starts > end)
    assert np.array_equal(scores.proba[away], expected.proba[away])
    assert np.allclose(scores.proba[~away], expected.proba[~away], atol=0.1)
    # and what is known of it is known to a call that finds all of it done
    assert heard_in(tmp_path, one)[0].notes == scanned.notes


def test_a_recording_whose_last_block_is_in_the_journal_is_done(tmp_path: Path) -> None:
    first, second = noise(tmp_path / "a.wav", 60), noise(tmp_path / "b.wav", 200)
    scanned = heard_in(tmp_path, first, second)[0]
    whole = scanned.seconds
    assert whole == {"a.wav": 60, "b.wav": 200}
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    for kept in range(len(lines)):
        journal.write_bytes(b"".join(lines[:kept]))
        assert heard_in(tmp_path, first, second)[0].seconds == whole


def told_when(folder: Path, hours: float, n_classes: int) -> tuple[Detections, Recording]:
    """Scores of windows of five seconds, with the part of each in which a class is sure, drawn."""
    detections, one = Detections(folder / "drawn", {}), noise(folder / "a.wav", 1)
    detections.progress(one)
    rng, grid = np.random.default_rng(0), Grid(5.0, 2.5)
    n, length = grid.count(3600 * hours), 3600 * hours
    for number, first in enumerate(range(0, n, 120)):
        starts, ends = grid.windows(length, first, first + 120)
        proba, when = rng.random((len(starts), n_classes)), rng.random((len(starts), 20, n_classes))
        detections.keep(
            one, number, Block(starts, ends, {}, length), proba, when / when.max(1, keepdims=True)
        )
    return detections, one


def test_some_classes_are_read_without_the_others(tmp_path: Path) -> None:
    detections, one = told_when(tmp_path, 0.5, 6)
    whole, bars = detections.scores(one), np.full(6, 0.7)
    columns = np.array([4, 1])
    chosen = detections.scores(one, columns)
    assert np.array_equal(chosen.proba, whole.proba[:, columns])
    assert np.array_equal(chosen.when, whole.when[:, :, columns])
    events = [event for event in whole.events(bars) if event.column in columns]
    own = [event._replace(column=int(columns[event.column])) for event in chosen.events(bars[columns])]
    assert sorted(own) == events and len(events) > 10
    blind = detections.scores(one, columns, when=False)
    assert (
        np.array_equal(blind.proba, chosen.proba) and (blind.when == 255).all() and blind.when.shape[1] == 1
    )


def test_events_of_many_classes_take_little_more_than_what_is_stored(tmp_path: Path) -> None:
    detections, one = told_when(tmp_path, 2, 40)
    stored = 2879 * 20 * 40
    tracemalloc.start()
    try:
        detections.scores(one).events(np.full(40, 0.99))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        detections.scores(one, np.array([0]), when=False)
        one_class = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert most < 5 * stored and one_class < stored / 4


def test_a_name_that_is_no_unicode_leaves_the_others_in_peace(tmp_path: Path) -> None:
    bad, good = (
        Recording(os.fsdecode(b"caf\xe9.wav"), tmp_path / os.fsdecode(b"caf\xe9.wav")),
        noise(tmp_path / "a.wav", 10),
    )
    if sys.platform != "linux":
        pytest.skip("names are Unicode elsewhere")
    bad.file.write_bytes(good.file.read_bytes())
    scanned, messages = heard_in(tmp_path, bad, good)
    assert scanned.recordings == (good,) and "has a name that is not UTF-8" in messages[0]


def test_another_recording_of_the_same_name_is_refused(tmp_path: Path) -> None:
    first, second = noise(tmp_path / "card1" / "a.wav", 10), noise(tmp_path / "card2" / "a.wav", 20)
    heard_in(tmp_path, first)
    with pytest.raises(ConfigError, match=r"holds 1 other recording of the same name:\n  a\.wav: .*card1"):
        heard_in(tmp_path, second)
    assert heard_in(tmp_path, first)[0].seconds == {"a.wav": 10}
    # one that has been moved is heard where it is, and one that is not there any more gives its name up
    first.file.rename(tmp_path / "a.wav")
    assert heard_in(tmp_path, Recording("a.wav", tmp_path / "a.wav"))[0].seconds == {"a.wav": 10}
    assert heard_in(tmp_path, second)[0].seconds == {"a.wav": 20}


def test_recordings_are_found_where_they_are_now(tmp_path: Path) -> None:
    absolute = str(tmp_path / "old" / "a.wav")
    one, two = noise(tmp_path / "old" / "a.wav", 10), noise(tmp_path / "old" / "b.wav", 20)
    detections = heard_in(tmp_path, Recording(absolute, one.file), Recording("site/b.wav", two.file))[
        0
    ].detections
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(DataError, match="2 recordings of"):
        detections.recordings()
    recordings = detections.recordings(tmp_path / "new")
    assert [(one.name, one.file) for one in recordings] == [
        (absolute, tmp_path / "new" / "a.wav"),
        ("site/b.wav", tmp_path / "new" / "b.wav"),
    ]


def test_what_kills_leave_is_cleared_away(tmp_path: Path) -> None:
    folder, one = tmp_path / "out", noise(tmp_path / "a.wav", 10)
    folder.mkdir()
    (folder / ".settings.json.x.part").write_text("{")
    heard_in(tmp_path, one)
    scores = next((folder / "scores").iterdir())
    for part in (folder / ".windows.csv.x.part", scores / ".000000.npz.x.part", folder / ".now.csv.x.part"):
        part.write_bytes(bytes(1000))
        os.utime(part, None if "now" in part.name else (1, 1))
    os.utime(folder / ".settings.json.x.part", (1, 1))
    heard_in(tmp_path, one)
    assert [path.name for path in folder.rglob(".*.part")] == [".now.csv.x.part"]


def test_what_is_no_number_is_noted_and_the_rest_is_heard(tmp_path: Path) -> None:
    y = np.full(100 * RATE, 0.25, np.float32)
    y[30 * RATE : 31 * RATE] = np.nan
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    one = Recording("a.wav", tmp_path / "a.wav")
    scanned = heard_in(tmp_path, one)[0]
    assert scanned.notes == {"a.wav": "is damaged, and was replaced by silence, from 30.0 to 31.0 s"}
    assert np.isfinite(scanned.detections.scores(one).proba).all()


def test_behind_a_failure_nothing_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail(path: Path, number: int, windows: WindowSettings) -> Block:
        tried.append(number)
        raise OSError("the disk is gone")

    monkeypatch.setattr("aurist.detection.scan.read_block", fail)
    scanned, messages = heard_in(tmp_path, noise(tmp_path / "a.wav", 1200))
    assert messages == ["passed over: a.wav: the disk is gone"] and not scanned.recordings
    assert len(tried) <= 3
