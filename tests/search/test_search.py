"""An index of windows: its files, its answers, its interruptions, its map."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from aurist.detection.store import Recording
from aurist.embedders import EmbedderRecord, EmbedderSpec, load_embedder
from aurist.embedders.clips import window_vectors
from aurist.errors import ConfigError, DataError, RunError
from aurist.files import sha256_of
from aurist.search import IndexedVectors, build_index, building, open_index, query_vectors, search, sound_map
from aurist.search.index import WINDOW
from aurist.search.vectors import ALMOST_THE_SAME

from ..command import aurist
from ..embedders.networks import RATE, write_onnx

EAR = 'sample_rate = 8000\nseconds = 0.5\noutput = "hidden"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three recordings of noise of three seconds with a tone in the second half second, and a network."""
    monkeypatch.setenv("AURIST_EMBEDDERS", str(tmp_path / "home"))
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    (tmp_path / "home").mkdir()
    for name, hz in (("a", 300), ("b", 1000), ("c", 300)):
        wave = 0.02 * rng.normal(size=3 * RATE)
        wave[RATE // 2 : RATE] += 0.3 * np.sin(2 * np.pi * hz * np.arange(RATE // 2) / RATE)
        sf.write(tmp_path / "data" / f"{name}.wav", wave, RATE)
    write_onnx(tmp_path / "home" / "ear.onnx")
    (tmp_path / "home" / "ear.toml").write_text(EAR)
    return tmp_path


def recordings(folder: Path, names: Sequence[str] = "abc") -> list[Recording]:
    return [Recording(f"{name}.wav", folder / "data" / f"{name}.wav") for name in names]


def build(
    folder: Path, names: Sequence[str] = "abc", hop: float = 0.25, output: str = "index"
) -> dict[str, str]:
    spec = EmbedderSpec(name="ear", file="ear.onnx", sample_rate=RATE, seconds=0.5, output="hidden")
    path = folder / "home" / "ear.onnx"
    record, embedder = EmbedderRecord(spec, sha256_of(path)), load_embedder(spec, path)
    return build_index(
        recordings(folder, names), folder / output, record, embedder, hop=hop, jobs=1, progress=False
    )


def test_vectors_are_those_of_the_network_within_16_bits(folder: Path) -> None:
    assert build(folder) == {}
    index = open_index(folder / "index")
    assert len(index) == 3 * 11 and [recording.windows for recording in index.recordings] == [11, 11, 11]
    wave = sf.read(folder / "data" / "b.wav", dtype="float32")[0]
    assert index.windows["start"][11:22].tolist() == [0.25 * i for i in range(11)]
    exact = np.concatenate(
        [window_vectors(wave[i * 2000 : i * 2000 + 4000], index.embedder()) for i in range(11)]
    )
    np.testing.assert_allclose(index.rows(np.arange(11, 22)), exact, atol=float(np.abs(exact).max()) / 32767)


def test_the_most_similar_windows_come_first_and_neighbours_once(folder: Path) -> None:
    build(folder)
    index = open_index(folder / "index")
    query = query_vectors(index, folder / "data" / "a.wav", 0.5, 1.0)
    table = search(index, query, 3)
    best = {
        (Path(path).stem, start) for path, start in zip(table["path"][:2], table["start"][:2], strict=True)
    }
    assert best == {("a", 0.5), ("c", 0.5)}
    assert table["similarity"].is_monotonic_decreasing and 0.98 < table["similarity"][0] <= 1.0001
    # the rest of the recording is quieter than the tone, and has no part in the query
    whole = query_vectors(index, folder / "data" / "a.wav")
    assert set(search(index, whole, 2)["start"]) == {0.5}
    every = search(index, query, 100, apart=0.0)
    assert (
        len(every) == len(index)
        and search(index, query, 100)["start"]
        .groupby(search(index, query, 100)["path"])
        .apply(lambda starts: np.diff(np.sort(starts)).min())
        .min()
        >= 0.499
    )
    # by definition: cosines after the mean of the index is taken away
    vectors = index.rows(np.arange(len(index)))
    middle = vectors.mean(axis=0)
    wanted = query.mean(axis=0) - middle
    cosines = (vectors - middle) @ wanted / np.linalg.norm(vectors - middle, axis=1) / np.linalg.norm(wanted)
    np.testing.assert_allclose(np.sort(every["similarity"]), np.sort(cosines), atol=1e-3)


def test_what_is_judged_is_neither_a_copy_nor_the_same_second(folder: Path) -> None:
    wave, _ = sf.read(folder / "data" / "b.wav")
    sf.write(folder / "data" / "quiet.wav", 0.5 * wave, RATE)  # a copy at another level
    shutil.copy(folder / "data" / "b.wav", folder / "data" / "copy.wav")
    build(folder, ["a", "b", "c", "copy", "quiet"])
    index = open_index(folder / "index")
    query = query_vectors(index, folder / "data" / "b.wav", 0.5, 1.0)
    every = search(index, query, 100)
    tones = {
        (Path(path).stem, start) for path, start in zip(every["path"][:2], every["start"][:2], strict=True)
    }
    assert tones == {("b", 0.5), ("copy", 0.5)}
    chosen = search(index, query, 100, distinct=True)
    assert chosen["similarity"].iloc[0] == every["similarity"].iloc[0]

    def units(table: pd.DataFrame) -> np.ndarray:
        vectors = IndexedVectors(index, set(map(Path, table["path"])))
        rows = [vectors.at(Path(row.path), row.start, row.end) for row in table.itertuples()]
        return np.stack([row / np.linalg.norm(row) for row in rows])

    among = units(chosen) @ units(chosen).T - np.eye(len(chosen))
    assert among.max() <= ALMOST_THE_SAME and 2 < len(chosen) < len(every)
    # each that was left out is almost the same as a chosen one, or overlaps with one
    alike = (units(every) @ units(chosen).T).max(axis=1) > ALMOST_THE_SAME
    near = [
        ((chosen["path"] == row.path) & ((chosen["start"] - row.start).abs() < 0.499)).any()
        for row in every.itertuples()
    ]
    assert (alike | np.array(near)).all()


def test_the_vector_of_a_span_is_that_of_the_nearest_window(folder: Path) -> None:
    build(folder)
    index, b = open_index(folder / "index"), folder / "data" / "b.wav"
    rows = index.rows(np.arange(len(index)))
    vectors = IndexedVectors(index, {b})
    for (start, end), row in {(0.5, 1.0): 13, (0.3, 1.1): 13, (0.0, 0.1): 11, (2.9, 3.0): 21}.items():
        np.testing.assert_allclose(vectors.at(b, start, end), rows[row] - rows.mean(axis=0), atol=1e-5)
    lacking = {folder / "x.wav", b, folder / "y.wav"}
    with pytest.raises(ConfigError, match=r"(?s)lacks 2 recordings:.*x\.wav.*y\.wav.*Add them: aurist index"):
        IndexedVectors(index, lacking)


def test_a_killed_index_continues_and_new_recordings_are_added(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(folder, output="whole")
    build(folder, "a")
    monkeypatch.setattr(building, "append_jsonl", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        build(folder, "ab")
    monkeypatch.undo()
    monkeypatch.setenv("AURIST_EMBEDDERS", str(folder / "home"))
    with (folder / "index" / "vectors.i2").open("ab") as file:
        file.write(b"litter")
    assert len(open_index(folder / "index")) == 11
    build(folder)
    for name in ("vectors.i2", "scales.f4", "windows.bin"):
        assert (folder / "index" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_other_settings_changed_and_broken_recordings(folder: Path) -> None:
    (folder / "data" / "d.wav").write_bytes(b"RIFF")
    assert list(build(folder, "abd")) == ["d.wav"]
    with pytest.raises(ConfigError, match=r"every 0\.25 s, and ear .* every 0\.5 s was asked for"):
        build(folder, hop=0.5)
    os.utime(folder / "data" / "a.wav", ns=(1, 1))
    with pytest.raises(ConfigError, match=r"(?s)1 recording changed since .*a\.wav"):
        build(folder)
    with pytest.raises(RunError, match="holds no index"):
        open_index(folder / "data")
    windows = np.fromfile(folder / "index" / "windows.bin", WINDOW)
    for column, value in (("recording", 7), ("recording", -1), ("start", np.nan)):
        damaged = windows.copy()
        damaged[column][3] = value
        damaged.tofile(folder / "index" / "windows.bin")
        with pytest.raises(RunError, match=r"windows\.bin names other recordings than"):
            open_index(folder / "index")
    windows.tofile(folder / "index" / "windows.bin")
    os.truncate(folder / "index" / "scales.f4", 8)
    with pytest.raises(RunError, match=r"scales\.f4 is shorter than its 22 windows.*Remove"):
        open_index(folder / "index")


def test_map_groups_tones_apart(folder: Path) -> None:
    build(folder, hop=0.05)
    index = open_index(folder / "index")
    made = sound_map(index, clusters=4, most=100, seed=1)
    assert made.places.min() == 0 and made.places.max() == 1 and len(made.rows) == 100
    assert sorted(position for members in made.examples for position in members) == list(range(100))
    assert [len(members) for members in made.examples] == sorted(map(len, made.examples), reverse=True)
    again = sound_map(index, clusters=4, most=100, seed=1)
    assert (again.cluster == made.cluster).all() and (again.places == made.places).all()
    build(folder, "a", hop=0.5, output="small")
    with pytest.raises(DataError, match="a map needs at least 10"):
        sound_map(open_index(folder / "small"))


def test_commands(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    done = aurist(
        "index", folder / "data", "--embed", "ear", "--hop", 0.25, "-o", folder / "index", "--jobs", 1
    )
    assert done.returncode == 0 and "33 windows of 3 recordings" in done.stdout + done.stderr, done.stderr
    similar = aurist(
        "search", folder / "index", folder / "data" / "a.wav", "--start", 0.5, "--end", 1, "-n", 2
    )
    assert similar.returncode == 0 and "similarity" in similar.stdout
    done = aurist("search", folder / "index", folder / "data" / "a.wav", "-o", folder / "out.csv")
    written = (folder / "out.csv").read_text()
    assert written.startswith("path,start,end,similarity") and "c.wav" in written
    done = aurist("map", folder / "index", "-o", folder / "map.html", "--groups", 3)
    page = (folder / "map.html").read_text()
    assert done.returncode == 0 and page.count("<circle") == 33 and 3 <= page.count("<audio") <= 9
    done = aurist("index", folder / "data", "--embed", "no-such", "-o", folder / "other")
    assert done.returncode == 1 and "no embedder 'no-such'" in done.stderr
    done = aurist("search", folder / "index", folder / "data" / "no.wav")
    assert done.returncode == 1 and "no.wav does not exist. Give a recording" in done.stderr
    done = aurist("search", folder / "data", folder / "data" / "a.wav")
    assert done.returncode == 1 and "aurist index RECORDINGS" in done.stderr


PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 20}

[[member]]
name = "KernelRidge_ear"
engine = "kernel"
settings = {view = "ear"}
"""


def test_from_one_example_to_a_detector(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search, judge, learn, and score the whole index without its sound."""
    pytest.importorskip("matplotlib")
    # pure tones are all almost the same: at first none is left out
    monkeypatch.setattr("aurist.search.vectors.ALMOST_THE_SAME", 1.1)
    rng = np.random.default_rng(1)
    for number in range(8):  # four recordings with the tone of recording a, four without
        wave = 0.02 * rng.normal(size=3 * RATE)
        wave[RATE : 2 * RATE] += 0.3 * np.sin(2 * np.pi * (300, 2500)[number % 2] * np.arange(RATE) / RATE)
        sf.write(folder / "data" / f"n{number}.wav", wave, RATE)
    data, index = folder / "data", folder / "index"
    assert aurist("index", data, "--embed", "ear", "--jobs", 1, "-o", index).returncode == 0
    given = ("--start", 0.5, "--end", 1, "-n", 40, "--review", folder / "clips", "--label", "tone")
    done = aurist("search", index, data / "a.wav", *given)
    assert done.returncode == 0 and (folder / "clips" / "index.html").exists(), done.stderr
    again = aurist("search", index, data / "a.wav", *given)
    assert again.returncode == 1 and "Give another folder with --review" in again.stderr
    judged = pd.read_csv(folder / "clips" / "clips.csv").astype({"verdict": object})
    assert set(judged["recording"]) <= {path.name for path in data.iterdir()}, "as in detections"
    tone = judged["recording"].map(lambda path: Path(path).stem in ("a", "c", "n0", "n2", "n4", "n6"))
    of_a_or_c = judged["recording"].map(lambda path: Path(path).stem in ("a", "c"))
    inside = np.where(of_a_or_c, judged["start"] == 0.5, judged["start"].isin((1.0, 1.5)))
    judged["verdict"] = np.where(tone & inside, "yes", "no")
    judged.to_csv(folder / "clips" / "clips.csv", index=False)
    done = aurist("verdicts", index, folder / "clips" / "clips.csv", "-o", folder / "verdicts" / "tone.csv")
    assert done.returncode == 0, done.stderr
    (folder / "plan.toml").write_text(PLAN)
    learn = (
        "--verdicts",
        folder / "verdicts",
        "--window",
        0.5,
        "--embed",
        "ear",
    )
    done = aurist(
        "fit", data, *learn, "--plan", folder / "plan.toml", "--folds", 2, "--jobs", 1, "-o", folder / "run"
    )
    assert done.returncode == 0, done.stderr
    out = folder / "detections"
    done = aurist(
        "predict", folder / "run", index, "--model", "KernelRidge_ear", "--format", "windows,csv", "-o", out
    )
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(out / "windows.csv")
    assert len(scores) == 11 * 6
    best = scores.nlargest(
        10, "tone"
    )  # two windows of half a second in each of six recordings, but for a and c: one
    assert set(best["path"].map(lambda path: Path(path).stem)) == {"a", "c", "n0", "n2", "n4", "n6"}
    again = aurist(
        "predict", folder / "run", index, "--model", "KernelRidge_ear", "--format", "windows,csv", "-o", out
    )
    assert again.returncode == 0 and pd.read_csv(out / "windows.csv").equals(scores)
    # the same scores as from the sound
    heard = folder / "heard"
    scan = (
        "predict",
        folder / "run",
        data,
        "--window",
        0.5,
        "--overlap",
        0,
        "--format",
        "windows",
        "-o",
        heard,
    )
    assert aurist(*scan, "--model", "KernelRidge_ear").returncode == 0
    exact = pd.read_csv(heard / "windows.csv").sort_values(["path", "start"])
    assert (
        np.abs(exact["tone"].to_numpy() - scores.sort_values(["path", "start"])["tone"].to_numpy()).max()
        < 0.02
    )
    done = aurist("predict", folder / "run", index, "-o", folder / "no")
    assert (
        done.returncode == 1
        and "needs more than the vectors of ear" in done.stderr
        and "--model" in done.stderr
    )
    done = aurist("predict", folder / "run", index, "--window", 1, "-o", folder / "no")
    assert done.returncode == 1 and "not for an index" in done.stderr
    monkeypatch.setattr("aurist.search.vectors.ALMOST_THE_SAME", 0.95)
    done = aurist(
        "clips", folder / "run", out, "--uncertain", 20, "--index", folder / "index", "-o", folder / "more"
    )
    assert done.returncode == 0, done.stderr
    assert "almost the same as a chosen one" in done.stderr
