"""No value of a parameter, and no header, makes the server fail: it answers, or says what is wrong."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from .conftest import as_file, tone
from .test_detecting import detect
from .test_reviewing import queue

VALUES = [
    "0", "-1", "1", "1e9", "1e308", "-1e308", "nan", "inf", "-inf", "", "a", "null", "1e-300", "9" * 30, "4096", "1024",
    "\x00", "é", "../x", "whistle", "csv", "0" * 16,
]  # fmt: skip
GOOD = {"start": "1", "seconds": "2", "columns": "64", "rows": "32", "window": "1"}
RECORDING = "/v1/detect/{job}/recordings/0"
ADDRESSES = {
    f"{RECORDING}/spectrogram": ["start", "seconds", "columns", "rows", "low", "high"],
    f"{RECORDING}/waveform": ["start", "seconds", "columns"],
    f"{RECORDING}/probabilities": ["start", "seconds", "steps", "labels", "most"],
    "/v1/detect/{job}/events": ["min_score", "precision", "labels"],
    "/v1/detect/{job}/files/csv": ["min_score", "precision", "labels"],
    "/v1/detect/{job}/files/raven": ["min_score", "labels"],
    "/v1/review/{job}/queue": ["order", "label", "count", "open_only"],
    "/v1/review/{job}/progress": ["label", "after"],
    "/v1/review/{job}/sound.wav": ["key", "padding"],
    "/v1/review/{job}/spectrogram": ["key", "padding", "columns", "rows"],
    "/v1/data/sound.wav": ["key"],
}


@pytest.fixture(scope="module")
def job(client: TestClient) -> str:
    return str(detect(client, "night.wav")["id"])


@pytest.mark.parametrize("address", list(ADDRESSES))
def test_parameters(client: TestClient, job: str, address: str) -> None:
    good = {**GOOD, "key": queue(client, job, open_only=False)[0]["key"]}
    names = ADDRESSES[address]
    for name in names:
        for value in VALUES:
            query = {other: good[other] for other in names if other in good} | {name: value}
            answer = client.get(address.format(job=job), params=query)
            assert answer.status_code < 500, (query, answer.text)


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/detect"])
def test_parameters_of_uploads(client: TestClient, path: str) -> None:
    kind = {"content-type": "application/octet-stream"}
    for name in ("window", "overlap", "rate", "unknown"):
        for value in VALUES[::2] if path == "/v1/predict" else VALUES:
            query = {"window": "1", name: value}
            answer = client.post(path, params=query, content=bytes(801), headers=kind)
            assert answer.status_code < 500, (query, answer.text)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-",
        "bytes=-5",
        "bytes=5-1",
        "bytes=a-b",
        "bytes=" + "9" * 40 + "-",
        "items=1-2",
        "bytes=0-0,5-6",
        "bytes=-",
    ],
)
def test_ranges(client: TestClient, job: str, header: str) -> None:
    answer = client.get(f"{RECORDING.format(job=job)}/sound.wav", headers={"range": header})
    assert answer.status_code in (200, 206, 416)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"{", b'{"key": 1}', b"\xff\xfe", b'{"key": "' + b"a" * 99999 + b'"}'],
)
def test_bodies(client: TestClient, job: str, content: bytes) -> None:
    kind = {"content-type": "application/json"}
    for method, path in (
        ("PUT", f"/v1/review/{job}/verdicts"),
        ("PUT", "/v1/data/decisions"),
        ("POST", "/v1/improve"),
    ):
        answer = client.request(method, path, content=content, headers=kind)
        assert answer.status_code == 422, answer.text


def test_types_of_uploads(client: TestClient) -> None:
    body = as_file(tone("drone"))
    for kind in (
        "",
        "x",
        "audio/",
        "audio/" + "x" * 500,
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 300,
    ):
        for content in (body, b"--x\r\n", b"--x--\r\n"):
            answer = client.post("/v1/predict", content=content, headers={"content-type": kind})
            assert answer.status_code < 500, (kind, answer.text)
