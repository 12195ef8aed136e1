"""Annotations by the exact conventions of their formats, there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.annotations import (
    RecordingFacts,
    join_annotations,
    make_annotations,
    read_annotations,
    write_annotations,
)
from aurist.errors import ConfigError, DataError

from .files import RAVEN, boxes, recordings, write


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
        annotations = read_annotations(track)
        assert boxes(annotations) == [
            ("pond.wav", 2.15, 2.15, None, None, "frog"),
            ("pond.wav", 3.4, 6.1, 250.5, 1200, "toad"),
            ("pond.wav", 7, 8, None, None, "frog"),
        ]
        assert any("pond.txt: 1 row without a label left out" in note for note in annotations.notes)

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
        annotations = make_annotations(
            [{"path": p, "start": 0, "end": 1, "label": "x"} for p in ("a.wav", "b.wav")], "test"
        )
        with pytest.raises(DataError, match=r"of 2, such as a.wav and b.wav: write one file for each"):
            write_annotations(annotations, tmp_path / "x.txt", "audacity")


def test_what_else_lies_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    recordings(tmp_path / "rec", "a.wav", "b.wav")
    write(tmp_path / "tab", "a.Table.1.selections.txt", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\twren")
    write(tmp_path / "tab", "b.txt", "", RAVEN + "\tSpecies", "1\tS\t1\t0\t1\t1\t2\tjay")
    (tmp_path / "tab" / "._a.Table.1.selections.txt").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X   \0\2\t")
    write(tmp_path / "tab", "__MACOSX/a.txt", "no table")
    others = ("BirdNET_analysis_params.csv", "birdnet.analyze-params.csv", "BirdNET_SelectionTable.list.txt")
    for name in others:
        write(tmp_path / "tab", name, "Overlap,Segment length", "0,3.0")
    annotations = read_annotations(tmp_path / "tab", audio_root=tmp_path / "rec")
    assert [(box.path, box.label) for box in annotations] == [("a.wav", "wren"), ("b.wav", "jay")]
    assert {f"{name}: no annotations, skipped" for name in others} <= set(annotations.notes)


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
    annotations = make_annotations(rows, "test")
    write_annotations(annotations, path, form)
    back = read_annotations(path)
    columns = ["path", "start", "end", "low", "high", "label"]
    pd.testing.assert_frame_equal(back.table[columns], annotations.table[columns], atol=1e-6)


def test_a_label_may_hold_a_break_that_is_no_end_of_a_line(tmp_path: Path) -> None:
    annotations = make_annotations([{"path": "a.wav", "start": 0, "end": 1, "label": "a\u2028b"}], "test")
    write_annotations(annotations, tmp_path / "a.jsonl", "jsonl")
    assert next(iter(read_annotations(tmp_path / "a.jsonl"))).label == "a\u2028b"


def test_scores_and_states_read_back_equal(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "start": 0, "end": 1, "label": "x", "score": 0.25},
        {"path": "b.wav", "start": 0, "end": 1, "label": "x", "state": "absent"},
    ]
    annotations = make_annotations(rows, "test")
    pytest.importorskip("pyarrow")
    write_annotations(annotations, tmp_path / "a.parquet", "parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), annotations.table)
    for form in ("csv", "jsonl"):
        write_annotations(annotations, tmp_path / f"a.{form}", form)
        pd.testing.assert_frame_equal(read_annotations(tmp_path / f"a.{form}").table, annotations.table)
    write_annotations(annotations, tmp_path / "raven.txt", "raven")
    assert np.array_equal(
        read_annotations(tmp_path / "raven.txt").table["score"], [0.25, np.nan], equal_nan=True
    )
    with pytest.raises(ConfigError, match="format is 'xml'"):
        write_annotations(annotations, tmp_path / "a.xml", "xml")


def test_scores_in_labels_of_audacity_and_in_tables_of_kaleidoscope_read_back(tmp_path: Path) -> None:
    recordings(tmp_path, "site/a.wav", "site/b.wav")
    rows = [
        {
            "path": "site/a.wav",
            "start": 1,
            "end": 2.5,
            "label": "site 1",
            "score": 0.25,
            "low": 100,
            "high": 900,
        },
        {"path": "site/a.wav", "start": 4, "end": 5, "label": "owl", "score": 1.0},
    ]
    annotations = make_annotations(rows, "test")
    write_annotations(annotations, tmp_path / "a.txt", "audacity")
    assert "1.000000\t2.500000\tsite 1 0.25\n" in (tmp_path / "a.txt").read_text()
    facts = {"site/a.wav": RecordingFacts(tmp_path / "site" / "a.wav", 9, 400)}
    write_annotations(annotations, tmp_path / "a.csv", "kaleidoscope", facts=facts)
    for name in ("a.txt", "a.csv"):
        back = read_annotations(tmp_path / name).table
        columns = ["start", "end", "low", "high", "label", "score"]
        pd.testing.assert_frame_equal(back[columns], annotations.table[columns])
    # a label that ends in a number is a label, unless all of them do
    (tmp_path / "b.txt").write_text("0\t1\tplot 1.00\n2\t3\towl\n")
    assert [box.label for box in read_annotations(tmp_path / "b.txt")] == ["plot 1.00", "owl"]


def test_tables_of_several_folders_keep_their_recordings_apart(tmp_path: Path) -> None:
    tables = [
        make_annotations([{"path": "a.wav", "start": 0, "end": 1, "label": "x"}], "t", root=tmp_path / name)
        for name in ("one", "two")
    ]
    joined = join_annotations(tables)
    assert joined.recordings == (str(tmp_path / "one" / "a.wav"), str(tmp_path / "two" / "a.wav"))
    assert joined.table["path"].tolist() == list(joined.recordings)


@pytest.mark.parametrize("form", ["raven", "aud-seq"])
def test_crowsetta_opens_what_is_written(tmp_path: Path, form: str) -> None:
    crowsetta = pytest.importorskip("crowsetta", reason="needs crowsetta")
    rows = [
        {"path": "a.wav", "start": 0.5, "end": 1.25, "low": 100, "high": 2500.5, "label": "wren"},
        {"path": "a.wav", "start": 2, "end": 3, "label": "owl"},
    ]
    annotations = make_annotations(rows, "test")
    path = tmp_path / "a.txt"
    if form == "raven":
        write_annotations(
            annotations, path, "raven", facts={"a.wav": RecordingFacts(tmp_path / "a.wav", 9, 400)}
        )
        crowsetta_boxes = (
            crowsetta.formats.by_name("raven").from_file(path, annot_col="Annotation").to_annot()
        )
        seen = [
            (box.onset, box.offset, box.low_freq, box.high_freq, box.label) for box in crowsetta_boxes.bboxes
        ]
        assert seen == [(0.5, 1.25, 100, 2500.5, "wren"), (2, 3, 0, 400, "owl")]
    else:
        plain = [{key: value for key, value in row.items() if key not in ("low", "high")} for row in rows]
        write_annotations(make_annotations(plain, "test"), path, "audacity")
        sequence = crowsetta.formats.by_name("aud-seq").from_file(path).to_seq()
        assert list(zip(sequence.onsets_s, sequence.offsets_s, sequence.labels, strict=True)) == [
            (0.5, 1.25, "wren"),
            (2, 3, "owl"),
        ]
