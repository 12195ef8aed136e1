"""Levels of bands in parts of windows, and the bands in which classes call."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from aurist.clips import make_clips
from aurist.features.call_spectra import CallSpectra, learn_spectra
from aurist.features.part_levels import LevelConfig, levels_of_clips, levels_of_waves, part_levels
from aurist.features.waves import WavesInMemory

RATE = 22_050
CONFIG = LevelConfig(RATE, n_parts=4)


def test_levels_are_those_of_librosas_bands() -> None:
    y = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    y[RATE:] *= 3
    mel = librosa.feature.melspectrogram(
        y=y, sr=RATE, n_fft=512, hop_length=512, n_mels=48, fmin=0.005 * RATE, fmax=0.45 * RATE, center=False
    )  # fmt: skip
    part = (np.arange(mel.shape[1]) * 512 + 256) // (RATE // 2)
    expected = [10 * np.log10(mel[:, part == number].mean(axis=1)) for number in range(4)]
    np.testing.assert_allclose(part_levels(y, CONFIG), expected, atol=1e-3)


@pytest.mark.parametrize("n", [1, 100, 3000])
def test_windows_shorter_than_their_frames_have_levels(n: int) -> None:
    levels = part_levels(np.full(n, 0.1, np.float32), LevelConfig(RATE))
    assert levels.shape == (20, 48) and np.isfinite(levels).all()


def test_clips_and_windows_in_memory_have_equal_levels(tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    starts = np.array([0.0, 1.0, 2.0])
    clips = make_clips([("a",)] * 3, paths=["a.wav"] * 3, starts=starts, ends=starts + 1, root=tmp_path)
    of_clips = levels_of_clips(clips, CONFIG, cache_dir=tmp_path / "cache", jobs=1)
    begin = (starts * RATE).astype(np.int64)
    of_waves = levels_of_waves(WavesInMemory(RATE, y, begin, begin + RATE), CONFIG, jobs=1)
    np.testing.assert_allclose(of_clips, of_waves, atol=1e-4)
    (tmp_path / "a.wav").unlink()
    lost = levels_of_clips(clips, CONFIG, cache_dir=tmp_path / "other", jobs=1)
    assert np.isnan(lost).all()


def test_a_class_is_learnt_in_the_bands_in_which_it_calls() -> None:
    rng = np.random.default_rng(0)
    levels = rng.normal(-60, 1, (6, 4, 48)).astype(np.float32)
    is_call = np.zeros((6, 4, 3), dtype=bool)
    is_call[:3, 1, 0] = True
    levels[:3, 1, 10] += 30
    levels[5] = np.nan
    is_call[5, :, 0] = True
    recordings = np.array(["a", "a", "b", "b", "c", "d"])
    is_call[4, :, 2] = True  # everywhere in its recording: nothing to compare with
    spectra = learn_spectra(levels, is_call, recordings, CONFIG)
    assert spectra.weights[0].argmax() == 10 and spectra.weights[0].sum() == pytest.approx(1)
    assert spectra.weights[0, 10] > 0.5 and not spectra.weights[1:].any()
    of_class = spectra.levels(levels)
    assert (of_class[:3, :, 0].argmax(axis=1) == 1).all()
    # half dB from -100 dB on, and what cannot be measured or has no bands is level
    assert abs(int(of_class[4, 0, 0]) - 80) <= 3 and not of_class[5].any() and not of_class[:, :, 1].any()
    again = CallSpectra.from_arrays(spectra.to_arrays())
    assert again.config == CONFIG and np.array_equal(again.weights, spectra.weights)
    with pytest.raises(ValueError, match="config is"):
        CallSpectra.from_arrays({"weights": spectra.weights[:, 1:], "config": np.array([RATE, 4, 48])})
