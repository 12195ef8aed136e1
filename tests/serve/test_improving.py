"""Learning from verdicts: what is held out, the new model, its use, stopping, and what a restart keeps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from aurist.export import export_run
from aurist.run import ModelFiles, open_model, open_run, read_data
from aurist.serve.context import Server

from .conftest import RATE, as_file, tone
from .test_reviewing import put, queue

#: A sound that the model was not fitted on: it takes it for a whistle, and a person calls it a drone.
OTHER = 1.4


def recording(seed: int) -> np.ndarray:
    """Seconds of drones, whistles, and of the other sound, which counts as a drone."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(["drone", "whistle", "other"] * 2)
    time_ = np.arange(2 * RATE)
    parts = [
        (0.4 * np.sin(time_ * OTHER) + rng.normal(0, 0.1, len(time_))).astype(np.float32)
        if kind == "other"
        else tone(str(kind), 2.0, seed)
        for kind in kinds
    ]
    TRUTH[f"{seed}.wav"] = ["drone" if kind == "other" else str(kind) for kind in kinds]
    return np.concatenate(parts)


TRUTH: dict[str, list[str]] = {}


def judge_all(client: TestClient, job: str) -> None:
    """Judge as somebody who knows the sounds."""
    for one in queue(client, job, order="random"):
        middle = (one["start"] + one["end"]) / 2
        truth = TRUTH[one["recording"]][min(5, int(middle // 2))]
        if truth == one["label"]:
            put(client, job, one["key"], "yes")
        else:
            put(client, job, one["key"], "other", truth)


def listen(client: TestClient, *seeds: int) -> str:
    upload = [("files", (f"{seed}.wav", as_file(recording(seed)))) for seed in seeds]
    job = client.post("/v1/detect?window=1&overlap=0", files=upload).json()
    while job["state"] in ("waiting", "running"):
        time.sleep(0.02)
        job = client.get(f"/v1/detect/{job['id']}").json()
    assert job["state"] == "done"
    return str(job["id"])


def learnt(client: TestClient) -> dict[str, Any]:
    until = time.monotonic() + 200
    status: dict[str, Any] = client.get("/v1/improve").json()
    while status["state"] == "running" and time.monotonic() < until:
        time.sleep(0.1)
        status = client.get("/v1/improve").json()
    return status


@pytest.mark.slow
def test_the_loop(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client = start()
    job = listen(client, *range(8))
    assert client.post("/v1/improve", json={"seconds": 60}).status_code == 422  # nothing is judged
    judge_all(client, job)
    first = client.get("/v1/improve").json()
    assert first["possible"] and first["learn"] > first["held_out"] > 0
    started = client.post("/v1/improve", json={"seconds": 60})
    assert started.status_code == 202 and started.json()["state"] == "running"
    assert client.post("/v1/improve", json={"seconds": 60}).status_code == 409
    status = learnt(client)
    assert status["state"] == "done", status["message"]
    comparison = status["result"]["comparison"]
    assert comparison["detections"] == first["held_out_random"] == first["held_out"]
    # few verdicts are held out, and which of them differs between servers
    assert comparison["after"]["score"] >= comparison["before"]["score"] - 0.1
    folder = tmp_path / "state" / "improved" / "0001"
    request = json.loads((folder / "request.json").read_text())
    files = {part: {one["file"] for one in request[part]} for part in ("learn", "held_out")}
    assert files["learn"] and files["held_out"] and not files["learn"] & files["held_out"]
    trained = set(read_data(open_run(folder / "run")).clips.table["path"])
    assert files["learn"] & trained and not files["held_out"] & trained
    other = as_file((0.4 * np.sin(np.arange(RATE) * OTHER)).astype(np.float32))
    ask = lambda: client.post("/v1/predict", content=other, headers={"content-type": "audio/wav"}).json()  # noqa: E731
    before = ask()
    assert not status["in_use"] and before["model"] == client.get("/v1/model").json()["key"]
    used = client.post("/v1/improve/use")
    assert used.json()["in_use"]
    after = ask()
    assert after["model"] != before["model"]
    assert after["predictions"][0]["labels"] == ["drone"]
    surer = [answer["predictions"][0]["probabilities"]["drone"] for answer in (before, after)]
    assert surer[1] > surer[0]
    # the results of the first model are still there, and can be judged
    assert client.get(f"/v1/detect/{job}/events").status_code == 200
    assert client.get("/v1/review").json()[0]["judged"] > 0
    client.__exit__()
    second = start()
    assert second.get("/v1/improve").json()["in_use"]
    assert second.get("/v1/model").json()["key"] == after["model"]
    assert second.get("/v1/model").json()["name"].endswith("+ 1")
    # what was held out stays so, with other verdicts too
    more = listen(second, 20, 21)
    judge_all(second, more)
    held = json.loads((tmp_path / "state" / "held_out.json").read_text())
    server: Server = second.app.state.server  # type: ignore[attr-defined]
    learn, held_out = server.improving.divided()
    for one in (*learn, *held_out):
        assert held.get(one.content, one in held_out) == (one in held_out)
    assert not second.delete("/v1/improve/use").json()["in_use"]
    assert second.get("/v1/model").json()["key"] == before["model"]


def test_it_can_be_stopped(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client = start()
    judge_all(client, listen(client, 0, 1, 2))
    status = client.get("/v1/improve").json()
    # which verdicts are held out differs between servers, so that all of them may be right
    assert status["held_out_random"] > 0 and status["comparison"] in ("few", "possible", "all_right")
    client.post("/v1/improve", json={"seconds": 60})
    assert client.delete("/v1/improve").json()["state"] == "idle"
    assert list((tmp_path / "state" / "improved").iterdir()) == []
    assert client.post("/v1/improve/use").status_code == 409


@pytest.mark.slow
def test_it_goes_on_after_a_restart(start: Callable[..., TestClient]) -> None:
    client = start()
    judge_all(client, listen(client, 0, 1, 2, 3))
    client.post("/v1/improve", json={"seconds": 60})
    client.__exit__()
    assert learnt(start())["state"] == "done"


def test_an_exported_model_needs_the_run(
    files: ModelFiles, start: Callable[..., TestClient], tmp_path: Path
) -> None:
    from .conftest import serving

    assert files.run is not None
    export_run(files.run, tmp_path / "model")
    with serving(open_model(tmp_path / "model"), tmp_path / "other", {}) as client:
        status = client.get("/v1/improve").json()
        assert not status["possible"] and "aurist serve RUN" in status["reason"]
        assert client.post("/v1/improve", json={"seconds": 60}).status_code == 409


@pytest.mark.parametrize("seconds", [0, -1, 1e9])
def test_senseless_times(client: TestClient, seconds: float) -> None:
    assert client.post("/v1/improve", json={"seconds": seconds}).status_code == 422
