import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.audio import resample
from aurist.errors import ConfigError, DataError
from aurist.features.frames import analyse
from aurist.features.level import normalise_level
from aurist.features.summary import SummaryConfig, summary, summary_columns
from aurist.features.summary_config import config_for_rates

CONFIG = SummaryConfig()
COLUMNS = summary_columns(CONFIG)
#: Features of the samples themselves: no bin of a spectrum can be left out.
TIME_DOMAIN = ("zcr", "rms", "level")


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32) / 4


def named(y: np.ndarray, config: SummaryConfig = CONFIG) -> dict[str, float]:
    return dict(zip(summary_columns(config), summary(y, config).tolist(), strict=True))


def test_columns_are_named_and_distinct():
    assert len(COLUMNS) == len(set(COLUMNS)) > 100
    for name in (
        "mfcc_03_mean",
        "mfcc_delta_03_std",
        "chroma_11_mean",
        "rolloff_85_skew",
        "centroid_kurtosis",
    ):
        assert name in COLUMNS
    for name in ("tempo", "contrast_06_max", "tonnetz_05_skew", "mel_31_std", "rms_change", "zcr_mean"):
        assert name in COLUMNS


@pytest.mark.parametrize("rate", [32_000, 48_000])
def test_a_recording_at_another_rate_has_the_same_features(rate: int):
    """White noise reaches up to half of each rate; a resampler keeps nine tenths of it."""
    config = config_for_rates({})
    y = noise(3 * config.sample_rate)
    again = resample(resample(y, config.sample_rate, rate), rate, config.sample_rate)
    kept = [not name.startswith(TIME_DOMAIN) for name in summary_columns(config)]
    spread = 1e-9 + np.std([summary(noise(len(y), seed), config) for seed in range(5)], axis=0)
    moved, without = (np.abs(summary(again, c) - summary(y, c)) / spread for c in (config, CONFIG))
    assert moved[kept].max() < 0.5
    assert without[kept].max() > 10


def test_statistics_are_scipys():
    y = noise(30000)
    y[12000:15000] *= 4
    track = analyse(
        normalise_level(y)[0],
        22050,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        n_mfcc=20,
        fmin=0.0,
        fmax=11025.0,
    ).mfcc[:, 3]
    track = track.astype(np.float64)
    expected = {
        "mean": track.mean(),
        "std": track.std(),
        "min": track.min(),
        "median": np.median(track),
        "max": track.max(),
        "skew": scipy.stats.skew(track),
        "kurtosis": scipy.stats.kurtosis(track),
        "change": np.abs(np.diff(track)).mean(),
    }
    values = named(y)
    for statistic, value in expected.items():
        assert values[f"mfcc_03_{statistic}"] == pytest.approx(value, rel=1e-4, abs=1e-5), statistic


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 6000),
    kind=st.sampled_from(["silence", "constant", "noise", "faint", "loud", "click", "alternating"]),
)
def test_every_clip_has_finite_features(n, kind):
    y = {
        "silence": np.zeros(n),
        "constant": np.full(n, 0.5),
        "noise": noise(n),
        "faint": noise(n) * 1e-18,
        "loud": noise(n) * 1e9,
        "click": np.eye(1, n)[0],
        "alternating": (-1.0) ** np.arange(n),
    }[kind].astype(np.float32)
    values = summary(y, CONFIG)
    assert values.shape == (len(COLUMNS),) and values.dtype == np.float32
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    "config",
    [
        SummaryConfig(sample_rate=2000),
        SummaryConfig(sample_rate=8000, n_fft=256, hop_length=80, n_mels=32),
        SummaryConfig(sample_rate=44100, fmin=50.0, fmax=16000.0),
        SummaryConfig(sample_rate=384000, n_mfcc=13),
        SummaryConfig(sample_rate=250000, slowed=250000 / 22050, fmin=20000.0, fmax=120000.0, level="keep"),
    ],
)
def test_settings_change_the_columns_with_the_features(config):
    values = summary(noise(config.sample_rate), config)
    assert values.shape == (len(summary_columns(config)),)
    assert np.isfinite(values).all()


def test_same_clip_same_features():
    assert np.array_equal(summary(noise(9000), CONFIG), summary(noise(9000), CONFIG))


def test_what_is_heard():
    t = np.arange(4 * 22050) / 22050
    tone, hiss = named(np.sin(2 * np.pi * 880 * t).astype(np.float32)), named(noise(len(t)))
    clicks = np.zeros(len(t), np.float32)
    clicks[:: 22050 // 2] = 1
    clicked = named(clicks)
    assert tone["centroid_median"] == pytest.approx(880, abs=5)
    assert tone["chroma_09_mean"] == pytest.approx(1, abs=1e-3)
    assert tone["flatness_median"] < 0.01 < 0.4 < hiss["flatness_median"]
    assert clicked["tempo"] == pytest.approx(120, rel=0.03)
    # a pulse repeats after two of its periods as well
    assert clicked["pulse_period"] % 0.5 == pytest.approx(0, abs=0.03) or clicked["pulse_period"] % 0.5 > 0.47
    assert clicked["pulse_strength"] > 0.5 > hiss["pulse_strength"]
    assert clicked["percussiveness"] > 10 * tone["percussiveness"]
    assert clicked["active_10db"] < 0.3 < 0.95 < tone["active_10db"]


def test_modulation_is_found_at_its_frequency():
    t = np.arange(6 * 22050) / 22050
    y = noise(len(t)) * (1 + 0.9 * np.sin(2 * np.pi * 5 * t)).astype(np.float32)
    values = named(y)
    shares = [values[f"modulation_3_{hz}hz"] for hz in ("0.3", "1", "2", "4", "8", "16")]
    assert np.argmax(shares) == 3
    assert sum(shares) <= 1 + 1e-5


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(0, np.float32), "n_samples"),
        (np.zeros((2, 100), np.float32), r"\(2, 100\)"),
        (np.array([0, np.nan, np.inf], np.float32), "2 of 3 samples are not finite"),
        (np.array([0, 1e20], np.float32), "1e\\+20"),
    ],
)
def test_what_is_no_clip(y, message):
    with pytest.raises(DataError, match=message):
        summary(y, CONFIG)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sample_rate": 0}, "sample_rate is 0"),
        ({"n_fft": 1001}, "n_fft is 1001"),
        ({"hop_length": 0}, "hop_length is 0"),
        ({"n_mels": 100}, "multiple of 32"),
        ({"n_mfcc": 0}, "n_mfcc is 0"),
        ({"fmax": 20000.0}, "half the sample rate"),
        ({"fmin": 12000.0}, "fmin is 12000"),
        ({"slowed": 0.5}, "slowed is 0.5"),
        ({"level": "loud"}, "level is 'loud'"),
    ],
)
def test_settings_are_checked(wrong, message):
    with pytest.raises(ConfigError, match=message):
        SummaryConfig(**wrong)
