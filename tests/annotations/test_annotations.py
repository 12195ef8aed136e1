"""Annotations by the exact conventions of their formats, there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.annotations import (
    Sound,
    make_annotations,
    read_annotations,
    together,
    write_annotations,
)
from aurist.errors import ConfigError, DataError

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
        found = read_annotations(table)
        assert boxes(found) == [
            ("dawn.wav", 1.5, 2.0, 0, 24000, "wren"),
            ("dawn.wav", 3.0, 4.5, 900.5, 4000, "blackbird"),
        ]
        assert found.recordings == ("dawn.wav",)
        assert any("1 row of further views" in note for note in found.notes)

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
        found = read_annotations(table, audio_root=tmp_path / "sounds")
        assert boxes(found) == [("a.wav", 10, 11, 500, 900, "owl"), ("b.wav", 5, 7.5, 500, 900, "owl")]

    def test_offsets_that_are_no_numbers_are_said(self, tmp_path: Path) -> None:
        rows = ("1\tS\t1\t61\t62\t1\t2\tb.wav\t51 s\twren", "2\tS\t1\t61\t62\t1\t2\tb.wav\tnan\twren")
        table = write(tmp_path, "b.txt", RAVEN + "\tBegin File\tFile Offset (s)\tSpecies", *rows)
        with pytest.raises(
            DataError, match=r"(?s)2 things.*row 2: File Offset \(s\) is '51 s'.*row 3: .* 'nan'"
        ):
            read_annotations(table)

    def test_times_in_sequence_need_an_offset(self, tmp_path: Path) -> None:
        header = RAVEN + "\tBegin File\tSpecies"
        rows = ("1\tS\t1\t1\t2\t1\t2\ta.wav\twren", "2\tS\t1\t15\t16\t1\t2\tb.wav\twren")
        with pytest.raises(
            DataError, match=r"2 recordings one after another.*add the column 'File Offset \(s\)'"
        ):
            read_annotations(write(tmp_path, "all.txt", header, *rows))
        # what was joined of two tables goes back to the beginning
        found = read_annotations(write(tmp_path, "all.txt", header, rows[1], rows[0]))
        assert [(one.path, one.start) for one in found] == [("b.wav", 15), ("a.wav", 1)]
        assert any("the times are taken for those of each recording" in note for note in found.notes)

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
        found = read_annotations(write(tmp_path, "quiet.selections.txt", RAVEN + "\tSpecies"))
        assert (len(found), found.recordings) == (0, ("quiet.wav",))

    def test_selections_without_a_label_are_left_out(self, tmp_path: Path) -> None:
        recordings(tmp_path, "a.wav")
        rows = ("1\tS\t1\t1\t2\t1\t2\t\twren", "2\tS\t1\t3\t4\t1\t2\t\t")
        found = read_annotations(write(tmp_path, "a.txt", RAVEN + "\tAnnotation\tSpecies", *rows))
        assert [one.label for one in found] == ["wren"]
        assert "a.txt: labels from the column 'Species'" in found.notes
        assert "a.txt: 1 row without a label left out" in found.notes

    def test_birdnets_line_of_nothing_is_none(self, tmp_path: Path) -> None:
        table = write(
            tmp_path,
            "a.BirdNET.selection.table.txt",
            RAVEN + "\tCommon Name\tSpecies Code\tConfidence\tBegin Path\tFile Offset (s)",
            "1\tSpectrogram 1\t1\t0\t3\t0\t15000\tnocall\tnocall\t1.0\t/data/a.wav\t0",
        )
        found = read_annotations(table)
        assert (len(found), found.recordings) == (0, ("/data/a.wav",))

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
        for said in (
            "3 things",
            "row 2: start is 'soon'",
            "row 3: it ends at 4 s, before it starts at 5 s",
            "row 4: its highest",
        ):
            assert said in str(error.value)

    def test_a_line_of_another_length_is_named(self, tmp_path: Path) -> None:
        table = write(tmp_path, "short.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1")
        with pytest.raises(DataError, match="line 2: 5 cells, where the header has 8"):
            read_annotations(table)

    def test_a_table_whose_recording_is_not_there_says_where_it_was_looked_for(self, tmp_path: Path) -> None:
        table = write(tmp_path, "gone.Table.2.selections.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\ta")
        with pytest.raises(DataError, match=r"none called gone .*Name the table after its recording"):
            read_annotations(table)


class TestAudacity:
    def test_labels_points_and_frequencies(self, tmp_path: Path) -> None:
        recordings(tmp_path, "pond.wav")
        track = write(
            tmp_path,
            "pond.txt",
            "2.150000\t2.150000\tfrog",
            "3.400000\t6.100000\ttoad",
            "\\\t250.500000\t1200.000000",
            "7.000000\t8.000000\tfrog",
            "\\\t-1.000000\t-1.000000",
            "9.0\t9.5\t",
        )
        found = read_annotations(track)
        assert boxes(found) == [
            ("pond.wav", 2.15, 2.15, None, None, "frog"),
            ("pond.wav", 3.4, 6.1, 250.5, 1200, "toad"),
            ("pond.wav", 7, 8, None, None, "frog"),
        ]
        assert any("pond.txt: 1 row without a label left out" in note for note in found.notes)

    def test_birdnets_confidence_is_the_score(self, tmp_path: Path) -> None:
        recordings(tmp_path, "a.wav")
        track = write(tmp_path, "a.BirdNET.results.txt", "0.0\t3.0\tTroglodytes troglodytes, wren\t0.8123")
        assert next(iter(read_annotations(track))).score == 0.8123

    def test_an_empty_track_is_a_recording_without_labels(self, tmp_path: Path) -> None:
        recordings(tmp_path, "a.wav")
        (tmp_path / "a.txt").write_text("")
        assert read_annotations(tmp_path / "a.txt").recordings == ("a.wav",)

    def test_frequencies_of_no_label_are_refused(self, tmp_path: Path) -> None:
        recordings(tmp_path, "a.wav")
        track = write(tmp_path, "a.txt", "0\t1\tx", "\\\t1\t2", "\\\t1\t2", "0\t1\tx\t1\t2")
        with pytest.raises(DataError, match=r"(?s)line 3: frequencies of no label.*line 4: 5 cells"):
            read_annotations(track)

    def test_one_file_is_of_one_recording(self, tmp_path: Path) -> None:
        made = make_annotations(
            [{"path": p, "start": 0, "end": 1, "label": "x"} for p in ("a.wav", "b.wav")], "test"
        )
        with pytest.raises(DataError, match=r"of 2, such as a.wav and b.wav: write one file for each"):
            write_annotations(made, tmp_path / "x.txt", "audacity")


class TestOtherPrograms:
    @pytest.mark.parametrize(
        ("name", "lines", "expected"),
        [
            (
                "birdnet.csv",
                [
                    "Start (s),End (s),Scientific name,Common name,Confidence,File",
                    "0.0,3.0,Parus major,Great Tit,0.91,a.wav",
                ],
                ("a.wav", 0, 3, None, None, "Great Tit"),
            ),
            (
                "r.csv",
                [
                    "filepath,start,end,scientific_name,common_name,confidence,lat,lon",
                    "x/a.wav,3.0,6.0,Parus major,Great Tit,0.5,-1,-1",
                ],
                ("x/a.wav", 3, 6, None, None, "Great Tit"),
            ),
            (
                "kaleidoscope.csv",
                [
                    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name,confidence",
                    "/data,site 1,a.wav,3.0,3.0,Parus major,Great Tit,0.5",
                ],
                ("/data/site 1/a.wav", 3, 6, None, None, "Great Tit"),
            ),
            (
                "opensoundscape.csv",
                [
                    "audio_file,annotation_file,annotation,start_time,end_time,low_f,high_f",
                    "a.wav,a.txt,GT,1.0,2.0,100.0,900.0",
                ],
                ("a.wav", 1, 2, 100, 900, "GT"),
            ),
            (
                "desed.tsv",
                ["filename\tonset\toffset\tevent_label", "b.wav\t0.5\t4.5\tDog", "c.wav\t\t\t"],
                ("b.wav", 0.5, 4.5, None, None, "Dog"),
            ),
            (
                "hoplite.csv",
                ["filename,start_time_s,end_time_s,label", "a.flac,5.0,10.0,amerob"],
                ("a.flac", 5, 10, None, None, "amerob"),
            ),
            (
                "train_tp.csv",
                [
                    "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max",
                    "003bec244,14,1,44.544,2531.25,45.1307,5531.25",
                ],
                ("003bec244.flac", 44.544, 45.1307, 2531.25, 5531.25, "s14"),
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_table_is_known_by_its_columns(
        self, tmp_path: Path, name: str, lines: list[str], expected: tuple[object, ...]
    ) -> None:
        found = read_annotations(write(tmp_path, name, *lines))
        assert boxes(found) == [expected]

    def test_a_recording_without_events_is_remembered(self, tmp_path: Path) -> None:
        rows = ("c.wav\t\t\t", "d.wav\tnan\tnan\tnan", "e.wav\tNA\tNA\tNA")
        found = read_annotations(write(tmp_path, "d.tsv", "filename\tonset\toffset\tevent_label", *rows))
        assert (len(found), found.recordings) == (0, ("c.wav", "d.wav", "e.wav"))

    def test_rows_without_a_label_are_left_out_with_a_note(self, tmp_path: Path) -> None:
        for name, lines in (
            ("x.csv", ["audio_file,annotation,start_time,end_time", "a.wav,,1,2", "a.wav,GT,1,2"]),
            ("h.csv", ["filename,start_time_s,end_time_s,label", "a.wav,0,5,", "a.wav,0,5,GT"]),
            ("r.csv", ["recording_id,species_id,t_min,t_max", "a,,1,2", "a,3,1,2"]),
            (
                "x.jsonl",
                [f'{{"path": "a.wav", "start": 1, "end": 2, "label": {x}}}' for x in ("null", '"GT"', "NaN")],
            ),
        ):
            found = read_annotations(write(tmp_path, name, *lines))
            assert [one.label for one in found] in (["GT"], ["s3"])
            assert any("without a label left out" in note for note in found.notes)

    def test_hoplites_rows_may_have_several_labels(self, tmp_path: Path) -> None:
        table = write(tmp_path, "h.csv", "filename,start_time_s,end_time_s,label", "a.wav,0,5,amerob eursta")
        assert [one.label for one in read_annotations(table)] == ["amerob", "eursta"]

    def test_another_column_may_name_the_species(self, tmp_path: Path) -> None:
        table = write(
            tmp_path,
            "b.csv",
            "Start (s),End (s),Scientific name,Common name,Confidence,File",
            "0,3,Parus major,Tit,0.9,a.wav",
        )
        assert next(iter(read_annotations(table, label="Scientific name"))).label == "Parus major"

    def test_rfcx_false_positives_are_absent(self, tmp_path: Path) -> None:
        lines = (
            "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max",
            "00204008d,21,1,13.84,1,14.9,2",
        )
        states = [
            next(iter(read_annotations(write(tmp_path, name, *lines)))).state
            for name in ("train_tp.csv", "train_fp.csv")
        ]
        assert states == ["present", "absent"]

    def test_birdnets_older_table_is_of_the_recording_of_its_name(self, tmp_path: Path) -> None:
        recordings(tmp_path, "a.wav")
        rows = (
            "Start (s),End (s),Scientific name,Common name,Confidence",
            "0.0,3.0,Parus major,Great Tit,0.91",
        )
        found = read_annotations(write(tmp_path, "a.BirdNET.results.csv", *rows), audio_root=tmp_path)
        assert boxes(found) == [("a.wav", 0, 3, None, None, "Great Tit")]

    def test_birdclef_rows_end_at_their_second(self, tmp_path: Path) -> None:
        recordings(tmp_path, "7019_COR_20190904.ogg")
        table = write(
            tmp_path,
            "train_soundscape_labels.csv",
            "row_id,site,audio_id,seconds,birds",
            "7019_COR_5,COR,7019,5,nocall",
            "7019_COR_10,COR,7019,10,rubwre1 blujay",
        )
        found = read_annotations(table)
        assert boxes(found) == [
            ("7019_COR_20190904.ogg", 5, 10, None, None, "rubwre1"),
            ("7019_COR_20190904.ogg", 5, 10, None, None, "blujay"),
        ]
        assert found.recordings == ("7019_COR_20190904.ogg",)

    def test_a_label_without_times_is_refused(self, tmp_path: Path) -> None:
        rows = ("a.wav\tnan\tnan\tDog", "a.wav\tNA\t2\tDog", "a.wav\t\t2\tDog")
        table = write(tmp_path, "d.tsv", "filename\tonset\toffset\tevent_label", *rows)
        with pytest.raises(
            DataError, match=r"(?s)4 things.*row 2: there is no start\n  row 2: there is no end.*row 4"
        ):
            read_annotations(table)

    def test_what_is_not_given_may_be_spelt_as_in_r(self, tmp_path: Path) -> None:
        rows = ("audio_file,annotation,start_time,end_time,low_f,high_f", "a.wav,NA,1,2,NA,NA")
        assert boxes(read_annotations(write(tmp_path, "x.csv", *rows))) == [("a.wav", 1, 2, None, None, "NA")]

    def test_an_unknown_table_is_told_what_was_expected(self, tmp_path: Path) -> None:
        table = write(tmp_path, "x.csv", "zip,zap", "1,2")
        with pytest.raises(DataError, match=r"columns zip, zap\..*Raven.*path, start, end, label"):
            read_annotations(table)

    def test_a_folder_of_tables_is_read_whole_and_its_bad_files_are_named_at_once(
        self, tmp_path: Path
    ) -> None:
        recordings(tmp_path, "a.wav", "b.wav", "deep/c.wav")
        write(tmp_path, "a.selections.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\twren")
        write(tmp_path, "b.txt", "0\t1\tjay")
        write(tmp_path / "deep", "c.txt", "0\t1\towl")
        found = read_annotations(tmp_path, audio_root=tmp_path)
        assert {(one.path, one.label) for one in found} == {
            ("a.wav", "wren"),
            ("b.wav", "jay"),
            ("deep/c.wav", "owl"),
        }
        write(tmp_path, "x.csv", "zip", "1")
        write(tmp_path, "y.txt", "5\t4")
        with pytest.raises(DataError, match=r"(?s)2 files of annotations cannot be read.*x\.csv.*y\.txt"):
            read_annotations(tmp_path, audio_root=tmp_path)
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match="holds no annotations"):
            read_annotations(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "a.txt",
            [
                RAVEN + "\tBegin File\tFile Offset (s)\tSpecies",
                "1\tS\t1\t61,5\t63\t100,5\t900\ta.wav\t1,5\t2,5",
            ],
        ),
        ("a.txt", ["1,5\t3\t2,5", "\\\t100,5\t900"]),
        ("a.csv", ["path;start;end;low;high;label", "a.wav;1,5;3;100,5;900;2,5"]),
    ],
)
def test_numbers_may_have_a_decimal_comma(tmp_path: Path, name: str, lines: list[str]) -> None:
    recordings(tmp_path, "a.wav")
    found = read_annotations(write(tmp_path, name, *lines))
    assert boxes(found) == [("a.wav", 1.5, 3, 100.5, 900, "2,5")]
    assert f"{name}: numbers are written with a decimal comma" in found.notes


def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(tmp_path: Path) -> None:
    rows = ("path,start,end,label", "a.wav,1,2,owl", 'a.wav,1,2,"wren', "a.wav,2,3,owl", "a.wav,3,4,jay")
    with pytest.raises(DataError, match=r"from line 3 on: unexpected end of data\. Close the quotation mark"):
        read_annotations(write(tmp_path, "a.csv", *rows))
    with pytest.raises(DataError, match="from line 2 on: field larger than field limit"):
        read_annotations(write(tmp_path, "a.csv", rows[0], "a.wav,1,2," + 140_000 * "x"))


def test_where_commas_separate_cells_they_are_in_no_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: start is '1,5', but must be a number"):
        read_annotations(write(tmp_path, "a.csv", "path,start,end,label", 'a.wav,"1,5",3,x'))


def test_raven_tables_are_whole_for_other_programs(tmp_path: Path) -> None:
    names = ("site 1/a.wav", "b\tc\nd.wav")
    recordings(tmp_path / "rec", *names)
    rows = [
        {"path": names[0], "start": 1, "end": 2, "label": "wren", "score": 0.5},
        {"path": names[1], "start": 3, "end": 4, "label": "owl", "low": 100.5, "high": 900},
    ]
    sounds = {name: Sound(tmp_path / "rec" / name, 10, 4000, channel=2) for name in names}
    path = tmp_path / "events.selections.txt"
    write_annotations(make_annotations(rows, "test"), path, "raven", sounds=sounds)
    table = pd.read_csv(path, sep="\t")
    assert table["Channel"].tolist() == [2, 2] and table["Begin Time (s)"].tolist() == [1, 13]
    assert table[["Low Freq (Hz)", "High Freq (Hz)"]].to_numpy().tolist() == [[0, 4000], [100.5, 900]]
    assert table["Begin Path"].tolist() == [f"{tmp_path}/rec/site 1/a.wav", f"{tmp_path}/rec/b c d.wav"]
    assert table["Begin File"].tolist() == ["a.wav", "b c d.wav"]
    back = read_annotations(path, audio_root=tmp_path / "rec")
    assert boxes(back) == [(names[0], 1, 2, 0, 4000, "wren"), (names[1], 3, 4, 100.5, 900, "owl")]


def test_a_raven_table_in_which_nothing_was_found_reads_back(tmp_path: Path) -> None:
    recordings(tmp_path, "a.wav", "b.wav")
    made = make_annotations([], "test", recordings=["a.wav", "b.wav"])
    for name, expected in (("events.selections.txt", ()), ("a.Table.1.selections.txt", ("a.wav",))):
        write_annotations(made, tmp_path / name, "raven")
        found = read_annotations(tmp_path / name)
        assert (len(found), found.recordings) == (0, expected)


def test_what_else_lies_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    recordings(tmp_path / "rec", "a.wav", "b.wav")
    write(tmp_path / "tab", "a.Table.1.selections.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\twren")
    write(tmp_path / "tab", "b.txt", "", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\tjay")
    (tmp_path / "tab" / "._a.Table.1.selections.txt").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X   \0\2\t")
    write(tmp_path / "tab", "__MACOSX/a.txt", "no table")
    others = ("BirdNET_analysis_params.csv", "birdnet.analyze-params.csv", "BirdNET_SelectionTable.list.txt")
    for name in others:
        write(tmp_path / "tab", name, "Overlap,Segment length", "0,3.0")
    found = read_annotations(tmp_path / "tab", audio_root=tmp_path / "rec")
    assert [(one.path, one.label) for one in found] == [("a.wav", "wren"), ("b.wav", "jay")]
    assert {f"{name}: no annotations, passed over" for name in others} <= set(found.notes)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda text: text.lower() != "nocall" and '"' not in text
)
TIME = st.integers(0, 86_400_000).map(lambda ms: ms / 1000)


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, object]]:
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        start, length = draw(TIME), draw(st.integers(0, 60_000)) / 1000
        row: dict[str, object] = {"path": "a.wav", "start": start, "end": start + length, "label": draw(TEXT)}
        if draw(st.booleans()):
            low = draw(st.integers(0, 20_000)) / 2
            row |= {"low": low, "high": low + draw(st.integers(0, 20_000)) / 2}
        rows.append(row)
    return rows


@pytest.mark.parametrize("form", ["raven", "audacity", "csv", "jsonl"])
@settings(deadline=None, max_examples=40)
@given(rows=tables())
def test_what_is_written_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, form: str, rows: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp(form)
    recordings(folder, "a.wav")
    path = folder / ("a.txt" if form in ("raven", "audacity") else f"a.{form}")
    made = make_annotations(rows, "test")
    write_annotations(made, path, form)
    back = read_annotations(path)
    columns = ["path", "start", "end", "low", "high", "label"]
    pd.testing.assert_frame_equal(back.table[columns], made.table[columns], atol=1e-6)


def test_a_label_may_hold_a_break_that_is_no_end_of_a_line(tmp_path: Path) -> None:
    made = make_annotations([{"path": "a.wav", "start": 0, "end": 1, "label": "a\u2028b"}], "test")
    write_annotations(made, tmp_path / "a.jsonl", "jsonl")
    assert next(iter(read_annotations(tmp_path / "a.jsonl"))).label == "a\u2028b"


def test_scores_and_states_read_back_equal(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "start": 0, "end": 1, "label": "x", "score": 0.25},
        {"path": "b.wav", "start": 0, "end": 1, "label": "x", "state": "absent"},
    ]
    made = make_annotations(rows, "test")
    for form in ("csv", "jsonl"):
        write_annotations(made, tmp_path / f"a.{form}", form)
        pd.testing.assert_frame_equal(read_annotations(tmp_path / f"a.{form}").table, made.table)
    write_annotations(made, tmp_path / "raven.txt", "raven")
    assert np.array_equal(
        read_annotations(tmp_path / "raven.txt").table["score"], [0.25, np.nan], equal_nan=True
    )
    with pytest.raises(ConfigError, match="format is 'xml'"):
        write_annotations(made, tmp_path / "a.xml", "xml")


def test_tables_of_several_folders_keep_their_recordings_apart(tmp_path: Path) -> None:
    parts = [
        make_annotations([{"path": "a.wav", "start": 0, "end": 1, "label": "x"}], "t", root=tmp_path / name)
        for name in ("one", "two")
    ]
    joined = together(parts)
    assert joined.recordings == (str(tmp_path / "one" / "a.wav"), str(tmp_path / "two" / "a.wav"))
    assert joined.table["path"].tolist() == list(joined.recordings)


@pytest.mark.parametrize("form", ["raven", "aud-seq"])
def test_crowsetta_opens_what_is_written(tmp_path: Path, form: str) -> None:
    crowsetta = pytest.importorskip("crowsetta", reason="needs crowsetta")
    rows = [
        {"path": "a.wav", "start": 0.5, "end": 1.25, "low": 100, "high": 2500.5, "label": "wren"},
        {"path": "a.wav", "start": 2, "end": 3, "label": "owl"},
    ]
    made = make_annotations(rows, "test")
    path = tmp_path / "a.txt"
    if form == "raven":
        write_annotations(made, path, "raven", sounds={"a.wav": Sound(tmp_path / "a.wav", 9, 400)})
        found = crowsetta.formats.by_name("raven").from_file(path, annot_col="Annotation").to_annot()
        seen = [(box.onset, box.offset, box.low_freq, box.high_freq, box.label) for box in found.bboxes]
        assert seen == [(0.5, 1.25, 100, 2500.5, "wren"), (2, 3, 0, 400, "owl")]
    else:
        plain = [{key: value for key, value in row.items() if key not in ("low", "high")} for row in rows]
        write_annotations(make_annotations(plain, "test"), path, "audacity")
        sequence = crowsetta.formats.by_name("aud-seq").from_file(path).to_seq()
        assert list(zip(sequence.onsets_s, sequence.offsets_s, sequence.labels, strict=True)) == [
            (0.5, 1.25, "wren"),
            (2, 3, "owl"),
        ]
