import pickle
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aurist.audio import read
from aurist.clips import Clips, make_clips
from aurist.errors import ConfigError, DataError
from aurist.features.cache import audio_size, cache_size, clear_cache
from aurist.features.waves import Waves, blocks, parse_size, shards, store, store_waves, trim_waves, waves

RATE = 8000
WAVS = [f"{k}.wav" for k in range(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k, name in enumerate(WAVS):
        soundfile.write(tmp_path / name, rng.uniform(-0.5, 0.5, (16000 + 100 * k, 1 + k % 2)), 16000)
    return tmp_path


def table(folder: Path, names: list[str], **spans: list[float]) -> Clips:
    return make_clips([("a",)] * len(names), paths=names, root=folder, **spans)


def stored(folder: Path, names: list[str] = WAVS, rate: int = RATE, **options) -> Waves:
    return store_waves(table(folder, names), rate, cache_dir=folder / "cache", **options)


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """The files that were decoded."""
    calls: list[str] = []

    def count(path, *args, **kwargs):
        calls.append(Path(path).name)
        return read(path, *args, **kwargs)

    monkeypatch.setattr(waves, "read", count)
    return calls


def snr(truth: np.ndarray, decoded: np.ndarray) -> float:
    error = truth.astype(float) - decoded
    return 10 * np.log10(np.sum(truth.astype(float) ** 2) / np.sum(error**2))


def assert_is(decoded: np.ndarray, truth: np.ndarray) -> None:
    """Equal up to half a step of 16 bits below the peak."""
    assert decoded.dtype == np.float32 and decoded.shape == truth.shape
    assert np.abs(decoded - truth).max(initial=0) <= 0.51 * np.abs(truth).max(initial=0) / 32767


def test_a_row_is_the_clip_at_that_rate(folder):
    waves = stored(folder, WAVS[::-1], jobs=2)
    assert len(waves) == 6 and waves.sample_rate == RATE and waves.failures == {}
    for row, name in enumerate(WAVS[::-1]):
        truth, _ = read(folder / name, RATE)
        assert waves.n_samples[row] == len(truth)
        assert (waves.begin[row], waves.end[row]) == (0, len(truth))
        assert waves.peak[row] == pytest.approx(np.abs(truth).max(), rel=1e-6)
        assert_is(waves.read(row), truth)
        np.testing.assert_array_equal(waves.read(row, 100, 700), waves.read(row)[100:700])
        np.testing.assert_array_equal(waves.read(row, 100), waves.read(row)[100:])
        # from within a block over whole ones into another, and on the edges
        for start, stop in [(2000, 7000), (2048, 6144), (2048, 2049), (2047, 4097), (50, 50)]:
            np.testing.assert_array_equal(waves.read(row, start, stop), waves.read(row)[start:stop])
        assert waves.read(row, len(truth) - 5, len(truth) + 5).shape == (5,)
        room = np.full(650, 7, np.float32)
        assert waves.read(row, 100, 700, out=room).base is room
        np.testing.assert_array_equal(room[:600], waves.read(row)[100:700])
        assert (room[600:] == 7).all()
        with pytest.raises(DataError, match="room for 650 only"):
            waves.read(row, 0, 700, out=room)
        with pytest.raises(DataError, match="not contiguous"):
            waves.read(row, 0, 300, out=room[::2])
        assert waves.read(row, len(truth) + 5).shape == (0,)


@pytest.mark.parametrize("gain", [1.0, 1e-4, 1e-9, 3.0])
def test_loud_and_quiet_clips_keep_80_db(tmp_path, gain):
    t = np.arange(5 * shards.BLOCK // 2) / 16000
    y = gain * (0.6 * np.sin(440 * 2 * np.pi * t) + 0.1 * np.random.default_rng(0).normal(size=len(t)))
    soundfile.write(tmp_path / "0.wav", y.astype("f4"), 16000, subtype="FLOAT")
    waves = stored(tmp_path, ["0.wav"], rate=16000)
    assert snr(y, waves.read(0)) >= 80


def test_a_quiet_part_of_a_loud_clip_keeps_80_db(tmp_path):
    y = np.random.default_rng(0).uniform(-1, 1, 4 * shards.BLOCK).astype("f4")
    quiet = slice(shards.BLOCK, 3 * shards.BLOCK)
    y[quiet] *= 1e-3
    soundfile.write(tmp_path / "0.wav", y, 16000, subtype="FLOAT")
    assert snr(y[quiet], stored(tmp_path, ["0.wav"], rate=16000).read(0, quiet.start, quiet.stop)) >= 80


def test_silence_is_silence(tmp_path):
    soundfile.write(tmp_path / "0.wav", np.zeros(1000), RATE)
    waves = stored(tmp_path, ["0.wav"])
    assert waves.failures == {} and waves.peak[0] == 0
    np.testing.assert_array_equal(waves.read(0), np.zeros(1000, np.float32))


@example(np.array([1e-30], np.float32))
@given(arrays(np.float32, st.integers(0, 50), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_coding_is_exact_to_half_a_step(y):
    data, scales = shards.encode(y)
    out = np.empty(len(y), np.float32)
    shards.decode(data, scales, 0, out)
    assert (np.abs(out.astype(float) - y) <= max(0.51 * np.abs(y).max(initial=0) / 32767, 1.01e-30)).all()


def test_spans_and_margins_are_those_of_the_recording(folder):
    nan = float("nan")
    starts, ends = [nan, 0.25, 0.1, 0.6, 0.5], [nan, 0.5, nan, 0.95, 0.75]
    clips = table(folder, ["0.wav"] * 5, starts=starts, ends=ends)
    for margin in (0.0, 0.2):
        waves = store_waves(clips, RATE, margin=margin, cache_dir=folder / "cache")
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            start, end = (0.0 if np.isnan(start) else start), (None if np.isnan(end) else end)
            wide = max(0.0, start - margin), None if end is None else end + margin
            assert_is(waves.read(row), read(folder / "0.wav", RATE, start=wide[0], end=wide[1])[0])
            inside, _ = read(folder / "0.wav", RATE, start=start, end=end)
            assert waves.end[row] - waves.begin[row] == len(inside)
            clip = waves.read(row, waves.begin[row], waves.end[row])
            assert np.abs(clip - inside).max() < 2e-5


def test_higher_rates_than_the_file_s_own(folder):
    assert_is(stored(folder, ["0.wav"], rate=22050).read(0), read(folder / "0.wav", 22050)[0])


@pytest.mark.parametrize("rate", [16000, RATE, 22050])
def test_long_clips_are_decoded_in_blocks_alike(folder, monkeypatch, rate):
    y = np.random.default_rng(0).uniform(-0.5, 0.5, (3 * 16000 * 60, 2))
    soundfile.write(folder / "long.wav", y, 16000)
    monkeypatch.setattr(blocks, "LONG", 60.0)
    spans = [(0.0, float("nan")), (3.7, 150.3), (100.25, float("nan"))]
    clips = table(folder, ["long.wav"] * 3, starts=[s for s, _ in spans], ends=[e for _, e in spans])
    waves = store_waves(clips, rate, cache_dir=folder / "cache")
    assert waves.failures == {}
    assert len(list((folder / "cache" / "audio" / str(rate)).glob("*.i16"))) == 3
    for row, (start, end) in enumerate(spans):
        truth, _ = read(folder / "long.wav", rate, start=start, end=None if np.isnan(end) else end)
        assert_is(waves.read(row), truth)


def test_a_second_run_decodes_nothing(folder, decoded):
    first = stored(folder)
    assert sorted(decoded) == WAVS
    second = stored(folder)
    assert len(decoded) == 6
    for row in range(6):
        np.testing.assert_array_equal(first.read(row), second.read(row))


def test_the_key_is_content_span_margin_and_rate(folder, decoded):
    cache = folder / "cache"
    stored(folder, ["0.wav", "0.wav"])
    assert len(decoded) == 1
    (folder / "0.wav").rename(folder / "moved.wav")
    stored(folder, ["moved.wav"])
    assert len(decoded) == 1
    clips_part = table(folder, ["moved.wav"], starts=[0.1], ends=[0.4])
    store_waves(clips_part, RATE, cache_dir=cache)
    store_waves(clips_part, RATE, margin=0.1, cache_dir=cache)
    store_waves(clips_part, 16000, cache_dir=cache)
    assert len(decoded) == 4
    soundfile.write(folder / "moved.wav", np.full(9000, 0.1), 16000)
    assert_is(stored(folder, ["moved.wav"]).read(0), read(folder / "moved.wav", RATE)[0])
    assert len(decoded) == 5


def test_failures_are_rows_and_not_the_end(folder):
    (folder / "empty.wav").touch()
    soundfile.write(folder / "none.wav", np.zeros(0), 16000)
    soundfile.write(folder / "nan.wav", np.full(100, np.nan, np.float32), 16000, subtype="FLOAT")
    names = ["0.wav", "empty.wav", "1.wav", "missing.wav", "none.wav", "nan.wav", "2.wav", "3.wav"]
    clips = table(folder, names, starts=[float("nan")] * 6 + [1.1, -1.0])
    waves = store_waves(clips, RATE, margin=0.5, cache_dir=folder / "cache")
    reasons = {
        1: "is empty",
        3: "does not exist",
        4: "no samples",
        5: "not finite",
        6: "starts at 1.1",
        7: "-1 s",
    }
    assert list(waves.failures) == list(reasons)
    for row, reason in reasons.items():
        assert reason in waves.failures[row] and names[row] in waves.failures[row]
        assert waves.n_samples[row] == waves.begin[row] == waves.end[row] == 0
        with pytest.raises(DataError, match=reason):
            waves.read(row)
    for row in (0, 2):
        assert_is(waves.read(row), read(folder / names[row], RATE)[0])


def test_rows_without_audio_and_no_rows(folder):
    waves = store_waves(make_clips([("a",)]), RATE, cache_dir=folder)
    assert "no path" in waves.failures[0]
    assert len(store_waves(table(folder, []), RATE, cache_dir=folder)) == 0


@pytest.mark.parametrize(("rate", "margin"), [(0, 0.0), (RATE, -1.0), (RATE, float("nan"))])
def test_settings_that_cannot_be(folder, rate, margin):
    with pytest.raises(DataError, match="positive sample rate"):
        store_waves(table(folder, WAVS), rate, margin=margin, cache_dir=folder)


def test_many_threads_read_what_one_reads(folder):
    waves = stored(folder)
    expected = [waves.read(row) for row in range(6)]
    fresh = pickle.loads(pickle.dumps(waves))
    with ThreadPoolExecutor(8) as pool:
        for row, samples in enumerate(pool.map(fresh.read, [k % 6 for k in range(300)])):
            np.testing.assert_array_equal(samples, expected[row % 6])


def sums(waves: Waves) -> list[float]:
    return [float(waves.read(row).sum()) for row in range(len(waves))]


def process(body: str, *arguments: Path) -> subprocess.Popen[str]:
    """Another Python that knows this file."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom test_waves import *\n{body}"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_pickle_holds_no_samples_and_serves_another_process(folder):
    waves = stored(folder)
    expected = sums(waves)
    assert len(pickle.dumps(waves)) < waves.n_samples.sum() / 4
    (folder / "pickle").write_bytes(pickle.dumps(waves))
    other = process("print(sums(pickle.loads(Path(sys.argv[1]).read_bytes())))", folder / "pickle")
    assert other.communicate(timeout=60)[0] == f"{expected}\n"


def store_all(folder: Path) -> list[float]:
    return sums(stored(folder, sorted(path.name for path in folder.glob("*.wav")), jobs=2))


def test_two_processes_at_once(folder, decoded):
    rng = np.random.default_rng(0)
    for k in range(60):
        soundfile.write(folder / f"{k}.wav", rng.uniform(-0.5, 0.5, 16000), 16000)
    both = [process("print(store_all(Path(sys.argv[1])))", folder) for _ in range(2)]
    first, second = [other.communicate(timeout=120)[0] for other in both]
    assert first == second == f"{store_all(folder)}\n" and decoded == []


SLOW = """
import sys, time
from pathlib import Path
from aurist.audio import read
from aurist.clips import make_clips
from aurist.features.waves import store_waves, waves

def slowly(*args, **kwargs):
    time.sleep(0.1)
    return read(*args, **kwargs)

waves.read = slowly
folder = Path(sys.argv[1])
names = sorted(path.name for path in folder.glob("*.wav"))
clips = make_clips([("a",)] * len(names), paths=names, root=folder)
store_waves(clips, 8000, cache_dir=folder / "cache", jobs=1)
"""


def rows(cache: Path) -> int:
    try:
        uri = f"file:{cache / 'audio' / 'index.sqlite'}?mode=ro"
        with sqlite3.connect(uri, uri=True, timeout=5) as connection:
            return connection.execute("SELECT count(*) FROM clips").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_goes_on_where_it_was(tmp_path, decoded):
    rng = np.random.default_rng(0)
    names = [f"{k:02d}.wav" for k in range(60)]
    for name in names:
        soundfile.write(tmp_path / name, rng.uniform(-0.5, 0.5, 2000), 8000)
    running = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path)])
    deadline = time.monotonic() + 60
    while rows(tmp_path / "cache") < 3 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    done = rows(tmp_path / "cache")
    assert 3 <= done < 60
    # as a write that was cut off leaves it
    shard = next((tmp_path / "cache" / "audio" / "8000").glob("*.i16"))
    with shard.open("ab") as file:
        file.write(b"torn")
    waves = stored(tmp_path, names)
    assert len(decoded) == 60 - done
    for row, name in enumerate(names):
        assert_is(waves.read(row), read(tmp_path / name, RATE)[0])


@pytest.mark.parametrize("harm", ["missing", "another file", "cut short", "empty"])
def test_a_harmed_shard_is_decoded_again(folder, decoded, harm):
    stored(folder, WAVS[:3])
    (shard,) = (folder / "cache" / "audio" / str(RATE)).glob("*.i16")
    if harm == "missing":
        shard.unlink()
    elif harm == "another file":
        shard.write_bytes(b"something else" * 10000)
    else:
        with shard.open("r+b") as file:
            file.truncate(0 if harm == "empty" else shard.stat().st_size - 100)
    waves = stored(folder, WAVS[:3])
    assert len(decoded) == 3 + (1 if harm == "cut short" else 3)
    for row, name in enumerate(WAVS[:3]):
        assert_is(waves.read(row), read(folder / name, RATE)[0])
    stored(folder, WAVS[:3])
    assert len(decoded) == 3 + (1 if harm == "cut short" else 3)


def test_a_harmed_index_is_made_again(folder, decoded):
    stored(folder)
    for path in (folder / "cache" / "audio").glob("index.sqlite*"):
        path.unlink()
    (folder / "cache" / "audio" / "index.sqlite").write_bytes(b"this is no database" * 1000)
    assert_is(stored(folder).read(0), read(folder / "0.wav", RATE)[0])
    stored(folder)
    assert len(decoded) == 12
    # the shard that no index knew is gone
    assert len(list((folder / "cache" / "audio" / str(RATE)).glob("*.i16"))) == 1


def test_a_store_deleted_meanwhile_is_said(folder):
    waves = stored(folder)
    clear_cache(folder / "cache")
    with pytest.raises(DataError, match="deleted meanwhile"):
        waves.read(0)


def shard_names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "cache" / "audio").glob("*/*.i16")}


def test_what_was_used_least_recently_goes_first(folder, decoded):
    size = 6 * 2 * 8400
    for rate in (RATE, 4000):
        stored(folder, rate=rate)
    stored(folder)  # used again
    decoded.clear()
    stored(folder, rate=2000, limit=size + size // 4 + 1000)
    assert len(decoded) == 6
    stored(folder)
    assert len(decoded) == 6
    stored(folder, rate=4000)
    assert len(decoded) == 12


def test_what_is_in_use_stays_whatever_the_limit(folder):
    waves_in_use = stored(folder)
    stored(folder, rate=4000)
    trim_waves(folder / "cache", 0)
    assert len(shard_names(folder)) == 1
    assert_is(waves_in_use.read(0), read(folder / "0.wav", RATE)[0])
    del waves_in_use
    trim_waves(folder / "cache", 0)
    assert not shard_names(folder) and rows(folder / "cache") == 0
    assert not list((folder / "cache" / "audio" / "uses").iterdir())


def test_another_process_keeps_what_it_uses(folder):
    other = process("made = stored(Path(sys.argv[1])); print('ready', flush=True); sys.stdin.read()", folder)
    assert other.stdout.readline() == "ready\n"
    trim_waves(folder / "cache", 0)
    assert len(shard_names(folder)) == 1
    other.kill()
    other.communicate()
    trim_waves(folder / "cache", 0)
    assert not shard_names(folder)


def test_shards_do_not_grow_without_end(folder, monkeypatch, decoded):
    monkeypatch.setattr(shards, "SHARD_BYTES", 20_000)
    stored(folder)
    assert len(shard_names(folder)) == 3
    assert sums(stored(folder)) and len(decoded) == 6


def test_beyond_the_limit_clips_are_kept_in_memory(folder, decoded):
    with pytest.warns(UserWarning, match="limit of 4e-05 GB is reached") as warned:
        waves = stored(folder, limit=40_000)
    assert len(warned) == 1 and audio_size(folder / "cache") > 0
    again = pickle.loads(pickle.dumps(waves))
    for row, name in enumerate(WAVS):
        assert_is(again.read(row), read(folder / name, RATE)[0])
    stored(folder)
    assert 6 < len(decoded) < 12


def test_neither_disk_nor_memory(folder, monkeypatch):
    monkeypatch.setattr(store, "free_memory", lambda: 10_000)
    with pytest.warns(UserWarning), pytest.raises(DataError, match="AURIST_CACHE_LIMIT, or make room"):
        stored(folder, limit=0)


def test_a_full_disk_loses_nothing(folder, monkeypatch):
    append = shards.Shard.append

    def full(self, data):
        if self.end + data.nbytes > 50_000:
            raise OSError(28, "No space left on device")
        append(self, data)

    monkeypatch.setattr(shards.Shard, "append", full)
    with pytest.warns(UserWarning, match="No space left"):
        waves = stored(folder)
    for row, name in enumerate(WAVS):
        assert_is(waves.read(row), read(folder / name, RATE)[0])
    assert 0 < rows(folder / "cache") < 6


def test_a_store_that_cannot_be_written_still_serves(folder, decoded, monkeypatch):
    stored(folder, WAVS[:4])

    def refuse(path):
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("aurist.features.waves.index._connect", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stored(folder, WAVS[:4])
    assert len(decoded) == 4
    with pytest.warns(UserWarning, match="readonly"):
        waves = stored(folder)
    assert len(decoded) == 6 and waves.failures == {}
    assert_is(waves.read(5), read(folder / "5.wav", RATE)[0])


def test_a_file_in_the_place_of_the_store(folder):
    (folder / "cache").write_text("not a folder")
    with pytest.warns(UserWarning, match="decoded, but not stored"):
        waves = stored(folder)
    assert_is(waves.read(0), read(folder / "0.wav", RATE)[0])


def test_size_and_clearing_count_features_and_audio(folder, decoded):
    cache = folder / "cache"
    assert audio_size(cache) == 0
    stored(folder)
    assert audio_size(cache) > 6 * 2 * 8000 and cache_size(cache) > audio_size(cache)
    assert clear_cache(cache) > 6 * 2 * 8000
    assert cache_size(cache) == 0
    stored(folder)
    assert len(decoded) == 12


def test_the_limit_comes_from_the_environment(folder, monkeypatch):
    monkeypatch.setenv("AURIST_CACHE_LIMIT", "40 KB")
    with pytest.warns(UserWarning, match="limit of"):
        stored(folder)
    monkeypatch.setenv("AURIST_CACHE_LIMIT", "plenty")
    with pytest.raises(ConfigError, match="'plenty' is not a size"):
        stored(folder)
    assert parse_size("2 GB") == 2_000_000_000
