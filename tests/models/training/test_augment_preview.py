"""What people can judge of a recipe's augmentation."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from aurist.errors import ConfigError
from aurist.features.spectrogram import Spectrogram
from aurist.models.training.augment_preview import preview_augmentation
from aurist.recipes import Recipe, recipe_from

RATE = 8000


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    sf.write(path, 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE), RATE, subtype="FLOAT")
    return path


def recipe(spectrum: list[dict[str, object]]) -> Recipe:
    front = {"sample_rate": RATE, "n_fft": 512, "hop_length": 128, "n_mels": 40, "scale": "none"}
    return recipe_from({"name": "r", "front": front, "augment": {"spectrum": spectrum}}, "r")


def strongest(wave: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(wave)).argmax() * RATE / len(wave))


def test_the_first_is_as_it_is_and_the_others_are_changed_alike_in_sound_and_image(
    tone: Path, tmp_path: Path
) -> None:
    higher = recipe([{"kind": "pitch_shift", "semitones": [4.0, 4.0], "p": 1.0}])
    preview = preview_augmentation(tone, higher, 2, 0, tmp_path / "cache")
    assert [one.changes for one in preview] == ["as it is", *["pitch shift 4.0 semitones"] * 2]
    assert [strongest(one.wave) for one in preview] == pytest.approx([1000, 1260, 1260], abs=15)
    front = Spectrogram(higher.front)
    for one in preview:
        assert one.image is not None
        loudest = one.image.mean(axis=1).argmax()
        assert abs(int(loudest) - int(front(torch.from_numpy(one.wave)[None])[0, 0].mean(1).argmax())) <= 1


def test_one_of_several_is_named(tone: Path, tmp_path: Path) -> None:
    noises = [{"kind": "gaussian_noise", "snr_db": [9.0, 9.0]}]
    preview = preview_augmentation(
        tone, recipe([{"kind": "one_of", "of": noises, "p": 1.0}]), 1, 0, tmp_path / "cache"
    )
    assert preview[1].changes == "gaussian noise 9.0 dB SNR"
    noise = preview[1].wave - preview[0].wave
    assert 10 * np.log10(np.mean(preview[0].wave ** 2) / np.mean(noise**2)) == pytest.approx(9, abs=0.3)


def test_none_is_refused(tone: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        preview_augmentation(tone, recipe([]), 0, 0, tmp_path / "cache")
