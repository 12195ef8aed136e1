"""How recordings sound as a whole: known sounds have known figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.features.profiles import OCTAVES, profile, profiles_of

RATE = 22_050


def noise(seconds: float = 10, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, round(seconds * rate)).astype(np.float32)


def filtered(y: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Filter by gains at equally spaced frequencies from 0 to half the sample rate."""
    spectrum = np.fft.rfft(y)
    gains = np.interp(np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, len(gain)), gain)
    return np.fft.irfft(spectrum * gains, len(y)).astype(np.float32)


@pytest.mark.parametrize("highest", [3000, 5500, 8000])
def test_the_highest_frequency_with_sound_is_that_of_the_filter(highest: int) -> None:
    hz = np.linspace(0, RATE / 2, 2000)
    assert profile(filtered(noise(), (hz < highest).astype(float)), RATE).reach == pytest.approx(
        highest, abs=RATE / 2 / 50
    )
    falling = 10 ** (-9 * np.log2(np.maximum(hz, 50) / 50) / 20)  # by 9 dB an octave, as no filter does
    assert profile(filtered(noise(), falling), RATE).reach == RATE / 2


def test_octaves_do_not_depend_on_gain_and_calls_but_on_the_background() -> None:
    y = noise()
    calls = y.copy()
    t = np.arange(3 * RATE) / RATE
    calls[: len(t)] += np.sin(2 * np.pi * 2000 * t).astype(np.float32)
    plain = profile(y, RATE)
    for changed in (calls, 0.1 * y):
        assert profile(changed, RATE).octaves == pytest.approx(plain.octaves, abs=1, nan_ok=True)
    assert profile(0.1 * y, RATE).level == pytest.approx(plain.level - 20)
    pink = 10 * np.log10(1 / np.maximum(np.linspace(0, RATE / 2, 2000), 50))
    octaves = profile(filtered(y, 10 ** (pink / 20)), RATE).octaves
    used = np.isfinite(octaves)
    assert OCTAVES[used].max() == 8000
    assert np.diff(octaves[used]) == pytest.approx(-3, abs=0.7), "3 dB an octave"


@pytest.mark.parametrize("y", [np.zeros(RATE), np.ones(1), np.full(700, 0.5)])
def test_silence_and_a_few_samples_have_a_profile(y: np.ndarray) -> None:
    one = profile(y.astype(np.float32), RATE)
    assert one.reach == RATE / 2 and one.level <= 0


def test_unreadable_recordings_are_passed_over_and_many_are_sampled(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    sf.write(tmp_path / "good.wav", noise(1), RATE)
    files = [tmp_path / name for name in ("bad.wav", "good.wav", "gone.wav")]
    assert profiles_of(files).octaves.shape == (1, len(OCTAVES))
    assert len(profiles_of(files[1:2] * 100)) == 40
    assert profiles_of(files[:1]).octaves.shape == (0, len(OCTAVES))
