"""The static page: complete, and in a browser it answers as the ONNX file does."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from aurist.errors import DataError
from aurist.export.onnx_file import writing
from aurist.export.onnx_file.check import open_onnx
from aurist.export.web import export_web
from aurist.export.web.writing import RUNTIME_FILES
from aurist.metrics import Interval

from ..models.sounds import CLASSES, RATE
from .test_onnx_file import mel_cnn, model_files

pytest.importorskip("timm")

#: Hands the page a file as a visitor does, and sends the table that the page then shows to the server.
HARNESS = """<!doctype html><iframe id="frame" src="index.html"></iframe><script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const frame = document.getElementById("frame");
frame.onload = async () => {
  const page = frame.contentDocument, file = page.getElementById("file");
  while (file.disabled) await wait(50);
  const sound = new File([await (await fetch("sound.wav")).blob()], "sound.wav");
  const files = new frame.contentWindow.DataTransfer();
  files.items.add(sound);
  file.files = files.files;
  file.dispatchEvent(new frame.contentWindow.Event("change"));
  while (page.getElementById("result").hidden) await wait(50);
  const rows = [...page.querySelectorAll("#rows tr")].map((row) =>
    [row.querySelector("th").textContent, Number(row.lastChild.dataset.probability), row.className]);
  const about = page.getElementById("about").textContent;
  fetch("result", { method: "POST", body: JSON.stringify({ rows, about }) });
};
</script>"""


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    monkeypatch.setattr(writing, "score_of", lambda *_: (Interval(0.8, 0.7, 0.9), "accuracy"))


def package(folder: Path) -> Path:
    """Files with the names of those of the npm package."""
    (folder / "dist").mkdir(parents=True)
    for name in RUNTIME_FILES:
        (folder / "dist" / name).write_bytes(name.encode())
    (folder / "LICENSE").write_text("MIT")
    return folder


def test_page(tmp_path: Path) -> None:
    files = model_files(tmp_path, {"own": [(mel_cnn(), 4000)]})
    page = tmp_path / "page"
    for _ in range(2):  # an earlier page is replaced
        result = export_web(files, page, "own", runtime=package(tmp_path / f"package{_}"))
    assert result.check.difference < 1e-4
    assert result.onnx.path == page / "model.onnx"
    assert {path.relative_to(page).as_posix() for path in page.rglob("*") if path.is_file()} == {
        "index.html",
        "page.css",
        "page.js",
        "worker.js",
        "model.onnx",
        "about.json",
        *(f"onnxruntime-web/{name}" for name in (*RUNTIME_FILES, "LICENSE")),
    }
    assert json.loads((page / "about.json").read_text())["sample_rate"] == str(RATE)
    for name in ("index.html", "page.js", "worker.js", "page.css"):
        text = (page / name).read_text().replace("http://localhost:8000", "")
        assert "http:" not in text
        assert "https:" not in text
    assert page.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_missing_or_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = model_files(tmp_path, {"own": [(mel_cnn(), 4000)]})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"node_modules.onnxruntime-web.ort\.wasm\.min\.mjs[^!]*npm install"):
        export_web(files, tmp_path / "page", "own")
    assert not (tmp_path / "page").exists()
    package(tmp_path / "node_modules" / "onnxruntime-web")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="no page of aurist"):
        export_web(files, tmp_path / "thesis", "own")
    assert export_web(files, tmp_path / "page", "own").size > 0


def browser() -> str:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def runtime() -> Path:
    root = Path(__file__).parents[2]
    return Path(os.environ.get("ONNXRUNTIME_WEB", root / "node_modules" / "onnxruntime-web"))


@pytest.mark.slow
@pytest.mark.skipif(not browser(), reason="needs Chromium")
@pytest.mark.skipif(
    not runtime().exists(), reason="needs `npm install onnxruntime-web`, or its folder in $ONNXRUNTIME_WEB"
)
def test_in_a_browser(tmp_path: Path) -> None:
    window = {"seconds": 0.25, "skip_silence": True}
    files = model_files(tmp_path, {"own": [(mel_cnn(window=window), 2000)] * 2})
    page = tmp_path / "page"
    path = export_web(files, page, runtime=runtime()).onnx.path
    rng = np.random.default_rng(0)
    sound = 0.2 * np.sin(np.arange(2 * RATE)[:, None] * [0.5, 0.9]) + 0.05 * rng.normal(size=(2 * RATE, 2))
    soundfile.write(page / "sound.wav", sound, RATE, subtype="FLOAT")
    (page / "harness.html").write_text(HARNESS)
    answer, requests = visit(page, tmp_path / "profile")
    read, _ = soundfile.read(page / "sound.wav", dtype="float32")
    expected = open_onnx(path).run(None, {"waveform": read.mean(axis=1)[None].astype(np.float32)})[0][0]
    proba = {label: value for label, value, _ in answer["rows"]}
    assert [proba[label] for label in CLASSES] == pytest.approx(expected, abs=1e-4)
    assert answer["rows"][0][2] == "chosen"
    assert [row[2] for row in answer["rows"][1:]] == ["", ""]
    assert answer["about"].startswith("Ensemble knows 3 classes. accuracy 0.800 [0.700, 0.900]")
    assert {"/worker.js", "/model.onnx", "/onnxruntime-web/ort-wasm-simd-threaded.wasm"} <= requests


def visit(page: Path, profile: Path) -> tuple[dict[str, Any], set[str]]:
    """Open the harness in a browser that reaches only this machine; give its answer, and the paths it asked for."""
    answers: list[dict[str, Any]] = []
    requests: set[str] = set()
    ready = threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.add(self.path)
            super().do_GET()

        def do_POST(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            ready.set()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(page))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--enable-logging=stderr",
    ]
    url = f"http://127.0.0.1:{server.server_port}/harness.html"
    log = profile.with_suffix(".log")
    with (
        log.open("w") as file,
        subprocess.Popen([browser(), *options, url], stdout=file, stderr=file) as process,
    ):
        try:
            assert ready.wait(120), log.read_text()[-3000:]
        finally:
            process.kill()
            server.shutdown()
            server.server_close()
    return answers[0], requests
