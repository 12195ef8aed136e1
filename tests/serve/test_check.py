"""What the check found, on the server and side by side on the page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from aurist.automl.fit import fit
from aurist.clips.read import read_clips
from aurist.config import FitConfig
from aurist.export import export_run
from aurist.run import ModelFiles, open_model

from .browser import serious_findings, server_process, visit
from .conftest import RATE, as_file, serving


def melody(seconds: float, seed: int, lowest: float = 200, highest: float = 3500) -> np.ndarray:
    """Tones of a fifth of a second, which no other seed has."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE))
    pitch = np.repeat(rng.uniform(lowest, highest, round(seconds * 5)), RATE // 5)
    wave = 0.3 * np.sin(np.cumsum(pitch) * 2 * np.pi / RATE) + rng.normal(0, 0.01, len(time))
    return np.asarray(wave, dtype=np.float32)


@pytest.fixture(scope="module")
def flawed(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """A run whose data has a cut copy, the same samples under two labels, and a silent file."""
    folder = tmp_path_factory.mktemp("flawed")
    sounds = folder / "sounds"
    for label, lowest, highest in (("drone", 150, 700), ("whistle", 1500, 3500)):
        (sounds / label).mkdir(parents=True)
        for seed in range(8):
            wave = melody(2.0, seed + 10, lowest, highest)
            (sounds / label / f"{seed}.wav").write_bytes(as_file(wave))
    wave = melody(10.0, 0)
    (sounds / "drone" / "long.wav").write_bytes(as_file(wave))
    (sounds / "drone" / "cut.wav").write_bytes(as_file(0.5 * wave[2 * RATE :]))
    (sounds / "whistle" / "same.wav").write_bytes((sounds / "drone" / "0.wav").read_bytes())
    (sounds / "whistle" / "silent.wav").write_bytes(as_file(np.zeros(RATE, np.float32)))
    fit(read_clips(sounds), folder / "run", FitConfig(plan=str(examples / "plan.toml"), jobs=1))
    return open_model(folder / "run")


def test_the_findings(flawed: ModelFiles, tmp_path: Path) -> None:
    with serving(flawed, tmp_path / "state", {}) as client:
        answer = client.get("/v1/data/check").json()
        assert answer["possible"]
        by_kind = {finding["kind"]: finding for finding in answer["findings"]}
        near = by_kind["near duplicates"]
        assert {Path(clip["name"]).name for clip in near["clips"]} == {"long.wav", "cut.wav"}
        # both begin where their common sound begins, so that they are alike from the first moment
        pictures = [
            np.frombuffer(
                client.get(f"/v1/data/check/spectrogram?key={clip['key']}&columns=60&rows=40").content,
                np.uint8,
            )
            for clip in near["clips"]
        ]
        assert np.corrcoef(*pictures)[0, 1] > 0.9
        copies = by_kind["other labels"]
        assert {clip["labels"] for clip in copies["clips"]} == {"drone", "whistle"}
        silent = by_kind["silent"]
        assert silent["left_out"] and silent["clips"][0]["name"].endswith("silent.wav")
        sound = client.get(f"/v1/data/check/sound.wav?key={silent['clips'][0]['key']}")
        assert sound.content[:4] == b"RIFF"
        assert client.get("/v1/data/check/sound.wav?key=999-0").status_code == 404
        assert client.get("/v1/data/check/sound.wav?key=../x").status_code == 422


def test_a_clip_is_left_out(flawed: ModelFiles, tmp_path: Path) -> None:
    def clip(client: TestClient, kind: str, name: str) -> dict[str, Any]:
        findings = client.get("/v1/data/check").json()["findings"]
        return next(
            clip
            for finding in findings
            if finding["kind"] == kind
            for clip in finding["clips"]
            if clip["name"].endswith(name)
        )

    def put(client: TestClient, key: str, decision: str) -> int:
        body = {"key": key, "decision": decision}
        return int(client.put("/v1/data/check/decisions", json=body).status_code)

    def names(client: TestClient) -> set[str]:
        table = pd.read_csv(io.StringIO(client.get("/v1/data/clips.csv").text))
        return {Path(path).name for path in table["path"]}

    with serving(flawed, tmp_path / "state", {}) as client:
        every = names(client)
        cut = clip(client, "near duplicates", "cut.wav")
        same = clip(client, "other labels", "same.wav")
        assert cut["can_leave_out"] and cut["decision"] == ""
        assert [put(client, one["key"], "leave out") for one in (cut, same)] == [204, 204]
        silent = clip(client, "silent", "silent.wav")
        assert not silent["can_leave_out"] and put(client, silent["key"], "keep") == 409
        assert put(client, "999-0", "keep") == 404 and put(client, cut["key"], "maybe") == 422
    with serving(flawed, tmp_path / "state", {}) as client:  # it survives a restart
        assert clip(client, "near duplicates", "cut.wav")["decision"] == "leave out"
        assert clip(client, "near duplicates", "long.wav")["decision"] == ""
        assert every - names(client) == {"cut.wav", "same.wav"}
        assert client.get("/v1/improve").json()["corrected"] == 2
        body = {"key": same["key"], "decision": "labels", "labels": ["drone"]}
        assert client.put("/v1/data/check/decisions", json=body).status_code == 204
        again = clip(client, "other labels", "same.wav")
        assert (again["labels"], again["decision"]) == ("drone", "labels")  # no conflict any more
        assert every - names(client) == {"cut.wav"}
        put(client, cut["key"], "keep")
        put(client, same["key"], "")
        assert names(client) == every and client.get("/v1/improve").json()["corrected"] == 0


def test_an_exported_model_needs_the_run(flawed: ModelFiles, tmp_path: Path) -> None:
    assert flawed.run is not None
    export_run(flawed.run, tmp_path / "model")
    with serving(open_model(tmp_path / "model"), tmp_path / "state", {}) as client:
        assert "aurist serve RUN" in client.get("/v1/data/check").json()["reason"]
        assert client.get("/v1/data/check/sound.wav?key=0-0").status_code == 409


def test_side_by_side(flawed: ModelFiles, tmp_path: Path, chrome: Any) -> None:
    seen = visit(chrome)
    page = seen.page
    with server_process(flawed.folder, tmp_path / "state") as (address, _):
        seen.open(f"{address}/#data")
        page.click("#check-list button:has-text('cut.wav')")
        assert page.inner_text("#check-title").startswith("near duplicates")
        page.wait_for_function("() => document.getElementById('check-sound-b').readyState >= 1")
        page.click("#check-play-b")
        page.wait_for_function("() => !document.getElementById('check-sound-b').paused")
        page.click("#check-play-a")
        page.wait_for_function(
            "() => document.getElementById('check-sound-b').paused && "
            "document.getElementById('check-sound-a').currentTime > 0"
        )
        assert serious_findings(page) == []
        page.click("#check-leave-b")
        page.wait_for_selector("#check-list button:has-text('left out by you')")
        page.wait_for_selector("#data-next:not([hidden])")
        assert page.get_attribute("#check-leave-b", "aria-pressed") == "true"
        page.click("#check-keep")
        page.wait_for_selector("#check-keep.chosen")
        assert "kept" in page.inner_text("#check-title")
        page.click("#check-list button:has-text('labels differ')")
        assert page.inner_text("#check-same-a") == "Both are drone"
        page.click("#check-same-a")
        page.wait_for_selector("#check-list button:has-text('label corrected')")
        assert page.inner_text("#check-label-b") == "Label: drone" and page.is_hidden("#check-same-b")
        assert page.get_attribute("#check-same-a", "aria-pressed") == "true"
        page.click("#check-list button:has-text('silent.wav')")
        assert page.is_hidden("#check-leave-a") and page.is_hidden("#check-keep")
        assert page.is_hidden("#check-side-b") and "left out" in page.inner_text("#check-title")
    assert seen.errors == [] and seen.alone(address)
