"""Transforms of sound: known answers, and what holds for all of them."""

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.augment import (
    BackgroundMix,
    BandPass,
    Compose,
    Equalizer,
    Gain,
    GaussianNoise,
    HighPass,
    LowPass,
    OneOf,
    PinkNoise,
    PitchShift,
    Polarity,
    TimeShift,
    TimeStretch,
    Volume,
    clip_rng,
)
from aurist.augment.level import volume_curve
from aurist.augment.noise import pink
from aurist.augment.vocoder import pitch_shift, time_stretch
from aurist.errors import ConfigError

RATE = 16000


def tone(hz: float, seconds: float = 1.0, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def peak_hz(y: np.ndarray, rate: int = RATE) -> float:
    """Of the strongest component, refined by a parabola through the logarithms."""
    db = np.log(np.abs(np.fft.rfft(y * np.hanning(len(y)))) + 1e-12)
    k = int(np.argmax(db))
    a, b, c = db[k - 1 : k + 2]
    return (k + 0.5 * (a - c) / (a - 2 * b + c)) * rate / len(y)


def done(transform, y, seed=0, rate=RATE):
    params = transform.draw(np.random.default_rng(seed), len(y), rate)
    return transform.apply(y, rate, params), params


@pytest.mark.parametrize("kind", [GaussianNoise, PinkNoise])
def test_noise_reaches_the_ratio(kind):
    y = tone(440)
    for seed in range(5):
        augmented, params = done(kind((-5, 30)), y, seed)
        noise = (augmented - y).astype(np.float64)
        snr = 10 * np.log10(np.mean(y.astype(np.float64) ** 2) / np.mean(noise**2))
        assert abs(snr - params.snr_db) < 0.1
        augmented, params = done(kind((5, 20), snr_of="peak"), y, seed)
        assert abs(20 * np.log10(0.3 / np.abs(augmented - y).max()) - params.snr_db) < 0.1


def test_pink_noise_falls_by_3_db_an_octave():
    power = np.abs(np.fft.rfft(pink(1 << 18, 1))) ** 2
    freqs = np.arange(len(power))
    octaves = [power[(freqs >= 2**k) & (freqs < 2 ** (k + 1))].mean() for k in range(6, 17)]
    slope = np.polyfit(range(len(octaves)), 10 * np.log10(octaves), 1)[0]
    assert slope == pytest.approx(-10 * np.log10(2), abs=0.1)
    assert abs(pink(100_003, 2).mean()) < 0.1 * pink(100_003, 2).std()


@pytest.mark.parametrize("semitones", [-5.0, -0.7, 3.0, 12.0])
def test_pitch_of_a_tone_moves(semitones):
    shifted = pitch_shift(tone(440, 2.0), RATE, semitones)
    assert 12 * np.log2(peak_hz(shifted) / 440) == pytest.approx(semitones, abs=0.01)
    assert len(shifted) == 2 * RATE


@pytest.mark.parametrize("n", [100, 2048, 5000, 48000])
@pytest.mark.parametrize("semitones", [-5.0, -2.3, 3.0, 12.0])
def test_pitch_shift_agrees_with_librosa(n, semitones):
    # in double precision: librosa's running phase grows to thousands of turns, which float32 rounds
    rng = np.random.default_rng(5)
    y = (0.1 * rng.standard_normal(n) * np.linspace(0, 1, n)).astype(np.float32)
    expected = librosa.effects.pitch_shift(y.astype(np.float64), sr=48000, n_steps=semitones)
    assert np.abs(pitch_shift(y, 48000, semitones) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("rate", [0.4, 0.8, 1.0, 1.9])
def test_time_stretch_agrees_with_librosa(rate):
    rng = np.random.default_rng(5)
    y = (0.1 * rng.standard_normal(30000)).astype(np.float32)
    expected = librosa.effects.time_stretch(y.astype(np.float64), rate=rate)
    stretched = time_stretch(y, rate)
    assert stretched.shape == expected.shape
    assert np.abs(stretched - expected).max() < 1e-4 * np.abs(expected).max()


def test_stretched_clip_keeps_pitch_and_length():
    y = tone(440, 2.0)
    stretched, params = done(TimeStretch((2, 2)), y)
    assert params.rate == pytest.approx(2)
    assert len(stretched) == len(y)
    assert peak_hz(stretched[: RATE // 2]) == pytest.approx(440, rel=0.01)
    assert not stretched[RATE + 2048 :].any()


def test_shift():
    y = tone(3, 1.0)
    shifted, params = done(TimeShift((-0.5, 0.5)), y, 3)
    assert np.array_equal(shifted, np.roll(y, round(params.seconds * RATE)))
    later, _ = done(TimeShift((0.25, 0.25), fill="zero"), y)
    assert not later[:4000].any()
    assert np.array_equal(later[4000:], y[:-4000])
    earlier, _ = done(TimeShift((-0.25, -0.25), fill="zero"), y)
    assert not earlier[-4000:].any()
    assert np.array_equal(earlier[:-4000], y[4000:])
    gone, _ = done(TimeShift((2, 2), fill="zero"), y)
    assert not gone.any()


@pytest.mark.parametrize(
    ("curve", "start", "quarter", "middle", "end"),
    [("uniform", 1, 1, 1, 1), ("fade", 1, 0.75, 0.5, 0), ("cosine", 1, 0, -1, 1), ("sine", 0, 1, 0, 0)],
)
def test_volume_curves(curve, start, quarter, middle, end):
    n = 4000
    augmented, _ = done(Volume((10, 10), curve=curve), np.ones(n, np.float32))
    db = 20 * np.log10(augmented)
    for at, expected in ((0, start), (n // 4, quarter), (n // 2, middle), (n - 1, end)):
        assert db[at] == pytest.approx(10 * expected, abs=0.02)
    assert volume_curve(curve, 1).shape == (1,)


def test_gain_and_polarity():
    y = tone(440)
    louder, _ = done(Gain((6, 6)), y)
    assert np.allclose(louder, y * 10 ** (6 / 20), atol=1e-6)
    assert np.array_equal(done(Polarity(), y)[0], -y)


def test_filters_keep_their_bands():
    low, middle, high = (tone(hz, level=0.1) for hz in (100, 1000, 6000))

    def kept(transform):
        y, _ = done(transform, low + middle + high)
        spectrum = np.abs(np.fft.rfft(y)) / len(y) * 2
        return [round(float(spectrum[hz]) * 10, 2) for hz in (100, 1000, 6000)]

    assert kept(LowPass((2000, 2000))) == [1, pytest.approx(1, abs=0.02), pytest.approx(0, abs=0.02)]
    assert kept(HighPass((3000, 3000))) == [0, pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02)]
    assert kept(BandPass((1000, 1000), octaves=(2, 2))) == [
        pytest.approx(0, abs=0.02),
        1,
        pytest.approx(0, abs=0.02),
    ]
    edge, _ = done(LowPass((4000, 4000)), tone(4000, 4.0))
    assert 20 * np.log10(edge[RATE:].std() / tone(4000, 4.0)[RATE:].std()) == pytest.approx(-3.01, abs=0.05)


def test_an_equalizer_colours_as_drawn():
    y = tone(100, level=0.1) + tone(2000, level=0.1)
    transform = Equalizer((-12, 12), nodes=3)
    augmented, curve = done(transform, y)
    assert len(curve.db) == 3 and all(-12 <= db <= 12 for db in curve.db)
    spectrum = 20 * np.log10(
        np.abs(np.fft.rfft(augmented))[[100, 2000]] / np.abs(np.fft.rfft(y))[[100, 2000]]
    )
    nodes = np.log([50, (50 * RATE / 2) ** 0.5, RATE / 2])
    assert spectrum == pytest.approx(np.interp(np.log([100, 2000]), nodes, curve.db), abs=0.01)
    with pytest.raises(ConfigError, match="nodes is 1, but must be a whole number of at least 2"):
        Equalizer(nodes=1)


def test_background(tmp_path):
    (tmp_path / "rain").mkdir()
    rain = np.random.default_rng(0).standard_normal(3 * 8000) * 0.1
    soundfile.write(tmp_path / "rain" / "a.wav", rain, 8000)
    short = tone(1000, 0.1, 8000)
    soundfile.write(tmp_path / "b.flac", short, 8000)
    y = tone(440)
    seen = set()
    transform = BackgroundMix(
        files=(str(tmp_path / "b.flac"),), folder=str(tmp_path / "rain"), snr_db=(10, 10)
    )
    for seed in range(8):
        augmented, params = done(transform, y, seed)
        seen.add(params.file)
        noise = (augmented - y).astype(np.float64)
        assert 10 * np.log10(np.mean(y.astype(np.float64) ** 2) / np.mean(noise**2)) == pytest.approx(
            10, abs=0.1
        )
    assert len(seen) == 2
    with pytest.raises(ConfigError, match="no recordings"):
        BackgroundMix(folder=str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="no such file"):
        BackgroundMix(files=("gone.wav",))


TRANSFORMS = [
    GaussianNoise(),
    GaussianNoise(snr_of="peak"),
    PinkNoise(),
    PitchShift((-5, 5)),
    TimeStretch(),
    TimeShift(),
    TimeShift(fill="zero"),
    Volume(),
    Volume(curve="fade"),
    Volume(curve="cosine"),
    Gain(),
    Polarity(),
    LowPass(),
    HighPass(),
    BandPass(),
    Equalizer(),
    OneOf((GaussianNoise(), PitchShift())),
    Compose((Volume(), TimeShift(), PitchShift())),
]


@settings(deadline=None, max_examples=60)
@given(
    transform=st.sampled_from(TRANSFORMS),
    n=st.integers(0, 5000),
    rate=st.sampled_from([4000, 22050, 48000]),
    seed=st.integers(0, 2**32),
    silent=st.booleans(),
)
def test_every_transform_keeps_length_and_input(transform, n, rate, seed, silent):
    y = np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32) * (0 if silent else 1)
    before = y.copy()
    params = transform.draw(np.random.default_rng(seed), n, rate)
    augmented = transform.apply(y, rate, params)
    assert augmented.shape == y.shape
    assert augmented.dtype == np.float32
    assert np.isfinite(augmented).all()
    assert np.array_equal(y, before)
    assert not np.shares_memory(augmented, y)
    if silent:
        assert not augmented.any()
    again = transform.draw(np.random.default_rng(seed), n, rate)
    assert again == params
    assert np.array_equal(transform.apply(y, rate, again), augmented)


def test_probabilities():
    compose = Compose((Gain((1, 1), p=0.0), Gain((2, 2), p=0.25), Gain((3, 3), p=1.0)))
    steps = [drawn.step for i in range(400) for drawn in compose.draw(clip_rng(0, 0, i), 1, 1)]
    assert steps.count(0) == 0
    assert 70 < steps.count(1) < 130
    assert steps.count(2) == 400
    one = OneOf((Gain((1, 1), p=0.2), Gain((2, 2), p=0.6)))
    chosen = [one.draw(clip_rng(0, 1, i), 1, 1).step for i in range(400)]
    assert 70 < chosen.count(0) < 130


def test_a_draw_depends_on_seed_epoch_and_clip_only():
    compose = Compose((PitchShift(p=1), GaussianNoise(p=1)))
    drawn = {
        key: str(compose.draw(clip_rng(*key), 1000, RATE))
        for key in [(s, e, i) for s in range(2) for e in range(3) for i in range(4)]
    }
    assert len(set(drawn.values())) == len(drawn)
    assert all(str(compose.draw(clip_rng(*key), 9, 8000)) == value for key, value in reversed(drawn.items()))
