"""Annotated recordings, from selection tables to a leaderboard, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.annotations import CutOptions
from aurist.automl.annotated import read_annotated, survey_annotated
from aurist.errors import ConfigError, DataError
from aurist.models.network_member import recipe_of
from aurist.plan import read_plan

from ..command import aurist, done

RATE = 8000
HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"

PLAN = '[[member]]\nname = "Forest"\nengine = "forest"\nsettings = {trees = 60}\n'


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen recordings of 20 s, in which a low and a high call come and go, sometimes together."""
    folder = tmp_path_factory.mktemp("field")
    rng = np.random.default_rng(0)
    for name in ("sounds", "tables"):
        (folder / name).mkdir()
    for i in range(16):
        t = np.arange(20 * RATE) / RATE
        y = 0.02 * rng.normal(size=len(t))
        lines = []
        for number in range(5):
            start = 4 * number + rng.uniform(0.2, 1.0)
            for kind, hz in (("low", 400), ("high", 2200)):
                if rng.random() < 0.5:
                    end = start + rng.uniform(1.0, 2.0)
                    y += np.where((t >= start) & (t < end), 0.2 * np.sin(2 * np.pi * hz * t), 0)
                    lines.append(
                        f"{len(lines) + 1}\tSpectrogram 1\t1\t{start:.4f}\t{end:.4f}\t{hz - 50}\t{hz + 50}\t{kind}\n"
                    )
        sf.write(folder / "sounds" / f"rec{i}.wav", y, RATE)
        (folder / "tables" / f"rec{i}.Table.1.selections.txt").write_text(HEADER + "".join(lines))
    sf.write(folder / "sounds" / "not_listened_to.wav", np.zeros(RATE), RATE)
    return folder


def test_windows_have_the_labels_of_their_boxes(field: Path) -> None:
    clips = read_annotated(field / "sounds", field / "tables", CutOptions(window=4))
    assert len(clips) == 16 * 5 and clips.classes == ("high", "low") and clips.multilabel
    assert not clips.table["path"].str.contains("not_listened").any()
    assert {len(labels) for labels in clips.table["labels"]} == {0, 1, 2}
    assert "80 clips of 16 annotated recordings, 0.1 h" in clips.notes[0]


def test_what_is_missing_is_said_at_once(field: Path, tmp_path: Path) -> None:
    table = tmp_path / "found.csv"
    table.write_text("path,start,end,label\ngone.wav,0,1,x\naway.wav,0,1,x\nrec0.wav,0,1,x\n")
    with pytest.raises(
        DataError, match=r"(?s)2 recordings of the annotations are not in .*gone\.wav.*away\.wav"
    ):
        read_annotated(field / "sounds", table)
    with pytest.raises(DataError, match="is no folder"):
        read_annotated(field / "sounds" / "rec0.wav", table)


def test_tables_of_other_recordings_are_one_error_that_names_both(field: Path, tmp_path: Path) -> None:
    row = "1\tSpectrogram 1\t1\t0.5\t1.5\t350\t450\tlow\n"
    for name in ("Other1", "Other2", "rec0"):
        (tmp_path / f"{name}.Table.1.selections.txt").write_text(HEADER + row)
    with pytest.raises(
        DataError, match=r"(?s)2 recordings .*Other1\n  Other2\nThere are .*rec0\.wav.*own name"
    ):
        read_annotated(field / "sounds", tmp_path)
    clips = read_annotated(field / "sounds", tmp_path, allow_missing=True)
    assert set(clips.table["path"]) == {"rec0.wav"}
    assert (
        "2 recordings of the annotations missing, with 2 annotations left out: Other1, Other2" in clips.notes
    )


def test_a_wrong_folder_is_said_once(field: Path, tmp_path: Path) -> None:
    for read in (read_annotated, survey_annotated):
        with pytest.raises(DataError, match=r"^\S*nowhere does not exist\. With annotations= .{0,60}$"):
            read(tmp_path / "nowhere", field / "tables")
    with pytest.raises(DataError, match=r"It holds 17 recordings: give their folder first"):
        read_annotated(field / "tables", field / "sounds")


def test_of_verdicts_alone_the_rest_is_unknown_and_some_of_it_background(field: Path, tmp_path: Path) -> None:
    rows = "rec0.wav,0,4,low,present\nrec0.wav,4,8,low,absent\n"
    for name, part in {"a.csv": rows, "b.csv": rows.replace("rec0", "rec1")}.items():
        (tmp_path / name).write_text("path,start,end,label,state\n" + part)
    clips = read_annotated(field / "sounds", None, CutOptions(window=4), verdicts=tmp_path)
    table = clips.table.set_index(["path", "start"])
    assert len(table) == 2 * 5, (
        "the three windows that nobody judged are background, at most four for a verdict"
    )
    for name in ("rec0.wav", "rec1.wav"):
        assert table.loc[(name, 0.0), "labels"] == ("low",) and table.loc[(name, 4.0), "absent"] == ("low",)
        assert table.loc[name, "part"].tolist() == ["train", "train", *["background"] * 3]
    with pytest.raises(ConfigError, match="Neither annotations= nor verdicts= is given"):
        read_annotated(field / "sounds", None)


def test_silence_between_calls_is_no_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("sounds", "tables"):
        (tmp_path / name).mkdir()
    for i in range(4):
        y = np.concatenate([0.1 * rng.normal(size=8 * RATE), np.zeros(8 * RATE)])
        sf.write(tmp_path / "sounds" / f"rec{i}.wav", y, RATE)
        (tmp_path / "tables" / f"rec{i}.Table.1.selections.txt").write_text(
            HEADER + "1\tSpectrogram 1\t1\t0\t3\t100\t900\tlow\n"
        )
    (tmp_path / "plan.toml").write_text(PLAN)
    command = ("fit", "sounds", "--annotations", "tables", "--window", 4, "--plan", "plan.toml", "--dry-run")
    printed = done(*command, "--jobs", 1, cwd=tmp_path).stderr
    assert "8 clips silent (left out)" in printed and "left out: 8 of 16 clips" in printed
    for table in (tmp_path / "tables").iterdir():  # calls in silence are a flaw
        table.write_text(table.read_text() + "2\tSpectrogram 1\t1\t9\t12\t100\t900\tlow\n")
    result = aurist(*command, "--jobs", 1, cwd=tmp_path)
    assert result.returncode == 1 and "4 of 16 clips are broken, more than a tenth" in result.stderr


def test_a_fit_by_the_command_line(field: Path) -> None:
    (field / "plan.toml").write_text(PLAN)
    command = ("fit", "sounds", "--annotations", "tables", "--window", 4, "-o", "run")
    done(*command, "--plan", "plan.toml", "--folds", 3, "--metric", "lwlrap", "--jobs", 1, cwd=field)
    summary = json.loads(done("leaderboard", "run", "--json", cwd=field).stdout)
    assert summary["scores"]["metric"] == "lwlrap" and summary["scores"]["n_groups"] == 16
    assert summary["scores"]["score"]["score"] > 0.9
    refused = aurist(*command, "--clip-mode", "slices", cwd=field)
    assert (
        refused.returncode == 1
        and "clip_mode is 'slices', but must be one of: windows, boxes" in refused.stderr
    )


def test_networks_hear_the_band_of_the_boxes_where_that_is_asked_for(field: Path) -> None:
    pytest.importorskip("timm")
    options = ("--engine", "networks", "--recipe", "mel-cnn", "--set", "front.sample_rate=8000")
    options += ("--set", "front.fmax=4000", "--annotations", "tables", "--band", "--save-plan", "band.toml")
    done("fit", "sounds", *options, "--jobs", 1, cwd=field)
    (member,) = read_plan(field / "band.toml").members
    front = recipe_of(member).front
    assert (front.fmin, front.fmax) == (350, 2250)
