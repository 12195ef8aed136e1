"""The audit from end to end, on files with every flaw there is, and on the real data where it is present."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.audit import audit, with_file_rows
from aurist.audit.cache import NAME
from aurist.audit.sentences import sentences
from aurist.clips.read import ReadOptions, read_clips
from aurist.clips.table import make_clips
from aurist.errors import DataError

_spec = spec_from_file_location("audit_sounds", Path(__file__).with_name("conftest.py"))
sounds = module_from_spec(_spec)
_spec.loader.exec_module(sounds)
SR = sounds.RATE


def clips_of(paths, labels=None, **columns):
    labels = labels or ["x"] * len(paths)
    return make_clips([(label,) for label in labels], paths=paths, **columns)


def kinds(result):
    return {(Path(row.path).name, row.kind): bool(row.fatal) for row in result.broken.itertuples(index=False)}


def test_every_flaw_is_found_and_named(save, tmp_path):
    y = sounds.tune(0, 1.0)
    (tmp_path / "noise.wav").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "nothing.wav").write_bytes(b"")
    bad = y.copy()
    bad[100] = np.nan
    whole = Path(save("whole.flac", np.tile(y, 8)))
    (tmp_path / "half.flac").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    loud = np.clip(sounds.tune(1, 1.0) * 20, -1, 1)
    raw = bytearray(whole.read_bytes())
    raw[len(raw) // 2] ^= 0x55
    (tmp_path / "hole.flac").write_bytes(raw)
    paths = [
        save("good.wav", sounds.tune(2, 1.0)),
        str(tmp_path / "gone.wav"),
        str(tmp_path / "noise.wav"),
        str(tmp_path / "nothing.wav"),
        save("header.wav", y[:0]),
        save("zeros.wav", 0 * y),
        save("constant.wav", 0 * y + 0.25),
        save("faint.wav", y * 1e-5, subtype="FLOAT"),
        save("bad.wav", bad, subtype="FLOAT"),
        save("loud.wav", loud),
        save("click.wav", y[:200]),
        str(tmp_path / "half.flac"),
        str(tmp_path / "hole.flac"),
    ]
    result = audit(clips_of(paths), progress=False)
    assert kinds(result) == {
        ("gone.wav", "missing"): True,
        ("noise.wav", "unreadable"): True,
        ("nothing.wav", "empty"): True,
        ("header.wav", "empty"): True,
        ("zeros.wav", "silent"): True,
        ("constant.wav", "silent"): True,
        ("faint.wav", "silent"): True,
        ("bad.wav", "nan"): True,
        ("loud.wav", "clipped"): False,
        ("click.wav", "short"): False,
        ("half.flac", "truncated"): False,
        ("hole.flac", "damaged"): False,
    }
    assert result.usable.sum() == 5
    assert len(result.quarantine) == 8
    assert result.broken["detail"].str.len().min() > 0
    assert not result.exact
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_single_peak_at_full_scale_is_no_clipping(save):
    y = sounds.tune(0, 1.0)
    y[[50, 90, 700]] = 1.0
    assert audit(clips_of([save("a.wav", y, subtype="FLOAT")]), progress=False).broken.empty


def test_spans_are_judged_one_by_one(save):
    y = np.concatenate([sounds.tune(0, 1.0), np.zeros(SR, np.float32)])
    path = save("a.wav", y)
    spans = [(0, 1), (1, 2), (0, 2), (0.5, 2.5), (3, 4), (0.7, 0.7), (1.5, 0.5), (0.1, 0.11)]
    starts, ends = zip(*spans, strict=True)
    result = audit(clips_of([path] * len(spans), starts=starts, ends=ends), progress=False)
    assert [(row.row, row.kind, row.fatal) for row in result.broken.itertuples()] == [
        (1, "silent", True),
        (3, "cut", False),
        (4, "outside", True),
        (5, "outside", True),
        (6, "outside", True),
        (7, "short", False),
    ]
    assert len(set(result.groups.tolist())) == 1


def test_the_same_samples_in_another_container_are_exact_duplicates(save):
    y = np.round(sounds.tune(3, 2.0) * 32767) / 32768
    paths = [
        save("a.wav", y, subtype="PCM_16"),
        save("b.flac", y, subtype="PCM_16"),
        save("c.wav", y, subtype="FLOAT"),
        save("d.aiff", y, subtype="PCM_24"),
        save("e.wav", np.stack([y, y], axis=1), subtype="PCM_16"),
        save("other.wav", sounds.tune(4, 2.0)),
        save("swapped.wav", np.stack([y, 0 * y], axis=1)),
    ]
    result = audit(clips_of(paths, ["x", "x", "x", "y", "x", "y", "y"]), progress=False)
    assert [rows.tolist() for rows in result.exact] == [[0, 1, 2, 3, 4]]
    assert result.distinct == 3
    assert result.conflicts["row"].tolist()[:5] == [0, 1, 2, 3, 4]
    assert result.ceiling == pytest.approx(6 / 7)
    # one silent channel beside the same sound: not the same samples, but the same sound
    assert result.near[["row", "other_row"]].values.tolist() == [[0, 6]]
    assert result.groups.tolist() == [0, 0, 0, 0, 0, 1, 0]


def test_copies_join_the_groups_of_their_originals_and_leak_over_folds(save):
    y = [sounds.tune(seed) for seed in range(3)]
    paths = [save(f"{i}.wav", sound) for i, sound in enumerate(y)]
    paths.append(save("copy.mp3", 0.5 * y[0][SR:]))
    result = audit(clips_of(paths, groups=["p", "p", "q", "r"], folds=["1", "1", "2", "2"]), progress=False)
    assert result.groups.tolist() == [0, 0, 1, 0]
    (leak,) = result.leaks.to_dict("records")
    assert (leak["between"], leak["what"], leak["rows"]) == ("folds", "near duplicates", 2)
    assert [f.kind for f in result.findings if f.kind == "groups apart"] == ["groups apart"]
    assert any("near duplicates" in line for line in sentences(result))
    alone = audit(clips_of(paths), progress=False, near=False)
    assert alone.near.empty
    assert alone.groups.tolist() == [0, 1, 2, 3]


def test_a_test_table_is_compared_with_the_first(save):
    y = [np.round(sounds.tune(seed) * 32767) / 32768 for seed in range(4)]
    train = clips_of([save(f"{i}.wav", y[i]) for i in range(3)], groups=["a", "b", "c"])
    test = make_clips(
        [()] * 4,
        paths=[save("t0.flac", y[1]), save("t1.ogg", y[2][9000:]), save("t2.wav", y[3]), "missing.wav"],
        groups=["d", "e", "a", None],
    )
    result = audit(train, test, progress=False)
    assert result.seen.tolist() == [True, True, False, False]
    assert set(zip(result.leaks["what"], result.leaks["rows"], strict=True)) == {
        ("group", 1),
        ("identical sound", 1),
        ("near duplicates", 1),
    }
    assert result.near[["row", "other_row", "in_test"]].values.tolist() == [[2, 1, True]]
    assert result.test_broken["kind"].tolist() == ["missing"]
    assert result.groups.tolist() == [0, 1, 2]
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_feature_table(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=8), "b": 1.0, "c": list("xxyyxxyy")})
    table.loc[3] = table.loc[2]
    table.loc[7, ["a", "b", "c"]] = [np.nan, np.nan, None]
    table.loc[5, "a"] = np.inf
    table["b"] = table["b"].fillna(1.0)
    labels = [("p",), ("p",), ("p",), ("q",), ("q",), ("q",), ("q",), ("p",)]
    result = audit(make_clips(labels, features=table), progress=False)
    assert result.broken.empty
    assert {f.kind for f in result.findings} >= {"constant", "missing values", "infinite values"}
    assert [rows.tolist() for rows in result.exact] == [[2, 3]]
    assert result.conflicts["row"].tolist() == [2, 3]
    empty = table.assign(b=np.where(np.arange(8) == 7, np.nan, table["a"]))
    assert audit(make_clips(labels, features=empty), progress=False).quarantine["row"].tolist() == [7]


def test_a_test_table_without_the_features_is_an_error():
    train = make_clips([("p",)], features=pd.DataFrame({"tempo": [1.0], "energy": [2.0]}))
    test = make_clips([()], features=pd.DataFrame({"tempo": [1.0]}))
    with pytest.raises(DataError, match="energy"):
        audit(train, test, progress=False)


def test_an_empty_table_is_no_trouble():
    result = audit(make_clips([]), progress=False)
    assert len(result.groups) == 0
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_second_check_asks_the_cache_and_notices_a_changed_file(save, tmp_path, monkeypatch):
    paths = [save(f"{seed}.wav", sounds.tune(seed, 1.0)) for seed in range(3)]
    cache = tmp_path / "cache"
    first = audit(clips_of(paths), cache_dir=cache, progress=False)

    from aurist.audit import measure_files

    measured = []
    real = measure_files.measure_file
    monkeypatch.setattr(
        measure_files,
        "measure_file",
        lambda path, spans, near: measured.append(path.name) or real(path, spans, near=near),
    )
    again = audit(clips_of(paths), cache_dir=cache, progress=False)
    assert measured == []
    assert again.to_dict() == first.to_dict()
    soundfile.write(paths[1], 0 * sounds.tune(1, 2.0), SR)
    changed = audit(clips_of(paths), cache_dir=cache, progress=False)
    assert measured == ["1.wav"]
    assert changed.quarantine["row"].tolist() == [1]


def test_a_broken_cache_is_passed_over(save, tmp_path):
    paths = [save("a.wav", sounds.tune(0, 1.0))]
    (tmp_path / NAME).write_bytes(b"this is no database" * 100)
    assert len(audit(clips_of(paths), cache_dir=tmp_path, progress=False).groups) == 1
    (tmp_path / "file").write_text("")
    assert len(audit(clips_of(paths), cache_dir=tmp_path / "file", progress=False).groups) == 1
    other = tmp_path / "other"
    audit(clips_of(paths), cache_dir=other, progress=False)
    with sqlite3.connect(other / NAME) as base:
        base.execute("UPDATE facts SET facts = '{}'")
    assert audit(clips_of(paths), cache_dir=other, progress=False).content["files"] == 1
    for damage in ("known = x''", 'facts = replace(facts, \'"digest": "\', \'"digest": "?\')'):
        with sqlite3.connect(other / NAME) as base:
            assert base.execute(f"UPDATE facts SET {damage}").rowcount == 1
        assert audit(clips_of(paths), cache_dir=other, progress=False).content["files"] == 1


def test_a_property_of_the_files_that_gives_the_label_away_is_told(save):
    paths = [save(f"a{i}.wav", sounds.rain(i, 0.3)) for i in range(12)]
    paths += [save(f"b{i}.flac", sounds.rain(20 + i, 0.3)) for i in range(12)]
    result = audit(clips_of(paths, ["x"] * 12 + ["y"] * 12), progress=False)
    assert ["file format alone" in f.detail for f in result.findings if f.kind == "shortcut"] == [True]
    mixed = audit(clips_of(paths, ["x", "y"] * 12), progress=False)
    assert not [f for f in mixed.findings if f.kind == "shortcut"]


def test_the_spotify_table(data_dir):
    folder = data_dir / "spotify-genres"
    clips = read_clips(folder / "train.csv", ReadOptions(label="genre", id="ID"))
    test = read_clips(folder / "test.csv", ReadOptions(id="ID"), labelled=False)
    result = audit(clips, test, progress=False)
    assert (len(clips), result.distinct) == (25_383, 22_457)
    assert result.conflicts.groupby("kind")["set"].nunique().to_dict() == {"exact": 1_062}
    assert len(result.conflicts) == 2_353
    assert len(np.unique(result.groups)) == 22_457
    assert 0.20 < result.seen.mean() < 0.22
    duplicated = clips.feature_table().duplicated(keep=False)
    assert sum(map(len, result.exact)) == duplicated.sum()


def test_the_unknown_group_of_gtzan_is_found(data_dir):
    clips = read_clips(data_dir / "gtzan100" / "labels.csv", ReadOptions(group="group"))
    result = audit(clips, progress=False)
    group = clips.table["group"]
    n_groups = pd.Series(result.groups)[group != "blues.unknown"].groupby(group).nunique()
    assert (n_groups == 1).all()
    unknown = result.groups[group == "blues.unknown"]
    assert set(unknown) == set(result.groups[group == "blues.00000"])
    assert len(np.unique(result.groups)) == group.nunique() - 1


def test_the_odd_files(data_dir):
    result = audit(read_clips(data_dir / "odd-files" / "labels.csv"), progress=False)
    assert (result.broken["kind"] == "empty").sum() == 1
    assert (result.broken["kind"] == "truncated").sum() == 0
    assert len(result.exact) == 11
    assert len(result.conflicts[result.conflicts["kind"] == "exact"]) == 2


def test_copies_of_real_clips_in_a_folder_of_their_own(data_dir, tmp_path):
    """The job as a user does it: a folder per class in which somebody left altered copies."""
    originals = sorted((data_dir / "esc10" / "audio").rglob("*.ogg"))[::20]
    for i, path in enumerate(originals):
        folder = tmp_path / "sounds" / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / f"{i}.ogg")
        y, rate = soundfile.read(path, dtype="float32")
        energy = np.cumsum(y**2)
        cut = min(int(np.searchsorted(energy, 0.2 * energy[-1])), rate)
        soundfile.write(folder / f"{i} copy.mp3", 0.5 * y[cut:], rate)
    clips = read_clips(tmp_path / "sounds")
    result = audit(clips, progress=False)
    number = clips.table["path"].map(lambda path: Path(path).stem.split()[0])
    assert pd.Series(result.groups).groupby(number).nunique().mean() < 1.05
    assert pd.Series(number.to_numpy()).groupby(result.groups).nunique().max() == 1


def test_people_see_the_rows_of_their_file(tmp_path):
    # a blank line, so that the rows are no mere positions either
    text = "path,label\na.wav,x\n\nb.wav,y\nc.wav,x\n"
    (tmp_path / "labels.csv").write_text(text)
    for name in "ac":
        soundfile.write(tmp_path / f"{name}.wav", np.sin(np.arange(8000) / 9), 8000)
    result = audit(read_clips(tmp_path / "labels.csv"), progress=False)
    assert result.quarantine["row"].tolist() == [1]  # a position, inside
    assert with_file_rows(result.quarantine, result.rows)["row"].tolist() == [4]
    written = result.to_dict()
    assert [flaw["row"] for flaw in written["broken"]] == [4]
    assert written["exact"] == [[2, 5]]
    (tmp_path / "labels.csv").unlink()
    for name in "pq":
        (tmp_path / name).mkdir()
    (tmp_path / "a.wav").rename(tmp_path / "p" / "a.wav")
    (tmp_path / "c.wav").rename(tmp_path / "q" / "c.wav")
    written = audit(read_clips(tmp_path), progress=False).to_dict()
    assert written["exact"] == [["p/a.wav", "q/c.wav"]]
    assert [set(row) for row in written["conflicts"]] == [{"kind", "set", "clip_id", "labels"}] * 2


def test_near_duplicates_in_a_table_are_told_by_its_rows(tmp_path):
    y = sounds.tune(3)
    soundfile.write(tmp_path / "a.wav", y, SR)
    soundfile.write(tmp_path / "b.wav", 0.5 * y[SR:], SR)
    (tmp_path / "t.csv").write_text("path,label\na.wav,x\nb.wav,x\n")
    (tmp_path / "u.csv").write_text("path\n\n\nb.wav\n")
    clips = read_clips(tmp_path / "t.csv")
    assert audit(clips, progress=False).near_table()[["row", "other_row"]].values.tolist() == [[2, 3]]
    crossed = audit(clips.take([0]), read_clips(tmp_path / "u.csv", labelled=False), progress=False)
    assert crossed.near_table()[["row", "other_row", "in_test"]].values.tolist() == [[2, 4, True]]


def test_rows_without_ids_are_called_as_an_editor_counts_them(tmp_path):
    text = "f,g,genre,part\n1,2,x,train\n\n1,2,x,test\n3,4,y,train\n,,y,train\n5,6,y,test\n"
    (tmp_path / "t.csv").write_text(text)
    (tmp_path / "new.csv").write_text("f,g\n7,8\n\n3,4\n")
    clips = read_clips(tmp_path / "t.csv")
    messages = sentences(audit(clips, read_clips(tmp_path / "new.csv", labelled=False), progress=False))
    assert "1 clip no features (left out), such as row 6: all of its features are missing (2)" in messages
    assert any("such as row 2 (train) and row 4 (test)" in sentence for sentence in messages)
    assert any("such as row 5 (train) and row 4 (test)" in sentence for sentence in messages)
    (tmp_path / "t.csv").write_text("id,f,genre\nA1,1,x\nA2,,y\n")
    messages = sentences(audit(read_clips(tmp_path / "t.csv"), progress=False))
    assert (
        "1 clip no features (left out), such as A2 (row 3): all of its features are missing (1)" in messages
    )


def test_one_is_not_called_many():
    labels = [("x",), ("x",), ("y",), ("y",)]
    features = pd.DataFrame({"f": [1.0, 2.0, 3.0, np.nan]})
    messages = sentences(audit(make_clips(labels, features=features), progress=False))
    assert "1 clip no features (left out), such as 3: all of its features are missing (1)" in messages
    assert not [sentence for sentence in messages if re.search(r"\b1 (clips|sets|inputs|pairs)\b", sentence)]


def test_given_features_that_are_alike_are_no_copies_where_the_sound_is_not(tmp_path):
    for name in "abc":
        soundfile.write(tmp_path / f"{name}.wav", sounds.tune(ord(name)), SR)
    soundfile.write(tmp_path / "d.wav", sounds.tune(ord("a")), SR)
    site = pd.DataFrame({"site": [1.0, 1.0, 2.0, 1.0]})
    paths = [str(tmp_path / f"{name}.wav") for name in "abcd"]
    clips = make_clips([("x",), ("y",), ("x",), ("x",)], paths=paths, features=site)
    result = audit(clips, progress=False)
    assert [sorted(rows) for rows in result.exact] == [[0, 3]]
    assert len(set(result.groups.tolist())) == 3
