"""The recorder's gain, offset and bit depth leave the features as they are; slowed sound is like lower sound."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.audio import read
from aurist.clips import Clips
from aurist.clips.read import read_clips
from aurist.features.level import LEVEL, normalise_level
from aurist.features.store import summary_table
from aurist.features.summary import measure, summary, summary_columns
from aurist.features.summary_config import SummaryConfig, config_for_rates

RATE = 22050
CONFIG = SummaryConfig()
COLUMNS = np.array(summary_columns(CONFIG))
#: Minimum and maximum of the deepest valley of a spectrum, and what follows from them, hang on the last bits.
STEADY = np.array([not name.startswith("contrast") for name in COLUMNS])


def sound(seed: int, seconds: float = 1.5) -> np.ndarray:
    """Calls over faint noise, with a stretch of digital silence."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    hz = rng.uniform(300, 4000)
    y = 0.002 * rng.standard_normal(len(t))
    y += 0.3 * np.sin(2 * np.pi * hz * t * (1 + 0.1 * t)) * (np.sin(2 * np.pi * rng.uniform(2, 5) * t) > 0.3)
    y[: len(t) // 6] = 0
    return (np.round(y * 32768) / 32768).astype(np.float32)


#: The spread of each feature over sounds of these kinds: differences are told in it.
SPREAD = np.std([summary(sound(seed), CONFIG) for seed in range(12)], axis=0) + 1e-6


def apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(summary(first, CONFIG) - summary(second, CONFIG))[STEADY] / SPREAD[STEADY]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 11), db=st.floats(-40, 40), offset=st.floats(-0.3, 0.3))
def test_gain_and_offset_leave_the_features(seed, db, offset):
    y = sound(seed)
    turned = (y * np.float32(10 ** (db / 20))).astype(np.float32)
    assert apart(y, turned).max() < 0.02
    # single precision beside a large offset keeps fewer bits of the sound
    moved = turned + np.float32(offset * max(1.0, np.abs(turned).max()))
    difference = apart(y, moved)
    assert np.median(difference) < 1e-3 and np.quantile(difference, 0.99) < 0.1


def test_bit_depth(tmp_path: Path):
    y = sound(3)
    for kind in ("PCM_16", "PCM_24", "FLOAT"):
        soundfile.write(tmp_path / f"{kind}.wav", y, RATE, subtype=kind)
    rows = [
        summary(read(tmp_path / f"{kind}.wav", RATE)[0], CONFIG) for kind in ("PCM_16", "PCM_24", "FLOAT")
    ]
    assert np.array_equal(rows[0], rows[1]) and np.array_equal(rows[0], rows[2])
    loud = y / np.abs(y).max()
    soundfile.write(tmp_path / "8.wav", loud, RATE, subtype="PCM_U8")
    assert np.median(apart(y, read(tmp_path / "8.wav", RATE)[0])) < 0.5


def test_without_offset_and_with_a_peak_of_one():
    y = sound(1)
    clip, peak_db = normalise_level(y + np.float32(0.25))
    assert np.abs(clip).max() == pytest.approx(1, abs=1e-3) and abs(clip.mean()) < 1e-5
    assert peak_db == pytest.approx(20 * np.log10(np.abs(y - y.mean()).max()), abs=1e-3)
    for silent in (np.zeros(9, np.float32), np.full(1000, 0.1, np.float32), np.full(3, 1e-35, np.float32)):
        clip, peak_db = normalise_level(silent)
        assert not clip.any() and peak_db == -120


def test_what_is_kept_is_the_level(tmp_path: Path):
    keep = SummaryConfig(level="keep")
    y = sound(2)
    y[: len(y) // 6] = 0.001  # digital silence has no level that could be kept
    faint = dict(zip(summary_columns(keep), summary(y * np.float32(0.01), keep).tolist(), strict=True))
    loud = dict(zip(summary_columns(keep), summary(y, keep).tolist(), strict=True))
    assert loud[LEVEL] - faint[LEVEL] == pytest.approx(40, abs=1e-3)
    assert loud["mel_07_mean"] - faint["mel_07_mean"] == pytest.approx(40, abs=1e-3)
    assert loud["mfcc_00_max"] - faint["mfcc_00_max"] == pytest.approx(40 * 128**0.5, abs=0.01)
    assert loud["rms_max"] / faint["rms_max"] == pytest.approx(100, rel=1e-3)
    assert loud["mel_07_std"] == pytest.approx(faint["mel_07_std"], abs=1e-3)
    # as measured without any of this
    centred = np.pad(y - y.mean(), 1024)
    frames = [np.sqrt(np.mean(centred[at : at + 2048] ** 2)) for at in range(0, len(y), 512)]
    assert loud["rms_max"] == pytest.approx(max(frames), rel=1e-3)
    assert loud["level_max"] == pytest.approx(20 * np.log10(max(frames)), abs=0.01)
    assert summary_columns(keep) == (*summary_columns(CONFIG), LEVEL)


def test_both_are_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep, y = SummaryConfig(level="keep"), sound(2)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    clips: Clips = read_clips(tmp_path, labelled=False)
    with_levels = summary_table(clips, keep, cache_dir=tmp_path / "cache", progress=False)
    monkeypatch.setattr("aurist.features.store.measure_both", None)
    relative = summary_table(clips, CONFIG, cache_dir=tmp_path / "cache", progress=False)
    np.testing.assert_array_equal(with_levels.features.iloc[0], summary(y, keep))
    np.testing.assert_array_equal(relative.features.iloc[0], summary(y, CONFIG))
    assert with_levels.level[0] == relative.level[0] == np.float32(measure(y, CONFIG)[1])


def test_settings_follow_the_recordings():
    assert config_for_rates({}) == SummaryConfig(spectrum_share=0.9)
    assert config_for_rates({"44100": 9, "256000": 3}) == SummaryConfig(spectrum_share=0.9)
    assert config_for_rates({}, sample_rate=8000) == SummaryConfig(sample_rate=8000, spectrum_share=0.9)
    assert config_for_rates({"44100": 9}, (300.0, 9000.0)).sample_rate == 22050
    assert config_for_rates({"44100": 9}, (300.0, 15000.0)).sample_rate == 44100
    assert config_for_rates({"44100": 9}, (300.0, 14300.0)).highest == 0.9 * 16000
    assert config_for_rates({"24000": 9}, (300.0, 15000.0)).sample_rate == 24000
    # boxes that reach into the last tenth of the spectrum have all of it
    assert config_for_rates({"24000": 9}, (300.0, 11900.0)).spectrum_share == 1.0
    bats = config_for_rates({"384000": 5, "44100": 2}, (20_000.0, 250_000.0), level="keep")
    assert (bats.sample_rate, bats.fmin, bats.highest, bats.level) == (384000, 20_000, 192_000, "keep")
    assert bats.sample_rate / bats.slowed == pytest.approx(22050)


def test_ultrasound_slowed_down_is_like_lower_sound():
    rate = 10 * RATE
    t = np.arange(rate) / RATE
    y = np.sin(2 * np.pi * 880 * t).astype(np.float32)
    slowed = SummaryConfig(sample_rate=rate, slowed=10.0)
    np.testing.assert_allclose(summary(y, slowed), summary(y, CONFIG), rtol=1e-5, atol=1e-5)
    # at the usual rate nothing of 60 kHz is left; slowed down it is a tone
    bat = np.sin(2 * np.pi * 60_000 * np.arange(rate // 4) / rate).astype(np.float32)
    named = dict(zip(COLUMNS, summary(bat, slowed).tolist(), strict=True))
    assert named["centroid_median"] == pytest.approx(6000, abs=20)
