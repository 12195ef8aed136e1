"""What cannot be written, or makes no sense, is refused before the work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from aurist.cli import app
from aurist.errors import AuristError, FullDiskError

from ..command import aurist as command

#: Commands with a file, and with a folder, in the place of OUT.
FILES = [
    "features DATA -o OUT.csv",
    "predict RUN DATA -o OUT",
    "report RUN -o OUT",
    "fit DATA --save-plan OUT",
    "verdicts RUN clips.csv -o OUT",
]
FOLDERS = [
    "check DATA -o OUT",
    "fit DATA -o OUT",
    "tune DATA --recipe LightGBM -o OUT",
    "evaluate RUN DATA -o OUT",
    "clips RUN DETECTIONS -o OUT",
    "importance RUN -o OUT",
    "augment a.wav --recipe mel-cnn -o OUT",
    "demo -o OUT",
]


@pytest.fixture
def _no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("worked before the output was tried")

    for name in (
        "aurist.automl.fit.prepare",
        "aurist.inference.predict.predict_clips",
        "aurist.results.evaluation.evaluate_run",
        "aurist.automl.fit.plan_fit",
        "aurist.review.verdicts.read_verdicts",
        "aurist.inference.feature_tables.read_clips",
        "aurist.clips.read.read_clips",
        "aurist.results.importance.permutation_importance",
        "aurist.report.page.model_predictions",
        "aurist.models.training.augment_preview.preview_augmentation",
        "aurist.synth.synthesise_demo",
    ):
        monkeypatch.setattr(name, work)
    monkeypatch.setattr("aurist.run.open_run", lambda folder: None)
    files = SimpleNamespace(spec=SimpleNamespace(window=None))
    monkeypatch.setattr("aurist.run.remote.open_trained", lambda folder: files)
    monkeypatch.setattr("aurist.run.read_data", lambda run: None)
    monkeypatch.setattr("aurist.run.read_spec", lambda run: None)
    monkeypatch.setattr("aurist.inference.inputs.read_inputs", lambda *_, **__: _NoWindows())


class _NoWindows:
    has_audio = False


def message_of(command: str) -> str:
    """What the command says that is refused."""
    result = CliRunner().invoke(app, command.split())
    if result.exit_code == 2:
        return str(result.output)
    assert isinstance(result.exception, AuristError), result.exception
    return str(result.exception)


@pytest.mark.parametrize("command", [*FILES, *FOLDERS])
@pytest.mark.usefixtures("_no_work")
def test_outputs_are_tried_before_the_work(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("theirs")
    for name in ("folder", "folder.csv", "DATA", "RUN"):
        (tmp_path / name).mkdir()
    wrong, what = ("folder", "is a folder") if command in FILES else ("file", "is a file")
    assert what in message_of(command.replace("OUT", wrong))
    assert "cannot be written (Not a directory)" in message_of(command.replace("OUT", "file/deep/out"))
    assert "cannot be written (" in message_of(command.replace("OUT", "/proc/out"))
    assert (tmp_path / "file").read_text() == "theirs"


@pytest.mark.parametrize(
    "command",
    [
        "fit DATA -o run --jobs -3",
        "predict run DATA --jobs -1",
        "check DATA --jobs -1",
        "features DATA -o a.csv --jobs -2",
        "fit DATA -o run --seed -1",
        "fit DATA -o run --seed 4294967296",
        "importance run --repeats 0",
        "importance run --top -1",
        "augment a.wav --recipe mel-cnn --count 0",
        "cache --cache-dir file",
        "cache --cache-dir file --clear",
        "fit DATA -o run --cache-dir file",
    ],
)
def test_numbers_and_folders_that_cannot_be_are_refused(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("theirs")
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code == 2 and ("Invalid value" in result.output or "is a file" in result.output)
    assert (tmp_path / "file").read_text() == "theirs"


def test_the_demonstration_replaces_nothing_of_others(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.wav").write_text("years")
    assert "was not made by the demonstration" in message_of(f"demo -o {tmp_path}")
    assert (tmp_path / "music" / "song.wav").exists()


def test_a_full_disk_is_told_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "t.csv").write_text("x,label\n1,a\n2,b\n3,a\n4,b\n")
    monkeypatch.setattr("aurist.files.flush_file", full)
    result = command("check", tmp_path / "t.csv", "-o", tmp_path / "chk", cwd=tmp_path)
    assert result.returncode == 1
    words = " ".join(result.stderr.split())
    assert (
        "audit.json cannot be written: there is no room for it on the disk. Make room, and give the same"
        in words
    )
    assert words.endswith("give the same command again.")


def test_a_search_goes_on_after_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise FullDiskError("study.db cannot be written: there is no room for it on the disk.")

    monkeypatch.setattr("aurist.tuning.tune", full)
    result = command("tune", tmp_path / "t.csv", "--recipe", "LightGBM", "-o", tmp_path / "out")
    assert "Make room, and give the same command again: it continues where it stopped." in " ".join(
        result.stderr.split()
    )


def test_an_output_without_a_name_may_be_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aurist.cli.app", full)
    assert "The output cannot be written: there is no room" in command("check").stderr
