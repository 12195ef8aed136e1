"""The windows of long recordings in memory: the same sound, and the same features, as those of clips."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.audio import UnreadableAudioError, probe, read, read_stretch
from aurist.clips import make_clips
from aurist.errors import DataError
from aurist.events import Grid
from aurist.features.store import summary_of_waves, summary_table
from aurist.features.summary import SummaryConfig
from aurist.features.windows import Block, WindowSettings, read_block

SECONDS = 47.3


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise that fades in and out, on two channels, at an odd rate."""
    path = tmp_path_factory.mktemp("night") / "night.flac"
    rng = np.random.default_rng(3)
    n = round(SECONDS * 11027)
    y = rng.normal(size=(n, 2)) * (0.1 + 0.09 * np.sin(np.arange(n) / 5000))[:, None]
    soundfile.write(path, y.clip(-1, 1), 11027)
    return path


def small_blocks(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr("aurist.features.windows._SECONDS", seconds)


def all_blocks(path: Path, hearing: WindowSettings) -> list[Block]:
    blocks = [read_block(path, 0, hearing)]
    while blocks[-1].length is None:
        blocks.append(read_block(path, len(blocks), hearing))
    return blocks


@pytest.mark.parametrize("channel", [None, 1])
@pytest.mark.parametrize(("start", "end"), [(0.0, 5.0), (3.25, 9.875), (40.0, 60.0)])
def test_a_stretch_is_what_read_gives_at_every_rate(
    night: Path, start: float, end: float, channel: int | None
) -> None:
    result = read_stretch(night, (8000, 11027, 22050), start, end, channel=channel)
    assert result.length == (pytest.approx(SECONDS, abs=1e-4) if end > SECONDS else None)
    for rate, sound in result.sound.items():
        expected, _ = read(night, rate, start=start, end=end, channel=channel)
        assert len(sound) == len(expected)
        assert np.allclose(sound, expected, atol=2e-6)


def test_what_cannot_be_heard_is_said(night: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 channel"):
        read_stretch(night, (8000,), 0, 1, channel=2)
    nothing = tmp_path / "nothing.wav"
    soundfile.write(nothing, np.zeros(0), 8000)
    with pytest.raises(DataError, match="holds no samples"):
        read_block(nothing, 0, WindowSettings(Grid(1), (8000,)))
    with pytest.raises(UnreadableAudioError, match="too far from"):
        read_stretch(night, (40,), 0, 1)
    with pytest.raises(DataError, match=r"night\.flac holds no samples from 299 s on"):
        read_block(night, 1, WindowSettings(Grid(1), (8000,)))
    assert read_stretch(night, (8000,), 60, 61).length is None


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_no_number_or_damaged_is_silence(channels: int, tmp_path: Path) -> None:
    y = np.full((40 * 8000, channels), 0.25, np.float32)
    y[4 * 8000 + 100, 0], y[4 * 8000 + 300, 0], y[20 * 8000, -1] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", y, 8000, subtype="FLOAT")
    result = read_stretch(tmp_path / "a.wav", (8000,), 3, 30)
    assert result.silenced == (
        (4 + 100 / 8000, 4 + 301 / 8000),
        (20, 20 + 1 / 8000),
    )
    expected = np.nan_to_num(y.mean(axis=1), nan=0, posinf=0, neginf=0)
    assert np.array_equal(result.sound[8000], expected[3 * 8000 : 30 * 8000])

    noise = np.random.default_rng(0).uniform(-0.5, 0.5, y.shape)
    soundfile.write(tmp_path / "a.flac", noise, 8000)
    raw = bytearray((tmp_path / "a.flac").read_bytes())
    raw[len(raw) // 2] ^= 0x55
    (tmp_path / "a.flac").write_bytes(raw)
    block = read_block(tmp_path / "a.flac", 0, WindowSettings(Grid(1), (8000,)))
    ((start, end),) = block.silenced
    assert 18 < start < 20.1 and start < end < start + 1.1 and block.length == 40
    window = block.waves[8000].window(25)
    assert np.allclose(window, noise.mean(axis=1)[25 * 8000 : 26 * 8000], atol=1e-4)


@pytest.mark.parametrize("margin", [0.0, 1.5])
@pytest.mark.parametrize(("window", "overlap"), [(3.0, 1.5), (2.0, 0.0), (4.1, 3.7)])
def test_windows_hold_the_sound_of_their_time(
    night: Path, window: float, overlap: float, margin: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, 7.0)
    hearing = WindowSettings(Grid(window, overlap), (8000,), margin)
    blocks = all_blocks(night, hearing)
    assert len(blocks) > 4 and blocks[-1].length == pytest.approx(SECONDS, abs=1e-4)
    starts, ends = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("starts", "ends"))
    expected = hearing.grid.windows(blocks[-1].length or 0)
    assert np.array_equal(starts, expected[0]) and np.array_equal(ends, expected[1])
    whole, _ = read(night, 8000)
    for block in blocks:
        waves = block.waves[8000]
        for row in range(len(block)):
            first = round(block.starts[row] * 8000)
            own = waves.window(row)
            assert abs(len(own) - window * 8000) <= 1
            # the rates have no common divisor: soxr's phases are rounded, and 16 bits are coarser than that
            assert np.allclose(own, whole[first : first + len(own)], atol=1e-5)
            # around it there is as much as was asked for, and the recording has
            before = int(waves.begin[row])
            assert before >= min(first, round(margin * 8000)) - 1
            behind = len(waves.sound) - int(waves.end[row])
            assert behind >= min(len(whole) - first - len(own), round(margin * 8000)) - 1


def test_a_block_does_not_depend_on_those_before(night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, 10.0)
    hearing = WindowSettings(Grid(2.0, 1.0), (8000, 16000))
    third = all_blocks(night, hearing)[2]
    again = read_block(night, 2, hearing)
    for rate in (8000, 16000):
        assert np.array_equal(third.waves[rate].sound, again.waves[rate].sound)


@pytest.mark.parametrize(
    ("seconds", "windows"), [(0.3, 1), (2.0, 1), (2.005, 1), (2.5, 2), (4.0, 2), (20.0, 10)]
)
def test_recordings_as_short_as_may_be(
    seconds: float, windows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, 4.0)
    path = tmp_path / "short.wav"
    soundfile.write(path, np.ones(round(seconds * 8000)) / 2, 8000)
    blocks = all_blocks(path, WindowSettings(Grid(2.0), (8000,)))
    assert sum(map(len, blocks)) == windows
    assert blocks[-1].length == pytest.approx(seconds)
    assert all((block.ends > block.starts).all() for block in blocks)


def test_more_samples_than_32_bits_count(tmp_path: Path) -> None:
    """Ninety hours of nothing, which takes no place on the disk, and a tone in their last second."""
    path = tmp_path / "long.rf64"
    rate, n = 8000, 90 * 3600 * 8000
    soundfile.write(path, np.zeros(1), rate, "PCM_16", format="RF64")
    head = path.read_bytes()
    data = head.index(b"data") + 8
    sizes = head.index(b"ds64") + 8
    tone = (10_000 * np.sin(np.arange(rate))).astype("<i2")
    with path.open("r+b") as file:
        file.seek(sizes)
        file.write(struct.pack("<QQQ", data - 8 + 2 * n, 2 * n, n))
        file.seek(data + 2 * (n - rate))
        file.write(tone.tobytes())
    assert n > 2**31 and probe(path).frames == n
    hearing = WindowSettings(Grid(5.0), (rate,))
    last = read_block(path, (hearing.grid.count(90 * 3600) - 1) // hearing.block, hearing)
    assert last.length == 90 * 3600 == last.ends[-1]
    sound = last.waves[rate].window(len(last) - 1)
    assert not sound[: 4 * rate].any()
    assert np.array_equal(np.rint(sound[4 * rate :] * 32768), tone)


def test_blocks_are_no_larger_at_higher_rates() -> None:
    for rate in (8000, 48_000, 384_000):
        hearing = WindowSettings(Grid(5.0), (rate,))
        assert hearing.block * 5.0 * rate <= 1 << 22
    assert WindowSettings(Grid(900.0), (48_000,)).block == 1


def test_summary_features_are_those_of_clips(night: Path, tmp_path: Path) -> None:
    config = SummaryConfig(sample_rate=8000)
    y, _ = read(night, 8000)
    plain = tmp_path / "plain.flac"
    soundfile.write(plain, y, 8000)
    for path, agreement in ((plain, 1.0), (night, 0.99)):  # resampled from an odd rate, the last bits differ
        block = read_block(path, 0, WindowSettings(Grid(4.0, 2.0), (8000,)))
        spans = make_clips(
            [()] * len(block),
            paths=[str(path)] * len(block),
            starts=block.starts.tolist(),
            ends=block.ends.tolist(),
        )
        expected = summary_table(spans, config, cache_dir=tmp_path, progress=False)
        result = summary_of_waves(block.waves[8000], config, jobs=2)
        assert not expected.failures and list(result.columns) == list(expected.features.columns)
        tolerance = 0.0 if agreement == 1 else 1e-3
        close = np.isclose(result, expected.features, rtol=tolerance, atol=tolerance)
        assert close.mean() >= agreement
    # and of a file that holds nothing but the window
    alone = tmp_path / "alone.wav"
    soundfile.write(alone, block.waves[8000].window(3), 8000, subtype="FLOAT")
    single = summary_table(make_clips([()], paths=[str(alone)]), config, cache_dir=tmp_path, progress=False)
    assert np.array_equal(single.features.iloc[0], result.iloc[3])
