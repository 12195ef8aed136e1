"""Loops with numpy against the compiled ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aurist.features import _kernels, frames, plain
from aurist.features.frames import Frames, analyse

SETTINGS = {"n_fft": 1024, "hop_length": 256, "n_mels": 40, "n_mfcc": 13, "fmin": 20.0}


def sounds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    time = np.arange(30_000) / 22_050
    return {
        "noise": rng.normal(0, 0.2, 30_000),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time),
        "silence": np.zeros(5000),
        "offset": np.full(5000, 0.25),
        "clicks": (np.arange(9000) % 1777 == 0) * 0.9,
        "one sample": np.array([0.3]),
        "shorter than a frame": rng.normal(0, 0.1, 300),
    }


@pytest.mark.parametrize("share", [1.0, 0.9])
@pytest.mark.parametrize("name", sounds())
def test_all_features_of_frames_agree(name: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    y = sounds()[name].astype(np.float32)
    results: list[Frames] = []
    for loops in (_kernels, plain):
        monkeypatch.setattr(frames, "feature_loops", lambda seconds=0.0, loops=loops: loops)
        results.append(analyse(y, 22_050, **SETTINGS, fmax=share * 11_025, spectrum_share=share))
    compiled, with_numpy = results
    for field in dataclasses.fields(Frames):
        expected, got = getattr(compiled, field.name), getattr(with_numpy, field.name)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(got, expected, atol=3e-5 * scale, rtol=1e-4, err_msg=field.name)


@pytest.mark.parametrize("hop_length", [256, 220, 100, 441])
def test_levels_and_crossings_agree_for_any_hop(hop_length: int) -> None:
    y = np.random.default_rng(1).normal(size=7001).astype(np.float32)
    n = 1 + len(y) // hop_length
    expected, got = np.empty((2, n), np.float32), np.empty((2, n), np.float32)
    _kernels.rms_and_zero_crossings(y, 1024, hop_length, *expected)
    plain.rms_and_zero_crossings(y, 1024, hop_length, *got)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


def test_moments_agree_and_constant_rows_have_none() -> None:
    rows = np.random.default_rng(2).gamma(2.0, size=(6, 50)).astype(np.float32)
    rows[1], rows[2] = 3.0, 0.0
    expected, got = np.empty((6, 7), np.float32), np.empty((6, 7), np.float32)
    _kernels.moments(rows, expected)
    plain.moments(rows, got)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    assert got[1].tolist() == [3.0, 0.0, 3.0, 3.0, 0.0, 0.0, 0.0]
