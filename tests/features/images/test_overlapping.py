"""Windows that share frames have the images that they have alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.features.images import ImageMaker, overlapping_images
from aurist.features.images import overlapping as module
from aurist.features.spectrogram_config import SpectrogramConfig

from .test_maker import configs, sound

RATE = 16000
CONFIG = SpectrogramConfig(sample_rate=RATE, n_fft=512, hop_length=160, n_mels=40, image=(48, 60))


def alone(maker: ImageMaker, y: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    return maker(np.stack([y[start : start + n] for start in starts]))


@settings(max_examples=120, derandomize=True)
@given(
    configs(),
    st.integers(1, 6),
    st.integers(1, 12),
    st.integers(2000, 9000),
    st.sampled_from([0.0, 0.02, 3.0]),
    st.integers(0, 5),
)
def test_equals_each_window_alone(
    config: SpectrogramConfig, count: int, hops: int, n: int, offset: float, seed: int
) -> None:
    starts = 7 + np.arange(count) * hops * config.hop_length
    y = sound(int(starts[-1]) + n + 5, seed) + np.float32(offset * (config.level == "relative"))
    maker = ImageMaker(config)
    ours, theirs = overlapping_images(maker, y, starts, n), alone(maker, y, starts, n)
    largest = max(1.0, float(np.abs(theirs).max()))
    tolerance = {"mel": 1e-4 * largest, "pcen": 2e-4 * largest, "mfcc": 1e-2, "log_mel": 2e-3}[config.kind]
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-4)


def frames_made(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    made: list[int] = []
    bands = ImageMaker.bands

    def counted(self: ImageMaker, *given: object) -> None:
        made.append(len(given[4]))  # type: ignore[arg-type]
        bands(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageMaker, "bands", counted)
    return lambda: sum(made)


def test_common_frames_are_transformed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = frames_made(monkeypatch)
    y = sound(RATE * 5, 1)
    overlapping_images(ImageMaker(CONFIG), y, np.arange(7) * RATE // 2, 2 * RATE)
    # five seconds have 501 frames; seven windows of two seconds have 201 each, four of them at their ends
    assert 501 - 4 <= made() <= 501 + 7 * 4


@pytest.mark.parametrize("starts", [[0, 1000], [0, 48000], [5]], ids=["unaligned", "apart", "one"])
def test_windows_without_common_frames(monkeypatch: pytest.MonkeyPatch, starts: list[int]) -> None:
    y, maker, n = sound(RATE * 5, 2), ImageMaker(CONFIG), 2 * RATE
    expected = alone(maker, y, np.array(starts), n)
    made = frames_made(monkeypatch)
    assert (overlapping_images(maker, y, np.array(starts), n) == expected).all()
    assert made() == len(starts) * 201


def test_silence_and_a_step_of_the_offset() -> None:
    """A window whose mean is far from that of the stretch is computed by itself; silence has its own image."""
    y = sound(RATE * 6, 3, gain=0.01)
    y[: 2 * RATE] = 0
    y[4 * RATE :] += 5
    starts, maker = np.arange(9) * RATE // 2, ImageMaker(CONFIG)
    ours = overlapping_images(maker, y, starts, 2 * RATE)
    np.testing.assert_allclose(ours, alone(maker, y, starts, 2 * RATE), atol=2e-3)
    assert not ours[0].any()
    assert module._LARGEST_OFFSET < 5 / 0.01
