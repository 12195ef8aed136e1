"""Likely label errors on the server and on its page."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from aurist.automl.fit import fit
from aurist.clips.read import read_clips
from aurist.config import FitConfig
from aurist.export import export_run
from aurist.run import ModelFiles, open_model, open_run, read_data

from .browser import serious_findings, server_process, visit
from .conftest import serving
from .test_improving import learnt


@pytest.fixture(scope="module")
def swapped(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """A run in whose data one whistle lies in the folder of the drones."""
    folder = tmp_path_factory.mktemp("swapped")
    shutil.copytree(examples / "sounds", folder / "sounds")
    shutil.move(folder / "sounds" / "whistle" / "3.wav", folder / "sounds" / "drone" / "swapped.wav")
    config = FitConfig(plan=str(examples / "plan.toml"), jobs=1, near_duplicates=False)
    fit(read_clips(folder / "sounds"), folder / "run", config)
    return open_model(folder / "run")


@pytest.fixture
def client(swapped: ModelFiles, tmp_path: Path) -> Iterator[TestClient]:
    with serving(swapped, tmp_path / "state", {}) as opened:
        yield opened


def test_suspects_and_corrections(client: TestClient) -> None:
    answer = client.get("/v1/data").json()
    assert answer["possible"]
    first = answer["clips"][0]
    assert first["name"].endswith("swapped.wav") and (first["label"], first["suggestion"]) == (
        "drone",
        "whistle",
    )
    key = first["key"]
    assert client.get(f"/v1/data/sound.wav?key={key}").content[:4] == b"RIFF"
    assert len(client.get(f"/v1/data/spectrogram?key={key}&columns=64&rows=32").content) == 64 * 32
    body = {"key": key, "decision": "labels", "labels": ["whistle"]}
    assert client.put("/v1/data/decisions", json=body).status_code == 204
    again = client.get("/v1/data").json()
    assert again["corrected"] == 1 and again["clips"][0]["decision"] == ["labels", "whistle"]
    table = pd.read_csv(io.StringIO(client.get("/v1/data/clips.csv").text))
    row = table[table["path"].str.endswith("swapped.wav")]
    assert row["label"].tolist() == ["whistle"] and len(table) == 16
    client.put("/v1/data/decisions", json={**body, "decision": "", "labels": []})
    assert client.get("/v1/data").json()["corrected"] == 0


@pytest.mark.slow
def test_corrections_alone_are_learnt(client: TestClient, tmp_path: Path) -> None:
    assert client.post("/v1/improve", json={"seconds": 60}).status_code == 422  # nothing is corrected
    first = client.get("/v1/data").json()["clips"][0]
    client.put("/v1/data/decisions", json={"key": first["key"], "decision": "labels", "labels": ["whistle"]})
    assert client.get("/v1/improve").json()["corrected"] == 1
    assert client.post("/v1/improve", json={"seconds": 60}).status_code == 202
    status = learnt(client)
    assert status["state"] == "done", status["message"]
    result = status["result"]
    assert result["corrected"] == 1 and result["clips"] == 0 and result["comparison"] is None
    # the corrected clip has no part in the comparison: the first model chose it
    assert result["on_data"]["clips"] == 15 and result["on_data"]["metric"] == "accuracy"
    table = read_data(open_run(tmp_path / "state" / "improved" / "0001" / "run")).clips.table
    label = table.set_index(table["path"].map(lambda path: Path(path).name)).loc["swapped.wav", "labels"]
    assert label == ("whistle",)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "0" * 16, "decision": "keep"}, 404),
        ({"key": "../../x", "decision": "keep"}, 422),
        ({"key": "0" * 16, "decision": "maybe"}, 422),
        ({}, 422),
    ],
)
def test_wrong_decisions(client: TestClient, body: dict[str, str], status: int) -> None:
    assert client.put("/v1/data/decisions", json=body).status_code == status


def test_an_exported_model_needs_the_run(swapped: ModelFiles, tmp_path: Path) -> None:
    assert swapped.run is not None
    export_run(swapped.run, tmp_path / "model")
    with serving(open_model(tmp_path / "model"), tmp_path / "other", {}) as opened:
        assert "aurist serve RUN" in opened.get("/v1/data").json()["reason"]
        assert opened.get("/v1/data/clips.csv").status_code == 409


def test_the_page(swapped: ModelFiles, tmp_path: Path, chrome: Any) -> None:
    seen = visit(chrome)
    page = seen.page
    with server_process(swapped.folder, tmp_path / "state") as (address, _):
        seen.open(f"{address}/#data")
        page.wait_for_selector("#data-card:not([hidden])")
        assert page.inner_text("#data-question") == "drone, or rather whistle?"
        assert serious_findings(page) == []
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.keyboard.press("t")
        page.wait_for_function(
            "() => document.getElementById('data-counts').textContent.includes('1 with other labels')"
        )
        assert page.get_attribute("#data-next:not([hidden])", "href") == "#improve"
        page.reload()
        page.wait_for_function(
            "() => document.getElementById('data-counts').textContent.includes('1 with other labels')"
        )
        page.wait_for_selector("html[data-ready]")
        page.click("#data-next")
        page.wait_for_selector("#improve-start:not([disabled])")
        assert "1 corrected clips" in page.inner_text("#improve-counts")
    assert seen.errors == []
