"""Sounds as pages show them: ultrasound at its own rate, slowed down to be heard."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from matplotlib.image import imread

from aurist.report.pictures import read_for_page, sound, spectrogram


def tone(path: Path, rate: int, hz: float, seconds: float) -> Path:
    t = np.arange(round(rate * seconds)) / rate
    sf.write(path, 0.3 * np.sin(2 * np.pi * hz * t), rate)
    return path


def decoded(address: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(address.partition("base64,")[2]))


def test_ultrasound_is_seen_and_heard(tmp_path: Path):
    bat = read_for_page(tone(tmp_path / "bat.wav", 256_000, 60_000, 0.5))
    assert bat.seconds == pytest.approx(0.5) and bat.slowed == pytest.approx(256_000 / 22_050)
    y, rate = sf.read(decoded(sound(bat)))
    peak = np.abs(np.fft.rfft(y)).argmax() * rate / len(y)
    assert rate == 22_050 and peak == pytest.approx(60_000 / bat.slowed, rel=0.01)
    picture = imread(decoded(spectrogram(bat)), format="png")
    assert picture[..., :3].sum(axis=2).mean(axis=1).max() > 1  # not the single colour of silence
    loudest = picture[..., :3].sum(axis=2).mean(axis=1).argmax() / len(picture)
    assert 0.1 < loudest < 0.6  # 60 of 128 kHz, on the mel scale from the top


def test_what_people_hear_is_not_slowed(tmp_path: Path):
    shown = read_for_page(tone(tmp_path / "a.wav", 48_000, 1000, 12.0), start=1.0)
    assert shown.slowed == 1 and shown.sample_rate == 22_050
    assert shown.seconds == pytest.approx(10)  # pages stay small
