"""The spectrograms of networks, against librosa and arithmetic."""

import dataclasses
import itertools

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.errors import ConfigError
from aurist.features import filters
from aurist.features.spectrogram import Spectrogram, SpectrogramConfig, mel_matrix, n_frames, shape
from aurist.features.spectrogram_config import _empty_bands

KINDS = ("mel", "log_mel", "pcen", "mfcc")


def sound(rate: int = 22050, seconds: float = 2.0, seed: int = 3) -> np.ndarray:
    """A chirp, decaying bursts of noise, and a quiet second half."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    y = 0.05 * rng.standard_normal(len(t)) * np.exp(-6 * (t % 0.25)) + 0.002 * rng.standard_normal(len(t))
    y += 0.3 * np.sin(2 * np.pi * (200 + 400 * (1 + seed % 3) * t) * t)
    y[len(t) // 2 :] *= 0.05
    return y.astype(np.float32)


def images(config: SpectrogramConfig, *clips: np.ndarray) -> torch.Tensor:
    return Spectrogram(config)(torch.from_numpy(np.stack(clips)))


def by_librosa(y: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=y,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        power=config.power,
        center=config.center,
        pad_mode="constant",
    )
    if config.kind == "mel":
        return mel
    if config.kind == "pcen":
        return librosa.pcen(mel * 2**31, sr=config.sample_rate, hop_length=config.hop_length)
    to_db = librosa.amplitude_to_db if config.of_amplitude else librosa.power_to_db
    db = to_db(mel, top_db=config.top_db)
    return db if config.kind == "log_mel" else librosa.feature.mfcc(S=db, n_mfcc=config.n_mfcc)


SETTINGS = [
    {},
    {"sample_rate": 16000, "n_fft": 512, "hop_length": 160, "n_mels": 64},
    {"sample_rate": 48000, "n_fft": 2048, "hop_length": 500, "fmin": 40.0, "fmax": 24000.0},
    {"sample_rate": 32000, "fmin": 500.0, "fmax": 14000.0, "n_mels": 77, "center": False},
    {"n_fft": 1000, "hop_length": 1000, "n_mels": 40, "power": 1.0},
    {"n_fft": 2048, "n_mels": 20, "n_mfcc": 13, "center": False, "power": 1.0, "top_db": 40.0},
    {"n_mels": 96, "fmin": 20.0, "top_db": None},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", SETTINGS)
def test_agrees_with_librosa(kind, given):
    config = SpectrogramConfig(kind=kind, scale="none", **given, level="keep")
    y = sound(config.sample_rate)
    ours, theirs = images(config, y)[0, 0], by_librosa(y, config)
    assert ours.dtype == torch.float32
    assert ours.shape == theirs.shape == shape(config, len(y))[1:]
    if kind == "mel":
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-7 * theirs.max())
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-3 if kind == "pcen" else 0, atol=1e-3)


def test_decibels_of_a_power_taken_for_an_amplitude():
    y = sound()
    config = SpectrogramConfig(scale="none", db_of="amplitude", level="keep")
    mel = librosa.feature.melspectrogram(y=y, sr=22050, n_fft=1024, hop_length=512)
    np.testing.assert_allclose(images(config, y)[0, 0], librosa.amplitude_to_db(mel), atol=1e-3)


def test_natural_logarithm():
    y = sound()
    mel = images(SpectrogramConfig(kind="mel", scale="none", level="keep"), y)
    log = images(SpectrogramConfig(decibel=False, scale="none", level="keep"), y)
    np.testing.assert_allclose(log, np.log(np.maximum(mel.numpy(), 1e-10)), atol=1e-5)


def test_smoothing_of_pcen_over_many_chunks():
    from scipy.signal import lfilter

    module = Spectrogram(SpectrogramConfig(kind="pcen", level="keep"))
    bands = torch.rand(2, 5, 517, generator=torch.Generator().manual_seed(1))
    frames = 0.4 * 22050 / 512
    b = (np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
    expected, _ = lfilter([b], [1, b - 1], bands.numpy(), zi=np.full((2, 5, 1), 1 - b))
    np.testing.assert_allclose(module._smoothed(bands), expected, rtol=1e-5)


@pytest.mark.parametrize("given", SETTINGS)
def test_the_mel_bank_is_librosas(given):
    config = SpectrogramConfig(**given)
    theirs = librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.fmin, fmax=config.fmax
    )
    np.testing.assert_allclose(mel_matrix(config), theirs, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5000), st.integers(4, 600), st.floats(0, 1), st.booleans())
def test_frames_are_as_many_as_said(n_samples, n_fft, hop, center):
    config = SpectrogramConfig(
        n_fft=n_fft, hop_length=max(1, round(hop * n_fft)), n_mels=1, fmin=0, center=center
    )
    result = Spectrogram(config).power(torch.zeros(1, n_samples))
    assert result.shape == (1, n_fft // 2 + 1, n_frames(config, n_samples))
    if n_samples >= n_fft:
        theirs = librosa.stft(
            np.zeros(n_samples, np.float32), n_fft=n_fft, hop_length=config.hop_length, center=center
        )
        assert result.shape[1:] == theirs.shape


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", ["none", "minmax", "standard", "fixed"])
def test_finite_whatever_the_clip(kind, scale):
    for n_samples, image, center in itertools.product((1, 700, 1024, 9000), (None, (32, 20)), (True, False)):
        config = SpectrogramConfig(kind=kind, scale=scale, image=image, center=center, frequency_channel=True)
        rng = np.random.default_rng(n_samples)
        noise = rng.uniform(-1, 1, n_samples)
        clips = [np.zeros(n_samples), np.ones(n_samples), noise, 1e-9 * noise, 1e-30 * noise, 1e3 * noise]
        result = images(config, *(np.asarray(y, np.float32) for y in clips))
        assert result.shape == (len(clips), *shape(config, n_samples))
        assert torch.isfinite(result).all(), (n_samples, image, center)
        if scale in ("minmax", "standard") and kind != "mfcc":
            assert (result[0, 0] == 0).all()


@pytest.mark.parametrize("scale", ["minmax", "standard"])
@pytest.mark.parametrize("value", [0.0, -100.0, 1e-8, 0.1, 3e4])
def test_a_constant_image_becomes_zeros(scale, value):
    module = Spectrogram(SpectrogramConfig(kind="mel", n_mels=20, scale=scale, level="keep"))
    bank = torch.zeros(20, 513)
    bank[:, 0] = 1
    spectrum = torch.full((2, 513, 31), value)
    assert (module.to_image(spectrum, bank) == 0).all()


def test_scales():
    y, other = sound(), sound(seed=4)
    raw, least, standard, fixed = (
        images(SpectrogramConfig(scale=scale, mean=-30.0, std=12.0, level="keep"), y, other).numpy()
        for scale in ("none", "minmax", "standard", "fixed")
    )
    for clip in range(2):
        x = raw[clip].astype(np.float64)
        np.testing.assert_allclose(least[clip], (x - x.min()) / (x.max() - x.min()), atol=1e-5)
        np.testing.assert_allclose(standard[clip], (x - x.mean()) / x.std(), atol=1e-4)
        np.testing.assert_allclose(fixed[clip], (x + 30) / 12, atol=1e-5)
        assert least[clip].min() == 0 and least[clip].max() == 1
        assert abs(standard[clip].mean()) < 1e-5 and standard[clip].std() == pytest.approx(1, abs=1e-5)


def test_resized_image_and_frequency_channel():
    y = sound(48000, 3)
    config = SpectrogramConfig(sample_rate=48000, n_fft=2048, fmin=40, image=(128, 1876))
    plain = images(dataclasses.replace(config, image=None), y)
    wide = images(dataclasses.replace(config, frequency_channel=True), y)
    assert wide.shape == (1, 2, 128, 1876)
    expected = torch.nn.functional.interpolate(plain, (128, 1876), mode="bilinear")
    torch.testing.assert_close(wide[:, :1], expected)
    column = wide[0, 1, :, 7]
    np.testing.assert_allclose(column, np.linspace(-1, 1, 128), atol=1e-6)
    assert (wide[0, 1] == column[:, None]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_is_the_same_alone_and_in_a_batch(kind):
    config = SpectrogramConfig(kind=kind, frequency_channel=True)
    clips = [sound(seed=seed) for seed in range(5)]
    together = images(config, *clips)
    for clip, result in zip(clips, together, strict=True):
        assert torch.equal(images(config, clip)[0], result)
    # as a GPU computes it, all at once
    module = Spectrogram(config)
    y = torch.from_numpy(np.stack(clips))
    torch.testing.assert_close(module._image(module._power(y), None), together, rtol=1e-4, atol=1e-5)


def test_forward_is_its_two_steps_and_takes_other_banks():
    config = SpectrogramConfig(kind="mfcc")
    module = Spectrogram(config)
    y = torch.from_numpy(np.stack([sound(seed=1), sound(seed=2)]))
    spectrum, whole = module.power(y), module(y)
    close = {"rtol": 1e-4, "atol": 1e-5}
    assert torch.equal(module.to_image(spectrum), whole)
    torch.testing.assert_close(module.to_image(spectrum, mel_matrix(config)), whole, **close)
    narrow = mel_matrix(dataclasses.replace(config, fmin=300, fmax=8000))
    apart = module.to_image(spectrum, torch.stack([mel_matrix(config), narrow]))
    torch.testing.assert_close(apart[0], whole[0], **close)
    expected = Spectrogram(dataclasses.replace(config, fmin=300, fmax=8000))(y)
    torch.testing.assert_close(apart[1], expected[1], **close)
    assert not torch.allclose(apart[1], whole[1], atol=0.1)


def test_single_precision_under_autocast_and_in_another_precision():
    module = Spectrogram(SpectrogramConfig(scale="none", level="keep"))
    y = torch.from_numpy(sound())[None]
    expected = module(y)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        result = module(y)
    assert result.dtype == torch.float32 and torch.equal(result, expected)
    assert torch.equal(module.to(torch.bfloat16)(y), expected)
    assert torch.equal(module.double()(y.double()), expected)


def test_nothing_in_the_state_and_a_gradient_to_the_samples():
    module = Spectrogram(SpectrogramConfig())
    assert not module.state_dict() and not list(module.parameters())
    y = torch.from_numpy(sound())[None].requires_grad_()
    module(y).square().mean().backward()
    module(y)[..., :20].sum().backward()
    assert torch.isfinite(y.grad).all() and y.grad.abs().max() > 0


@pytest.mark.parametrize("kind", ["log_mel", "pcen"])
def test_can_be_exported(kind):
    module = Spectrogram(SpectrogramConfig(kind=kind, image=(64, 80), frequency_channel=True)).eval()
    y = torch.from_numpy(np.stack([sound(seed=1), sound(seed=2)]))
    graph = torch.export.export(module, (y,))
    torch.testing.assert_close(graph.module()(y), module(y), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sample_rate": 0}, "sample_rate is 0, but must be a whole number"),
        ({"n_fft": 1024.0}, r"n_fft is 1024\.0, but must be a whole number"),
        ({"hop_length": 2000}, "hop_length is 2000 and n_fft 1024.*n_fft or less, such as 256"),
        ({"n_mels": 0}, "n_mels is 0"),
        ({"fmin": -1.0}, "fmin is -1 Hz"),
        ({"fmin": 500.0, "fmax": 400.0}, "fmin is 500 Hz and fmax 400 Hz, but must be .* below fmax"),
        ({"fmax": 16000.0}, "fmax is 16000 Hz.*nothing above 11025 Hz: lower fmax, or raise sample_rate"),
        ({"fmin": float("nan")}, "fmin is nan"),
        ({"power": 3.0}, "power is 3, but must be 2"),
        ({"kind": "log-mel"}, "kind is 'log-mel', but must be one of: mel, log_mel"),
        ({"kind": "mfcc", "n_mfcc": 129}, "n_mfcc is 129, but must be .* 1 to n_mels, which is 128"),
        ({"top_db": 0.0}, r"top_db is 0\.0, but must be positive"),
        ({"db_of": "energy"}, "db_of is 'energy'"),
        ({"scale": "zscore"}, "scale is 'zscore', but must be one of"),
        ({"std": 0.0}, r"std is 0\.0, but must be positive"),
        ({"mean": float("nan")}, "mean is nan"),
        ({"image": (128,)}, r"image is \(128,\), but must be two"),
        ({"image": (128, 0)}, "image is"),
        ({"n_fft": 256, "hop_length": 128}, r"Of 128 mel bands.* Use n_mels=\d+ or n_fft=512\."),
    ],
)
def test_settings_that_make_no_sense(given, message):
    with pytest.raises(ConfigError, match=message):
        SpectrogramConfig(**given)


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels"), [(22050, 256, 128), (48000, 1024, 400), (16000, 64, 80)]
)
def test_what_is_said_about_empty_bands_would_do(rate, n_fft, n_mels):
    import re

    given = {"sample_rate": rate, "n_fft": n_fft, "n_mels": n_mels, "hop_length": 32}
    with pytest.raises(ConfigError) as error:
        SpectrogramConfig(**given)
    result = re.search(r"(\d+) would hold no bin.*n_mels=(\d+) or n_fft=(\d+)", str(error.value))
    assert result is not None
    empty, fewer, longer = map(int, result.groups())
    assert empty == np.count_nonzero(filters.mel_bank(rate, n_fft, n_mels, 0, rate / 2).lengths == 0)
    assert (mel_matrix(SpectrogramConfig(**{**given, "n_mels": fewer})).sum(1) > 0).all()
    assert (mel_matrix(SpectrogramConfig(**{**given, "n_fft": longer})).sum(1) > 0).all()
    assert _empty_bands(SpectrogramConfig(sample_rate=rate), fewer + 1, n_fft) > 0


def test_an_image_size_read_from_a_file_is_a_pair():
    config = SpectrogramConfig(image=[64, 100])
    assert config == SpectrogramConfig(image=(64, 100)) and hash(config)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
def test_gain_and_offset_leave_the_image(kind, scale):
    config = SpectrogramConfig(kind=kind, scale=scale)
    y = sound()
    plain, faint, loud, moved = images(config, y, y * 0.001, y * 100, y + 0.25)
    span = float(plain.max() - plain.min())
    for turned, within in ((faint, 1e-4), (loud, 1e-4), (moved, 0.02)):
        assert (turned - plain).abs().max() < within * span


def test_the_level_is_kept_where_that_is_wanted():
    y = sound()
    keeping = SpectrogramConfig(scale="none", top_db=None, level="keep")
    loud, faint = images(keeping, y, y / 10)
    assert (loud - faint).numpy() == pytest.approx(20, abs=0.01)
    # relative: as the same samples without offset, the loudest 1
    relative = images(dataclasses.replace(keeping, level="relative"), y)
    assert torch.allclose(relative, images(keeping, (y - y.mean()) / np.abs(y - y.mean()).max()), atol=1e-2)


def test_a_constant_is_silence():
    silent = images(SpectrogramConfig(scale="none"), *(np.full(4000, c, np.float32) for c in (0, 0.1, -3)))
    assert (silent == silent[0]).all()


def test_an_unknown_level_is_refused():
    with pytest.raises(ConfigError, match="level is 'loud'"):
        SpectrogramConfig(level="loud")
