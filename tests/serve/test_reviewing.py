"""Judging over HTTP: orders, verdicts that survive, precision, sound and pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from starlette.testclient import TestClient

import aurist
from aurist.annotations import read_annotations
from aurist.errors import AuristError
from aurist.run import ModelFiles

from .conftest import RATE, as_file, tone
from .test_detecting import detect, night


@pytest.fixture(scope="module")
def job(client: TestClient) -> str:
    return str(detect(client, "night.wav", "other.wav")["id"])


def queue(client: TestClient, review: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/review/{review}/queue", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["detections"])


def put(client: TestClient, review: str, key: str, verdict: str, *labels: str) -> Any:
    body = {"key": key, "verdict": verdict, "labels": labels}
    return client.put(f"/v1/review/{review}/verdicts", json=body)


def test_orders_and_verdicts(client: TestClient, job: str) -> None:
    listed = client.get("/v1/review").json()
    assert [(one["id"], one["name"], one["judged"]) for one in listed] == [(job, "night.wav + 1", 0)]
    events = client.get(f"/v1/detect/{job}/events").json()["events"]
    by_score = queue(client, job, order="score")
    assert len(by_score) == len(events) == listed[0]["detections"]
    assert [one["score"] for one in by_score] == sorted((one["score"] for one in by_score), reverse=True)
    assert {one["label"] for one in queue(client, job, order="random", label="whistle")} == {"whistle"}
    first, second, third = queue(client, job, order="random")[:3]
    revisions = [put(client, job, one["key"], "yes").json()["revision"] for one in (first, second)]
    assert revisions[1] == revisions[0] + 1
    assert put(client, job, third["key"], "other", "owl", "owl", " ").json()["labels"] == ["owl"]
    progress = client.get(f"/v1/review/{job}/progress", params={"after": revisions[0]}).json()
    assert progress["sample"]["judged"] == 3 and progress["sample"]["right"] == 2
    assert progress["sample"]["low"] < 2 / 3 < progress["sample"]["high"]
    assert [change["key"] for change in progress["changes"]] == [second["key"], third["key"]]
    assert sum(one["judged"] for one in progress["bins"]) == 3
    assert first["key"] not in {one["key"] for one in queue(client, job, order="score")}
    put(client, job, first["key"], "")
    assert (
        client.get(f"/v1/review/{job}/progress").json()["sample"]["judged"] == 0
    )  # the head of the order is open
    put(client, job, first["key"], "yes")
    table = pd.read_csv(io.StringIO(client.get(f"/v1/review/{job}/annotations.csv").text))
    assert sorted(table["state"]) == ["absent", "present", "present", "present"]


def test_the_annotations_can_be_learnt_from(client: TestClient, job: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(client.get(f"/v1/review/{job}/annotations.csv").text)
    assert set(read_annotations(tmp_path / "a.csv").table["path"]) <= {"night.wav", "other.wav"}


@pytest.mark.parametrize(
    ("verdict", "labels", "status"),
    [("maybe", [], 422), ("other", [], 422), ("yes", ["owl"], 422), ("other", [" "], 422), ("no", [], 200)],
)
def test_wrong_verdicts(client: TestClient, job: str, verdict: str, labels: list[str], status: int) -> None:
    key = queue(client, job)[-1]["key"]
    assert put(client, job, key, verdict, *labels).status_code == status
    put(client, job, key, "")


def test_unknown_detections_and_folders(client: TestClient, job: str) -> None:
    assert put(client, job, "0" * 16, "yes").status_code == 404
    assert put(client, job, "../x", "yes").status_code == 422
    assert client.get("/v1/review/folder-0/queue").status_code == 404
    assert client.get(f"/v1/review/{job}/queue?order=alphabet").status_code == 422
    assert client.get(f"/v1/review/{job}/sound.wav?key={'0' * 16}").status_code == 404


def test_sound_and_picture_of_a_detection(client: TestClient, job: str) -> None:
    detection = next(
        one for one in queue(client, job, label="whistle", open_only=False) if one["recording"] == "night.wav"
    )
    query = {"key": detection["key"], "padding": 0.5}
    wave, rate = soundfile.read(io.BytesIO(client.get(f"/v1/review/{job}/sound.wav", params=query).content))
    start, end = max(0.0, detection["start"] - 0.5), min(9.0, detection["end"] + 0.5)
    assert rate == RATE
    np.testing.assert_allclose(wave, night()[round(start * RATE) : round(end * RATE)], atol=1e-4)
    answer = client.get(f"/v1/review/{job}/spectrogram", params={**query, "columns": 64, "rows": 40})
    assert float(answer.headers["x-start"]) == pytest.approx(start)
    assert float(answer.headers["x-seconds"]) == pytest.approx(end - start)
    picture = np.frombuffer(answer.content, np.uint8).reshape(40, 64)
    assert set(picture[:, 25:40].argmax(axis=0)) == {39 - 24}  # 2.4 kHz


def test_verdicts_survive_the_server(start: Callable[..., TestClient]) -> None:
    first = start()
    job = str(detect(first, "night.wav")["id"])
    keys = [one["key"] for one in queue(first, job)]
    for key in keys:
        put(first, job, key, "yes")
    first.__exit__()
    second = start()
    assert queue(second, job) == []
    again = queue(second, job, open_only=False)
    assert [(one["key"], one["verdict"]) for one in again] == [(key, "yes") for key in keys]


def test_folders_of_the_command_line(
    start: Callable[..., TestClient], files: ModelFiles, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "night.flac", night(), RATE)
    aurist.load(files.folder).detect(tmp_path / "night.flac", tmp_path / "found", window=1.0)
    client = start(reviews=(tmp_path / "found",))
    assert client.get("/v1/review").json()[0]["name"] == "found"
    key = queue(client, "folder-0")[0]["key"]
    assert put(client, "folder-0", key, "no").status_code == 200
    assert (tmp_path / "found" / "verdicts.jsonl").exists()
    assert client.get(f"/v1/review/folder-0/sound.wav?key={key}").status_code == 200
    (tmp_path / "night.flac").unlink()
    with pytest.raises(AuristError, match=r"night\.flac"):
        start(reviews=(tmp_path / "found",))


def test_a_deleted_job_cannot_be_judged(start: Callable[..., TestClient]) -> None:
    client = start()
    job = str(detect(client, "night.wav")["id"])
    key = queue(client, job)[0]["key"]
    client.delete(f"/v1/detect/{job}")
    assert put(client, job, key, "yes").status_code == 404
    assert client.get("/v1/review").json() == []


def test_uploads_of_silence_have_nothing_to_judge(client: TestClient) -> None:
    upload = [("files", ("a.wav", as_file(0 * tone("drone", 2))))]
    job = client.post("/v1/detect?window=1", files=upload).json()
    while client.get(f"/v1/detect/{job['id']}").json()["state"] in ("waiting", "running"):
        pass
    assert client.get(f"/v1/review/{job['id']}/queue").status_code in (200, 409)
