"""The files of contests out of stored scores, by arithmetic done by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from aurist.annotations import make_annotations
from aurist.detection.contests import contest_table
from aurist.detection.export import (
    FORMATS,
    ExportOptions,
    _write_audacity,
    events_of,
    labels_from,
    write_detections,
)
from aurist.detection.result import ScanResult
from aurist.detection.store import Detections, Recording
from aurist.errors import AuristError, ConfigError, DataError
from aurist.events import Grid
from aurist.features.windows import Block

CLASSES = ("path", "s0", "s1")
SCORES = {
    "a.flac": [[0.0, 0.1, 0.9], [0.2, 0.6, 0.3], [0.0, 0.7, 0.0]],
    "b_20190904.flac": [[0.0, 0.5, 0.25], [0.9, 0.0, 0.0]],
}


@pytest.fixture
def scanned(tmp_path: Path) -> ScanResult:
    """Two recordings in windows of five seconds, and one that could not be heard."""
    made = Detections(tmp_path / "detections", {"window": 5.0})
    recordings, seconds = [], {}
    for name, rows in SCORES.items():
        path = tmp_path / name
        path.write_bytes(b"sound")
        one = Recording(name, path)
        made.progress(one)
        starts, ends = Grid(5.0).windows(5.0 * len(rows))
        for number in range(len(rows)):  # a block for each window
            part = slice(number, number + 1)
            length = 5.0 * len(rows) if number == len(rows) - 1 else None
            made.keep(one, number, Block(starts[part], ends[part], {}, length), np.array(rows)[part])
        recordings.append(one)
        seconds[name] = 5.0 * len(rows)
    return ScanResult(made, CLASSES, tuple(recordings), seconds, {}, {"c.flac": "c.flac is empty"})


def sample(text: str) -> pd.DataFrame:
    rows = [line.split(",") for line in text.split()]
    return pd.DataFrame(rows[1:], columns=rows[0])


def test_rfcx_gets_the_maximum_of_each_recording(scanned: ScanResult) -> None:
    scores = contest_table(
        scanned, sample("recording_id,s1,s0 b_20190904,0,0 a,0,0"), "sample.csv", np.full(3, 0.5)
    )
    assert (
        scores.to_csv(index=False, lineterminator="\n")
        == "recording_id,s1,s0\nb_20190904,0.25,0.5\na,0.9,0.7\n"
    )


def test_birdclef_gets_every_five_seconds(scanned: ScanResult) -> None:
    scores = contest_table(
        scanned, sample("row_id,s0,s1 a_5,0,0 a_15,0,0 b_20190904_10,0,0"), "sample.csv", np.full(3, 0.5)
    )
    assert scores.to_csv(index=False, lineterminator="\n") == (
        "row_id,s0,s1\na_5,0.1,0.9\na_15,0.7,0.0\nb_20190904_10,0.0,0.0\n"
    )
    # the first years: names end before the date, and labels are wanted
    labels = contest_table(scanned, sample("row_id,birds a_10,x b_5,x b_10,x"), "sample.csv", np.full(3, 0.6))
    assert labels["birds"].tolist() == ["s0", "nocall", "path"]


def test_all_that_is_missing_is_listed_at_once(scanned: ScanResult) -> None:
    with pytest.raises(DataError) as error:
        contest_table(scanned, sample("recording_id,s0,s7 a,0,0 c,0,0 d,0,0"), "sample.csv", np.full(3, 0.5))
    message = str(error.value)
    assert "sample.csv asks for 3 things that are missing" in message
    assert "class s7 is not a class of the run" in message
    assert "c: c.flac is empty" in message and "d: no such recording was given" in message
    with pytest.raises(DataError, match=r"(?s)a_20: a\.flac ends after 15\.0 s.*a: expected the name"):
        contest_table(scanned, sample("row_id,s0 a_20,0 a,0"), "sample.csv", np.full(3, 0.5))
    twice = replace(
        scanned, recordings=(*scanned.recordings, Recording("site/a.wav", scanned.detections.folder))
    )
    with pytest.raises(DataError, match=r"a: may be a\.flac or site/a\.wav"):
        contest_table(twice, sample("recording_id,s0 a,0"), "sample.csv", np.full(3, 0.5))
    with pytest.raises(DataError, match=r"begins with the column 'id'.*recording_id"):
        contest_table(scanned, sample("id,s0 a,0"), "sample.csv", np.full(3, 0.5))
    with pytest.raises(DataError, match="as BirdCLEF did in 2022; that form is not supported"):
        contest_table(scanned, sample("row_id,target a_s0_5,0"), "sample.csv", np.full(3, 0.5))


def test_events_and_windows_of_chosen_labels(scanned: ScanResult) -> None:
    wanted = ExportOptions(FORMATS, 0.55, ("s0", "path"))
    events = events_of(scanned, wanted.columns(CLASSES), wanted.lowest_scores(CLASSES)).table
    assert events[["path", "start", "end", "label", "score"]].to_numpy().tolist() == [
        ["a.flac", 5.0, 15.0, "s0", 0.7],
        ["b_20190904.flac", 5.0, 10.0, "path", 0.9],
    ]
    written = {path.name: rows for path, rows in write_detections(scanned, wanted)}
    assert written == {
        "windows.csv": 5,
        "events.csv": 2,
        "events.selections.txt": 2,
        "audacity": 2,
        "events.jsonl": 2,
        "events.kaleidoscope.csv": 2,
        "events.parquet": 2,
    }
    windows = (scanned.detections.folder / "windows.csv").read_text().splitlines()
    assert windows[:3] == [
        "path,start,end,likeness,score_path,s0",
        "a.flac,0,5,,0,0.1",  # these scores have no likeness
        "a.flac,5,10,,0.2,0.6",
    ]
    raven = pd.read_csv(scanned.detections.folder / "events.selections.txt", sep="\t")
    # one after another, as Raven opens them: the second recording begins after the 15 s of the first
    assert raven["Begin Time (s)"].tolist() == [5, 20] and raven["File Offset (s)"].tolist() == [5, 5]


def test_labels_that_are_formulas_are_none_where_that_is_asked_for(scanned: ScanResult) -> None:
    scanned = replace(scanned, classes=("=s0", *scanned.classes[1:]))
    for safe, name in ((False, "=s0"), (True, "'=s0")):
        write_detections(scanned, ExportOptions(("windows", "csv"), 0.55, ("=s0",), safe_csv=safe))
        folder = scanned.detections.folder
        assert (folder / "windows.csv").read_text().splitlines()[0] == f"path,start,end,likeness,{name}"
        assert pd.read_csv(folder / "events.csv")["label"].tolist() == [name]


def test_ravens_table_has_the_files_their_band_and_the_channel(scanned: ScanResult) -> None:
    for one in scanned.recordings:
        sf.write(one.file, np.zeros(800), 8000, format="FLAC")
    scanned.detections.settings["channel"] = 1  # from 0
    write_detections(scanned, ExportOptions(("raven",), 0.55, ("s0",)))
    table = pd.read_csv(scanned.detections.folder / "events.selections.txt", sep="\t")
    assert table["Begin Path"].tolist() == [str(scanned.recordings[0].file)]
    assert table[["Channel", "Low Freq (Hz)", "High Freq (Hz)"]].to_numpy().tolist() == [[2, 0, 4000]]


def test_label_tracks_stay_in_their_folder(scanned: ScanResult, tmp_path: Path) -> None:
    names = ("../../a.wav", "a.wav", str(tmp_path / "a.wav"), "site/../../b.wav")
    _write_audacity(make_annotations([], "none", recordings=names), tmp_path / "tracks")
    files = {path.relative_to(tmp_path / "tracks").as_posix() for path in tmp_path.rglob("*.txt")}
    assert files == {"a.wav.txt", "a.wav#2.txt", "a.wav#3.txt", "site/b.wav.txt"}


def test_each_class_has_its_threshold_unless_one_is_given_for_all(scanned: ScanResult) -> None:
    bars = np.array([0.95, 0.65, np.inf])
    chosen, given = ExportOptions(thresholds=bars), ExportOptions(min_score=0.1, thresholds=bars)
    events = events_of(scanned, chosen.columns(CLASSES), chosen.lowest_scores(CLASSES)).table
    assert events[["start", "end", "label"]].to_numpy().tolist() == [[10.0, 15.0, "s0"]]
    assert given.lowest_scores(CLASSES).tolist() == [0.1] * 3
    assert ExportOptions().lowest_scores(CLASSES).tolist() == [0.5] * 3


def test_what_cannot_be_wanted(tmp_path: Path) -> None:
    for wrong in ({"formats": ("xml",)}, {"min_score": 1.5}):
        with pytest.raises(ConfigError, match=r"format is 'xml'|min-score is 1\.5"):
            ExportOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="wern, perhaps wren"):
        ExportOptions(labels=("wern",)).columns(("wren", "robin"))
    many = [f"Species number {i}" for i in range(400)]
    assert labels_from(",".join(many)) == tuple(many)
    (tmp_path / "list.txt").write_text("wren\n\n Parus major \n")
    assert labels_from(str(tmp_path / "list.txt")) == ("wren", "Parus major")


def test_scores_by_other_settings_are_not_mixed(tmp_path: Path) -> None:
    Detections(tmp_path / "d", {"window": 5.0, "overlap": 0.0})
    Detections(tmp_path / "d", {"window": 5.0, "overlap": 0.0})
    with pytest.raises(ConfigError, match=r"1 setting differs:\n  overlap: 0\.0 in the folder, 2\.5 now"):
        Detections(tmp_path / "d", {"window": 5.0, "overlap": 2.5})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(AuristError, match=r"holds thesis\.txt"):
        Detections(tmp_path / "other", {})
