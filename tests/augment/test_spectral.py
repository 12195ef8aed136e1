"""Augmentation of spectra, against the spectra of sounds that were really changed."""

import numpy as np
import pytest
import soxr

torch = pytest.importorskip("torch")

from aurist.augment import (  # noqa: E402
    Compose,
    Equalizer,
    FrequencyMask,
    Gain,
    GaussianNoise,
    HighPass,
    LowPass,
    OneOf,
    PinkNoise,
    PitchShift,
    Polarity,
    TimeMask,
    TimeShift,
    Volume,
    clip_rng,
)
from aurist.augment.base import Drawn  # noqa: E402
from aurist.augment.spectral import augment_image, augment_spectrum, warped_bank  # noqa: E402
from aurist.errors import ConfigError  # noqa: E402
from aurist.features.spectrogram import Spectrogram, SpectrogramConfig, mel_matrix  # noqa: E402

CONFIG = SpectrogramConfig(
    sample_rate=32000, n_fft=2048, hop_length=512, fmin=80, kind="mel", scale="none", level="keep"
)
RATE = CONFIG.sample_rate
RNG = np.random.default_rng(0)
NOISE = (0.1 * RNG.standard_normal((2, 3 * RATE))).astype(np.float32)


def power(y: np.ndarray, config: SpectrogramConfig = CONFIG) -> "torch.Tensor":
    return Spectrogram(config).power(torch.from_numpy(np.atleast_2d(y)))


def both_ways(transform, y: np.ndarray, config: SpectrogramConfig = CONFIG):
    """The spectrum changed, and the spectrum of the sound changed, with the same draws."""
    compose = Compose((transform,))
    drawn = [compose.draw(clip_rng(1, 0, i), y.shape[1], RATE) for i in range(len(y))]
    sounds = [compose.apply(clip, RATE, draws) for clip, draws in zip(y, drawn, strict=True)]
    peaks = torch.from_numpy(np.abs(y).max(axis=1))
    spectrum = power(y, config)
    before = spectrum.clone()
    augmented, bank = augment_spectrum(spectrum, compose, drawn, config, peaks=peaks)
    assert torch.equal(spectrum, before)
    assert augmented.shape == spectrum.shape
    mel = Spectrogram(config).to_image(augmented, bank)[:, 0]
    expected = Spectrogram(config)(torch.from_numpy(np.stack(sounds)))[:, 0]
    return mel.numpy(), expected.numpy()


def test_the_bank_of_no_shift_is_the_bank():
    assert torch.allclose(warped_bank(CONFIG, 0.0), mel_matrix(CONFIG), atol=1e-7)


@pytest.mark.parametrize("semitones", [-5.0, -1.25, 0.25, 5.0])
def test_pitch_by_bank_moves_a_tone_as_the_sound_does(semitones):
    t = np.arange(2 * RATE) / RATE
    for hz in (300, 1000, 4000):
        y = (0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32)
        augmented, expected = both_ways(PitchShift((semitones, semitones), p=1), y[None])
        middle = augmented.shape[-1] // 2
        assert augmented[0, :, middle].argmax() == expected[0, :, middle].argmax()
        # frames in the middle: the vocoder's first frames are its own
        db = 10 * np.log10(augmented[0].sum(axis=0)[20:-20] / expected[0].sum(axis=0)[20:-20])
        assert np.abs(db).mean() < 1.5


@pytest.mark.parametrize("semitones", [-5.0, 5.0])
def test_pitch_by_bank_keeps_the_level_of_noise(semitones):
    # played faster or slower: a phase vocoder takes 3 to 5 dB away from noise, ours and librosa's alike
    y = NOISE[:1]
    augmented, _ = both_ways(PitchShift((semitones, semitones), p=1), y)
    faster = soxr.resample(y[0], RATE * 2 ** (semitones / 12), RATE)
    expected = Spectrogram(CONFIG)(torch.from_numpy(faster[None]))[:, 0].numpy()
    ours, theirs = augmented.mean(axis=(0, 2))[5:100], expected.mean(axis=(0, 2))[5:100]
    assert np.abs(10 * np.log10(ours / theirs)).mean() < 0.4
    assert abs(np.mean(10 * np.log10(ours / theirs))) < 0.1


@pytest.mark.parametrize("semitones", [3.0, 12.0])
def test_no_band_is_empty_upwards(semitones):
    assert (warped_bank(CONFIG, semitones).sum(dim=1) > 0)[10:].all()


def test_pitches_add_up():
    compose = Compose((PitchShift((2, 2), p=1), PitchShift((1, 1), p=1)))
    drawn = [compose.draw(clip_rng(0, 0, 0), 1, 1), []]
    spectrum, bank = augment_spectrum(power(NOISE), compose, drawn, CONFIG)
    assert torch.equal(bank[0], warped_bank(CONFIG, 3.0))
    assert torch.equal(bank[1], warped_bank(CONFIG, 0.0))
    assert torch.equal(spectrum, power(NOISE))


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize(
    "transform",
    [
        Gain((7, 7), p=1),
        Volume((10, 10), "sine", p=1),
        Volume((10, 10), "fade", p=1),
    ],
)
def test_gain_is_that_of_the_sound(transform, exponent):
    config = SpectrogramConfig(**{**vars(CONFIG), "power": exponent})
    augmented, expected = both_ways(transform, NOISE, config)
    assert np.abs(10 * np.log10(augmented / expected))[..., 3:-3].max() < 0.6


def test_an_equalizer_colours_as_it_does_the_sound():
    augmented, expected = both_ways(Equalizer((-9, 9), p=1), NOISE)
    apart = np.abs(10 * np.log10(augmented / expected))[..., 3:-3]
    # windows smear the slope over neighbouring bins, most where bands are a bin wide
    assert np.median(apart) < 0.05 and np.quantile(apart, 0.99) < 0.5


@pytest.mark.parametrize("transform", [HighPass((600, 600), p=1), LowPass((3000, 3000), p=1)])
def test_a_cutoff_is_as_steep_as_in_the_sound(transform):
    augmented, expected = both_ways(transform, NOISE)
    level, other = (10 * np.log10(mel[..., 3:-3].mean(axis=(0, 2))) for mel in (augmented, expected))
    audible = other > other.max() - 40
    assert audible.sum() > 30 and not audible.all()
    assert np.abs(level - other)[audible].max() < 1.0
    assert level[~audible].max() < level.max() - 35


@pytest.mark.parametrize("fill", ["roll", "zero"])
@pytest.mark.parametrize("frames", [40, -40])
def test_shift_by_whole_frames_is_that_of_the_sound(fill, frames):
    seconds = frames * CONFIG.hop_length / RATE
    y = NOISE[:, : 150 * CONFIG.hop_length]
    augmented, expected = both_ways(TimeShift((seconds, seconds), fill, p=1), y)
    # what came round is a frame off, as there is a frame more than there are hops; around the seam windows differ
    kept = np.s_[..., 44:-3] if frames > 0 else np.s_[..., 3:-44]
    assert np.allclose(augmented[kept], expected[kept], rtol=1e-3, atol=1e-6)
    if fill == "roll":
        pair = (
            (augmented[..., 2:36], expected[..., 3:37])
            if frames > 0
            else (augmented[..., -36:-3], expected[..., -37:-4])
        )
    else:
        pair = (augmented[..., :37], 0) if frames > 0 else (augmented[..., -37:], 0)
    assert np.allclose(*pair, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize("kind", [GaussianNoise, PinkNoise])
@pytest.mark.parametrize("snr_of", ["power", "peak"])
def test_noise_is_as_strong_as_in_the_sound(kind, snr_of, exponent):
    config = SpectrogramConfig(**{**vars(CONFIG), "power": exponent})
    t = np.arange(10 * RATE) / RATE
    y = np.stack([0.3 * np.sin(2 * np.pi * 440 * t), 0.01 * np.sin(2 * np.pi * 880 * t)]).astype(np.float32)
    augmented, expected = both_ways(kind((0, 10), snr_of, p=1), y, config)
    db = 20 / exponent * np.log10(augmented.mean(axis=2) / expected.mean(axis=2))
    # peaks of noise scatter; pink noise is decided by its few slowest waves
    assert np.abs(np.median(db)) < (0.3 if snr_of == "power" and kind is GaussianNoise else 2.0)


def test_noise_reaches_the_ratio_and_needs_peaks():
    compose = Compose((OneOf((GaussianNoise((10, 10)),), p=1),))
    drawn = [compose.draw(clip_rng(0, 0, i), 1, 1) for i in range(2)]
    spectrum = power(NOISE)
    augmented, bank = augment_spectrum(spectrum, compose, drawn, CONFIG)
    assert bank is None
    added = (augmented - spectrum)[:, 1:-1].sum(dim=(1, 2))
    assert torch.allclose(
        10 * torch.log10(spectrum[:, 1:-1].sum(dim=(1, 2)) / added), torch.tensor(10.0), atol=0.05
    )
    again, _ = augment_spectrum(spectrum, compose, drawn, CONFIG)
    assert torch.equal(augmented, again)
    assert not torch.equal(augmented[0] - spectrum[0], augmented[1] - spectrum[1])
    peaky = Compose((GaussianNoise(snr_of="peak", p=1),))
    with pytest.raises(ConfigError, match="give the peaks"):
        augment_spectrum(spectrum, peaky, [peaky.draw(clip_rng(0, 0, 0), 1, 1)] * 2, CONFIG)


def test_noise_cancels_sound_here_and_there_as_in_the_sound():
    # the power of white noise is distributed exponentially; that of two added as powers would not be
    compose = Compose((GaussianNoise((0, 0), p=1),))
    drawn = [compose.draw(clip_rng(0, 0, i), 1, 1) for i in range(2)]
    augmented, _ = augment_spectrum(power(NOISE), compose, drawn, CONFIG)
    inside = augmented[:, 10:-10, 5:-5]
    assert float(inside.median() / inside.mean()) == pytest.approx(np.log(2), abs=0.01)


def test_silence_stays_silent():
    compose = Compose((GaussianNoise(p=1), Volume(p=1), TimeShift(p=1)))
    silent = power(np.zeros((1, RATE), np.float32))
    augmented, _ = augment_spectrum(silent, compose, [compose.draw(clip_rng(0, 0, 0), RATE, RATE)], CONFIG)
    assert not augmented.any()
    peaky = Compose((GaussianNoise(snr_of="peak", p=1),))
    draws = [peaky.draw(clip_rng(0, 0, 0), RATE, RATE)]
    augmented, _ = augment_spectrum(silent, peaky, draws, CONFIG, peaks=torch.zeros(1))
    assert not augmented.any()


def test_what_cannot_be_done_says_so():
    compose = Compose((Polarity(p=1),))
    with pytest.raises(ConfigError, match="Polarity cannot be applied to a spectrum"):
        augment_spectrum(power(NOISE), compose, [[Drawn(0, ())]] * 2, CONFIG)
    with pytest.raises(ConfigError, match="cannot be applied to an image"):
        augment_image(torch.zeros(1, 1, 4, 4), compose, [[Drawn(0, ())]])


def test_image_masks_are_those_of_one_image():
    images = torch.from_numpy(RNG.random((3, 2, 32, 50), dtype=np.float32))
    compose = Compose((FrequencyMask((0.1, 0.2), count=2, p=0.7), TimeMask((0.1, 0.2), p=0.7)))
    drawn = [compose.draw(clip_rng(0, 0, i), 1, 1) for i in range(3)]
    assert any(drawn)
    before = images.clone()
    augmented = augment_image(images, compose, drawn)
    assert torch.equal(images, before)
    assert torch.equal(augmented[:, 1], images[:, 1])
    for i in range(3):
        one = images[i, 0].numpy()
        masked = np.zeros(one.shape, bool)
        for draw in drawn[i]:
            masked |= compose.transforms[draw.step].apply(one, 1, draw.params) != one
        assert np.allclose(augmented[i, 0].numpy()[masked], one.mean())
        assert np.array_equal(augmented[i, 0].numpy()[~masked], one[~masked])
