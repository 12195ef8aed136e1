"""The client against a real server process: predictions, events, errors, and an end by a signal."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import aurist
from aurist.errors import ConfigError, ServerError

from ..command import start
from .conftest import RATE, as_file, tone
from .test_detecting import night

TOKEN = "a-secret-of-some-length"


@pytest.fixture(scope="module")
def server(
    examples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "token").write_text(f"{TOKEN}\n")
    arguments = ["serve", str(examples / "run"), "--port", "0", "--token-file", str(folder / "token")]
    process = start(*arguments, "--state", str(folder / "state"))
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line + process.stderr.read()
        yield address[0], process
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_predictions_and_events(server: tuple[str, object], tmp_path: Path) -> None:
    client = aurist.Client(server[0], token=TOKEN)
    assert client.model()["classes"] == ["drone", "whistle"]
    paths = [tmp_path / 'a "b".wav', tmp_path / "새.wav"]
    for path, label in zip(paths, ("whistle", "drone"), strict=True):
        path.write_bytes(as_file(tone(label)))
    labels = client.predict(paths)
    assert labels.tolist() == ["whistle", "drone"] and labels.index.tolist() == [str(path) for path in paths]
    proba = client.predict_proba(np.stack([tone("drone"), tone("whistle")]), sample_rate=RATE)
    assert (proba.to_numpy().argmax(axis=1) == [0, 1]).all()
    (tmp_path / "night.wav").write_bytes(as_file(night()))
    events = client.detect(tmp_path / "night.wav", window=1.0, labels=["whistle"])
    assert events["label"].tolist() == ["whistle"] and events["path"].tolist() == ["night.wav"]


def test_errors(server: tuple[str, object], tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="token") as refused:
        aurist.Client(server[0], token="wrong").model()
    assert refused.value.status == 401
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(ServerError, match=r"a\.wav is not a sound file") as refused:
        aurist.Client(server[0], token=TOKEN).predict(tmp_path / "a.wav")
    assert refused.value.code == "undecodable"
    with pytest.raises(ServerError, match="aurist serve"):
        aurist.Client("http://127.0.0.1:1").model()
    with pytest.raises(ConfigError, match="no address"):
        aurist.Client("127.0.0.1:8765")
