"""Groups guessed from names: the names of well-known data sets, names as people give them, and ordinary ones."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.clips import make_clips
from aurist.clips.grouping import grouping_from, propose
from aurist.clips.guess import ReadOptions
from aurist.clips.guessed_groups import FILE_NAMES, apply_grouping, groups_by_rule, with_guessed_groups
from aurist.clips.read import read_clips

#: A clip: its name, its class, and the group that is right.
Row = tuple[str, str, str]
DOG_CAT = ("dog", "cat")


def rows(names: str, **values: list[object]) -> list[Row]:
    """``name | class | group`` with fields in braces, for every combination of the values."""
    keys = list(values)
    return [
        tuple(part.strip().format(**dict(zip(keys, combination, strict=True))) for part in names.split("|"))  # type: ignore[misc]
        for combination in product(*values.values())
    ]


def numbers(n: int, start: int = 0) -> list[object]:
    return list(range(start, start + n))


def of_two(names: str, first: str, second: str, recordings: int = 5, **values: list[object]) -> list[Row]:
    """The same of two classes, ``{c}``, whose recordings ``{r}`` are numbered on."""
    return rows(names, c=[first], r=numbers(recordings), **values) + rows(
        names, c=[second], r=numbers(recordings, recordings), **values
    )


HASHES = ["c50f55b8", "0a7c2a8d", "f2e59fea", "9a69672b"]
SPEAKERS = ["jackson", "nicolas", "theo", "yweweler"]
PIECES = numbers(4)

EXAMPLES = {
    # data sets
    "ESC-50": of_two("audio/{f}-{r}137-{t}-32.wav | {c} | {r}137", *DOG_CAT, f=[1], t=["A", "B"]),
    "UrbanSound8K": of_two("fold1/{r}032-3-0-{k}.wav | {c} | {r}032", *DOG_CAT, k=PIECES),
    "GTZAN in threes": of_two("{c}/{c}.{r:05d}.{k}.wav | {c} | {c}.{r:05d}", "blues", "jazz", k=PIECES),
    "GTZAN in threes, a table": of_two("{c}.{r:05d}.{k} | {c} | {c}.{r:05d}", "blues", "jazz", k=PIECES),
    "FSDD": rows("recordings/{d}_{s}_{n}.wav | {d}_ | {s}", d=numbers(10), s=[*SPEAKERS], n=numbers(3)),
    "FSDD in folders": rows("{d}/{s}_{n}.wav | {d} | {s}", d=numbers(10), s=[*SPEAKERS], n=numbers(3)),
    "take after speaker": rows("{s}_{d}_{n}.wav | {d} | {s}", d=["yes", "no"], s=[*SPEAKERS], n=numbers(3)),
    "take before speaker": rows("{d}-{n}-{s}.wav | {d} | {s}", d=["yes", "no"], s=[*SPEAKERS], n=numbers(3)),
    "no take": rows("{s}_{d}.wav | {d} | {s}", d=["yes", "no"], s=[*SPEAKERS]),
    "AudioMNIST": rows("{s}/{d}_{s}_{n}.wav | {d} | {s}", d=numbers(10), s=["01", "02", "03"], n=numbers(3)),
    "Speech Commands": rows("{w}/{s}_nohash_{n}.wav | {w} | {s}", w=["yes", "no"], s=[*HASHES], n=numbers(2)),
    "xeno-canto, cut": of_two("{c}/XC{r}456-0{k}.mp3 | {c} | XC{r}456", "wren", "robin", k=PIECES),
    "BirdCLEF, by seconds": of_two("{c}/XC{r}456_{k}5.ogg | {c} | XC{r}456", "wren", "robin", k=PIECES),
    "xeno-canto, named": of_two("{c}/{c} XC{r}456 call {k}.mp3 | {c} | XC{r}456", "wren", "robin", k=PIECES),
    "BirdNET": of_two("{c}/0.8{k}_{k}_rec{r}_{k}.0s_{k}.5s.wav | {c} | rec{r}", "wren", "robin", k=PIECES),
    "AudioMoth, cut": of_two("{c}/20240501_05{r:02d}00_seg{k}.WAV | {c} | 20240501_05{r:02d}00", *DOG_CAT, k=PIECES),
    "Song Meter, cut": of_two(
        "{c}/SITE1_20240501_05{r:02d}00_{k:03d}.wav | {c} | SITE1_20240501_05{r:02d}00", *DOG_CAT, k=PIECES
    ),
    "one recorder each": of_two("{c}/SITE{r}_20240501_05{k:02d}00.wav | {c} | SITE{r}", *DOG_CAT, k=PIECES),
    "TAU scenes": of_two("audio/{c}-lisbon-{r}-40{k}-a.wav | {c} | lisbon-{r}", "street_traffic", "bus", k=PIECES),
    "TUT scenes": of_two("audio/a{r:03d}_{k}0_{k}5.wav | {c} | a{r:03d}", "home", "bus", k=PIECES),
    "VoxCeleb, of a gender": of_two("id1{r:04d}/5r0dWxy17C{k}/00001.wav | {c} | id1{r:04d}", "m", "f", k=PIECES),
    "VoxCeleb, of a speaker": rows(
        "id1000{s}/{s}v{v}/0000{k}.wav | id1000{s} | {s}v{v}", s=numbers(3), v=numbers(4), k=PIECES
    ),
    "RAVDESS": rows("A{a}/03-01-0{e}-01-0{k}-01-0{a}.wav | e{e} | 0{a}", a=numbers(4, 1), e=[1, 2], k=[1, 2]),
    "LibriSpeech": of_two("{r:02d}89-134686-000{k}.flac | {c} | {r:02d}89", "m", "f", k=PIECES),
    "VCTK": of_two("p22{r}_00{k}_mic{m}.flac | {c} | p22{r}", "m", "f", k=PIECES, m=[1, 2]),
    "MIMII": rows("{c}/{c}_id_0{i}_0000{k}.wav | {c} | id_0{i}", c=["normal", "abnormal"], i=[0, 2, 4], k=PIECES),
    "freesound": of_two("{c}/{k}23__user{r}__bark-{k}.wav | {c} | user{r}", *DOG_CAT, k=PIECES),
    # as people cut
    "running number": of_two("{c}/rec{r:02d}_{k:03d}.wav | {c} | rec{r:02d}", *DOG_CAT, k=PIECES),
    "hyphen": of_two("{c}/rec{r}-{k}.wav | {c} | rec{r}", *DOG_CAT, k=PIECES),
    "brackets": of_two("{c}/rec{r} ({k}).wav | {c} | rec{r}", *DOG_CAT, k=PIECES),
    "chunk": of_two("{c}/field{r}_chunk_{k:04d}.wav | {c} | field{r}", *DOG_CAT, k=PIECES),
    "glued word": of_two("{c}/field{r}seg{k}.wav | {c} | field{r}", *DOG_CAT, k=PIECES),
    "part of": of_two("{c}/walk {r} part {k} of 4.wav | {c} | walk {r}", *DOG_CAT, k=PIECES),
    "offsets": of_two("{c}/name{r}_{k}.0-{k}.5.wav | {c} | name{r}", *DOG_CAT, k=PIECES),
    "offsets in words": of_two("{c}/name{r}_{k}.0s_to_{k}.5s.wav | {c} | name{r}", *DOG_CAT, k=PIECES),
    "milliseconds": of_two("{c}/name{r}_{k}500ms.wav | {c} | name{r}", *DOG_CAT, k=PIECES),
    "minutes": of_two("{c}/name{r}_0{k}m30s.wav | {c} | name{r}", *DOG_CAT, k=PIECES),
    "clock": of_two("{c}/name{r}_00-0{k}-30.wav | {c} | name{r}", *DOG_CAT, k=PIECES),
    "letters": of_two("{c}/walk{r}{k}.wav | {c} | walk{r}", *DOG_CAT, k=["a", "b", "c"]),
    "augmented": of_two("{c}/walk{r}_{k}_aug{a}.wav | {c} | walk{r}", *DOG_CAT, k=PIECES, a=[1, 2]),
    "the whole beside its pieces": of_two("{c}/walk{r}{k}.wav | {c} | walk{r}", *DOG_CAT, k=["", "_1", "_2"]),
    "number in front": of_two("{c}/{k:02d}_walk{r}.wav | {c} | walk{r}", *DOG_CAT, k=PIECES),
    "counted anew in every class": [
        (f"{c}/rec{r}_{k}.wav", c, f"{c}/rec{r}") for c in DOG_CAT for r in range(4) for k in range(4)
    ],
    "sites": rows("site{s}/{n:04d}.wav | {c} | site{s}", s=numbers(5), n=numbers(3), c=["x"])
    + rows("site{s}/1{n:04d}.wav | {c} | site{s}", s=numbers(5), n=numbers(3), c=["y"]),
    "Windows": of_two("{c}\\rec{r}_{k}.wav | {c} | rec{r}", *DOG_CAT, k=PIECES),
    "Korean": of_two("{c}/녹음{r}_{k}.wav | {c} | 녹음{r}", "개", "고양이", k=PIECES),
    "ids": of_two("TR{r:03d}_{k} | {c} | TR{r:03d}", *DOG_CAT, k=PIECES),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_right_groups(kind: str) -> None:
    clips = [(name, label.rstrip("_"), group) for name, label, group in EXAMPLES[kind]]
    grouping = propose([name for name, _, _ in clips], [(label,) for _, label, _ in clips])
    assert grouping is not None
    assert grouping.objection == ""
    assert grouping.n_groups == len({group for _, _, group in clips})
    groups = [grouping.rule.group_of(name) for name, _, _ in clips]
    assert (
        pd.factorize(pd.Series(groups))[0].tolist()
        == pd.factorize(pd.Series([g for _, _, g in clips]))[0].tolist()
    )
    assert grouping.example[0] in [name for name, _, _ in clips]
    assert grouping_from(grouping.to_dict()) == grouping


_CHANCE = random.Random(0)
_TITLES = [
    "Symphony No 5", "Symphony No 9", "99 Problems", "Summer of 69", "Area 51", "1979", "Blink 182 - All", "22",
    "Seven Nation Army", "Song 2", "Vitamin C", "Plan B", "50 Ways", "Mambo No 5", "Hey Jude", "Help", "Let It Be",
    "25 or 6 to 4", "Heroes 2017 Remaster", "Time",
]  # fmt: skip
ORDINARY = {
    "title": [(f"{'ab'[i % 2]}/{title}.mp3", "ab"[i % 2]) for i, title in enumerate(_TITLES)],
    "tracks": [(f"{c}/track{n:02d}.mp3", c) for c in DOG_CAT for n in range(40)],
    "numbers": [(f"{c}/{n}.wav", c) for c in DOG_CAT for n in range(40)],
    "hashes of 4": [(f"{'ab'[i % 2]}/{_CHANCE.getrandbits(16):04x}.wav", "ab"[i % 2]) for i in range(300)],
    "hashes of 8": [(f"{'ab'[i % 2]}/{_CHANCE.getrandbits(32):08x}.wav", "ab"[i % 2]) for i in range(300)],
    "hashes of 32": [(f"{'ab'[i % 2]}/{_CHANCE.getrandbits(128):032x}.wav", "ab"[i % 2]) for i in range(300)],
    "FMA": [(f"{i // 50:03d}/{i // 50:03d}{i % 50:03d}.mp3", "ab"[i % 2]) for i in range(300)],
    "whole recordings of xeno-canto": [
        (f"{'ab'[i % 2]}/XC{1000 + 17 * i} - Great Tit.mp3", "ab"[i % 2]) for i in range(60)
    ],
    "AudioMoth": [(f"{'ab'[d % 2]}/202405{d:02d}_{h:02d}3000.WAV", "ab"[d % 2]) for d in range(1, 9) for h in (4, 5)],
    "one file of ESC-50": [("1-137-A-32.wav", "a"), ("x.wav", "b"), ("y.wav", "a"), ("z.wav", "b")],
    "ZOOM": [(f"{'ab'[n % 2]}/ZOOM{n:04d}.WAV", "ab"[n % 2]) for n in range(60)],
    "nips4b": [(f"train/nips4b_birds_trainfile{n:03d}.wav", "ab"[n % 2]) for n in range(60)],
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_names_tell_nothing(kind: str) -> None:
    assert propose([name for name, _ in ORDINARY[kind]], [(label,) for _, label in ORDINARY[kind]]) is None


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (rows("{c}/{c}_{n:03d}.wav | {c} | ", c=[*DOG_CAT], n=numbers(40, 1)), "they are the classes"),
        (rows("{c}/{c} ({n}).wav | {c} | ", c=[*DOG_CAT], n=numbers(40, 1)), "they are the classes"),
        (rows("{c}/{c}.{n:05d}.wav | {c} | ", c=["blues", "jazz"], n=numbers(40)), "they are the classes"),
        (of_two("{c}/rec{r}_{k}.wav | {c} | ", *DOG_CAT, recordings=2, k=PIECES), "class 'dog' would have 2 groups"),
    ],
)  # fmt: skip
def test_shown_but_not_used(names: list[Row], why: str) -> None:
    grouping = propose([name for name, _, _ in names], [(label,) for _, label, _ in names])
    assert grouping is not None
    assert grouping.objection.startswith(why)
    clips = make_clips([(label,) for _, label, _ in names], paths=[name for name, _, _ in names])
    columns = {FILE_NAMES: [name for name, _, _ in names]}
    noted = with_guessed_groups(clips, columns, ReadOptions(), given=False)
    assert noted.table["group"].isna().all()
    assert why in noted.notes[-1]
    used = with_guessed_groups(clips, columns, ReadOptions(group="names"), given=False)
    assert used.table["group"].notna().all()


def test_groups_that_would_empty_the_given_folds_are_not_used() -> None:
    names = [name for name, _, _ in EXAMPLES["FSDD"]]
    labels = [(label,) for _, label, _ in EXAMPLES["FSDD"]]
    grouping = propose(names, labels, folds=[str(i % 3) for i in range(len(names))])
    assert grouping is not None
    assert "given folds split them" in grouping.objection
    by_speaker = [str(SPEAKERS.index(group)) for _, _, group in EXAMPLES["FSDD"]]
    uncut = propose(names, labels, folds=by_speaker)
    assert uncut is not None
    assert uncut.objection == ""


KINDS = st.sampled_from([kind for kind in EXAMPLES if "\\" not in EXAMPLES[kind][0][0]])


@given(kind=KINDS, seed=st.integers(0, 5))
def test_the_order_does_not_matter(kind: str, seed: int) -> None:
    clips = list(EXAMPLES[kind])
    random.Random(seed).shuffle(clips)
    straight, mixed = (
        propose([name for name, _, _ in of], [(label,) for _, label, _ in of])
        for of in (EXAMPLES[kind], clips)
    )
    assert straight is not None
    assert mixed is not None
    assert mixed.rule == straight.rule


@given(
    width=st.integers(1, 6),
    ending=st.sampled_from(["", ".wav", ".MP3", ".flac", ".npy", ".wav.npy"]),
    between=st.sampled_from(["_", "-", " ", ".", "_seg", "-part", "_chunk_"]),
    start=st.integers(0, 3),
)
def test_width_ending_and_separator_do_not_matter(width: int, ending: str, between: str, start: int) -> None:
    names = [f"walk{r}{between}{k:0{width}d}{ending}" for r in range(6) for k in range(start, start + 5)]
    grouping = propose(names, [(DOG_CAT[row // 15],) for row in range(30)])
    assert grouping is not None
    assert grouping.objection == ""
    assert [grouping.rule.group_of(name) for name in names] == [f"walk{row // 5}" for row in range(30)]


def make_files(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_is_read_with_its_groups_unless_they_are_refused(tmp_path: Path) -> None:
    make_files(tmp_path, [name for name, _, _ in EXAMPLES["running number"]])
    clips = read_clips(tmp_path)
    assert clips.table["group"].nunique() == 10
    assert '10 groups of 40 clips (group="none" counts each clip as its own group)' in clips.notes[-1]
    refused = read_clips(tmp_path, ReadOptions(group="none"))
    assert refused.table["group"].isna().all()
    assert refused.grouping is None


def test_folders_below_the_classes_can_be_refused_too(tmp_path: Path) -> None:
    make_files(tmp_path, [f"{c}/{s}/{n}.wav" for c in DOG_CAT for s in "ABC" for n in range(2)])
    assert read_clips(tmp_path).table["group"].nunique() == 6
    assert read_clips(tmp_path, ReadOptions(group="none")).table["group"].isna().all()


def feature_table(names: list[Row]) -> pd.DataFrame:
    measured = {f"f{i}": [row + i + 0.5 for row in range(len(names))] for i in range(6)}
    return pd.DataFrame(
        {"filename": [name for name, _, _ in names], **measured, "label": [c for _, c, _ in names]}
    )


def test_a_feature_table_is_grouped_by_names_of_files_that_need_not_be_there() -> None:
    names = EXAMPLES["GTZAN in threes, a table"]
    for options in (ReadOptions(), ReadOptions(path="none")):
        clips = read_clips(feature_table(names), options)
        assert clips.features == tuple(f"f{i}" for i in range(6))
        assert clips.table["group"].tolist() == [group for _, _, group in names]
    half = clips.take(list(range(0, 40, 2)))
    assert groups_by_rule(half, clips.grouping) == [group for _, _, group in names][::2]  # type: ignore[arg-type]


def test_a_name_that_several_rows_have_is_no_feature_and_a_group() -> None:
    names = [(f"{group}.wav", label, group) for _, label, group in EXAMPLES["GTZAN in threes, a table"]]
    clips = read_clips(feature_table(names))
    assert "filename" not in clips.features
    assert clips.table["group"].nunique() == 10


def test_given_groups_win() -> None:
    table = feature_table(EXAMPLES["GTZAN in threes, a table"]).assign(
        artist=[f"a{i % 5}" for i in range(40)]
    )
    clips = read_clips(table)
    assert clips.table["group"].tolist() == table["artist"].tolist()
    assert clips.grouping is None


def test_another_table_is_grouped_by_the_rule_of_the_first() -> None:
    clips = read_clips(feature_table(EXAMPLES["GTZAN in threes, a table"]))
    few = read_clips(
        feature_table([("blues.00000.7", "blues", ""), ("rock.00000.0", "jazz", "")]), labelled=False
    )
    assert few.grouping is None
    assert apply_grouping(few, clips.grouping).table["group"].tolist() == ["blues.00000", "rock.00000"]


def test_a_table_of_recordings_that_are_not_there_and_little_else_stays_one_of_recordings() -> None:
    table = feature_table(EXAMPLES["GTZAN in threes, a table"]).drop(columns=["f2", "f3", "f4", "f5"])
    assert read_clips(table).has_audio


def test_a_word_for_a_copy_is_the_name_of_nothing() -> None:
    names = [
        f"{c}/{r}{end}"
        for c, first in (("dog", 0), ("cat", 8))
        for r in range(first, first + 8)
        for end in (".ogg", " copy.mp3")
    ]
    proposal = propose(names, [(name[:3],) for name in names])
    assert proposal is None or proposal.rule.group_of("dog/3 copy.mp3") != proposal.rule.group_of(
        "dog/4 copy.mp3"
    )
