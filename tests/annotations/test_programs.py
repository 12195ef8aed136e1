"""Tables of other programs and data sets, known by their columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.annotations import read_annotations
from aurist.errors import DataError

from .files import RAVEN, boxes, recordings, write


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
        annotations = read_annotations(write(tmp_path, name, *lines))
        assert boxes(annotations) == [expected]

    def test_a_recording_without_events_is_remembered(self, tmp_path: Path) -> None:
        rows = ("c.wav\t\t\t", "d.wav\tnan\tnan\tnan", "e.wav\tNA\tNA\tNA")
        annotations = read_annotations(
            write(tmp_path, "d.tsv", "filename\tonset\toffset\tevent_label", *rows)
        )
        assert (len(annotations), annotations.recordings) == (0, ("c.wav", "d.wav", "e.wav"))

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
            annotations = read_annotations(write(tmp_path, name, *lines))
            assert [box.label for box in annotations] in (["GT"], ["s3"])
            assert any("without a label left out" in note for note in annotations.notes)

    def test_hoplites_rows_may_have_several_labels(self, tmp_path: Path) -> None:
        table = write(tmp_path, "h.csv", "filename,start_time_s,end_time_s,label", "a.wav,0,5,amerob eursta")
        assert [box.label for box in read_annotations(table)] == ["amerob", "eursta"]

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
        annotations = read_annotations(write(tmp_path, "a.BirdNET.results.csv", *rows), audio_root=tmp_path)
        assert boxes(annotations) == [("a.wav", 0, 3, None, None, "Great Tit")]

    def test_birdclef_rows_end_at_their_second(self, tmp_path: Path) -> None:
        recordings(tmp_path, "7019_COR_20190904.ogg")
        table = write(
            tmp_path,
            "train_soundscape_labels.csv",
            "row_id,site,audio_id,seconds,birds",
            "7019_COR_5,COR,7019,5,nocall",
            "7019_COR_10,COR,7019,10,rubwre1 blujay",
        )
        annotations = read_annotations(table)
        assert boxes(annotations) == [
            ("7019_COR_20190904.ogg", 5, 10, None, None, "rubwre1"),
            ("7019_COR_20190904.ogg", 5, 10, None, None, "blujay"),
        ]
        assert annotations.recordings == ("7019_COR_20190904.ogg",)

    def test_a_label_without_times_is_refused(self, tmp_path: Path) -> None:
        rows = ("a.wav\tnan\tnan\tDog", "a.wav\tNA\t2\tDog", "a.wav\t\t2\tDog")
        table = write(tmp_path, "d.tsv", "filename\tonset\toffset\tevent_label", *rows)
        with pytest.raises(
            DataError, match=r"(?s)4 problems.*row 2: there is no start\n  row 2: there is no end.*row 4"
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
        annotations = read_annotations(tmp_path, audio_root=tmp_path)
        assert {(box.path, box.label) for box in annotations} == {
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

    @pytest.mark.parametrize("header", ["t_min,t_max,f_min,f_max,label", "start,end,low,high,label"])
    def test_a_table_without_paths_is_of_the_recording_of_its_name(self, tmp_path: Path, header: str) -> None:
        recordings(tmp_path, "dawn.wav", "dusk.wav")
        table = write(tmp_path, "dawn_boxes.csv", header, "0.5,1.5,100,900,wren")
        assert boxes(read_annotations(table, audio_root=tmp_path)) == [
            ("dawn.wav", 0.5, 1.5, 100, 900, "wren")
        ]
        noon = write(tmp_path, "Noon_boxes.csv", header, "0.5,1.5,1,9,wren")
        assert read_annotations(noon, audio_root=tmp_path).recordings == ("Noon",), (
            "missing, under its own name"
        )
        with pytest.raises(DataError, match="does not say which recording"):
            read_annotations(noon)
