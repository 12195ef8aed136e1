"""The recording of a table or of a path in it: never a wrong one, and never silently one of several."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.annotations import Recordings, read_annotations
from aurist.errors import DataError

from .files import RAVEN, boxes, recordings, write

PLACED = RAVEN + "\tBegin Path\tFile Offset (s)\tSpecies"


def selection(number: int, start: float, path: str, label: str) -> str:
    return f"{number}\tSpectrogram 1\t1\t{start}\t{start + 1}\t100\t900\t{path}\t1\t{label}"


def labelled(source: Path, root: Path) -> list[tuple[object, object]]:
    return [(row[0], row[-1]) for row in boxes(read_annotations(source, audio_root=root))]


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    recordings(tmp_path / "rec", "siteA/X.wav", "siteB/X.wav")
    return tmp_path


def test_recordings_of_one_name_are_told_apart_by_their_folders(sites: Path) -> None:
    rows = (
        selection(1, 1, "D:\\field\\siteA\\X.wav", "wren"),
        selection(2, 11, "D:\\field\\SITEB\\x.WAV", "owl"),
    )
    table = write(sites / "tab", "all.txt", PLACED, *rows)
    assert labelled(table, sites / "rec") == [("siteA/X.wav", "wren"), ("siteB/X.wav", "owl")]
    # the other site is not there: its owl must not land on this one's sound
    with pytest.raises(
        DataError, match=r"(?s)X\.wav would be the recording of D:/field/siteA/X\.wav and of D:/field/"
    ):
        read_annotations(table, audio_root=sites / "rec" / "siteA")


def test_labels_of_a_deeper_folder_are_found_by_the_end_of_their_path(tmp_path: Path) -> None:
    recordings(tmp_path / "rec", "x/siteA/1.wav", "x/siteB/1.wav")
    table = write(tmp_path, "all.txt", PLACED, selection(1, 1, "siteA/1.wav", "wren"))
    assert labelled(table, tmp_path / "rec") == [("x/siteA/1.wav", "wren")]


def test_tables_without_a_path_belong_to_the_same_subfolder(sites: Path) -> None:
    for site, label in (("siteA", "wren"), ("siteB", "owl")):
        write(sites / "tab", f"{site}/X.txt", f"1\t2\t{label}")
    expected = [("siteA/X.wav", "wren"), ("siteB/X.wav", "owl")]
    assert labelled(sites / "tab", sites / "rec") == expected
    # as aurist predict --format audacity writes them, and Raven with the names of the files alone
    for site, label in (("siteA", "wren"), ("siteB", "owl")):
        write(sites / "det", f"audacity/{site}/X.wav.txt", f"1\t2\t{label}")
        row = f"1\tS\t1\t1\t2\t100\t900\tX.wav\t{label}"
        write(sites / "raven", f"{site}/t.txt", RAVEN + "\tBegin File\tSpecies", row)
    assert labelled(sites / "det", sites / "rec") == labelled(sites / "raven", sites / "rec") == expected
    (sites / "rec" / "siteB" / "X.wav").unlink()
    with pytest.raises(
        DataError, match=r"siteA/X\.wav would be the recording of .*tab/siteA/X and of .*tab/siteB/X"
    ):
        read_annotations(sites / "tab", audio_root=sites / "rec")


def test_what_may_belong_to_several_is_refused_with_their_paths(sites: Path) -> None:
    message = r"may be 2 recordings in .*rec: siteA/X\.wav, siteB/X\.wav"
    for name, lines in (
        ("X.txt", ["1\t2\twren"]),
        ("all.csv", ["path,start,end,label", "X.wav,1,2,wren"]),
        ("moved.csv", ["path,start,end,label", "/old/disk/X.wav,1,2,wren"]),
        ("l.csv", ["row_id,birds", "X_5,wren"]),
    ):
        with pytest.raises(DataError, match=message):
            read_annotations(write(sites / "tab", name, *lines), audio_root=sites / "rec")


def test_two_people_may_annotate_a_recording(tmp_path: Path) -> None:
    recordings(tmp_path / "rec", "X.wav")
    for who in ("anna", "ben"):
        write(tmp_path / "tab", f"{who}/X.txt", f"1\t2\t{who}")
    write(tmp_path / "tab", "raven/all.txt", PLACED, selection(1, 1, "C:\\field\\X.wav", "wren"))
    assert labelled(tmp_path / "tab", tmp_path / "rec") == [("X.wav", who) for who in ("anna", "ben", "wren")]


def birdnet(folder: Path, *paths: str) -> Path:
    header = "Start (s),End (s),Scientific name,Common name,Confidence,File"
    return write(
        folder, "birdnet.csv", header, *(f"0.0,3.0,Parus major,Great Tit,0.9,{path}" for path in paths)
    )


@pytest.mark.parametrize(
    "given",
    ["/home/anna/field/siteA/a.wav", "C:\\field\\siteA\\a.wav", "siteA\\a.wav", "./siteA/a.wav", "a.wav"],
)
def test_a_path_of_another_machine_is_found_by_its_end(tmp_path: Path, given: str) -> None:
    recordings(tmp_path / "rec", "siteA/a.wav")
    annotations = read_annotations(birdnet(tmp_path, given), audio_root=tmp_path / "rec")
    assert annotations.recordings == ("siteA/a.wav",)


def test_a_relative_path_in_another_folder_is_another_recording(tmp_path: Path) -> None:
    recordings(tmp_path / "rec", "siteA/a.wav")
    annotations = read_annotations(
        birdnet(tmp_path, "siteA/a.wav", "siteC\\a.wav"), audio_root=tmp_path / "rec"
    )
    assert annotations.recordings == ("siteA/a.wav", "siteC/a.wav")


def test_one_recording_has_one_name(tmp_path: Path) -> None:
    recordings(tmp_path / "real" / "rec", "a.wav", "b.wav", "deep/a.wav")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "rec")
    root = tmp_path / "link"
    rows = (
        selection(1, 1, f"{root}/a.wav", "wren"),
        selection(2, 1, f"{tmp_path}/real/rec/a.wav", "jay"),
        selection(3, 1, "./a.wav", "tit"),
    )
    write(tmp_path / "tab", "all.txt", PLACED, *rows)
    write(tmp_path / "tab", "b.txt", "1\t2\towl")
    write(
        tmp_path / "tab",
        "c.csv",
        "path,start,end,label",
        "b.wav,1,2,x",
        "./b.wav,1,2,y",
        "deep/../b.wav,1,2,z",
    )
    annotations = read_annotations(tmp_path / "tab", audio_root=root)
    assert annotations.recordings == ("a.wav", "b.wav")


def test_calls_may_share_what_they_know(sites: Path) -> None:
    (sites / "rec" / "siteB" / "X.wav").unlink()
    rec = Recordings(sites / "rec")
    for name in ("siteA", "siteB"):
        write(sites, f"{name}.csv", "path,start,end,label", f"/data/{name}/X.wav,1,2,wren")
    read_annotations(sites / "siteA.csv", audio_root=rec)
    with pytest.raises(DataError, match="which are different paths"):
        read_annotations(sites / "siteB.csv", audio_root=rec)


def test_the_dates_that_birdclef_leaves_out(tmp_path: Path) -> None:
    recordings(tmp_path, "a/rec_1_20190904.ogg", "b/rec_1.ogg", "2_20190904.ogg", "2_20190905.ogg")
    table = write(tmp_path, "l.csv", "row_id,birds", "rec_1_5,wren")
    assert labelled(table, tmp_path) == [("b/rec_1.ogg", "wren")]
    table = write(tmp_path, "l.csv", "row_id,birds", "2_5,wren")
    with pytest.raises(DataError, match=r"2 may be 2 recordings in .*: 2_20190904\.ogg, 2_20190905\.ogg"):
        read_annotations(table, audio_root=tmp_path)


@pytest.mark.parametrize("given", [True, False])
def test_the_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool) -> None:
    from aurist.annotations import recordings as module

    listed = []
    monkeypatch.setattr(
        module, "find_audio", lambda folder, real=module.find_audio: listed.append(folder) or real(folder)
    )
    for i in range(5):
        recordings(tmp_path, f"{i}.wav")
        write(tmp_path, f"{i}.txt", "1\t2\twren")
    assert len(read_annotations(tmp_path, audio_root=tmp_path if given else None)) == 5
    assert listed == [tmp_path]
