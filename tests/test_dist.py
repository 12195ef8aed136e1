"""The wheel and the sdist, and the files of a container."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def sources() -> set[str]:
    """The files under ``src``, without what Python and numba put beside them."""
    folder = ROOT / "src"
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        path.as_posix() for path in files if "__pycache__" not in path.parts and not path.name.startswith(".")
    }


@pytest.mark.slow
def test_wheel_and_sdist_have_all_files_of_the_package(tmp_path: Path) -> None:
    pytest.importorskip("build")
    command = [sys.executable, "-m", "build", "--outdir", tmp_path, ROOT]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,), (sdist,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = message_from_string(archive.read(info).decode())
        entries = archive.read(info.replace("METADATA", "entry_points.txt")).decode()
    assert {name for name in names if ".dist-info/" not in name} == sources()
    assert {"aurist/py.typed", "aurist/recipes/mel-cnn.toml", "aurist/report/report.html"} <= names
    assert "aurist = aurist.cli:main" in entries
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert set(metadata.get_all("Provides-Extra", [])) >= {"automl", "networks", "plots", "parquet", "all"}
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in sources()} <= packed
    assert {"LICENSE", "README.md", "pyproject.toml"} <= packed


@pytest.mark.slow
def test_a_container_gets_all_files_that_its_installation_needs(tmp_path: Path) -> None:
    pytest.importorskip("build")
    for name in copied():
        target = tmp_path / "src" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "out", tmp_path / "src"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    assert list((tmp_path / "out").glob("*.whl"))


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def copied() -> list[str]:
    """The files that the Dockerfile copies from the checkout."""
    copies = [
        rest.split() for word, rest in instructions() if word == "COPY" and not rest.startswith("--from")
    ]
    return [name for names in copies for name in names[:-1]]


def test_the_container_is_slim_pinned_and_runs_as_a_user() -> None:
    steps = instructions()
    words = [word for word, _ in steps]
    assert all(
        re.fullmatch(r"python:3\.\d+-slim-\w+( AS \w+)?", rest) for word, rest in steps if word == "FROM"
    )
    assert ("USER", "1000") in steps[words.index("FROM", 1) :]
    assert words.index("USER") < words.index("ENTRYPOINT")
    installs = [rest for word, rest in steps if word == "RUN" and "pip install" in rest]
    assert installs
    assert all("--constraint constraints.txt" in rest and "--no-cache-dir" in rest for rest in installs)
    assert not [rest for word, rest in steps if word == "ADD" or "sudo" in rest]


def test_the_ignore_file_lets_all_copied_files_through() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied())
    assert all((ROOT / name).exists() for name in copied())
