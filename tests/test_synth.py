"""The synthesiser: what it writes, that a seed repeats it, that it can be learned but not trivially."""

from collections import Counter

import numpy as np
import pytest
import soundfile as sf

from aurist.synth import FORMATS, GENRES, blemish, render, synthesise_demo, synthesise_music
from aurist.synth.genres import KITS, SCALES, VOICES, WAVES
from aurist.synth.player import _drums, _tone

RATE = 22050


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    return synthesise_music(folder, tracks_per_genre=5, duration=2.0)


def test_settings_name_what_there_is():
    for name, genre in GENRES.items():
        assert set(genre.kits) <= KITS.keys(), name
        assert set(genre.basses + genre.chords + genre.leads) <= VOICES.keys(), name
        assert set(genre.scales) <= SCALES.keys(), name
        assert all(len(roots) == 4 for roots in genre.roots), name
        assert genre.tempo[0] < genre.tempo[1], name
        patterns = (genre.kick, genre.snare, genre.hat, genre.bass, genre.comp)
        bars = {len(pattern) for choices in patterns for pattern in choices}
        assert len(bars) == 1, f"{name} mixes bars of {sorted(bars)} sixteenths"
    assert {voice.wave for voice in VOICES.values()} <= WAVES.keys()


def test_folder_per_genre_in_every_format(music):
    assert Counter(path.parent.name for path in music) == dict.fromkeys(GENRES, 5)
    assert {path.suffix[1:] for path in music} == set(FORMATS)
    for path in music:
        y, sample_rate = sf.read(path)
        assert sample_rate == RATE
        assert y.ndim == 1
        assert 1.4 * RATE < len(y) < 2.7 * RATE  # encoders may add a frame
        assert np.isfinite(y).all()
        assert 0.1 < np.abs(y).max() <= 1.0
        assert np.std(y) > 0.005


def test_same_seed_same_sound(tmp_path, music):
    again = synthesise_music(tmp_path / "again", tracks_per_genre=5, duration=2.0)
    assert [path.name for path in again] == [path.name for path in music]
    for path, twin in zip(music, again, strict=True):
        np.testing.assert_array_equal(sf.read(path)[0], sf.read(twin)[0])
    other = synthesise_music(tmp_path / "other", tracks_per_genre=5, duration=2.0, seed=1)
    lengths = [[sf.info(path).frames for path in paths] for paths in (music, other)]
    assert not np.equal(*lengths).any()


def test_file_holds_what_was_played(music):
    for path in music:
        genre, number = path.stem.split("_")
        rng = np.random.default_rng([0, list(GENRES).index(genre), int(number)])
        played = render(genre, 2.0 * rng.uniform(0.75, 1.25), RATE, rng)
        if path.suffix in {".wav", ".flac"}:
            np.testing.assert_allclose(sf.read(path)[0], played, atol=1 / 32768)


def test_tracks_differ(music):
    starts = {sf.read(path, frames=RATE)[0].round(3).tobytes() for path in music}
    assert len(starts) == len(music)


@pytest.mark.parametrize("voice", [name for name in VOICES if not VOICES[name].vibrato])
def test_tone_has_its_pitch(voice):
    y = _tone(57, 1.0, VOICES[voice], 0.05, RATE)  # A3, 220 Hz
    spectrum = np.abs(np.fft.rfft(y[:RATE] * np.hanning(RATE)))  # bins of 1 Hz
    partials = spectrum[218:2200].reshape(-1)
    strongest = int(np.argmax(partials)) + 218
    assert abs(strongest / 220 - round(strongest / 220)) < 0.01
    assert spectrum[:200].max() < 0.05 * spectrum.max(), "nothing below the fundamental"


def test_tone_is_band_limited():
    y = _tone(93, 0.5, VOICES["guitar"], 0.0, RATE)  # 1760 Hz, whose seventh partial would fold back
    spectrum = np.abs(np.fft.rfft(y[: RATE // 2] * np.hanning(RATE // 2)))
    between = spectrum[int(1.5 * 1760 / 2) - 50 : int(1.5 * 1760 / 2) + 50]
    assert between.max() < 0.01 * spectrum.max()


@pytest.mark.parametrize("kit", KITS)
def test_drums_fall_silent(kit):
    for drum in _drums(KITS[kit], RATE, np.random.default_rng(0)):
        loud, late = np.std(drum[: RATE // 20]), np.std(drum[-RATE // 20 :])
        assert late < 0.15 * loud


def test_blemishes(tmp_path):
    tracks = synthesise_music(tmp_path, tracks_per_genre=2, duration=2.0)
    *copies, again, empty, broken = blemish(tracks)
    assert len(copies) == len(tracks[3::8])
    for copy, track in zip(copies, tracks[3::8], strict=True):
        y, x = sf.read(copy)[0], sf.read(track)[0]
        assert copy.parent == track.parent
        assert np.abs(y).max() < np.abs(x).max()
        y = y[: RATE // 2]
        likeness = np.correlate(x, y) / np.sqrt(np.convolve(x**2, np.ones(len(y)), "valid") * np.sum(y**2))
        assert likeness.max() > 0.98, "the same sound, later"
    np.testing.assert_array_equal(sf.read(again)[0], sf.read(tracks[0])[0])
    assert again.parent != tracks[0].parent
    assert empty.stat().st_size == 0
    assert broken.stat().st_size > 0
    with pytest.raises(sf.LibsndfileError):
        sf.read(empty)


def test_broken_file_breaks_off(tmp_path):
    broken = blemish(synthesise_music(tmp_path, tracks_per_genre=1, duration=2.0))[-1]
    promised = sf.info(broken).frames
    try:
        got = len(sf.read(broken)[0])
    except sf.LibsndfileError:
        got = 0
    assert got < promised


@pytest.mark.slow
def test_demo_is_neither_trivial_nor_hopeless(tmp_path):
    from sklearn.ensemble import ExtraTreesClassifier

    data = synthesise_demo(tmp_path)
    odd = ("copy", "again", "empty", "broken")
    clean = [path for path in sorted(data.train.rglob("*.*")) if not path.stem.endswith(odd)]
    unseen = sorted(data.unseen.rglob("*.*"))
    model = ExtraTreesClassifier(300, random_state=0)
    model.fit([_describe(path) for path in clean], [path.parent.name for path in clean])
    accuracy = model.score([_describe(path) for path in unseen], [path.parent.name for path in unseen])
    assert 0.4 < accuracy < 0.97, "with features as plain as these; chance is 0.14"


def _describe(path):
    """Mean, spread and movement of the cepstrum of a coarse logarithmic spectrum."""
    y, _ = sf.read(path)
    n_fft = 1024
    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft)[:: n_fft // 2] * np.hanning(n_fft)
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = np.unique(np.geomspace(2, n_fft // 2, 33).astype(int))
    bands = np.log(np.add.reduceat(power, edges, axis=1) + 1e-8)
    moves = np.abs(np.diff(bands, axis=0))
    return np.concatenate([bands.mean(0) - bands.mean(), bands.std(0), moves.mean(0), moves.std(0)])
