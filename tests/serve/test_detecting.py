"""Detection jobs: results, files, progress, restarts and deletion."""

from __future__ import annotations

import errno
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

import aurist
from aurist import files as files_of_aurist
from aurist.detection.export import FORMATS
from aurist.run import ModelFiles
from aurist.serve.jobs import Jobs
from aurist.serve.refusals import NO_ROOM

from .conftest import RATE, as_file, tone

write_job = Jobs._write


def night() -> np.ndarray:
    """Nine seconds in which a whistle sounds from 3 s to 6 s."""
    return np.concatenate([tone("drone", 3, 1), tone("whistle", 3, 2), tone("drone", 3, 3)])


def finished(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + 60
    while job["state"] in ("waiting", "running") and time.monotonic() < until:
        time.sleep(0.02)
        job = client.get(f"/v1/detect/{job['id']}").json()
    return job


def detect(client: TestClient, *names: str, query: str = "?window=1") -> dict[str, Any]:
    upload = [("files", (name, as_file(night()))) for name in names]
    answer = client.post(f"/v1/detect{query}", files=upload)
    assert answer.status_code == 202, answer.text
    return finished(client, answer.json())


def test_events_are_those_of_python(client: TestClient, files: ModelFiles, tmp_path: Path) -> None:
    (tmp_path / "night.wav").write_bytes(as_file(night()))
    expected = aurist.load(files.folder).detect(tmp_path / "night.wav", window=1.0)
    job = detect(client, "../night.wav")
    assert job["state"] == "done" and job["seconds_done"] == 9.0
    answer = client.get(f"/v1/detect/{job['id']}/events").json()
    got = pd.DataFrame(answer["events"])
    assert set(got["path"]) == {"night.wav"}
    columns = ["start", "end", "label", "score"]
    pd.testing.assert_frame_equal(got[columns], expected[columns])
    whistle = got[got["label"] == "whistle"]
    assert whistle["start"].iloc[0] == pytest.approx(3, abs=0.5) and whistle["end"].iloc[0] == pytest.approx(
        6, abs=0.5
    )
    assert answer["thresholds"] == {"drone": 0.5, "whistle": 0.5}


def test_files_for_other_programs(client: TestClient) -> None:
    job = detect(client, "site_20230601_053000.wav", "night.wav", "night.wav")
    address = f"/v1/detect/{job['id']}/files"
    table = pd.read_csv(io.StringIO(client.get(f"{address}/csv?labels=whistle&min_score=0.6").text))
    assert table["path"].tolist() == ["site_20230601_053000.wav", "night.wav", "night.wav#2"]
    assert set(table["label"]) == {"whistle"}
    assert table["clock"].iloc[0].startswith("2023-06-01T05:30:0")
    raven = pd.read_csv(io.StringIO(client.get(f"{address}/raven").text), sep="\t")
    # not the server's own
    assert set(raven["Begin Path"]) == {"site_20230601_053000.wav", "night.wav", "night.wav#2"}
    assert raven["High Freq (Hz)"].eq(RATE / 2).all()
    lines = client.get(f"{address}/jsonl").text.splitlines()
    assert all("whistle" in line or "drone" in line for line in lines) and json.loads(lines[0])
    windows = pd.read_csv(io.StringIO(client.get(f"{address}/windows").text))
    assert len(windows) == 3 * 17
    for form in FORMATS:
        assert client.get(f"{address}/{form}").status_code == 200
    with zipfile.ZipFile(io.BytesIO(client.get(f"{address}/audacity").content)) as archive:
        assert set(archive.namelist()) == {"site_20230601_053000.wav.txt", "night.wav.txt", "night.wav#2.txt"}
    assert client.get(f"{address}/docx").status_code == 404
    assert client.get(f"{address}/csv?labels=owl").status_code == 422


def test_probabilities_over_time(client: TestClient) -> None:
    job = detect(client, "night.wav")
    address = f"/v1/detect/{job['id']}/recordings/0/probabilities"
    answer = client.get(f"{address}?steps=9").json()
    whistle = np.array(answer["values"]["whistle"])
    assert answer["step"] == 1.0 and len(whistle) == 9
    assert (whistle[[0, 1, 7, 8]] < 0.5).all() and (whistle[3:6] > 0.5).all()
    part = client.get(f"{address}?start=4&seconds=1&steps=1&labels=whistle").json()
    assert list(part["values"]) == ["whistle"] and part["values"]["whistle"][0] == pytest.approx(
        whistle[4], abs=1e-4
    )
    assert client.get(f"/v1/detect/{job['id']}/recordings/1/probabilities").status_code == 404


def test_progress_is_sent(client: TestClient) -> None:
    answer = client.post("/v1/detect?window=1", files={"files": ("a.wav", as_file(night()))}).json()
    with client.stream("GET", f"/v1/detect/{answer['id']}/progress") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        states = [json.loads(line[6:])["state"] for line in stream.iter_lines() if line.startswith("data: ")]
    assert states[-1] == "done"


def test_a_model_of_whole_clips_needs_a_window(client: TestClient) -> None:
    answer = client.post("/v1/detect", files={"files": ("a.wav", as_file(night()))})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "no_window"
    wrong = client.post("/v1/detect?window=1&overlap=1", files={"files": ("a.wav", as_file(night()))})
    assert wrong.status_code == 422


def test_a_deleted_job_is_gone(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client = start()
    job = detect(client, "night.wav")
    assert client.delete(f"/v1/detect/{job['id']}").status_code == 204
    assert client.get(f"/v1/detect/{job['id']}").status_code == 404
    assert client.get("/v1/detect").json() == []
    assert list((tmp_path / "state" / "jobs").iterdir()) == []


def test_a_bad_upload_leaves_no_job(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client = start()
    assert client.post("/v1/detect?window=1", files={"files": ("a.wav", b"none")}).status_code == 422
    assert list((tmp_path / "state" / "jobs").iterdir()) == []


def test_too_many_jobs(start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jobs, "_work", lambda _: None)  # none of them begins
    client = start({"jobs": 1})
    upload = {"files": ("a.wav", as_file(night()))}
    assert client.post("/v1/detect?window=1", files=upload).status_code == 202
    refused = client.post("/v1/detect?window=1", files=upload)
    assert refused.status_code == 429 and refused.headers["retry-after"]


def test_jobs_go_on_after_a_restart(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "_work", lambda _: None)
        first = start()
        upload = {"files": ("night.wav", as_file(night()))}
        job = first.post("/v1/detect?window=1", files=upload).json()
        first.__exit__()
    assert job["state"] == "waiting"
    (tmp_path / "state" / "jobs" / "0123456789abcdef" / "sounds").mkdir(
        parents=True
    )  # of an upload that was killed
    second = start()
    assert finished(second, job)["state"] == "done"
    events = second.get(f"/v1/detect/{job['id']}/events").json()["events"]
    assert "whistle" in {event["label"] for event in events}
    assert [listed["id"] for listed in second.get("/v1/detect").json()] == [job["id"]]


def test_a_running_job_stops_at_a_block_and_goes_on(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aurist.features.windows._SECONDS", 2.0)
    first = start()
    models = first.app.state.server.models  # type: ignore[attr-defined]
    model = models.window_model(models.key)
    score, scored, go = model.score, threading.Event(), threading.Event()

    def slow(block: object) -> object:
        result = score(block)
        scored.set()
        go.wait(60)
        return result

    model.score = slow
    job = first.post("/v1/detect?window=1", files={"files": ("night.wav", as_file(night()))}).json()
    assert scored.wait(60)
    threading.Timer(0.2, go.set).start()
    first.__exit__()  # waits for the block that is scored, and no longer
    second = start()
    counted: list[int] = []
    models = second.app.state.server.models  # type: ignore[attr-defined]
    again = models.window_model(models.key)
    monkeypatch.setattr(type(again), "score", _counting(type(again).score, counted))
    done = finished(second, second.get(f"/v1/detect/{job['id']}").json())
    assert done["state"] == "done"
    assert 0 < sum(counted) < 17


def test_a_full_disk_ends_a_job_and_not_the_server(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = start()
    with monkeypatch.context() as patch:
        patch.setattr(files_of_aurist, "flush_file", _no_room)
        upload = {"files": ("night.wav", as_file(night()))}
        refused = client.post("/v1/detect?window=1", files=upload)
        assert refused.status_code == 507 and refused.json()["error"]["code"] == "full_disk"
        assert client.get("/v1/detect").json() == []
        patch.setattr(Jobs, "new_folder", _no_room)  # an error of the system itself
        refused = client.post("/v1/detect?window=1", files=upload)
        assert refused.status_code == 507 and refused.json()["error"]["message"] == NO_ROOM
        assert list((tmp_path / "state" / "jobs").iterdir()) == []
    with monkeypatch.context() as patch:
        patch.setattr("aurist.serve.jobs.listen", _no_room)
        failed = detect(client, "night.wav")
        assert failed["state"] == "failed" and failed["message"] == NO_ROOM
    with monkeypatch.context() as patch:
        patch.setattr(
            Jobs, "_write", lambda jobs, job: _no_room() if job.state == "done" else write_job(jobs, job)
        )
        kept = detect(client, "night.wav")
    assert kept["state"] == "done"
    assert detect(client, "other.wav")["state"] == "done"
    client.__exit__()
    again = finished(start(), kept)
    assert again["state"] == "done"


def _no_room(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _counting(score: Callable[..., Any], counted: list[int]) -> Callable[..., Any]:
    def counting(self: object, block: Any) -> Any:
        counted.append(len(block))
        return score(self, block)

    return counting


def test_sound_waveform_and_spectrogram(client: TestClient) -> None:
    job = detect(client, "night.wav")
    address = f"/v1/detect/{job['id']}/recordings/0"
    whole = client.get(f"{address}/sound.wav")
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.content == as_file(night())  # the sound itself, to the sample
    part = client.get(f"{address}/sound.wav", headers={"range": "bytes=101-1000"})
    assert part.status_code == 206 and part.content == whole.content[101:1001]
    assert part.headers["content-range"] == f"bytes 101-1000/{len(whole.content)}"
    assert client.get(f"{address}/sound.wav", headers={"range": "bytes=-7"}).content == whole.content[-7:]
    assert client.get(f"{address}/sound.wav", headers={"range": "bytes=999999999-"}).status_code == 416
    wave = client.get(f"{address}/waveform?start=0&seconds=9&columns=90").content
    assert len(wave) == 180
    tile = client.get(f"{address}/spectrogram?start=0&seconds=9&columns=90&rows=40").content
    picture = np.frombuffer(tile, np.uint8).reshape(40, 90)
    # a row is 100 Hz, and the highest is on top: 1.9 radians a sample are 2,419 Hz, 0.2 are 255 Hz
    assert set(picture[:, 40:50].argmax(axis=0)) == {39 - 24}
    assert set(picture[:, 5:25].argmax(axis=0)) == {39 - 2}
    assert (
        client.get(f"{address}/spectrogram?start=0&seconds=9&columns=9&rows=9&low=50&high=40").status_code
        == 422
    )
