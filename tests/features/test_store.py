import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.audio import read
from aurist.clips import Clips, make_clips
from aurist.features import cache, store, stored_vectors
from aurist.features.store import cache_size, clear_cache, summary_table
from aurist.features.summary import SummaryConfig, measure_both, summary, summary_columns
from aurist.folders import default_cache_dir

CONFIG = SummaryConfig(n_fft=512, hop_length=256, n_mels=32, n_mfcc=4, sample_rate=8000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k in range(6):
        soundfile.write(tmp_path / f"{k}.wav", rng.uniform(-0.5, 0.5, 9000 + 100 * k), 16000)
    return tmp_path


def table(folder: Path, names: list[str], **spans: list[float]) -> Clips:
    return make_clips([("a",)] * len(names), paths=names, root=folder, **spans)


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    """Lengths of the clips whose features were computed."""
    calls: list[int] = []

    def count(y, config):
        calls.append(len(y))
        return measure_both(y, config)

    monkeypatch.setattr(store, "measure_both", count)
    return calls


WAVS = [f"{k}.wav" for k in range(6)]


def test_rows_are_those_of_the_clips(folder):
    features = summary_table(table(folder, WAVS[::-1]), CONFIG, cache_dir=folder / "cache", jobs=2)
    assert tuple(features.features.columns) == summary_columns(CONFIG) and features.failures == {}
    for row, name in enumerate(WAVS[::-1]):
        expected = summary(read(folder / name, 8000)[0], CONFIG)
        np.testing.assert_array_equal(features.features.iloc[row], expected)
    assert (features.features.dtypes == np.float32).all()


def test_a_second_run_computes_nothing(folder, counted):
    clips = table(folder, WAVS)
    first = summary_table(clips, CONFIG, cache_dir=folder / "cache")
    assert len(counted) == 6
    second = summary_table(clips, CONFIG, cache_dir=folder / "cache")
    assert len(counted) == 6
    pd.testing.assert_frame_equal(first.features, second.features)


def test_features_that_are_not_kept(folder):
    clips = table(folder, WAVS)
    kept = summary_table(clips, CONFIG, cache_dir=folder / "cache")
    unkept = summary_table(clips, CONFIG, cache_dir=folder / "none", keep=False)
    pd.testing.assert_frame_equal(unkept.features, kept.features)
    assert not (folder / "none").exists()


def test_the_key_is_content_span_and_settings(folder, counted):
    cache_dir = folder / "cache"
    summary_table(table(folder, ["0.wav"]), CONFIG, cache_dir=cache_dir)
    (folder / "0.wav").rename(folder / "moved.wav")
    summary_table(table(folder, ["moved.wav"]), CONFIG, cache_dir=cache_dir)
    assert len(counted) == 1
    summary_table(table(folder, ["moved.wav"], starts=[0.1], ends=[0.4]), CONFIG, cache_dir=cache_dir)
    assert counted[1:] == [2400]
    summary_table(table(folder, ["moved.wav"]), SummaryConfig(), cache_dir=cache_dir)
    assert len(counted) == 3
    soundfile.write(folder / "moved.wav", np.full(9000, 0.1), 16000)
    summary_table(table(folder, ["moved.wav"]), CONFIG, cache_dir=cache_dir)
    assert len(counted) == 4


def test_a_change_of_the_code_is_another_key(folder, counted, monkeypatch):
    summary_table(table(folder, ["0.wav"]), CONFIG, cache_dir=folder)
    monkeypatch.setattr(store, "VERSION", store.VERSION + 1)
    summary_table(table(folder, ["0.wav"]), CONFIG, cache_dir=folder)
    assert len(counted) == 2


def test_spans_are_those_of_the_recording(folder):
    clips = table(folder, ["0.wav", "0.wav"], starts=[0.1, 0.2], ends=[0.3, float("nan")])
    features = summary_table(clips, CONFIG, cache_dir=folder / "cache")
    for row, (start, end) in enumerate([(0.1, 0.3), (0.2, None)]):
        y, _ = read(folder / "0.wav", 8000, start=start, end=end)
        np.testing.assert_array_equal(features.features.iloc[row], summary(y, CONFIG))


def test_failures_are_rows_and_not_the_end(folder):
    (folder / "empty.wav").touch()
    soundfile.write(folder / "none.wav", np.zeros(0), 16000)
    soundfile.write(folder / "nan.wav", np.full(100, np.nan, np.float32), 16000, subtype="FLOAT")
    names = ["0.wav", "empty.wav", "1.wav", "missing.wav", "none.wav", "nan.wav", "2.wav"]
    clips = table(folder, names, starts=[float("nan")] * 6 + [99.0])
    features = summary_table(clips, CONFIG, cache_dir=folder / "cache")
    for row, reasons in {
        1: "is empty",
        3: "does not exist",
        4: "no samples",
        5: "not finite",
        6: "starts at 99",
    }.items():
        assert reasons in features.failures[row] and names[row] in features.failures[row]
    assert sorted(features.failures) == [1, 3, 4, 5, 6]
    missing = features.features.isna().all(axis=1).to_numpy()
    assert np.flatnonzero(missing).tolist() == [1, 3, 4, 5, 6]
    assert features.features[~missing].notna().all(axis=None)


def test_a_table_without_audio_fails_row_by_row(folder):
    features = summary_table(make_clips([("a",), ("b",)]), CONFIG, cache_dir=folder)
    assert list(features.failures) == [0, 1] and "no path" in features.failures[0]


def test_no_clips_is_an_empty_table(folder):
    features = summary_table(table(folder, []), CONFIG, cache_dir=folder)
    assert features.features.shape == (0, len(summary_columns(CONFIG)))


SLOW = """
import sys, time
from pathlib import Path
from aurist.clips import make_clips
from aurist.features import cache, store
from aurist.features.summary import SummaryConfig, measure_both

def slowly(y, config):
    time.sleep(0.15)
    return measure_both(y, config)

store.measure_both = slowly
folder = Path(sys.argv[1])
names = sorted(path.name for path in folder.glob("*.wav"))
config = SummaryConfig(n_fft=512, hop_length=256, n_mels=32, n_mfcc=4, sample_rate=8000)
clips = make_clips([("a",)] * len(names), paths=names, root=folder)
store.summary_table(clips, config, cache_dir=folder / "cache", jobs=1)
"""


def stored(cache: Path) -> int:
    try:
        with sqlite3.connect(f"file:{cache / 'features.sqlite'}?mode=ro", uri=True, timeout=5) as connection:
            return connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_goes_on_where_it_was(tmp_path, counted):
    rng = np.random.default_rng(0)
    names = [f"{k:02d}.wav" for k in range(60)]
    for name in names:
        soundfile.write(tmp_path / name, rng.uniform(-0.5, 0.5, 2000), 8000)
    running = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SLOW), str(tmp_path)])
    deadline = time.monotonic() + 60
    while stored(tmp_path / "cache") < 3 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    done = stored(tmp_path / "cache")
    assert 3 <= done < 60
    features = summary_table(table(tmp_path, names), CONFIG, cache_dir=tmp_path / "cache")
    assert len(counted) == 60 - done
    again = summary_table(table(tmp_path, names), CONFIG, cache_dir=tmp_path / "other")
    pd.testing.assert_frame_equal(features.features, again.features)


def test_two_processes_on_one_store(folder):
    script = SLOW.replace("0.15", "0.01")
    both = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert stored(folder / "cache") == 6


@pytest.mark.parametrize("how", ["a file in its place", "no folder"])
def test_a_store_that_cannot_be_written_is_done_without(folder, how):
    blocked = folder / "blocked"
    blocked.write_text("not a folder")
    cache_dir = blocked if how == "a file in its place" else blocked / "below"
    with pytest.warns(UserWarning, match="computed, but not stored"):
        features = summary_table(table(folder, WAVS), CONFIG, cache_dir=cache_dir)
    assert features.failures == {} and features.features.notna().all(axis=None)


def test_a_full_disk_loses_nothing(folder, monkeypatch):
    cache_dir = folder / "cache"
    clips = table(folder, WAVS)
    expected = summary_table(clips, CONFIG, cache_dir=folder / "whole")
    opened = stored_vectors.FeatureCache

    def small(cache_dir):
        cache_opened = opened(cache_dir)
        # SQLite's own word for a full disk: no page beyond these
        cache_opened._connection.execute("PRAGMA max_page_count=4")
        return cache_opened

    monkeypatch.setattr(stored_vectors, "FeatureCache", small)
    with pytest.warns(UserWarning, match="database or disk is full"):
        features = summary_table(clips, CONFIG, cache_dir=cache_dir)
    pd.testing.assert_frame_equal(features.features, expected.features)


def test_a_read_only_store_still_serves(folder, counted, monkeypatch):
    clips, cache_dir = table(folder, WAVS), folder / "cache"
    first = summary_table(clips, CONFIG, cache_dir=cache_dir)

    def refuse(path):
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(cache, "_connect", refuse)
    with pytest.warns(UserWarning, match="not stored: .* readonly"):
        second = summary_table(clips, CONFIG, cache_dir=cache_dir)
    assert len(counted) == 6
    pd.testing.assert_frame_equal(first.features, second.features)


def test_a_broken_store_is_made_again(folder, counted):
    cache_dir = folder / "cache"
    cache_dir.mkdir()
    (cache_dir / "features.sqlite").write_bytes(b"this is no database" * 1000)
    summary_table(table(folder, WAVS), CONFIG, cache_dir=cache_dir)
    summary_table(table(folder, WAVS), CONFIG, cache_dir=cache_dir)
    assert len(counted) == 6


def test_size_and_clearing(folder):
    cache_dir = folder / "cache"
    assert cache_size(cache_dir) == 0
    summary_table(table(folder, WAVS), CONFIG, cache_dir=cache_dir)
    assert cache_size(cache_dir) > 6 * 4 * len(summary_columns(CONFIG))
    assert clear_cache(cache_dir) > 0
    assert cache_size(cache_dir) == 0


def test_the_default_place_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path))
    assert default_cache_dir() == tmp_path
    monkeypatch.delenv("AURIST_CACHE_DIR")
    assert default_cache_dir().name in ("aurist", "cache")
