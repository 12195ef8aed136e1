"""Models at the hub, by a local stand-in of its HTTP API, and at URLs of fsspec."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from aurist.errors import ConfigError
from aurist.run import open_model
from aurist.run.remote import RemoteError, local_folder, upload

FROZEN = Path(__file__).parents[1] / "export" / "frozen" / "format1"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """A hub with one repository: creates it, takes a commit, lists and serves its files."""

    files: ClassVar[dict[str, bytes]] = {}
    tokens: ClassVar[set[str | None]] = set()

    def answer(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.tokens.add(self.headers.get("Authorization"))
        path = self.path.split("?")[0]
        if path == "/api/repos/create":
            self.answer({"url": f"http://{self.headers['Host']}/anna/wrens", "name": "anna/wrens"})
        elif path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif path.endswith("/preupload/main"):
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]
            self.answer({"files": modes})
        elif path.endswith("/commit/main"):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"http://{self.headers['Host']}/anna/wrens/commit/{COMMIT}"
            self.answer({"success": True, "commitOid": COMMIT, "commitUrl": url})
        else:
            self.answer({"error": path}, 404)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/api/models/anna/wrens"):
            if "/tree/" in path:
                self.answer(
                    [
                        {
                            "type": "file",
                            "path": name,
                            "size": len(content),
                            "oid": hashlib.sha1(content).hexdigest(),
                        }
                        for name, content in self.files.items()
                    ]
                )
                return
            siblings = [{"rfilename": name} for name in self.files]
            self.answer({"id": "anna/wrens", "modelId": "anna/wrens", "sha": COMMIT, "siblings": siblings})
        elif path.startswith("/anna/wrens/resolve/") and (name := path.split("/", 5)[5]) in self.files:
            self.send_file(self.files[name])
        else:
            self.answer({"error": "Repository not found"}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_file(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that talks to the stand-in."""
    Hub.files, Hub.tokens = {}, set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(tmp_path / "hub"),
        "HF_TOKEN": "hf_anna",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "AURIST_CACHE_DIR": str(tmp_path / "cache"),
    }
    yield {**os.environ, **settings}
    server.shutdown()
    server.server_close()


def run(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aurist", *words], env=env, capture_output=True, text=True, check=False
    )


def test_a_model_is_pushed_to_the_hub_and_predicts_from_there(hub: dict[str, str], tmp_path: Path) -> None:
    pushed = run("push", str(FROZEN), "hf://anna/wrens", env=hub)
    assert pushed.returncode == 0, pushed.stderr
    assert Hub.files.keys() == {path.relative_to(FROZEN).as_posix() for path in FROZEN.rglob("*.*")}
    assert Hub.tokens == {"Bearer hf_anna"}
    example = str(FROZEN / "example" / "example.csv")
    answers = [run("predict", place, example, env=hub) for place in (str(FROZEN), "hf://anna/wrens")]
    assert answers[1].returncode == 0, answers[1].stderr
    assert answers[0].stdout == answers[1].stdout
    absent = run("predict", "hf://anna/owls", example, env=hub)
    assert absent.returncode == 1
    assert "hf://anna/owls cannot be reached, or refuses" in absent.stderr
    assert "Traceback" not in absent.stderr


def test_other_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    url = f"file://{tmp_path / 'shared' / 'wrens'}"
    upload(FROZEN, url)
    assert open_model(local_folder(url)).spec.task.classes == ("folk", "rap", "rock")
    with pytest.raises(RemoteError, match="cannot be reached, or refuses"):
        local_folder(f"file://{tmp_path / 'nothing'}")
    with pytest.raises(RemoteError, match="cannot be reached, or refuses"):
        local_folder("nonsense://place")


@pytest.mark.parametrize("url", ["hf://wrens", "hf://a/b/c", "hf:///wrens", "hf://"])
def test_names_that_the_hub_cannot_have(url: str) -> None:
    with pytest.raises(ConfigError, match="is no place at the hub"):
        upload(FROZEN, url)


def test_a_path_is_no_url() -> None:
    assert local_folder("model") == Path("model")
    with pytest.raises(ConfigError, match="'model' is no URL"):
        upload(FROZEN, "model")
