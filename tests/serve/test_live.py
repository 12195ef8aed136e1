"""Events in a stream: the same as in a file, a log that is rotated, hooks, and a source that breaks off."""

from __future__ import annotations

import csv
import http.server
import itertools
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import aurist
from aurist.audio import resample
from aurist.detection.window_model import WindowModel
from aurist.errors import ConfigError, DataError
from aurist.events import Grid
from aurist.run import ModelFiles, open_model
from aurist.serve import stream
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
    found = live(files)
    path = tmp_path / "night.wav"
    path.write_bytes(as_file(night()))
    expected = aurist.load(files.folder).detect(path, window=1.0)
    events = []
    for piece in sound_of(Source(str(path)), found.sample_rate):
        assert not isinstance(piece, Gap)
        for event in found.push(piece):
            # no later than a window and a piece after its end
            assert found.seconds - event.end < 1.0 + 0.5 + 0.3
            events.append(event)
    events += found.finish()
    events.sort(key=lambda event: (event.start, event.label))
    rows = [(event.start, event.end, event.label) for event in events]
    table = expected.sort_values(["start", "label"])
    assert [label for *_, label in rows] == table["label"].tolist()
    np.testing.assert_allclose([row[:2] for row in rows], table[["start", "end"]], atol=0.01)
    for event in events:
        assert len(event.sound) == pytest.approx((event.end - event.start) * found.sample_rate, abs=2)


def test_the_pieces_make_no_difference(files: ModelFiles) -> None:
    results = []
    for seed in range(3):
        found = live(files)
        if seed == 2:
            found.warm_up()  # leaves nothing behind
        wave = resample(night(), RATE, found.sample_rate)
        events = [event for piece in in_pieces(wave, seed) for event in found.push(piece)]
        events += found.finish()
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
    found = live(files)
    wave = resample(tone("whistle", 150.0), RATE, found.sample_rate)
    events = [event for piece in in_pieces(wave) for event in found.push(piece)]
    events += found.finish()
    whistles = [event for event in events if event.label == "whistle"]
    assert len(whistles) >= 150 / LONGEST - 1
    assert all(later.start >= earlier.end - 1e-6 for earlier, later in itertools.pairwise(whistles))
    assert len(found._sound) < 70 * found.sample_rate and len(found._scores.starts) < 140


def test_a_gap_ends_events_and_keeps_the_clock(files: ModelFiles) -> None:
    found = live(files)
    wave = resample(tone("whistle", 4.0), RATE, found.sample_rate)
    before = [event for piece in in_pieces(wave) for event in found.push(piece)]
    before += list(found.gap(100.0))
    assert max(event.end for event in before) <= 4.0
    after = [event for piece in in_pieces(wave) for event in found.push(piece)]
    after += found.finish()
    assert min(event.start for event in after) >= 103.9


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

    def decoded(source: Source, sample_rate: int) -> Iterator[np.ndarray]:
        opened.append(source.name)
        if len(opened) == 2:
            return  # it is not back yet
        yield np.zeros(sample_rate, np.float32)

    monkeypatch.setattr(stream, "_decoded", decoded)
    monkeypatch.setattr(stream, "_FIRST_WAIT", 0.01)
    pieces = sound_of(Source("rtsp://127.0.0.1/none"), 8000)
    first, gap, second = (next(pieces) for _ in range(3))
    assert isinstance(gap, Gap) and gap.seconds > 0
    assert not isinstance(first, Gap) and not isinstance(second, Gap)
    assert len(opened) == 3


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
