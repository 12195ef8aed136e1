"""Old results of a server are deleted by age and space, but none that somebody has judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from aurist.serve.context import Server
from aurist.serve.options import Limits
from aurist.serve.tidying import tidy

from .conftest import as_file, tone

DAY = 86_400.0


def jobs_done(client: TestClient, count: int) -> list[str]:
    """Send recordings one after the other, and wait for each; the oldest first."""
    ids = []
    for seed in range(count):
        files = {"files": (f"{seed}.wav", as_file(tone("whistle", 2.0, seed)))}
        ids.append(client.post("/v1/detect?window=1", files=files).json()["id"])
        until = time.monotonic() + 60
        while client.get(f"/v1/detect/{ids[-1]}").json()["state"] != "done" and time.monotonic() < until:
            time.sleep(0.05)
    return ids


def left(client: TestClient) -> set[str]:
    return {job["id"] for job in client.get("/v1/detect").json()}


def judge_first(client: TestClient, job: str) -> None:
    queue = client.get(f"/v1/review/{job}/queue?order=random").json()
    key = queue["detections"][0]["key"]
    answer = client.put(f"/v1/review/{job}/verdicts", json={"key": key, "verdict": "yes"})
    assert answer.status_code < 300, answer.text


def test_by_age_and_space(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client: Any = start()
    ids = jobs_done(client, 4)
    judge_first(client, ids[0])
    server: Server = client.app.state.server
    assert tidy(server.jobs, server.live, Limits()) == 0 and left(client) == set(ids)
    size = sum(path.stat().st_size for path in server.jobs.path(server.jobs.get(ids[1])).rglob("*.*"))
    used = sum(path.stat().st_size for path in server.jobs.folder.rglob("*") if path.is_file())
    limits = Limits(keep_gigabytes=(used - size / 2) / 1e9)
    assert tidy(server.jobs, server.live, limits) == 1
    assert left(client) == {ids[0], ids[2], ids[3]}  # the oldest without verdicts is gone
    assert not (server.jobs.folder / ids[1]).exists()
    assert tidy(server.jobs, server.live, Limits(keep_days=1.0), now=time.time() + 2 * DAY) == 2
    assert left(client) == {ids[0]}


def test_after_each_job_and_at_the_start(start: Callable[..., TestClient]) -> None:
    client = start({"keep_gigabytes": 1e-6})
    files = {"files": ("a.wav", as_file(tone("whistle", 2.0)))}
    assert client.post("/v1/detect?window=1", files=files).status_code == 202
    until = time.monotonic() + 30
    while left(client) and time.monotonic() < until:
        time.sleep(0.05)
    assert left(client) == set()
