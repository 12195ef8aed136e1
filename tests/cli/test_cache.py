"""`aurist cache`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from aurist.cli import app
from aurist.clips import make_clips
from aurist.features.cache import cache_size
from aurist.features.store import summary_table
from aurist.features.summary import SummaryConfig
from aurist.features.waves import store_waves


def asked(*arguments: object) -> list[str]:
    result = CliRunner().invoke(app, ["cache", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 400_000), 8000)
    clips = make_clips([("a",)], paths=["a.wav"], root=tmp_path)
    config = SummaryConfig(n_fft=512, hop_length=256, n_mels=32, n_mfcc=4, sample_rate=8000)
    summary_table(clips, config, cache_dir=tmp_path / "cache")
    store_waves(clips, 8000, cache_dir=tmp_path / "cache")
    return tmp_path / "cache"


def test_features_and_audio_are_shown_apart(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_CACHE_LIMIT", "2GB")
    folder, features, audio = asked("--cache-dir", place)
    assert folder == str(place)
    assert features.startswith("features: 0.") and audio == "audio: 0.8 MB of 2 GB at most"


def test_a_limit_drops_audio_and_no_features(place: Path) -> None:
    assert asked("--cache-dir", place, "--limit", "1MB")[2].startswith("audio: 0.8 MB")
    before = asked("--cache-dir", place)[1]
    _, features, audio = asked("--cache-dir", place, "--limit", "100KB")
    assert audio.startswith("audio: 0.0 MB") and features == before


def test_clearing_deletes_both(place: Path) -> None:
    asked("--cache-dir", place, "--clear")
    assert cache_size(place) == 0
