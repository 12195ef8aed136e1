"""Every frame-wise feature against librosa, on sounds of several kinds."""

import librosa
import numpy as np
import pytest

from aurist.features import filters, frames
from aurist.features.frames import PERCENTS, analyse, decibels, delta, mean_tempogram, onset_strength, tempo

N_FFT, HOP = 2048, 512


def sound(kind: str, rate: int, seconds: float = 2.0) -> np.ndarray:
    rng = np.random.default_rng(3)
    t = np.arange(round(seconds * rate)) / rate
    y = 0.01 * rng.standard_normal(len(t))
    y[len(t) // 2 :] *= 1e-6
    if kind == "tones":
        y += sum(0.2 / k * np.sin(2 * np.pi * 196 * k * t) for k in range(1, 8))
    if kind == "clicks":
        y[:: rate // 4] += 0.9
        y += 0.3 * rng.standard_normal(len(t)) * np.exp(-8 * (t % 0.25))
    if kind == "chirp":
        y += 0.5 * np.sin(2 * np.pi * (100 + 2000 * t) * t)
    return y.astype(np.float32)


def analysed(y: np.ndarray, rate: int, n_mels: int = 128) -> frames.Frames:
    return analyse(y, rate, n_fft=N_FFT, hop_length=HOP, n_mels=n_mels, n_mfcc=20, fmin=0.0, fmax=rate / 2)


CASES = [("noise", 22050), ("tones", 22050), ("clicks", 22050), ("chirp", 44100), ("tones", 32000)]


@pytest.mark.parametrize(("kind", "rate"), CASES)
def test_agrees_with_librosa(kind, rate):
    y = sound(kind, rate)
    frames = analysed(y, rate)
    feature = librosa.feature
    stft = {"y": y, "sr": rate, "n_fft": N_FFT, "hop_length": HOP}
    mel = feature.melspectrogram(**stft)
    mel_db = librosa.power_to_db(mel)
    chroma = feature.chroma_stft(**stft, tuning=0.0)
    rolloff = np.concatenate([feature.spectral_rolloff(**stft, roll_percent=p) for p in PERCENTS])
    for name, ours, theirs, close in (
        ("mel", frames.mel, mel, 1e-4 * mel.max()),
        ("mel_db", frames.mel_db, mel_db, 1e-3),
        ("mfcc", frames.mfcc, feature.mfcc(y=y, sr=rate, n_mfcc=20), 1e-3),
        ("chroma", frames.chroma, chroma, 1e-5),
        ("tonnetz", frames.tonnetz, feature.tonnetz(chroma=chroma), 1e-5),
        ("contrast", frames.contrast, feature.spectral_contrast(**stft), 1e-3),
        ("centroid", frames.centroid, feature.spectral_centroid(**stft)[0], 0.02),
        ("bandwidth", frames.bandwidth, feature.spectral_bandwidth(**stft)[0], 0.05),
        ("flatness", frames.flatness, feature.spectral_flatness(y=y)[0], 1e-5),
        ("rms", frames.rms, feature.rms(y=y)[0], 1e-6),
        ("zcr", frames.zcr, feature.zero_crossing_rate(y)[0], 1e-7),
        ("onset", frames.onset, librosa.onset.onset_strength(y=y, sr=rate), 1e-3),
    ):
        assert ours.dtype == np.float32, name
        np.testing.assert_allclose(ours.T, theirs, atol=close, rtol=0, err_msg=name)
    # a share reached within rounding of a bin's edge may fall to its neighbour
    apart = np.abs(frames.rolloff.T - rolloff)
    assert apart.max() <= rate / N_FFT + 0.01 and np.mean(apart > 0.01) < 0.005


def test_a_share_of_the_spectrum_agrees_with_librosa():
    rate, y = 22050, sound("clicks", 22050)
    frames = analyse(
        y, rate, n_fft=N_FFT, hop_length=HOP, n_mels=64, n_mfcc=20, fmin=0.0, fmax=9922.0, spectrum_share=0.9
    )
    bins = 1 + round(0.9 * N_FFT / 2)
    magnitudes = np.abs(librosa.stft(y, n_fft=N_FFT, hop_length=HOP))[:bins]
    freq = librosa.fft_frequencies(sr=rate, n_fft=N_FFT)[:bins]
    feature = librosa.feature
    mel = feature.melspectrogram(y=y, sr=rate, n_fft=N_FFT, hop_length=HOP, n_mels=64, fmax=9922.0)
    for name, ours, theirs, close in (
        ("mel", frames.mel, mel, 1e-4 * mel.max()),
        ("contrast", frames.contrast, feature.spectral_contrast(S=magnitudes, sr=rate, freq=freq), 1e-3),
        ("centroid", frames.centroid, feature.spectral_centroid(S=magnitudes, freq=freq)[0], 0.02),
        ("bandwidth", frames.bandwidth, feature.spectral_bandwidth(S=magnitudes, freq=freq)[0], 0.05),
        ("flatness", frames.flatness, feature.spectral_flatness(S=magnitudes)[0], 1e-5),
    ):
        np.testing.assert_allclose(ours.T, theirs, atol=close, rtol=0, err_msg=name)


@pytest.mark.parametrize(("n_fft", "hop"), [(2048, 512), (1024, 300), (1000, 1000), (512, 7)])
def test_level_and_crossings_at_any_hop(n_fft, hop):
    y = sound("clicks", 22050, 0.5)
    frames = analyse(y, 22050, n_fft=n_fft, hop_length=hop, n_mels=32, n_mfcc=4, fmin=0.0, fmax=11025.0)
    rms = librosa.feature.rms(y=y, frame_length=n_fft, hop_length=hop)[0]
    zcr = librosa.feature.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop)[0]
    np.testing.assert_allclose(frames.rms, rms, atol=1e-6)
    np.testing.assert_allclose(frames.zcr, zcr, atol=1e-7)


@pytest.mark.parametrize("kind", ["tones", "clicks"])
def test_rhythm_agrees_with_librosa(kind):
    rate = 22050
    y = sound(kind, rate, 12)
    onset = librosa.onset.onset_strength(y=y, sr=rate)
    frames = mean_tempogram(onset, rate / HOP)
    expected = librosa.feature.tempogram(onset_envelope=onset, sr=rate, win_length=len(frames)).mean(axis=1)
    np.testing.assert_allclose(frames, expected, atol=1e-5)
    assert tempo(frames, rate / HOP) == pytest.approx(librosa.feature.tempo(onset_envelope=onset, sr=rate)[0])


@pytest.mark.parametrize("bpm", [80, 100, 120, 150])
def test_tempo_of_clicks(bpm):
    rate = 22050
    y = np.zeros(15 * rate, np.float32)
    for k in range(int(15 * bpm / 60)):
        y[round(k * 60 / bpm * rate) :][:200] = np.hanning(200)
    frames = analysed(y, rate)
    assert tempo(mean_tempogram(frames.onset, frames.frame_rate), frames.frame_rate) == pytest.approx(
        bpm, rel=0.03
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("n", [9, 10, 57])
def test_delta_agrees_with_librosa(order, n):
    x = np.random.default_rng(0).standard_normal((n, 5)).astype(np.float32)
    expected = librosa.feature.delta(x.T, order=order).T
    np.testing.assert_allclose(delta(x, order), expected, atol=1e-5)


@pytest.mark.parametrize(("n", "width"), [(1, None), (2, None), (3, 3), (4, 3), (5, 5), (8, 7)])
def test_delta_of_few_frames_uses_the_longest_odd_width(n, width):
    x = np.random.default_rng(0).standard_normal((n, 2)).astype(np.float32)
    expected = np.zeros_like(x) if width is None else librosa.feature.delta(x.T, width=width).T
    np.testing.assert_allclose(delta(x), expected, atol=1e-5)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_banks_are_librosas(rate):
    bank = filters.mel_bank(rate, N_FFT, 96, 30.0, rate / 2)
    dense = np.zeros((96, N_FFT // 2 + 1))
    for band, (first, length) in enumerate(zip(bank.firsts, bank.lengths, strict=True)):
        dense[band, first : first + length] = bank.weights[band, :length]
    expected = librosa.filters.mel(sr=rate, n_fft=N_FFT, n_mels=96, fmin=30.0, fmax=rate / 2)
    np.testing.assert_allclose(dense, expected, atol=1e-7)
    np.testing.assert_allclose(
        filters.chroma_bank(rate, N_FFT), librosa.filters.chroma(sr=rate, n_fft=N_FFT, tuning=0.0), atol=1e-6
    )


def test_transforms_are_librosas():
    assert np.allclose(filters.hann(N_FFT), librosa.filters.get_window("hann", N_FFT), atol=1e-7)
    mels = np.random.default_rng(0).standard_normal((128, 6))
    ours = filters.dct_matrix(128, 20) @ mels
    np.testing.assert_allclose(ours, librosa.feature.mfcc(S=mels, n_mfcc=20), atol=1e-5)
    power = np.abs(mels).astype(np.float32) ** 8
    np.testing.assert_allclose(decibels(power), librosa.power_to_db(power), atol=1e-4)


def test_scale_of_mels_inverts():
    hz = np.array([0.0, 40, 999, 1000, 1001, 8000, 22050])
    np.testing.assert_allclose(filters.mel_to_hz(filters.hz_to_mel(hz)), hz, rtol=1e-12)
    np.testing.assert_allclose(filters.hz_to_mel(hz), librosa.hz_to_mel(hz))


def test_onset_of_fewer_frames_than_its_shift():
    for n in (1, 2, 3, 4):
        assert onset_strength(np.zeros((n, 4), np.float32), N_FFT, HOP).shape == (n,)


def test_flux_and_entropy():
    noise, tone = analysed(sound("noise", 22050), 22050), analysed(sound("tones", 22050), 22050)
    assert noise.entropy.mean() > tone.entropy.mean()
    assert tone.entropy.min() >= 0 and noise.entropy.max() <= np.log(128)
    expected = np.sqrt(np.mean(np.diff(noise.mel_db, axis=0) ** 2, axis=1))
    np.testing.assert_allclose(noise.flux[1:], expected, rtol=1e-4)
    assert noise.flux[0] == 0


def test_real_clips_agree_with_librosa(data_dir):
    from aurist.audio import read

    paths = sorted((data_dir / "esc10" / "audio").rglob("*.ogg"))[::80]
    for path in paths:
        y, rate = read(path, 22050)
        frames = analysed(y, rate)
        np.testing.assert_allclose(frames.mfcc.T, librosa.feature.mfcc(y=y, sr=rate), atol=5e-3)
        np.testing.assert_allclose(
            frames.centroid, librosa.feature.spectral_centroid(y=y, sr=rate)[0], atol=0.1
        )
        chroma = librosa.feature.chroma_stft(y=y, sr=rate, tuning=0.0)
        np.testing.assert_allclose(frames.chroma.T, chroma, atol=1e-4)
        contrast = librosa.feature.spectral_contrast(y=y, sr=rate)
        np.testing.assert_allclose(frames.contrast.T, contrast, atol=0.01)
