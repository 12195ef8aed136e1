"""Raven's selection tables by their exact conventions, there and back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aurist.annotations import RecordingFacts, make_annotations, read_annotations, write_annotations
from aurist.errors import DataError

from .files import RAVEN, boxes, recordings, write


class TestRaven:
    def test_a_selection_has_a_row_for_each_view(self, tmp_path: Path) -> None:
        recordings(tmp_path, "dawn.wav")
        table = write(
            tmp_path,
            "dawn.Table.1.selections.txt",
            RAVEN + "\tSpecies",
            "1\tWaveform 1\t1\t1.5\t2.0\t0\t24000\twren",
            "1\tSpectrogram 1\t1\t1.5\t2.0\t0\t24000\twren",
            "2\tSpectrogram 1\t1\t3.0\t4.5\t900.5\t4000\tblackbird",
        )
        annotations = read_annotations(table)
        assert boxes(annotations) == [
            ("dawn.wav", 1.5, 2.0, 0, 24000, "wren"),
            ("dawn.wav", 3.0, 4.5, 900.5, 4000, "blackbird"),
        ]
        assert annotations.recordings == ("dawn.wav",)
        assert any("1 row of further views" in note for note in annotations.notes)

    def test_times_of_several_recordings_are_in_sequence_and_the_offset_is_in_the_recording(
        self, tmp_path: Path
    ) -> None:
        table = write(
            tmp_path,
            "all.txt",
            RAVEN + "\tBegin Path\tFile Offset (s)\tBegin File\tAnnotation",
            "1\tSpectrogram 1\t1\t10.0\t11.0\t500\t900\tC:\\field\\a.wav\t10.0\ta.wav\towl",
            "2\tSpectrogram 1\t1\t3605.0\t3607.5\t500\t900\tC:\\field\\b.wav\t5.0\tb.wav\towl",
        )
        recordings(tmp_path / "sounds", "a.wav", "b.wav")
        annotations = read_annotations(table, audio_root=tmp_path / "sounds")
        assert boxes(annotations) == [("a.wav", 10, 11, 500, 900, "owl"), ("b.wav", 5, 7.5, 500, 900, "owl")]

    def test_offsets_that_are_no_numbers_are_said(self, tmp_path: Path) -> None:
        rows = ("1\tS\t1\t61\t62\t1\t2\tb.wav\t51 s\twren", "2\tS\t1\t61\t62\t1\t2\tb.wav\tnan\twren")
        table = write(tmp_path, "b.txt", RAVEN + "\tBegin File\tFile Offset (s)\tSpecies", *rows)
        with pytest.raises(
            DataError, match=r"(?s)2 problems.*row 2: File Offset \(s\) is '51 s'.*row 3: .* 'nan'"
        ):
            read_annotations(table)

    def test_times_in_sequence_need_an_offset(self, tmp_path: Path) -> None:
        header = RAVEN + "\tBegin File\tSpecies"
        rows = ("1\tS\t1\t1\t2\t1\t2\ta.wav\twren", "2\tS\t1\t15\t16\t1\t2\tb.wav\twren")
        # whatever the rows are sorted by
        for ordered in (rows, rows[::-1]):
            with pytest.raises(
                DataError, match=r"2 recordings in one sequence of times.*add the column 'File Offset \(s\)'"
            ):
                read_annotations(write(tmp_path, "all.txt", header, *ordered))
        # what was joined of two tables begins anew
        more = "3\tS\t1\t0.5\t2\t1\t2\tb.wav\twren"
        annotations = read_annotations(write(tmp_path, "all.txt", header, rows[1], rows[0], more))
        assert [(box.path, box.start) for box in annotations] == [("b.wav", 15), ("a.wav", 1), ("b.wav", 0.5)]
        assert any("times are read as times in each recording" in note for note in annotations.notes)

    def test_any_column_may_hold_the_labels(self, tmp_path: Path) -> None:
        recordings(tmp_path, "x.flac")
        table = write(tmp_path, "x.txt", RAVEN + "\tWho\tCall", "1\tS\t1\t0\t1\t1\t2\tjay\tscream")
        assert boxes(read_annotations(table))[0][-1] == "scream"
        assert boxes(read_annotations(table, label="Who"))[0][-1] == "jay"
        with pytest.raises(DataError, match=r"labels in 'What'.*no column What"):
            read_annotations(table, label="What")
        bare = write(tmp_path, "bare.txt", RAVEN, "1\tS\t1\t0\t1\t1\t2")
        with pytest.raises(DataError, match="no column that looks like labels"):
            read_annotations(bare)

    def test_a_table_without_selections_is_a_recording_without_annotations(self, tmp_path: Path) -> None:
        recordings(tmp_path, "quiet.wav")
        annotations = read_annotations(write(tmp_path, "quiet.selections.txt", RAVEN + "\tSpecies"))
        assert (len(annotations), annotations.recordings) == (0, ("quiet.wav",))

    def test_selections_without_a_label_are_left_out(self, tmp_path: Path) -> None:
        recordings(tmp_path, "a.wav")
        rows = ("1\tS\t1\t1\t2\t1\t2\t\twren", "2\tS\t1\t3\t4\t1\t2\t\t")
        annotations = read_annotations(write(tmp_path, "a.txt", RAVEN + "\tAnnotation\tSpecies", *rows))
        assert [box.label for box in annotations] == ["wren"]
        assert "a.txt: labels from the column 'Species'" in annotations.notes
        assert "a.txt: 1 row without a label left out" in annotations.notes

    def test_birdnets_line_of_nothing_is_none(self, tmp_path: Path) -> None:
        table = write(
            tmp_path,
            "a.BirdNET.selection.table.txt",
            RAVEN + "\tCommon Name\tSpecies Code\tConfidence\tBegin Path\tFile Offset (s)",
            "1\tSpectrogram 1\t1\t0\t3\t0\t15000\tnocall\tnocall\t1.0\t/data/a.wav\t0",
        )
        annotations = read_annotations(table)
        assert (len(annotations), annotations.recordings) == (0, ("/data/a.wav",))

    def test_all_that_cannot_be_is_said_at_once_with_its_line(self, tmp_path: Path) -> None:
        recordings(tmp_path, "bad.wav")
        table = write(
            tmp_path,
            "bad.txt",
            RAVEN + "\tSpecies",
            "1\tS\t1\tsoon\t2\t1\t2\ta",
            "2\tS\t1\t5\t4\t1\t2\ta",
            "3\tS\t1\t5\t6\t9\t2\ta",
        )
        with pytest.raises(DataError) as error:
            read_annotations(table)
        for message in (
            "3 problems",
            "row 2: start is 'soon'",
            "row 3: it ends at 4 s, before it starts at 5 s",
            "row 4: its highest",
        ):
            assert message in str(error.value)

    def test_a_line_of_another_length_is_named(self, tmp_path: Path) -> None:
        table = write(tmp_path, "short.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1")
        with pytest.raises(DataError, match="line 2: 5 cells, but the header has 8"):
            read_annotations(table)

    def test_a_table_whose_recording_is_not_there_says_where_it_was_looked_for(self, tmp_path: Path) -> None:
        table = write(tmp_path, "gone.Table.2.selections.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\ta")
        with pytest.raises(DataError, match=r"none called gone .*Name the table after its recording"):
            read_annotations(table)


def test_raven_tables_are_whole_for_other_programs(tmp_path: Path) -> None:
    names = ("site 1/a.wav", "b\tc\nd.wav")
    recordings(tmp_path / "rec", *names)
    rows = [
        {"path": names[0], "start": 1, "end": 2, "label": "wren", "score": 0.5},
        {"path": names[1], "start": 3, "end": 4, "label": "owl", "low": 100.5, "high": 900},
    ]
    sounds = {name: RecordingFacts(tmp_path / "rec" / name, 10, 4000, channel=2) for name in names}
    path = tmp_path / "events.selections.txt"
    write_annotations(make_annotations(rows, "test"), path, "raven", facts=sounds)
    table = pd.read_csv(path, sep="\t")
    assert table["Channel"].tolist() == [2, 2] and table["Begin Time (s)"].tolist() == [1, 13]
    assert table[["Low Freq (Hz)", "High Freq (Hz)"]].to_numpy().tolist() == [[0, 4000], [100.5, 900]]
    assert table["Begin Path"].tolist() == [f"{tmp_path}/rec/site 1/a.wav", f"{tmp_path}/rec/b c d.wav"]
    assert table["Begin File"].tolist() == ["a.wav", "b c d.wav"]
    back = read_annotations(path, audio_root=tmp_path / "rec")
    assert boxes(back) == [(names[0], 1, 2, 0, 4000, "wren"), (names[1], 3, 4, 100.5, 900, "owl")]


def test_a_raven_table_in_which_nothing_was_found_reads_back(tmp_path: Path) -> None:
    recordings(tmp_path, "a.wav", "b.wav")
    annotations = make_annotations([], "test", recordings=["a.wav", "b.wav"])
    for name, expected in (("events.selections.txt", ()), ("a.Table.1.selections.txt", ("a.wav",))):
        write_annotations(annotations, tmp_path / name, "raven")
        annotations = read_annotations(tmp_path / name)
        assert (len(annotations), annotations.recordings) == (0, expected)
