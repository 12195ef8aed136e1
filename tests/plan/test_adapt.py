from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.errors import ConfigError
from aurist.features.spectrogram_config import shape
from aurist.plan import SoundFacts, adapt_to_sound, sound_facts, with_band, with_half_frame_rate
from aurist.recipes import read_recipe

RECIPE = read_recipe("mel-cnn")


def test_recordings_such_as_it_was_made_for_leave_the_recipe_as_it_is() -> None:
    assert adapt_to_sound(RECIPE, SoundFacts(44100, 5.0, 5.0, 400)) == RECIPE


def test_nothing_is_made_up_above_the_rate_of_the_recordings() -> None:
    recipe = adapt_to_sound(RECIPE, SoundFacts(22050, 30.0, 30.0, 1000))
    assert recipe.front.sample_rate == 22050
    assert recipe.front.hop_length == 220  # 10 ms, as before
    assert recipe.front.n_fft == 1024
    assert recipe.front.fmax is not None and recipe.front.fmax < 11025
    assert recipe.window.hop == 1.25  # 24 windows of 30 s, and not 57


def test_ultrasound_is_slowed_down() -> None:
    recipe = adapt_to_sound(RECIPE, SoundFacts(441_000, 0.5, 0.6, 100))
    assert (recipe.front.n_fft, recipe.front.hop_length) == (2048, 441)
    assert recipe.front.fmin == 8000.0 and recipe.front.fmax == 160_000.0
    assert recipe.window.seconds == 0.2  # two seconds, ten times faster
    calls = adapt_to_sound(RECIPE, SoundFacts(384_000, 0.006, 0.01, 44))
    assert calls.window.seconds is not None and calls.window.seconds < 0.011
    assert calls.window.seconds * 384_000 / calls.front.hop_length > 120


def test_a_band_is_heard_alone_with_frames_long_enough_for_narrow_ones() -> None:
    front = with_band(RECIPE, (500.0, 900.0)).front
    assert (front.fmin, front.fmax) == (500.0, 900.0)
    assert front.n_fft > RECIPE.front.n_fft  # 64 bands of 6 Hz
    assert with_band(RECIPE, (1500.0, 90_000.0)).front.fmax == 22_050
    with pytest.raises(ConfigError, match="the boxes lie from 30000 to 90000 Hz"):
        with_band(RECIPE, (30_000.0, 90_000.0))


def test_large_sets_are_heard_fewer_times() -> None:
    assert adapt_to_sound(RECIPE, SoundFacts(44100, 5.0, 5.0, 8000)).training.epochs == 50
    assert adapt_to_sound(RECIPE, SoundFacts(44100, 5.0, 5.0, 60)).training.batch_size == 16


@given(
    st.sampled_from([4000.0, 8000.0, 8012.0, 16000.0, 22000.0, 48000.0, 96000.0, 250_000.0, 500_000.0]),
    st.floats(0.01, 3600.0),
    st.floats(1.0, 10.0),
    st.integers(2, 100_000),
)
def test_every_recording_makes_an_image_that_the_network_can_take(
    rate: float, seconds: float, longer: float, clips: int
) -> None:
    recipe = adapt_to_sound(RECIPE, SoundFacts(rate, seconds, seconds * longer, clips))
    assert recipe.window.seconds is not None and recipe.front.fmax is not None
    samples = round(recipe.window.seconds * recipe.front.sample_rate)
    _, rows, frames = shape(recipe.front, samples)
    assert rows == 64
    assert frames >= 100
    # where no clip is that long, windows are as long as the longest
    used = max(min(samples, round(seconds * longer * recipe.front.sample_rate)), recipe.front.n_fft)
    assert shape(with_half_frame_rate(recipe).front, used)[2] >= 16
    assert recipe.front.fmin < recipe.front.fmax <= recipe.front.sample_rate / 2


def test_facts_come_from_the_audit() -> None:
    lengths = {"min": 1.0, "5%": 1.0, "median": 4.0, "95%": 7.0, "max": 90.0}
    assert sound_facts({"44100": 3, "48000": 9}, lengths, 12) == SoundFacts(48000.0, 4.0, 7.0, 12)
    assert sound_facts({}, {}, 12) is None
