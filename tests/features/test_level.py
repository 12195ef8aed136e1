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
from aurist.features.level import COMMON_RMS, levelled
from aurist.features.store import summary_table
from aurist.features.summary import SummaryConfig, summary, summary_columns

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


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(summary(one, CONFIG) - summary(other, CONFIG))[STEADY] / SPREAD[STEADY]


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


def test_the_common_level():
    y = sound(1)
    clip = levelled(y + np.float32(0.25))
    assert clip.y.std() == pytest.approx(COMMON_RMS, rel=1e-3) and abs(clip.y.mean()) < 1e-5
    assert clip.peak == pytest.approx(np.abs(y - y.mean()).max(), rel=1e-4)
    for silent in (np.zeros(9, np.float32), np.full(1000, 0.1, np.float32), np.full(3, 1e-35, np.float32)):
        assert not levelled(silent).y.any()


def test_keeping_the_level_adds_what_was_measured(tmp_path: Path):
    keep = SummaryConfig(level="keep")
    y = sound(2)
    faint = dict(zip(summary_columns(keep), summary(y * np.float32(0.01), keep).tolist(), strict=True))
    loud = dict(zip(summary_columns(keep), summary(y, keep).tolist(), strict=True))
    assert loud["clip_rms_db"] == pytest.approx(20 * np.log10((y - y.mean()).std()), abs=1e-3)
    assert loud["clip_rms_db"] - faint["clip_rms_db"] == pytest.approx(40, abs=1e-3)
    assert loud["clip_peak_db"] - faint["clip_peak_db"] == pytest.approx(40, abs=1e-3)
    assert summary_columns(keep)[:-2] == summary_columns(CONFIG)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    clips: Clips = read_clips(tmp_path, labelled=False)
    stored = summary_table(clips, keep, cache_dir=tmp_path / "cache", progress=False).features
    left = summary_table(clips, CONFIG, cache_dir=tmp_path / "cache", progress=False).features
    np.testing.assert_array_equal(stored.iloc[0], summary(y, keep))
    np.testing.assert_array_equal(left.iloc[0], summary(y, CONFIG))


def test_ultrasound_slowed_down_is_like_lower_sound():
    rate = 10 * RATE
    t = np.arange(rate) / RATE
    y = np.sin(2 * np.pi * 880 * t).astype(np.float32)
    slowed = SummaryConfig(sample_rate=rate, slowed=10.0)
    np.testing.assert_allclose(summary(y, slowed), summary(y, CONFIG), rtol=1e-5, atol=1e-5)
    # at the usual rate nothing of 60 kHz is left; slowed down it is a tone
    bat = np.sin(2 * np.pi * 60_000 * np.arange(rate // 4) / rate).astype(np.float32)
    found = dict(zip(COLUMNS, summary(bat, slowed).tolist(), strict=True))
    assert found["centroid_median"] == pytest.approx(6000, abs=20)
