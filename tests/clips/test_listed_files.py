"""Recordings that tables list by the end of their paths: layouts of FSD50K and BirdCLEF, names without endings."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PureWindowsPath

import pytest

from aurist.audio import probe
from aurist.audio.info import UnreadableAudioError
from aurist.clips.name_parts import base_name, folders_of
from aurist.clips.read import ReadOptions, read_clips
from aurist.clips.suffixes import is_audio
from aurist.errors import DataError


def make(folder: Path, table: str, text: str, *recordings: str) -> Path:
    for name in recordings:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    path = folder / table
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


FSD50K = """fname,labels,mids,split
64760,"Bark,Dog","/m/05tny_,/m/0bt9lr",train
16399,Dog,/m/0bt9lr,val
7,"Bark,Dog",/m/05tny_,train
"""


@pytest.mark.parametrize(("table", "folder"), [("dev.csv", ""), ("FSD50K.ground_truth/dev.csv", "../")])
def test_fsd50k_as_it_is(tmp_path: Path, table: str, folder: str) -> None:
    names = ["FSD50K.dev_audio/64760.wav", "FSD50K.dev_audio/16399.wav", "FSD50K.dev_audio/7.wav"]
    clips = read_clips(make(tmp_path, table, FSD50K, *names))
    assert clips.table["path"].tolist() == [folder + name for name in names]
    assert all(file.is_file() for file in clips.files())
    assert clips.table["labels"].tolist() == [("Bark", "Dog"), ("Dog",), ("Bark", "Dog")]
    assert clips.table["part"].tolist() == ["train", "valid", "train"]
    assert any("fname" in note and "guessed" in note for note in clips.notes)


def test_other_folders_of_sound_beside_a_table_are_not_searched(tmp_path: Path) -> None:
    make(tmp_path, "tables/t.csv", "path,label\na.wav,a\nb.wav,b\n", "my_audio_books/a.wav", "audio/b.wav")
    assert read_clips(tmp_path / "tables" / "t.csv").table["path"].tolist() == ["a.wav", "b.wav"]


ESC50 = """filename,fold,target,category
1-100032-A-0.wav,1,0,dog
2-100038-A-14.wav,2,14,birds
"""
URBANSOUND = """slice_file_name,fsID,start,end,salience,fold,classID,class
100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark
100263-2-0-117.wav,100263,58.5,62.5,1,1,2,children_playing
"""


def test_esc50_as_it_is(tmp_path: Path) -> None:
    names = ["1-100032-A-0.wav", "2-100038-A-14.wav"]
    clips = read_clips(make(tmp_path, "meta/esc50.csv", ESC50, *(f"audio/{name}" for name in names)))
    assert clips.table["path"].tolist() == [f"../audio/{name}" for name in names]
    assert all(file.is_file() for file in clips.files())
    assert clips.table["labels"].tolist() == [("dog",), ("birds",)]
    assert any("../audio/1-100032-A-0.wav" in note for note in clips.notes)


@pytest.mark.parametrize(("tables", "audio"), [("metadata", "audio"), ("Metadata", "Audio")])
def test_urbansound8k_as_it_is(tmp_path: Path, tables: str, audio: str) -> None:
    names = [f"{audio}/fold5/100032-3-0-0.wav", f"{audio}/fold1/100263-2-0-117.wav"]
    clips = read_clips(make(tmp_path, f"{tables}/UrbanSound8K.csv", URBANSOUND, *names))
    assert clips.table["path"].tolist() == [f"../{name}" for name in names]
    assert all(file.is_file() for file in clips.files())
    assert clips.classes == ("children_playing", "dog_bark")


@pytest.mark.parametrize(
    ("tables", "recordings"),
    [
        ("meta", ["audio_old/a.wav", "wav/b.wav", "my audio/a.wav"]),
        ("metadata2", ["audio/a.wav"]),
        ("labels", ["audio/a.wav", "audio/b.wav"]),
        ("meta", ["meta/other/c.wav", "audio/a.wav", "audio/b.wav"]),  # the folder has recordings of its own
        ("meta/2024", ["audio/a.wav"]),
    ],
)
def test_no_other_neighbours_are_searched(tmp_path: Path, tables: str, recordings: list[str]) -> None:
    path = make(tmp_path, f"{tables}/t.csv", "path,label\na.wav,a\nb.wav,b\n", *recordings)
    assert read_clips(path).table["path"].tolist() == ["a.wav", "b.wav"]


BIRDCLEF = """primary_label,secondary_labels,type,latitude,filename,author
abethr1,[],['song'],4.3,abethr1/XC128013.ogg,Rolf
abethr1,"['hoopoe', 'abethr1']",['call'],4.3,abethr1/XC2.ogg,Rolf
hoopoe,[],['call'],1.5,hoopoe/XC3.ogg,Anna
"""


def test_birdclef_as_it_is(tmp_path: Path) -> None:
    names = ["train_audio/abethr1/XC128013.ogg", "train_audio/abethr1/XC2.ogg", "train_audio/hoopoe/XC3.ogg"]
    path = make(tmp_path, "train_metadata.csv", BIRDCLEF, *names)
    clips = read_clips(path)
    assert clips.table["path"].tolist() == names
    assert clips.multilabel and clips.table["labels"].tolist() == [
        ("abethr1",),
        ("abethr1", "hoopoe"),
        ("hoopoe",),
    ]
    assert any("secondary_labels" in note for note in clips.notes)
    # the folder of the data set, with recordings that nobody labelled
    make(tmp_path, "sample_submission.csv", "row_id,abethr1\ns_5,0\n", "train_soundscapes/s.ogg")
    whole = read_clips(tmp_path)
    assert whole.table["path"].tolist() == names and whole.classes == clips.classes
    assert any("1 of 4 recordings" in note and "not in train_metadata.csv" in note for note in whole.notes)
    first = read_clips(path, ReadOptions(label="primary_label"))
    assert not first.multilabel and first.classes == ("abethr1", "hoopoe")


def test_accents_of_a_mac_and_missing_endings(tmp_path: Path) -> None:
    on_disk = unicodedata.normalize("NFD", "Mésange/Éa.wav")
    text = unicodedata.normalize("NFC", "path,label\nMésange/Éa.wav,a\nb,b\n")
    clips = read_clips(make(tmp_path, "t.csv", text, on_disk, "x/b.flac"))
    assert clips.table["path"].tolist() == [on_disk, "x/b.flac"]


def test_what_fits_several_is_refused_and_what_is_not_there_stays(tmp_path: Path) -> None:
    text = "path,label\na.wav,a\nb.wav,b\nno/c.wav,b\nhere.wav,a\n"
    path = make(tmp_path, "t.csv", text, "x/a.wav", "y/a.wav", "z/c.wav", "here.wav", "x/here.wav")
    with pytest.raises(DataError, match=r"1 ambiguous recording(.|\n)*a.wav may be x/a.wav, y/a.wav"):
        read_clips(path)
    clips = read_clips(path, ReadOptions(audio_root=tmp_path / "x"))
    assert clips.table["path"].tolist() == ["a.wav", "b.wav", "no/c.wav", "here.wav"]


def test_numbers_without_recordings_are_no_names(tmp_path: Path) -> None:
    # a folder of its own: those beside it are looked into, too
    path = make(tmp_path / "set", "t.csv", "file,tempo,label\n1,2.5,a\n2,3.5,b\n")
    assert read_clips(path).features == ("file", "tempo")


@pytest.mark.parametrize("name", ["9" * 5000 + ".wav", "x/" * 3000 + "a.wav"])
def test_a_path_that_no_file_can_have_is_one_that_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "labels.csv").write_text(f"path,label\n{name},dog\nb.wav,cat\n")
    clips = read_clips(tmp_path / "labels.csv")
    assert clips.table["path"].tolist() == [name, "b.wav"]
    with pytest.raises(UnreadableAudioError, match="does not exist"):
        probe(clips.files()[0])


@pytest.mark.parametrize("listed", [PureWindowsPath("dog/a.wav"), PureWindowsPath("calls/dog/a.wav")])
def test_paths_of_windows_in_a_table_are_found(tmp_path: Path, listed: PureWindowsPath) -> None:
    other = str(listed).replace("dog", "cat")
    assert other.count("\\") == len(listed.parts) - 1
    table = make(tmp_path, "t.csv", f"path,label\n{listed},dog\n{other},cat\n", listed.as_posix(),
                 PureWindowsPath(other).as_posix())  # fmt: skip
    clips = read_clips(table)
    assert [clips.file(path) for path in clips.table["path"]] == [
        tmp_path / listed.as_posix(),
        tmp_path / PureWindowsPath(other).as_posix(),
    ]


def test_names_of_windows_paths_are_split_like_others() -> None:
    windows = str(PureWindowsPath("calls/dog/rec_001.WAV"))
    assert is_audio(windows)
    assert base_name(windows) == "rec_001"
    assert folders_of(windows) == ["calls", "dog"]
