"""The commands of the README and of the how-to pages run, in their order, on small data and with a cheap plan."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from aurist.cli import app
from aurist.clips.read import read_clips
from aurist.shards import write_shards

from ..small_run import LDA, feature_table
from .test_docs import ROOT, command_lines

RATE = 16_000
CALLS = {"wren": 4000, "robin": 2000}
PLAN = LDA + LDA.replace("LDA", "Ridge").replace("lda", "ridge")
#: Options that decide how long a fit takes: the cheap plan takes their place.
TIME = ("--time-limit", "--preset")


def write_field_recordings(folder: Path, prefix: str, seed: int) -> None:
    """Write six recordings of 12 s in which wrens and robins call, and their annotations into ``tables/``."""
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    (folder.parent / "tables").mkdir(exist_ok=True)
    for number in range(6):
        wave, lines = 0.01 * rng.normal(size=12 * RATE), []
        for start, label in ((1 + number / 4, "wren"), (7 + number / 4, "robin")):
            first = int(start * RATE)
            wave[first : first + RATE] += 0.3 * np.sin(2 * np.pi * CALLS[label] / RATE * np.arange(RATE))
            lines.append(f"{start}\t{start + 1}\t{label}\n")
        soundfile.write(folder / f"{prefix}{number}.wav", wave.astype(np.float32), RATE)
        if prefix != "new":
            (folder.parent / "tables" / f"{prefix}{number}.txt").write_text("".join(lines))


def write_music(folder: Path, name: str, n: int = 6) -> None:
    """Write tones, one folder for each class."""
    rng = np.random.default_rng(0)
    for label, frequency in (("drone", 200), ("whistle", 3000)):
        (folder / name / label).mkdir(parents=True)
        for number in range(n):
            wave = 0.3 * np.sin(2 * np.pi * frequency * (1 + number / 50) / RATE * np.arange(RATE))
            wave += 0.02 * rng.normal(size=RATE)
            soundfile.write(folder / name / label / f"{label}_s{number}_1.wav", wave, RATE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the pages name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cheap.toml").write_text(PLAN)
    for name in ("music", "labelled", "more_recordings", "new_recordings"):
        write_music(tmp_path, name)
    table = feature_table()
    table.to_csv("train.csv", index=False)
    table.drop(columns="genre").to_csv("test.csv", index=False)
    table[["ID", "genre"]].to_csv("sample_submission.csv", index=False)
    return tmp_path


def run_page(page: Path, skipped: str = "(?!)") -> list[str]:
    """Run the commands of a page, and return them; output folders of earlier commands make room."""
    lines = [line for line in command_lines(page.read_text(encoding="utf-8")) if not re.search(skipped, line)]
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        if words[0] == "fit":
            for option in TIME:
                if option in words:
                    at = words.index(option)
                    del words[at : at + 2]
            if not {"--plan", "--dry-run", "--save-plan"} & set(words):
                words += ["--plan", "cheap.toml"]
            if "-o" in words and (old := Path(words[words.index("-o") + 1])).exists():
                old.rename(f"{old}-{len(list(Path().iterdir()))}")
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
        if "--save-plan" in words:
            Path(words[words.index("--save-plan") + 1]).write_text(PLAN)
        if words[0] == "clips":  # what a reader does next: judge the clips, and collect the recordings
            for name in ("all", "new_recordings"):
                shutil.copy("night.flac", name)
            clips = pd.read_csv("clips/clips.csv")
            clips.assign(verdict="yes").to_csv("clips/clips.csv", index=False)
    return lines


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/planning.md"])
def test_pages_on_folders_and_tables_run(folder: Path, page: str) -> None:
    # --dry-run plans as --save-plan does, which runs; with the cheap plan, a time makes no difference
    lines = run_page(ROOT / page, skipped="--dry-run|--time-limit 1h -o run|--preset quick")
    assert len(lines) >= 4
    assert (folder / "run" / "leaderboard.csv").exists()


def test_the_page_on_clips_runs(folder: Path) -> None:
    write_music(folder, "recordings")
    for path in (folder / "recordings").glob("*/*.wav"):
        path.rename(folder / "recordings" / path.name)
    for name in ("birds", "new"):
        shutil.make_archive(name, "zip", folder / "music")
    write_shards(read_clips(folder / "music"), folder / "shards")
    assert run_page(ROOT / "docs" / "clips.md")


@pytest.mark.parametrize("page", ["annotations.md", "recordings.md", "night.md"])
def test_pages_on_annotated_recordings_run(folder: Path, page: str) -> None:
    (folder / "new_recordings").rename(folder / "others")
    write_field_recordings(folder / "recordings", "site", 0)
    write_field_recordings(folder / "new_recordings", "new", 1)
    write_field_recordings(folder / "all", "site", 0)
    write_field_recordings(folder / "all", "new", 1)
    night, _ = soundfile.read(folder / "new_recordings" / "new0.wav")
    soundfile.write(folder / "night.flac", night, RATE)
    (folder / "prior.csv").write_text("label,prior,site,month\nwren,0.9,,\nrobin,0.5,new,6\n")
    for name in ("nights", "quiet_nights"):
        shutil.copytree(folder / "new_recordings", folder / name)
    assert run_page(ROOT / "docs" / page, skipped="^aurist listen")  # it has no end
