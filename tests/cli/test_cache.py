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


def cache_lines(*arguments: object) -> list[str]:
    result = CliRunner().invoke(app, ["cache", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.splitlines()


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 400_000), 8000)
    clips = make_clips([("a",)], paths=["a.wav"], root=tmp_path)
    config = SummaryConfig(n_fft=512, hop_length=256, n_mels=32, n_mfcc=4, sample_rate=8000)
    summary_table(clips, config, cache_dir=tmp_path / "cache")
    store_waves(clips, 8000, cache_dir=tmp_path / "cache")
    return tmp_path / "cache"


def test_features_and_audio_are_shown_apart(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_CACHE_LIMIT", "2GB")
    folder, features, audio = cache_lines("--cache-dir", cache_folder)
    assert folder == str(cache_folder)
    assert features.startswith("features: 0.") and audio == "audio: 0.8 MB of 2 GB at most"


def test_a_limit_drops_audio_and_no_features(cache_folder: Path) -> None:
    assert cache_lines("--cache-dir", cache_folder, "--limit", "1MB")[2].startswith("audio: 0.8 MB")
    before = cache_lines("--cache-dir", cache_folder)[1]
    _, features, audio = cache_lines("--cache-dir", cache_folder, "--limit", "100KB")
    assert audio.startswith("audio: 0.0 MB") and features == before


def test_clearing_deletes_both(cache_folder: Path) -> None:
    cache_lines("--cache-dir", cache_folder, "--clear")
    assert cache_size(cache_folder) == 0
