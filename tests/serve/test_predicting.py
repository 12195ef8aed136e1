"""Predictions over HTTP: the same as of the command line, and refusals of all that cannot be used."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

import aurist
from aurist.run import ModelFiles
from aurist.serve import engine as engine_module
from aurist.serve.decoders import Decoders, Needs, Sound
from aurist.serve.engine import Engine

from .conftest import RATE, as_file, tone

WAV = {"content-type": "audio/wav"}
RAW = {"content-type": "application/octet-stream"}


def test_answers_are_those_of_python(client: TestClient, files: ModelFiles, tmp_path: Path) -> None:
    sounds = {"a.wav": tone("drone"), "b.wav": tone("whistle", 2.5)}
    for name, wave in sounds.items():
        (tmp_path / name).write_bytes(as_file(wave))
    stereo = np.stack([tone("whistle"), 0.1 * tone("drone")], axis=1)
    soundfile.write(tmp_path / "c.flac", stereo, RATE)
    paths = [tmp_path / name for name in (*sounds, "c.flac")]
    expected = aurist.load(files.folder).predict_proba(paths, cache_dir=tmp_path / "cache")
    upload = [("files", (path.name, path.read_bytes())) for path in paths]
    answer = client.post("/v1/predict", files=upload)
    assert answer.status_code == 200
    rows = answer.json()["predictions"]
    assert [row["name"] for row in rows] == ["a.wav", "b.wav", "c.flac"]
    assert [row["labels"] for row in rows] == [["drone"], ["whistle"], ["whistle"]]
    assert rows[1]["seconds"] == 2.5
    got = np.array([[row["probabilities"][name] for name in expected.columns] for row in rows])
    np.testing.assert_allclose(got, expected.to_numpy(), atol=1e-9)


def test_one_recording_as_the_body_and_raw_samples(client: TestClient) -> None:
    wave = tone("whistle")
    whole = client.post(
        "/v1/predict?name=..%2Fx.wav", content=as_file(wave, subtype="FLOAT"), headers=WAV
    ).json()
    raw = client.post(f"/v1/predict?rate={RATE}&format=f32", content=wave.tobytes(), headers=RAW).json()
    assert whole["predictions"][0]["name"] == "x.wav"
    assert raw["predictions"][0]["probabilities"] == whole["predictions"][0]["probabilities"]
    small = np.rint(wave * 32767).astype("<i2").tobytes()
    assert client.post(f"/v1/predict?rate={RATE}", content=small, headers=RAW).json()["predictions"][0][
        "labels"
    ] == ["whistle"]


def test_a_server_leaves_no_uploads(start: Callable[..., TestClient], tmp_path: Path) -> None:
    client = start()
    client.post("/v1/predict", content=as_file(tone("drone")), headers=WAV)
    client.post("/v1/predict", content=b"no sound", headers=WAV)
    left = {path.name for path in (tmp_path / "state" / "uploads").iterdir()}
    assert left == {"features"}


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(5_000_000))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not a sound file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a.wav"),
        (_zip(), "a.wav"),
        (as_file(tone("drone"))[:44], "a.wav"),
        (as_file(tone("drone", 3.0))[:20_000], "cut short"),
        (as_file(tone("drone", 3.0), "FLAC")[:3000], "a.wav"),
        (np.random.default_rng(0).bytes(4000), "a.wav"),
    ],
)
def test_what_is_no_whole_recording_is_refused(client: TestClient, content: bytes, words: str) -> None:
    answer = client.post("/v1/predict", files={"files": ("a.wav", content)})
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert words in message
    assert "uploads" not in message  # the folder of the server is its own affair


def test_all_bad_files_of_a_request_are_named(client: TestClient) -> None:
    upload = [
        ("files", (name, content))
        for name, content in (("a.wav", b"x"), ("b.wav", as_file(tone("drone"))), ("c.wav", b"y"))
    ]
    message = client.post("/v1/predict", files=upload).json()["error"]["message"]
    assert "a.wav" in message and "c.wav" in message and "b.wav" not in message


def test_limits(start: Callable[..., TestClient]) -> None:
    client = start({"megabytes": 0.1, "seconds": 10.0, "files": 2})
    # two minutes of silence are a small FLAC file: the length of the sound counts
    bomb = as_file(np.zeros(120 * RATE, np.float32), "FLAC")
    assert len(bomb) < 100_000
    too_long = client.post("/v1/predict", content=bomb, headers={"content-type": "audio/flac"})
    assert too_long.status_code == 422 and "lasts over 10 s" in too_long.json()["error"]["message"]
    assert client.post("/v1/predict", content=bytes(200_000), headers=WAV).status_code == 413

    def endless():  # without a stated length
        for _ in range(1000):
            yield bytes(1000)

    assert client.post("/v1/predict", content=endless(), headers=WAV).status_code == 413
    small = as_file(tone("drone", 0.5))
    three = client.post("/v1/predict", files=[("files", ("a.wav", small))] * 3)
    assert three.status_code == 413 and three.json()["error"]["code"] == "too_many_files"
    assert client.post(f"/v1/predict?rate={RATE // 100}", content=bytes(2000), headers=RAW).status_code == 413
    assert client.post("/v1/predict", content=small, headers=WAV).status_code == 200


@pytest.mark.parametrize(
    ("query", "kind", "status"),
    [
        ("", "application/json", 415),
        ("", "text/html", 415),
        ("", "", 415),
        ("?rate=0", "application/octet-stream", 422),
        ("?rate=8000&format=f64", "application/octet-stream", 422),
        ("?rate=8000", "application/octet-stream", 422),  # an odd number of bytes
        ("?unknown=2", "audio/wav", 422),
        ("?precision=0.9", "audio/wav", 422),  # one label a clip: there is nothing to choose
        ("", "multipart/form-data", 400),
        ("", "multipart/form-data; boundary=x", 400),
    ],
)
def test_wrong_requests(client: TestClient, query: str, kind: str, status: int) -> None:
    answer = client.post(f"/v1/predict{query}", content=b"abc", headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


def test_samples_that_are_no_numbers(client: TestClient) -> None:
    wave = tone("drone")
    wave[100] = np.nan
    answer = client.post(f"/v1/predict?rate={RATE}&format=f32", content=wave.tobytes(), headers=RAW)
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "wrong_samples"


def test_requests_beyond_the_limit_come_back_later(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start({"waiting": 1})
    engine = client.app.state.server.engine  # type: ignore[attr-defined]
    go, began = threading.Event(), threading.Event()
    predict = engine.predictor.predict

    def slow(*args: object, **settings: object) -> object:
        began.set()
        go.wait(60)
        return predict(*args, **settings)

    monkeypatch.setattr(engine.predictor, "predict", slow)
    body = as_file(tone("drone"))
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(client.post("/v1/predict", content=body, headers=WAV))
    )
    thread.start()
    assert began.wait(60)
    assert client.get("/ready").status_code == 503
    second = client.post("/v1/predict", content=body, headers=WAV)
    assert second.status_code == 429
    assert int(second.headers["retry-after"]) >= 1
    go.set()
    thread.join()
    assert answers[0].status_code == 200
    assert client.get("/ready").status_code == 200
    assert 'aurist_refused_total{reason="busy"} 1' in client.get("/metrics").text


def test_requests_that_wait_are_predicted_together(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = client.app.state.server.engine  # type: ignore[attr-defined]
    sizes = []
    predict = engine.predictor.predict
    go = threading.Event()

    def counted(clips: object, **settings: object) -> object:
        sizes.append(len(clips))  # type: ignore[arg-type]
        go.wait(60)
        return predict(clips, **settings)

    monkeypatch.setattr(engine.predictor, "predict", counted)
    labels = ["drone", "whistle"] * 3
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        body = as_file(tone(labels[number], seed=number))
        answers[number] = client.post("/v1/predict", content=body, headers=WAV).json()["predictions"][0][
            "labels"
        ][0]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while engine.waiting < 6:
        pass
    go.set()
    for thread in threads:
        thread.join()
    assert [answers[number] for number in range(6)] == labels
    assert (
        sum(sizes) == 6 and len(sizes) <= 2
    )  # what came while the first was predicted is predicted together


def test_a_batch_waits_for_clips_that_are_being_decoded(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = client.app.state.server.engine  # type: ignore[attr-defined]
    sound, sizes, predict = engine.noise(tmp_path), [], engine.predictor.predict
    later: list[Any] = []

    def counted(clips: Any, **settings: Any) -> object:
        sizes.append(len(clips))
        return predict(clips, **settings)

    def coming() -> int:
        if later:
            return 0
        later.append(engine.submit([sound]))  # it is decoded while the first one waits
        return 1

    monkeypatch.setattr(engine.predictor, "predict", counted)
    monkeypatch.setattr(engine, "_coming", coming)
    monkeypatch.setattr(engine, "_took", 60.0)
    monkeypatch.setattr(engine_module, "_PATIENCE", 60.0)
    first = engine.submit([sound])
    assert first.result(60).proba.shape == later[0].result(60).proba.shape == (1, 2)
    assert sizes == [2]


def test_features_come_from_the_decoding_processes(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = as_file(tone("whistle"))
    expected = client.post("/v1/predict", content=body, headers=WAV).json()
    long_ones: list[int] = []
    computed = engine_module.raw_features

    def counted(clips: Any, *args: Any, **settings: Any) -> Any:
        long_ones.append(len(clips))
        return computed(clips, *args, **settings)

    monkeypatch.setattr(engine_module, "raw_features", counted)
    assert client.post("/v1/predict", content=body, headers=WAV).json() == expected
    assert long_ones == []
    engine = client.app.state.server.engine  # type: ignore[attr-defined]
    decode, stored = Decoders.decode, []

    def without(*args: Any, **settings: Any) -> Sound:
        sound = decode(*args, **settings)
        stored.append(sound.file.exists())
        return replace(sound, features=None)

    monkeypatch.setattr(Decoders, "decode", without)
    # the model was replaced by one that needs more, when nothing but the features had been kept
    answer = client.post("/v1/predict", content=body, headers=WAV)
    assert answer.status_code == 429 and "Send it again" in answer.json()["error"]["message"]
    # without features, as of a long clip, the server computes the same
    monkeypatch.setattr(Engine, "needs", Needs(engine.predictor.spec.summary, sound=True))
    assert client.post("/v1/predict", content=body, headers=WAV).json() == expected
    assert stored == [False, True] and long_ones == [1] and engine.waiting == 0


def test_the_sound_of_a_clip_is_written_only_if_it_is_needed(client: TestClient, tmp_path: Path) -> None:
    decoders = client.app.state.server.decoders  # type: ignore[attr-defined]
    (tmp_path / "short.wav").write_bytes(as_file(tone("whistle")))
    (tmp_path / "long.wav").write_bytes(as_file(tone("whistle", 301.0)))
    for name, whole, features, stored in (
        ("short", True, True, False),
        ("long", True, False, True),
        ("short", False, False, True),
    ):
        sound = decoders.decode(name, tmp_path / f"{name}.wav", tmp_path / "decoded.wav", whole=whole)
        assert (sound.features is not None, sound.file.exists()) == (features, stored)
        assert sound.frames == soundfile.info(tmp_path / f"{name}.wav").frames


def test_a_clip_without_features_says_why(client: TestClient) -> None:
    loud = np.full(RATE, 1e20, dtype=np.float32)
    answer = client.post(f"/v1/predict?rate={RATE}&format=f32", content=loud.tobytes(), headers=RAW)
    (row,) = answer.json()["predictions"]
    assert "damaged" in row["error"] and row["labels"] == []


def test_the_model_and_the_interface_are_described(client: TestClient) -> None:
    model = client.get("/v1/model").json()
    assert model["classes"] == ["drone", "whistle"] and model["is_run"] and model["window"] is None
    assert model["score"]["metric"] == "accuracy"
    api = client.get("/openapi.json").json()
    assert {"/v1/predict", "/v1/detect", "/v1/model", "/health"} <= set(api["paths"])
    assert "multipart/form-data" in api["paths"]["/v1/predict"]["post"]["requestBody"]["content"]
    assert client.get("/docs").status_code == 404  # the usual page fetches scripts from other machines
