"""Live sources on the server, and on its page with the microphone of a browser."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from aurist.review.learning import with_verdicts
from aurist.run import open_run, read_data
from aurist.serve import live_session

from .browser import browser, serious_findings, server_process, visit
from .conftest import RATE, STEPS, as_file
from .test_live import night
from .test_reviewing import put, queue


def ended(client: TestClient, session: str) -> dict[str, Any]:
    """Wait until a session has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer: dict[str, Any] = client.get(f"/v1/live/{session}").json()
        if answer["state"]["state"] != "running":
            return answer
        time.sleep(0.05)
    raise AssertionError("it goes on")


def test_a_source_of_the_server(start: Callable[..., TestClient], tmp_path: Path) -> None:
    file = tmp_path / "night.wav"
    file.write_bytes(as_file(night()))
    client = start(sources=(str(file),))
    assert client.get("/v1/live").json()["sources"] == [str(file)]
    begun = client.post("/v1/live", json={"source": str(file), "window": 1.0})
    assert begun.status_code == 202
    session = begun.json()["id"]
    answer = ended(client, session)
    assert answer["state"]["state"] == "stopped" and answer["state"]["message"] == ""
    assert answer["state"]["seconds"] == pytest.approx(24.0, abs=0.1)
    labels = [event["label"] for event in answer["events"]]
    assert sorted(set(labels)) == ["drone", "whistle"] and len(labels) >= 7
    later = client.get(f"/v1/live/{session}?after=3").json()["events"]
    assert [event["number"] for event in later] == list(range(4, len(labels) + 1))
    assert client.get(f"/v1/live/{session}/sound.wav?key=1").content[:4] == b"RIFF"
    assert len(client.get(f"/v1/live/{session}/spectrogram?key=1&columns=32&rows=16").content) == 32 * 16
    assert len(client.get(f"/v1/live/{session}/now?columns=32&rows=16").content) == 32 * 16
    rows = list(csv.DictReader(io.StringIO(client.get(f"/v1/live/{session}/events.csv").text)))
    lines = client.get(f"/v1/live/{session}/events.jsonl").text.splitlines()
    assert [row["label"] for row in rows] == [json.loads(line)["label"] for line in lines] == labels
    assert client.delete(f"/v1/live/{session}").status_code == 204
    assert client.get(f"/v1/live/{session}").status_code == 404
    assert not list((tmp_path / "state" / "live").iterdir())


def test_sound_of_a_browser_gives_the_same_events(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client = start()
    session = client.post("/v1/live", json={"source": "browser", "window": 1.0}).json()["id"]
    sound = np.rint(night() * 32767).astype("<i2")
    for first in range(0, len(sound), RATE // 2):
        body = sound[first : first + RATE // 2].tobytes()
        while client.post(f"/v1/live/{session}/sound?rate={RATE}", content=body).status_code == 429:
            time.sleep(0.05)
    until = time.monotonic() + 60
    while client.get(f"/v1/live/{session}").json()["state"]["seconds"] < 23.5 and time.monotonic() < until:
        time.sleep(0.05)
    assert client.post(f"/v1/live/{session}/stop").json()["state"] == "stopped"
    events = client.get(f"/v1/live/{session}").json()["events"]
    assert [event["label"] for event in events[:4]] == ["drone", "whistle", "drone", "whistle"]
    refused = client.post(f"/v1/live/{session}/sound?rate={RATE}", content=b"\0\0")
    assert refused.status_code == 409
    client.__exit__(None, None, None)
    again = start()
    kept = again.get("/v1/live").json()["sessions"]
    assert [one["id"] for one in kept] == [session] and kept[0]["count"] == len(events)


def followed(client: TestClient, file: Path) -> str:
    """Follow a file to its end, and give the session."""
    session = client.post("/v1/live", json={"source": str(file), "window": 1.0}).json()["id"]
    ended(client, session)
    return str(session)


def test_events_are_judged(start: Callable[..., TestClient], tmp_path: Path) -> None:
    file = tmp_path / "night.wav"
    file.write_bytes(as_file(night()))
    client = start(sources=(str(file),))
    session = followed(client, file)
    events = client.get(f"/v1/live/{session}").json()["events"]
    (listed,) = client.get("/v1/review").json()
    assert listed["id"] == session and listed["detections"] == len(events) and listed["judged"] == 0
    keys = [one["key"] for one in queue(client, session, order="random")]
    assert sorted(keys) == sorted(one["key"] for one in events)
    for number, key in enumerate(keys):
        put(client, session, key, *(("yes",) if number else ("other", "drone")))
    assert client.get(f"/v1/review/{session}/progress").json()["sample"]["judged"] == len(events)
    sound = client.get(f"/v1/review/{session}/sound.wav?key={keys[0]}").content
    assert soundfile.info(io.BytesIO(sound)).duration > 0.9
    # the verdicts are those of the event, in its own clip, by the hour of the stream
    server = client.app.state.server  # type: ignore[attr-defined]
    judged = server.improving.judged()
    assert {one.content for one in judged} == {f"live {session} 0"} and len(judged) == len(events)
    assert all(one.file.exists() and one.at_random for one in judged)
    assert client.get("/v1/improve").json()["comparison"] == "other_recording"
    server.live.get(session).began -= timedelta(days=1000)
    server.tidy()
    client.__exit__(None, None, None)
    again = start(sources=(str(file),))
    by_key = {one["key"]: one for one in again.get(f"/v1/live/{session}").json()["events"]}
    assert by_key[keys[0]]["labels"] == ["drone"] and by_key[keys[1]]["verdict"] == "yes"
    assert again.delete(f"/v1/live/{session}").status_code == 204
    assert again.get("/v1/review").json() == [] and again.get("/v1/improve").json()["learn"] == 0


def test_verdicts_on_events_are_learnt_from(start: Callable[..., TestClient], tmp_path: Path) -> None:
    file = tmp_path / "night.wav"
    file.write_bytes(as_file(night()))
    client = start(sources=(str(file),))
    session = followed(client, file)
    for one in client.get(f"/v1/live/{session}").json()["events"]:
        put(client, session, one["key"], "yes")
    server = client.app.state.server  # type: ignore[attr-defined]
    old = read_data(open_run(server.original.folder)).clips
    clips, n_new = with_verdicts(old, server.improving.judged(), 1.0)
    new = clips.table.iloc[len(old) :]
    assert n_new == len(new) >= 8
    assert set(new["group"]) == {f"judged live {session} 0"}
    # windows hold what their labels say, but for some at the ends of events
    right = []
    for path, begin, end, labels in zip(new["path"], new["start"], new["end"], new["labels"], strict=True):
        wave, rate = soundfile.read(path)
        part = wave[round(begin * rate) : round(end * rate)]
        loudest = np.abs(np.fft.rfft(part)).argmax() / (end - begin)
        right.append(loudest == pytest.approx(STEPS[labels[0]] * RATE / (2 * np.pi), rel=0.05))
    assert np.mean(right) > 0.7, right


def test_the_sound_of_old_events_is_dropped(
    start: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_session, "MOST_EVENTS", 2)
    file = tmp_path / "night.wav"
    file.write_bytes(as_file(night()))
    client = start(sources=(str(file),))
    session = followed(client, file)
    server = client.app.state.server  # type: ignore[attr-defined]
    records = server.live.get(session).events
    keys = [live_session.key_of_event(record) for record in records]
    kept = {*keys[-2:], *sorted(keys)[:2]}
    assert len(kept) < len(keys)
    assert {one["key"] for one in queue(client, session, order="random")} == kept
    # all events are in the random order, so that its head is a sample of all
    head = sorted(keys)[:2]
    for key in head:
        put(client, session, key, "yes")
    put(client, session, keys[-1], "no")
    progress = client.get(f"/v1/review/{session}/progress").json()
    judged = len([key for key in {*head, keys[-1]} if sorted(keys).index(key) < 3])
    assert progress["sample"]["judged"] == judged
    lost = next(number for number, key in enumerate(keys, 1) if key not in kept)
    assert client.get(f"/v1/live/{session}/sound.wav?key={lost}").status_code == 404


@pytest.mark.parametrize(
    ("source", "status"),
    [("/etc/passwd", 422), ("file:///etc/passwd", 422), ("concat:a|b", 422), ("", 422), ("x" * 3000, 422)],
)
def test_sources_that_a_page_may_not_name(client: TestClient, source: str, status: int) -> None:
    answer = client.post("/v1/live", json={"source": source, "window": 1.0})
    assert answer.status_code == status and answer.json()["error"]["message"]


def test_streams_for_others_are_those_of_the_start(start: Callable[..., TestClient]) -> None:
    client = start(host="0.0.0.0", token="0123456789abcdef", hosts=("127.0.0.1",))
    headers = {"Authorization": "Bearer 0123456789abcdef"}
    wanted = {"source": "http://192.0.2.1/sound", "window": 1.0}
    answer = client.post("/v1/live", json=wanted, headers=headers)
    assert answer.status_code == 403 and "--source" in answer.json()["error"]["message"]


def test_a_window_is_needed(client: TestClient) -> None:
    answer = client.post("/v1/live", json={"source": "browser"})
    assert answer.status_code == 422 and "window" in answer.json()["error"]["message"]
    assert client.get("/v1/live/0123456789abcdef").status_code == 404


def test_the_page_hears_a_microphone(examples: Path, tmp_path: Path) -> None:
    file = tmp_path / "microphone.wav"
    file.write_bytes(as_file(night(seconds=2.0, times=2)))
    fake = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
    )
    with server_process(examples / "run", tmp_path / "state") as (address, _), browser(*fake) as opened:
        seen = visit(opened)
        page = seen.page
        seen.open(f"{address}/#live")
        page.fill("#live-window", "1")
        page.click("#live-start")
        page.wait_for_selector("#live-rows tr", timeout=60_000)
        page.wait_for_function("() => document.getElementById('live-picture').width > 0")
        page.click("#live-rows tr button")
        page.wait_for_function("() => document.getElementById('live-sound').duration > 0.5")
        assert page.inner_text("#live-question").split(",")[0] in ("drone", "whistle")
        page.keyboard.press("y")
        page.wait_for_function("() => document.getElementById('live-saved').textContent === 'Saved: Yes.'")
        assert page.inner_text("#live-rows tr.chosen td:last-child") == "Yes"
        page.keyboard.press("c")
        page.keyboard.type("drone")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('live-saved').textContent.includes('drone')")
        page.keyboard.press("z")
        page.wait_for_function("() => document.getElementById('live-saved').textContent === 'Taken back.'")
        assert serious_findings(page) == []
        page.select_option("#live-label", "whistle")
        labels = page.locator("#live-rows td:nth-child(2)").all_inner_texts()
        assert set(labels) <= {"whistle"}
        page.select_option("#live-label", "")
        page.click("#live-stop")
        page.wait_for_function("() => document.getElementById('live-state').textContent.startsWith('Ended')")
        count = page.locator("#live-rows tr").count()
        with page.expect_download() as download:
            page.click("#live-jsonl")
        assert len(Path(download.value.path()).read_text().splitlines()) >= count >= 1
        page.click("#live-review")
        page.wait_for_selector("#card:not([hidden])")
        assert page.locator("#source option:checked").inner_text().startswith("browser, ")
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.keyboard.press("n")
        page.click("#tab-live")
        page.reload()
        page.click(".session button")
        page.wait_for_function(
            "() => [...document.querySelectorAll('#live-rows td:last-child')].some((one) => one.textContent === 'No')"
        )
        assert seen.errors == [] and seen.alone(address)
