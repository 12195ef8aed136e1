"""Events in a stream: the same as in a file, a log that is rotated, hooks, and a source that breaks off."""

from __future__ import annotations

import csv
import http.server
import itertools
import json
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurist
from aurist.audio import resample
from aurist.detection.window_model import WindowModel
from aurist.errors import ConfigError, DataError
from aurist.events import Grid, find_events
from aurist.features.windows import Block
from aurist.run import ModelFiles, open_model
from aurist.serve import following, stream
from aurist.serve import live as live_module
from aurist.serve.live import LONGEST, LiveEvents
from aurist.serve.reporting import EventLog, Hooks
from aurist.serve.stream import Gap, Source, sound_of

from ..command import aurist as aurist_command
from ..command import done
from .conftest import RATE, as_file, tone


def night(seconds: float = 3.0, times: int = 4) -> np.ndarray:
    return np.concatenate(
        [tone(label, seconds, seed) for seed in range(times) for label in ("drone", "whistle")]
    )


def live(files: ModelFiles, window: float = 1.0) -> LiveEvents:
    return LiveEvents(WindowModel(files, None, 1), Grid(window, window / 2), np.full(2, 0.5))


def in_pieces(wave: np.ndarray, seed: int = 0) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    while len(wave):
        size = int(rng.integers(1, RATE))
        yield wave[:size]
        wave = wave[size:]


@pytest.fixture(scope="module")
def files(examples: Path) -> ModelFiles:
    return open_model(examples / "run")


def test_events_are_those_of_the_file(files: ModelFiles, tmp_path: Path) -> None:
    live_events = live(files)
    path = tmp_path / "night.wav"
    path.write_bytes(as_file(night()))
    expected = aurist.load(files.folder).detect(path, window=1.0)
    events = []
    for piece in sound_of(Source(str(path)), live_events.sample_rate):
        assert not isinstance(piece, Gap)
        for event in live_events.push(piece):
            # no later than a window and a piece after its end
            assert live_events.seconds - event.end < 1.0 + 0.5 + 0.3
            events.append(event)
    events += live_events.finish()
    events.sort(key=lambda event: (event.start, event.label))
    rows = [(event.start, event.end, event.label) for event in events]
    table = expected.sort_values(["start", "label"])
    assert [label for *_, label in rows] == table["label"].tolist()
    np.testing.assert_allclose([row[:2] for row in rows], table[["start", "end"]], atol=0.01)
    for event in events:
        assert len(event.sound) == pytest.approx((event.end - event.start) * live_events.sample_rate, abs=2)


def test_the_pieces_make_no_difference(files: ModelFiles) -> None:
    results = []
    for seed in range(3):
        live_events = live(files)
        if seed == 2:
            live_events.warm_up()  # leaves nothing behind
        wave = resample(night(), RATE, live_events.sample_rate)
        events = [event for piece in in_pieces(wave, seed) for event in live_events.push(piece)]
        events += live_events.finish()
        results.append([(event.start, event.end, event.label, round(event.score, 4)) for event in events])
    assert results[0] == results[1] == results[2] and len(results[0]) > 4


def test_windows_that_begin_between_two_samples(files: ModelFiles) -> None:
    listening = live(files, window=1.5)
    wave = resample(night(), RATE, listening.sample_rate)
    assert (0.75 * listening.sample_rate) % 1 == 0.5
    events = [event for piece in in_pieces(wave) for event in listening.push(piece)]
    events += listening.finish()
    assert [event.label for event in events[:3]] == ["drone", "whistle", "drone"]


def test_a_long_event_is_reported_in_parts_and_memory_does_not_grow(files: ModelFiles) -> None:
    live_events = live(files)
    wave = resample(tone("whistle", 150.0), RATE, live_events.sample_rate)
    events = [event for piece in in_pieces(wave) for event in live_events.push(piece)]
    events += live_events.finish()
    whistles = [event for event in events if event.label == "whistle"]
    assert len(whistles) >= 150 / LONGEST - 1
    assert all(later.start >= earlier.end - 1e-6 for earlier, later in itertools.pairwise(whistles))
    assert len(live_events._sound) < 70 * live_events.sample_rate and len(live_events._scores.starts) < 140


def test_a_gap_ends_events_and_keeps_the_clock(files: ModelFiles) -> None:
    live_events = live(files)
    wave = resample(tone("whistle", 4.0), RATE, live_events.sample_rate)
    before = [event for piece in in_pieces(wave) for event in live_events.push(piece)]
    before += list(live_events.gap(100.0))
    assert max(event.end for event in before) <= 4.0
    after = [event for piece in in_pieces(wave) for event in live_events.push(piece)]
    after += live_events.finish()
    assert min(event.start for event in after) >= 103.9


@given(st.lists(st.sampled_from([0.0, 0.0, 0.45, 0.55, 0.9, 1.0]), min_size=30, max_size=60))
def test_an_event_is_reported_in_time_or_never(scores: list[float]) -> None:
    # windows of a second with these scores, which overlap by half; two of them decide each half second
    def score(block: Block) -> SimpleNamespace:
        rows = np.rint(block.starts * 2).astype(int)
        return SimpleNamespace(proba=np.array([[scores[row]] for row in rows]), when=None, likeness=None)

    model = SimpleNamespace(classes=("wren",), rates=(100,), margin=0.0, score=score)
    live_events = LiveEvents(model, Grid(1.0, 0.5), np.full(1, 0.5))  # type: ignore[arg-type]
    events = []
    with patch.object(live_module, "_KEPT", 6.0), patch.object(live_module, "LONGEST", 2.0):
        for _ in range(len(scores) + 1):
            for event in live_events.push(np.zeros(50, np.float32)):
                assert live_events.seconds - event.end <= 1.0 + 1e-6
                events.append((event.start, event.end))
        events += [(event.start, event.end) for event in live_events.finish()]
    starts = np.arange(len(scores)) / 2
    expected = find_events(starts, starts + 1.0, np.array(scores)[:, None], np.full(1, 0.5))
    halves = {int(2 * at) for start, end in events for at in np.arange(start, end, 0.5)}
    assert halves == {int(2 * at) for one in expected for at in np.arange(one.start, one.end, 0.5)}


def test_the_sound_before_an_event_has_no_other_event(files: ModelFiles) -> None:
    for lowest, expected in (([np.inf, 0.5], [0.0, 2.0, 2.0]), ([0.5, 0.5], [0.0, 0.0, 0.0])):
        live_events = LiveEvents(WindowModel(files, None, 1), Grid(1.0, 0.5), np.array(lowest), lead=2.0)
        wave = resample(night()[3 * RATE if lowest[0] > 1 else 0 :], RATE, live_events.sample_rate)
        events = [event for piece in in_pieces(wave) for event in live_events.push(piece)] + list(
            live_events.finish()
        )
        assert [event.lead for event in events[:3]] == pytest.approx(expected, abs=0.01)
        for event in events:
            seconds = len(event.sound) / live_events.sample_rate
            assert seconds == pytest.approx(event.lead + event.end - event.start, abs=0.001)


def test_delays_are_those_of_the_least_late_sound(files: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [50.0]
    monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    live_events = live(files)
    wave = resample(night(), RATE, live_events.sample_rate)
    size = live_events.sample_rate // 2

    def late(seconds: float) -> Iterator[np.ndarray]:
        for number in range(len(wave) // size):
            # the first four pieces come at once, when the fourth has sounded; the last ones late
            clock[0] = 50.0 + 0.5 * max(4, number + 1) + (seconds if number > 30 else 0.0)
            yield wave[number * size : (number + 1) * size]

    began = datetime.fromisoformat("2026-05-01T04:00:00+00:00")
    for seconds in (0.0, 4.0):
        records = [record for record, _ in following.follow(late(seconds), live(files), began)]
        assert len(records) == 8
        # the last event that was reported in time ends before 14 s
        lateness = [seconds if record["end"] > 14.0 else 0.0 for record in records]
        for record, more in zip(records, lateness, strict=True):
            assert more <= record["delay"] <= more + 2.0


def test_the_log_is_rotated(tmp_path: Path) -> None:
    event = {
        "clock": "2026-01-01T00:00:00",
        "start": 0.0,
        "end": 1.0,
        "label": "wren, winter",
        "score": 0.9,
        "delay": 0.5,
    }
    log = EventLog(tmp_path / "log" / "events.csv", megabytes=0.0005)
    for _ in range(50):
        log.write(event)
    parts = sorted((tmp_path / "log").glob("events*.csv"))
    assert len(parts) > 3
    rows = [row for part in parts for row in csv.DictReader(part.open())]
    assert len(rows) == 50 and {row["label"] for row in rows} == {"wren, winter"}
    with pytest.raises(ConfigError, match=r"\.csv or \.jsonl"):
        EventLog(tmp_path / "events.txt")


def test_a_line_of_the_log_that_a_kill_cut_short_is_dropped(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.csv")
    event = {"clock": "x", "start": 0.0, "end": 1.0, "label": "wren", "score": 0.9, "delay": 0.5}
    for cut in (b"clock,sta", b"clock,start,end,label,score,delay,file\nx,0.0,1"):
        log.path.write_bytes(cut)
        log.write(event)
        with log.path.open() as file:
            assert [row["label"] for row in csv.DictReader(file)] == ["wren"]


def test_hooks(tmp_path: Path) -> None:
    received: list[dict[str, object]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "hook.py").write_text(
        f"import sys; open({str(tmp_path / 'out')!r}, 'a').write(sys.stdin.read())"
    )
    hooks = Hooks(f"{sys.executable} {tmp_path / 'hook.py'}", f"http://127.0.0.1:{server.server_port}/x")
    for number in range(3):
        hooks.report({"label": "굴뚝새; rm -rf /", "start": number})
    hooks.close()
    server.shutdown()
    server.server_close()
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert lines == received == [{"label": "굴뚝새; rm -rf /", "start": number} for number in range(3)]
    hooks = Hooks("no-such-command", "http://127.0.0.1:1/")
    hooks.report({"label": "wren"})  # a warning, and no end of the stream
    hooks.close()
    with pytest.raises(ConfigError, match="no address"):
        Hooks(url="file:///etc/passwd")


def test_a_source_that_breaks_off_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    clock = [100.0]

    def decoded(source: Source, sample_rate: int) -> Iterator[np.ndarray]:
        opened.append(source.name)
        clock[0] += 7  # until it is refused, or sounds
        if len(opened) == 2:
            return  # it is not back yet
        clock[0] += 3  # ffmpeg looks at the format, while the source sounds
        for number in range(20):
            if number >= 12:
                clock[0] += 0.25  # what had sounded is there; the rest comes at its own speed
            yield np.full(sample_rate // 4, number, np.float32)

    monkeypatch.setattr(stream, "_decoded", decoded)
    monkeypatch.setattr(stream, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(stream, "_FIRST_WAIT", 0.01)
    pieces = list(itertools.islice(sound_of(Source("rtsp://127.0.0.1/none"), 8000), 42))
    gaps = [piece for piece in pieces if isinstance(piece, Gap)]
    sound = np.concatenate([piece[:1] for piece in pieces if not isinstance(piece, Gap)])
    assert sound.tolist() == 2 * list(range(20)) and len(opened) == 3
    # all twelve pieces sounded before the first of them came
    assert [gap.seconds for gap in gaps] == [7.0, 7.0 + 7.0]
    assert isinstance(pieces[0], Gap) and isinstance(pieces[21], Gap)


def test_senseless_sources(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no source"):
        Source(str(tmp_path / "none.wav"))
    with pytest.raises(ConfigError, match="standard input"):
        Source("mic", raw_rate=48000)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(DataError, match="gives no sound"):
        list(sound_of(Source(str(tmp_path / "text.wav")), 8000))


def test_the_command(examples: Path, tmp_path: Path) -> None:
    (tmp_path / "night.wav").write_bytes(as_file(night()))
    hook = f"{sys.executable} -c 'import sys; sys.stdin.read()'"
    options = [
        "--window",
        1,
        "--labels",
        "whistle",
        "--log",
        "events.jsonl",
        "--clips",
        "clips",
        "--on-event",
        hook,
    ]
    result = done("listen", examples / "run", "--source", "night.wav", *options, cwd=tmp_path)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert len(events) == 4 and {event["label"] for event in events} == {"whistle"}
    assert len(result.stdout.splitlines()) == 4 and "whistle" in result.stdout
    assert all((tmp_path / event["file"]).exists() for event in events)
    failed = aurist_command("listen", examples / "run", "--source", "night.wav", cwd=tmp_path)
    assert failed.returncode == 1 and "--window" in failed.stderr
