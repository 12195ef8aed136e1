"""Ordinary folders: other endings, missing recordings and tables, labels in two spellings; and what a check prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.annotations import CutOptions
from aurist.automl.annotated import read_annotated, survey_annotated
from aurist.errors import DataError

from ..command import done

HEADER = "Selection\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tSpecies"


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """Five recordings as FLAC, whose tables call them WAV; one without a table, one table without its recording."""
    (tmp_path / "recordings").mkdir()
    (tmp_path / "tables").mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c", "d", "unused"):
        sf.write(tmp_path / "recordings" / f"{name}.flac", 0.1 * rng.normal(size=8000 * 10), 8000)
    rows = {
        "a": ["1\t1\t2\t500\t900\ta.WAV\tWren", "2\t3\t3.5\t2000\t4000\ta.WAV\trobin"],
        "b": ["1\t1\t2\t400\t900\tb.WAV\twren"],
        "c": ["1\t9.5\t10.004\t\t\tc.WAV\tWren"],
        "d": [],
        "gone": ["1\t1\t2\t\t\tgone.WAV\tWren"],
    }
    for name, lines in rows.items():
        (tmp_path / "tables" / f"{name}.Table.1.selections.txt").write_text(
            "\n".join([HEADER, *lines]) + "\n"
        )
    return tmp_path


def test_recordings_have_another_ending_than_in_the_tables(field: Path) -> None:
    with pytest.raises(
        DataError, match=r"(?s)1 recording of the annotations is not in.*gone\.WAV.*allow_missing"
    ):
        read_annotated(field / "recordings", field / "tables")
    clips = read_annotated(field / "recordings", field / "tables", CutOptions(window=5), allow_missing=True)
    assert set(clips.table["path"]) == {"a.flac", "b.flac", "c.flac", "d.flac"}
    notes = "\n".join(clips.notes)
    assert "1 recording of the annotations missing, with 1 annotation left out: gone.WAV" in notes
    assert "1 recording without a table, not used: unused.flac" in notes
    assert "labels 'Wren' (2) and 'wren' (1) count as different classes" in notes and "write 'Wren'" in notes
    assert (
        notes.count("labels from the column 'Species'") == 1 and "tables (a.Table.1.selections.txt, " in notes
    )


def test_nothing_is_left_if_all_are_missing(field: Path) -> None:
    for file in (field / "recordings").iterdir():
        file.unlink()
    sf.write(field / "recordings" / "other.flac", np.zeros(80), 8000)
    with pytest.raises(DataError, match="not in"):
        read_annotated(field / "recordings", field / "tables", allow_missing=True)


def test_a_wav_is_taken_before_another_ending(field: Path) -> None:
    sf.write(field / "recordings" / "a.wav", np.zeros(80000), 8000)
    (field / "tables" / "gone.Table.1.selections.txt").unlink()
    clips = read_annotated(field / "recordings", field / "tables")
    assert "a.wav" in set(clips.table["path"]) and "a.flac" not in set(clips.table["path"])


def test_a_check_counts_boxes_lengths_and_bands(field: Path) -> None:
    counted = survey_annotated(field / "recordings", field / "tables")
    table = counted.by_class.set_index("class")
    assert table.loc["Wren", ["boxes", "recordings"]].tolist() == [2, 2]
    assert table.loc["robin", "median"] == pytest.approx(0.5) and table.loc["robin", "high_hz"] == 4000
    assert counted.together.to_dict("records") == [{"class": "Wren", "with": "robin", "recordings": 1}]
    notes = "\n".join(counted.notes)
    assert "1 recording without a box, taken as background: d.flac" in notes
    shown = done("check", field / "recordings", "--annotations", field / "tables", cwd=field)
    assert "boxes by class" in shown.stdout and "unused.flac" in shown.stderr
