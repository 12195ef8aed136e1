"""Images without torch are the images of `Spectrogram`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aurist.errors import ConfigError
from aurist.features.images import ImageMaker
from aurist.features.spectrogram import Spectrogram
from aurist.features.spectrogram_config import KINDS, LEVELS, SCALES, SpectrogramConfig, shape
from aurist.workers import ahead

RATE = 16000


def sound(n: int, seed: int, gain: float = 1.0, offset: float = 0.0) -> np.ndarray:
    """A chirp and bursts of noise, with a quiet second half."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / RATE
    y = 0.05 * rng.standard_normal(n) * np.exp(-6 * (t % 0.25)) + 0.002 * rng.standard_normal(n)
    y += 0.3 * np.sin(2 * np.pi * (200 + 400 * (1 + seed % 3) * t) * t)
    y[n // 2 :] *= 0.05
    return (gain * y + offset).astype(np.float32)


def by_torch(config: SpectrogramConfig, clips: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return Spectrogram(config)(torch.from_numpy(clips)).numpy()


@st.composite
def configs(draw: st.DrawFn) -> SpectrogramConfig:
    n_fft = draw(st.sampled_from([200, 256, 512, 1000, 1024]))
    n_mels = draw(st.integers(4, 64))
    image = st.tuples(st.integers(1, 150), st.integers(1, 150))
    try:
        return SpectrogramConfig(
            sample_rate=RATE,
            n_fft=n_fft,
            hop_length=draw(st.integers(n_fft // 5, n_fft)),
            n_mels=n_mels,
            fmin=draw(st.sampled_from([0.0, 100.0])),
            fmax=draw(st.sampled_from([None, 6000.0])),
            power=draw(st.sampled_from([1.0, 2.0])),
            center=draw(st.booleans()),
            kind=draw(st.sampled_from(KINDS)),
            n_mfcc=draw(st.integers(1, n_mels)),
            decibel=draw(st.booleans()),
            top_db=draw(st.sampled_from([None, 80.0, 30.0])),
            db_of=draw(st.sampled_from([None, "power", "amplitude"])),
            scale=draw(st.sampled_from(SCALES)),
            mean=-3.0,
            std=7.0,
            image=draw(st.none() | image),
            level=draw(st.sampled_from(LEVELS)),
            frequency_channel=draw(st.booleans()),
        )
    except ConfigError:  # a band without a bin
        assume(False)
        raise


@settings(max_examples=120, derandomize=True)
@given(
    configs(),
    st.integers(2000, 20000),
    st.integers(0, 9),
    st.sampled_from([1.0, 1e-3]),
    st.sampled_from([0.0, 0.2]),
)
def test_equals_the_module_of_torch(
    config: SpectrogramConfig, n: int, seed: int, gain: float, offset: float
) -> None:
    # in single precision, bands far below a large offset are rounding, of both
    offset *= config.level == "relative"
    clips = np.stack([sound(n, seed, gain, offset), sound(n, seed + 1, gain)])
    ours, theirs = ImageMaker(config)(clips), by_torch(config, clips)
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape == (2, *shape(config, n))
    # 2e-3 dB, of which a scaled image has a share; cepstra are sums of bands, and bands of PCEN have no unit
    largest = max(1.0, float(np.abs(theirs).max()))
    tolerance = {"mel": 1e-4 * largest, "pcen": 2e-4 * largest, "mfcc": 1e-2, "log_mel": 2e-3}[config.kind]
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-4)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_silence_and_constants(kind: str, scale: str) -> None:
    config = SpectrogramConfig(sample_rate=RATE, n_mels=40, kind=kind, scale=scale, image=(50, 30))
    clips = np.stack([np.zeros(8000), np.full(8000, 0.1), 1e-9 * sound(8000, 1), 1e-35 * sound(8000, 1)])
    ours = ImageMaker(config)(clips.astype(np.float32))
    assert np.isfinite(ours).all()
    np.testing.assert_allclose(ours, by_torch(config, clips.astype(np.float32)), atol=5e-3, rtol=1e-3)


def test_a_clip_shorter_than_a_frame() -> None:
    config = SpectrogramConfig(sample_rate=RATE, n_mels=40, center=False)
    clips = sound(300, 3)[None]
    np.testing.assert_allclose(ImageMaker(config)(clips), by_torch(config, clips), atol=2e-3)


def test_threads_share_a_maker() -> None:
    maker = ImageMaker(SpectrogramConfig(sample_rate=RATE, n_mels=40, image=(64, 64)))
    clips = [sound(16000, seed)[None] for seed in range(24)]
    alone = [maker(clip) for clip in clips]
    calls = [(number, lambda clip=clip: maker(clip)) for number, clip in enumerate(clips)]
    for number, future in ahead(calls, 4):
        assert (future.result() == alone[number]).all()
