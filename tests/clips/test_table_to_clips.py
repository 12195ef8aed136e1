"""Tables of recordings, of features, and of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.clips import Clips
from aurist.clips.load_table import load_table
from aurist.clips.multilabel import without_quotes
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import AuristError, DataError


def written(folder: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, text: str, *, labelled: bool = True, **options: object) -> Clips:
    return read_clips(written(folder, text), ReadOptions(**options), labelled=labelled)  # type: ignore[arg-type]


def fails(folder: Path, text: str, **options: object) -> str:
    with pytest.raises(AuristError) as error:
        read(folder, text, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "mark"), [("t.csv", ","), ("t.tsv", "\t"), ("t.csv", ";"), ("t.txt", "\t"), ("t.csv", "|")]
)
def test_separators(tmp_path: Path, name: str, mark: str) -> None:
    text = "\n".join(
        mark.join(row) for row in [["tempo", "key", "genre"], ["1.5", "2", "a b"], ["2.5", "3", "c"]]
    )
    clips = read_clips(written(tmp_path, text, name))
    assert clips.table["labels"].tolist() == [("a b",), ("c",)]
    assert clips.features == ("tempo", "key")
    assert clips.table["tempo"].tolist() == [1.5, 2.5]


def test_decimal_commas(tmp_path: Path) -> None:
    clips = read(tmp_path, "tempo;genre\n1,5;a\n2,25;b\n")
    assert clips.table["tempo"].tolist() == [1.5, 2.25]
    assert any("decimal comma" in note for note in clips.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "장르,빠르기\n발라드,1\n댄스,2\n", encoding=encoding)
    clips = read_clips(path, ReadOptions(label="장르"))
    assert clips.classes == ("댄스", "발라드")
    assert clips.features == ("빠르기",)
    assert any("not UTF-8" in note for note in clips.notes) == (encoding in ("cp949", "utf-16"))


def test_umlauts_do_not_become_korean(tmp_path: Path) -> None:
    path = written(tmp_path, "species,x\nÄhnlicher Ärger,1\nÄnderung,2\n", encoding="latin-1")
    assert read_clips(path, ReadOptions(label="species")).classes == ("Ähnlicher Ärger", "Änderung")


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": [1.5, 2.5], "genre": ["a", "b"], "id": ["p", "q"]})
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    from_parquet, from_csv = read_clips(tmp_path / "t.parquet"), read_clips(tmp_path / "t.csv")
    pd.testing.assert_frame_equal(from_parquet.table, from_csv.table)
    assert from_parquet.classes == from_csv.classes


def test_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_clips(written(tmp_path, "a,b\n1,2\n", "t.parquet"))


def test_bad_numbers_are_all_listed_with_row_and_column(tmp_path: Path) -> None:
    lines = [f"{i},{i},a" for i in range(40)]
    lines[3], lines[17] = "3,oops,b", "x7,17,b"
    message = fails(tmp_path, "p,q,label\n" + "\n".join(lines) + "\n")
    assert "2 cells are no numbers" in message
    assert "row 5, column 'q': 'oops'" in message
    assert "row 19, column 'p': 'x7'" in message


def test_missing_numbers_are_missing(tmp_path: Path) -> None:
    clips = read(tmp_path, "x,label\n1,a\n,b\nNA,a\n")
    np.testing.assert_array_equal(clips.table["x"], [1.0, np.nan, np.nan])


def test_empty_labels_are_all_listed(tmp_path: Path) -> None:
    message = fails(tmp_path, 'x,label\n1,a\n2,\n3,"  "\n4,b\n')
    assert "2 rows have no label in column 'label':\n  row 3\n  row 4\n" in message


def test_rows_are_called_by_their_line_after_breaks_within_cells(tmp_path: Path) -> None:
    message = fails(tmp_path, 'note,x,label\n"one\ntwo",1,a\nthree,2,\n')
    assert "\n  row 4\n" in message


def test_several_labels_and_those_known_to_be_absent(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()  # of its own: folders beside it are looked into for recordings, too
    clips = read(tmp_path / "set", "path,label\n1.wav,a; b;a\n2.wav,\n3.wav,-c;b\n4.wav,a\n")
    assert clips.multilabel
    assert clips.table["labels"].tolist() == [("a", "b"), (), ("b",), ("a",)]
    assert clips.table["absent"].tolist() == [(), (), ("c",), ()]
    assert clips.classes == ("a", "b", "c")


def test_a_label_both_there_and_absent(tmp_path: Path) -> None:
    assert "row 2: a" in fails(tmp_path, "path,label\n1.wav,a;-a\n2.wav,b\n")


def test_a_minus_alone_is_a_name_where_labels_are_single(tmp_path: Path) -> None:
    assert read(tmp_path, "x,label\n1,-a\n2,b\n").classes == ("-a", "b")


@pytest.mark.parametrize("cells", [["2", "10"], ["2.0", "10.0"]])
def test_numbers_as_labels(tmp_path: Path, cells: list[str]) -> None:
    assert read(tmp_path, f"x,label\n1,{cells[0]}\n2,{cells[1]}\n").classes == ("10", "2")


def test_labels_that_are_numbers_in_a_frame_are_the_same_names() -> None:
    clips = read_clips(pd.DataFrame({"x": [1.0, 2.0], "label": [2.0, 10.0]}))
    assert clips.classes == ("10", "2")


def test_labels_keep_zeros_and_words_for_missing(tmp_path: Path) -> None:
    clips = read(tmp_path, "x,label\n1,007\n2,NA\n")
    assert clips.classes == ("007", "NA")
    assert any("read as names of classes" in note for note in clips.notes)


@pytest.mark.parametrize(
    ("cells", "row"),
    [("-1,2", 3), ("2,2", 3), ("3,2", 3), ("x,2", 3), ("1,", 3), ("inf,2", 3)],
)
def test_spans_that_are_none(tmp_path: Path, cells: str, row: int) -> None:
    good = "".join(f"{i}.wav,0,1,a\n" for i in range(12))
    text = f"path,start,end,label\n0.wav,0.5,1.5,a\nb.wav,{cells},b\n{good}"
    message = fails(tmp_path, text)
    assert "1 clip has an invalid start or end" in message
    assert f"row {row}: start" in message


def test_spans_and_their_recording_as_group(tmp_path: Path) -> None:
    clips = read(tmp_path, "path,t_min,t_max,label\na.wav,0,1.5,x\na.wav,2,3,y\nb.wav,,,x\n")
    np.testing.assert_array_equal(clips.table["start"], [0, 2, np.nan])
    np.testing.assert_array_equal(clips.table["end"], [1.5, 3, np.nan])
    assert clips.table["group"].tolist()[:2] == ["a.wav", "a.wav"]
    assert any(note.startswith("groups: the recordings") for note in clips.notes)


def test_an_id_given_must_be_unique(tmp_path: Path) -> None:
    assert "'p'" in fails(tmp_path, "x,ID,label\n1,p,a\n2,p,b\n3,q,a\n", id="ID")


def test_windows_paths_are_turned(tmp_path: Path) -> None:
    clips = read(tmp_path, "path,label\nsub\\a.wav,x\nsub\\b.wav,y\n")
    assert clips.files()[0] == tmp_path / "sub" / "a.wav"


def test_absolute_paths_and_audio_root(tmp_path: Path) -> None:
    text = f"path,label\n{tmp_path}/far/a.wav,x\nb.wav,y\n"
    assert read(tmp_path, text).files() == [tmp_path / "far/a.wav", tmp_path / "b.wav"]
    elsewhere = read(tmp_path, text, audio_root=Path("/else"))
    assert elsewhere.files() == [tmp_path / "far/a.wav", Path("/else/b.wav")]


def test_rows_without_a_path_are_all_listed(tmp_path: Path) -> None:
    message = fails(tmp_path, "path,label\na.wav,x\n,y\nc.wav,x\n,y\n")
    assert "2 rows have no path in column 'path':\n  row 3\n  row 5" in message


BESIDE = "path,label,mfcc_1,mfcc_2,weight_kg\na.wav,x,1,2,9\nb.wav,y,3,4,8\n"


def test_beside_a_path_columns_are_not_features(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "b.wav").touch()
    clips = read(tmp_path, BESIDE)
    assert clips.features == ()
    assert any("3 columns of numbers are not used" in note for note in clips.notes)


def test_beside_a_path_features_can_be_named(tmp_path: Path) -> None:
    clips = read(tmp_path, BESIDE, features=("mfcc_*",))
    assert clips.features == ("mfcc_1", "mfcc_2")
    assert clips.table["path"].tolist() == ["a.wav", "b.wav"]


def test_a_feature_named_but_missing(tmp_path: Path) -> None:
    assert "Did you mean 'mfcc_1'" in fails(tmp_path, BESIDE, features=("mfc_1",))


def kaggle() -> str:
    """As ``features_30_sec.csv`` of GTZAN on Kaggle is laid out."""
    head = "filename,length,chroma_mean,chroma_var,rms_mean,rms_var,tempo,label\n"
    return head + "".join(
        f"{g}.0000{i}.wav,66{i},.{i}1,.{i}2,.{i}3,.{i}4,12{i},{g}\n"
        for g in ("rock", "jazz")
        for i in range(3)
    )


def test_a_guessed_path_whose_files_are_not_there_is_said(tmp_path: Path) -> None:
    clips = read(tmp_path, kaggle())
    assert clips.has_audio
    assert any('path="none"' in note for note in clips.notes), clips.notes


def test_a_table_of_features_with_file_names_is_read_as_such_when_told(tmp_path: Path) -> None:
    clips = read(tmp_path, kaggle(), path="none")
    assert clips.features == ("length", "chroma_mean", "chroma_var", "rms_mean", "rms_var", "tempo")
    assert not clips.has_audio
    assert clips.classes == ("jazz", "rock")


def test_many_numbers_beside_files_that_are_there_are_not(tmp_path: Path) -> None:
    for genre in ("rock", "jazz"):
        for i in range(3):
            (tmp_path / f"{genre}.0000{i}.wav").touch()
    clips = read(tmp_path, kaggle())
    assert clips.has_audio
    assert clips.features == ()


def test_a_path_that_was_given_stays_one_though_files_are_missing(tmp_path: Path) -> None:
    assert read(tmp_path, kaggle(), path="filename").has_audio


def test_fold_none_has_folds_made_and_is_no_feature(tmp_path: Path) -> None:
    text = "x,label,fold\n1,a,1\n2,b,2\n"
    assert read(tmp_path, text).table["fold"].tolist() == ["1", "2"]
    clips = read(tmp_path, text, fold="none")
    assert clips.table["fold"].isna().all()
    assert clips.features == ("x",)


def test_a_second_label_or_id_is_no_feature(tmp_path: Path) -> None:
    clips = read(tmp_path, "x,genre,genre_id\n1,a,7\n2,b,8\n")
    assert clips.features == ("x",)
    assert any("genre_id" in note for note in clips.notes)


def test_neither_audio_nor_features(tmp_path: Path) -> None:
    message = fails(tmp_path, "id,label\np,a\nq,b\n")
    assert "neither a column of audio files (path=) nor any features" in message


def test_columns_of_the_same_name(tmp_path: Path) -> None:
    assert "more than one column called: x" in fails(tmp_path, "x,x,label\n1,2,a\n")
    with pytest.raises(DataError, match="more than one column called: x"):
        read_clips(pd.DataFrame([[1, 2, "a"]], columns=["x", "x", "label"]))


@pytest.mark.parametrize("text", ["", "\n", "a,label\n"])
def test_nothing_in_it(tmp_path: Path, text: str) -> None:
    assert "Expected a line of column names" in fails(tmp_path, text) or "no rows" in fails(tmp_path, text)


def test_rows_of_another_length_are_all_listed(tmp_path: Path) -> None:
    message = fails(tmp_path, "x,label\n1,a\n2,b,c\n3\n")
    assert "2 rows do not have 2 cells" in message
    assert "row 3: 3 cells" in message
    assert "row 4: 1 cell" in message
    assert "quotation marks" in message and "Add the cells that are missing" in message


def test_missing_cells_are_not_blamed_on_quotation_marks(tmp_path: Path) -> None:
    message = fails(tmp_path, "x,label\n1,a\n3\n")
    assert "1 row does not have 2 cells" in message
    assert "cells that are missing" in message and "quotation" not in message
    assert "are missing" not in fails(tmp_path, "x,label\n1,a\n3,a,b\n")


def test_rows_are_those_that_an_editor_shows(tmp_path: Path) -> None:
    assert read(tmp_path, "x,label\n1,a\n\n2,b\n").rows == (2, 4)
    table = pd.DataFrame({"x": [1.5, 2.5], "label": ["a", "b"]})
    table.to_parquet(tmp_path / "t.parquet")
    clips = read_clips(tmp_path / "t.parquet")
    assert clips.rows == (2, 3)
    assert clips.take([1]).rows == (3,)
    assert read_clips(table.set_axis(["p", "q"])).rows == ("p", "q")


@pytest.mark.parametrize("options", [{}, {"id": "ID"}])
def test_repeated_ids_of_what_is_predicted_are_kept_and_said(tmp_path: Path, options: dict[str, str]) -> None:
    path = written(tmp_path, "ID,x\n7,1\n008,2\n7,3\n", "t.csv")
    clips = read_clips(path, ReadOptions(**options), labelled=False)
    assert clips.given_ids == ("7", "008", "7")
    assert clips.table["clip_id"].tolist() == ["7", "008", "7#2"]
    assert clips.features == ("x",)
    assert any("1 id is used for more than one row ('7' in rows 2, 4)" in note for note in clips.notes)
    assert clips.take([2, 1]).given_ids == ("7", "008")
    alone = read_clips(written(tmp_path, "ID,x\n7,1\n8,2\n", "u.csv"), labelled=False)
    assert alone.given_ids == ()


def test_refused_ids_are_not_brought_back(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,x\n7,1\n7,3\n", "t.csv")
    clips = read_clips(path, ReadOptions(id="none"), labelled=False)
    assert clips.table["clip_id"].tolist() == ["0", "1"]


def test_no_labels_where_they_are_needed(tmp_path: Path) -> None:
    text = "tempo,key\n1,2\n3,4\n"
    assert "Name it with label=" in fails(tmp_path, text)
    assert not read(tmp_path, text, labelled=False).labelled


def test_labels_from_the_names_in_a_table(tmp_path: Path) -> None:
    clips = read(tmp_path, "path,hour\n7_jackson_1.wav,3\n8_theo_2.wav,4\n", label_from="{label}_{group}_{n}")
    assert clips.table["labels"].tolist() == [("7",), ("8",)]
    assert clips.table["group"].tolist() == ["jackson", "theo"]


def test_load_table_gives_lines_and_notes(tmp_path: Path) -> None:
    table, notes = load_table(written(tmp_path, ",x,label\n0,1,a\n\n1,2,b\n"), ReadOptions())
    assert list(table.columns) == ["x", "label"]
    assert table.index.tolist() == [2, 4]
    assert any("has no name" in note for note in notes)


# What a spreadsheet may hold in a cell: no control characters; blanks at the ends are not kept, nor are
# names decomposed (both are said in docs/clips.md).
text = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=10)
spaced = st.lists(text, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([" ", ",", '"', "\n", "'", "\t"]).map(lambda mark: mark.join(words))
)


def composed(name: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", name)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            spaced.filter(lambda s: ";" not in s and s == s.strip()),
            spaced.filter(lambda s: s == s.strip() and "\\" not in s),
            spaced.filter(lambda s: s == s.strip()),
        ),
        min_size=2,
        max_size=8,
    )
)
def test_a_table_is_read_back_as_it_was_written(drawn: list[tuple[str, str, str]]) -> None:
    table = pd.DataFrame(drawn, columns=["label", "path", "group"])
    table["path"] = [f"{path}{i}.wav" for i, path in enumerate(table["path"])]
    options = ReadOptions(label="label", path="path", group="group", label_separator="none")
    with TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "t.csv", index=False)
        clips = read_clips(Path(folder) / "t.csv", options)
    bare, _ = without_quotes([composed(label) for label in table["label"]])
    assert clips.table["labels"].tolist() == [(label,) for label in bare]
    assert clips.table["path"].tolist() == table["path"].tolist()
    assert clips.table["clip_id"].is_unique
    frame = read_clips(table, options).table
    assert clips.table["group"].tolist() == frame["group"].tolist()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_numbers_are_read_back_to_the_last_bit(numbers: list[float]) -> None:
    table = pd.DataFrame({"x": numbers, "label": [f"c{i % 2}" for i in range(len(numbers))]})
    with TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "t.csv", index=False)
        clips = read_clips(Path(folder) / "t.csv")
    assert clips.table["x"].astype(float).tolist() == numbers


@pytest.mark.parametrize("row", ["\r .9217,c", "\r\t.5,c", "\r\r .5,c"])
def test_a_carriage_return_and_a_blank_at_the_beginning_of_a_line_do_not_hold_the_reader(
    tmp_path: Path, row: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"tempo,label\n1.5,a\n{row}\n2.5,b\n".encode())
    # in a process of its own: what never comes back could not be stopped here
    code = f"from aurist.clips.read import read_clips; print(len(read_clips({str(path)!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "3", done.stderr
