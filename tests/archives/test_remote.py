"""Archives at URLs, on a local HTTP server and in fsspec's memory."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from aurist.archives import ArchiveError, open_archive, read_member, remote
from aurist.clips.read import read_clips
from aurist.errors import DataError

from ..command import aurist_process
from .made import FORMS, dataset, to_tars, to_zip

fsspec = pytest.importorskip("fsspec", reason="needs fsspec")


class RangeHandler(SimpleHTTPRequestHandler):
    """Serves files, and parts of them as a store of files on the web does."""

    ranges = True
    bytes_sent = 0

    def do_GET(self) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if not self.ranges or wanted is None or not path.is_file():
            super().do_GET()
            return
        content = path.read_bytes()
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        self.wfile.write(content[first : last + 1])

    def end_headers(self) -> None:
        if self.ranges:
            self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


class WholeHandler(RangeHandler):
    ranges = False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "files"
    dataset(path)
    return path


def served(folder: Path, handler: type[RangeHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    yield from served(folder.parent, RangeHandler)


@pytest.mark.parametrize("form", ["zip", "tfrecord", "parquet"])
def test_an_archive_on_the_web_is_read_as_a_file(
    folder: Path, site: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp", reason="needs aiohttp")
    pytest.importorskip("pyarrow")
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path))
    path = FORMS[form](folder, pd.read_csv(folder / "labels.csv"), folder.parent)
    plain, clips = read_clips(folder), read_clips(f"{site}/{path.name}")
    assert clips.table["labels"].tolist() == plain.table["labels"].tolist()
    for file, original in zip(clips.files(), plain.files(), strict=True):
        assert read_member(file) == original.read_bytes()
    # nothing was fetched as a whole: only what stands for it is on the disk
    assert sum(one.stat().st_size for one in tmp_path.rglob("*") if one.is_file()) < 1000


def test_the_command_takes_a_url(folder: Path, site: str, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="needs aiohttp")
    to_zip(folder, pd.read_csv(folder / "labels.csv"), folder.parent)
    result = aurist_process("check", f"{site}/data.zip", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "12" in result.stdout + result.stderr


def test_data_of_others_makes_this_machine_fetch_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    fsspec.filesystem("memory").pipe("/secret/a.zip", b"PK\5\6" + b"\0" * 18)
    (link,) = remote.link("memory://secret/a.zip")
    assert not isinstance(remote.source_of(link), Path)
    copy = tmp_path / "data.zip"  # the same bytes, in a folder that somebody sent
    copy.write_bytes(link.read_bytes())
    assert remote.source_of(copy) == copy
    with pytest.raises(ArchiveError, match=r"data\.zip is damaged, or no \.zip file"):
        open_archive(copy)


def test_several_shards_by_a_pattern(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    to_tars(folder, pd.read_csv(folder / "labels.csv"), tmp_path / "tars")
    memory = fsspec.filesystem("memory")
    for path in (tmp_path / "tars").glob("*.tar"):
        memory.pipe(f"/set/{path.name}", path.read_bytes())
    clips = read_clips("memory://set/shard-*.tar")
    assert clips.table["labels"].tolist() == read_clips(folder).table["labels"].tolist()
    with pytest.raises(ArchiveError, match="nothing at memory://none"):
        read_clips("memory://none/*.tar")


def test_an_archive_that_changes_is_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    table = pd.read_csv(folder / "labels.csv")
    memory = fsspec.filesystem("memory")
    for n in (12, 6):
        memory.pipe("/changing/data.zip", to_zip(folder, table[:n], tmp_path).read_bytes())
        clips = read_clips("memory://changing/data.zip")
        assert sum(read_member(file) is not None for file in clips.files()) == n


def test_what_cannot_be_reached_is_explained(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp", reason="needs aiohttp")
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ArchiveError, match=r"http://127\.0\.0\.1:9/a\.zip cannot be reached"):
        read_clips("http://127.0.0.1:9/a.zip")
    fsspec.filesystem("memory").pipe("/a/labels.csv", b"path,label\n")
    with pytest.raises(DataError, match=r"labels\.csv is no archive"):
        read_clips("memory://a/labels.csv")
    to_zip(folder, pd.read_csv(folder / "labels.csv"), folder.parent)
    for site in served(folder.parent, WholeHandler):
        with pytest.raises(ArchiveError, match="gives only whole files"):
            read_clips(f"{site}/data.zip")
