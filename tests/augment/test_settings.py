"""Transforms from tables of settings, and back."""

import subprocess
import sys
import tomllib

import numpy as np
import pytest

from aurist.augment import (
    Compose,
    FrequencyMask,
    GaussianNoise,
    OneOf,
    PinkNoise,
    PitchShift,
    TimeMask,
    compose_from,
    describe,
)
from aurist.augment.settings import STAGES
from aurist.errors import ConfigError

TEXT = """
[[augment.wave]]
kind = "one_of"
p = 0.5
of = [{kind = "gaussian_noise", snr_db = [5, 20], snr_of = "peak"}, {kind = "pink_noise", snr_db = [5, 20]}]
[[augment.wave]]
kind = "pitch_shift"
semitones = [-5, 5]
p = 0.5
"""


def test_from_toml_and_back():
    compose = compose_from(tomllib.loads(TEXT)["augment"]["wave"], "x.toml")
    one_of = OneOf((GaussianNoise((5, 20), "peak"), PinkNoise((5, 20))), p=0.5)
    assert compose == Compose((one_of, PitchShift((-5, 5), p=0.5)))
    assert compose_from(describe(compose), "x.toml") == compose
    for stage, kinds in STAGES.items():
        plain = [{"kind": kind} for kind in kinds if kind != "background_mix"]
        made = compose_from(plain, "x.toml", stage)
        assert compose_from(describe(made), "x.toml", stage) == made


@pytest.mark.parametrize(
    ("table", "stage", "message"),
    [
        (
            {"kind": "gausian_noise"},
            "wave",
            "x.toml, wave transform 1: unknown kind 'gausian_noise'.*'gaussian_noise'",
        ),
        ({"kind": "wobble"}, "image", "Known: frequency_mask, one_of, time_mask"),
        (
            {"kind": "pitch_shift", "semitone": [1, 2]},
            "wave",
            "pitch_shift.*unknown setting 'semitone'.*'semitones'",
        ),
        (
            {"kind": "pitch_shift", "semitones": [5, -5]},
            "wave",
            r"semitones is \[5, -5\], but must be the lowest",
        ),
        ({"kind": "pitch_shift", "semitones": 5}, "wave", "semitones is 5, but"),
        ({"kind": "pitch_shift", "semitones": ["a", "b"]}, "wave", "semitones is"),
        ({"kind": "pitch_shift", "semitones": [0, 99]}, "spectrum", "within -24 and 24"),
        ({"kind": "pitch_shift", "p": 2}, "wave", "p is 2, but must be a probability"),
        ({"kind": "volume", "curve": "sinus"}, "wave", "curve is 'sinus', but must be one of: uniform, fade"),
        ({"kind": "time_stretch"}, "spectrum", "'time_stretch' belongs to another stage, 'wave'"),
        ({"kind": "frequency_mask", "count": 0}, "image", "count is 0"),
        ({"kind": "one_of", "of": []}, "wave", "nothing to choose from"),
        (
            {"kind": "one_of", "of": [{"kind": "gian"}]},
            "wave",
            "transform 1 .one_of., choice 1: unknown kind 'gian'",
        ),
        ({"kind": "background_mix"}, "wave", "give files"),
        ({"p": 0.5}, "wave", "must be a table with its kind"),
        ("gain", "wave", "must be a table with its kind"),
    ],
)
def test_wrong_settings_say_where_and_what(table, stage, message):
    with pytest.raises(ConfigError, match=message):
        compose_from([table], "x.toml", stage)


def test_unknown_stage():
    with pytest.raises(ConfigError, match=r"unknown stage 'waves'\. Did you mean 'wave'"):
        compose_from([], "x.toml", "waves")


def test_masks_fill_with_the_mean():
    image = np.random.default_rng(0).random((40, 100), dtype=np.float32)
    bands = FrequencyMask((0.1, 0.3), count=2, p=1)
    masked = bands.apply(image, 1, ((0.0, 0.25), (0.5, 0.6)))
    assert np.all(masked[:10] == image.mean())
    assert np.all(masked[20:24] == image.mean())
    assert np.array_equal(masked[10:20], image[10:20])
    masked = TimeMask().apply(image, 1, ((0.9, 1.0),))
    assert np.all(masked[:, 90:] == image.mean())
    assert np.array_equal(masked[:, :90], image[:, :90])
    for seed in range(50):
        spans = bands.draw(np.random.default_rng(seed), 1, 1)
        assert len(spans) == 2
        assert all(first >= 0 and last <= 1 and 0.1 <= last - first <= 0.3 + 1e-9 for first, last in spans)


def test_no_heavy_imports():
    code = "import sys, aurist.augment; print([m for m in ('torch', 'numba', 'scipy', 'librosa') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
