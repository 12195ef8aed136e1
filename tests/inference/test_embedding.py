"""Features that networks with ready weights make of recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from aurist.automl.fit import fit
from aurist.clips.read import ReadOptions
from aurist.config import FitConfig
from aurist.errors import AuristError, ConfigError
from aurist.features.matrix import EMBEDDED, row_keys
from aurist.inference.inputs import read_inputs
from aurist.inference.predict import predict_clips
from aurist.run import files_of_run, read_spec

from ..small_run import small_plan

pytest.importorskip("timm")

RATE = 8000
RECIPE = """\
name = "ear"
[front]
sample_rate = 8000
n_fft = 256
hop_length = 128
n_mels = 32
[window]
seconds = 0.5
[network]
backbone = "test_resnet"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty sounds of two kinds, and weights of a network that somebody trained."""
    import timm
    import torch

    from aurist.nets.files import save_weights

    folder = tmp_path_factory.mktemp("embedding")
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    for i in range(30):
        kind = ("low", "high")[i % 2]
        (folder / "data" / kind).mkdir(parents=True, exist_ok=True)
        tone = np.sin(2 * np.pi * (300 if kind == "low" else 2500) * rng.uniform(0.8, 1.2) * t)
        sf.write(folder / "data" / kind / f"{i}.wav", 0.3 * tone + 0.05 * rng.normal(size=RATE), RATE)
    torch.manual_seed(0)
    save_weights(folder / "ear.safetensors", timm.create_model("test_resnet", in_chans=1, num_classes=0))
    weights = (folder / "ear.safetensors").as_posix()
    (folder / "ear.toml").write_text(RECIPE + f'weights = "{weights}"\n', encoding="utf-8")
    return folder


def test_they_stand_beside_the_summary_and_new_recordings_get_them_too(folder: Path) -> None:
    config = small_plan(folder, folds=2, embeddings=(str(folder / "ear.toml"),), jobs=1)
    run = fit(folder / "data", folder / "run", config, cache_dir=folder / "cache")
    features = pd.read_parquet(run.folder / "features.parquet")
    made = [name for name in features.columns if name.startswith(f"{EMBEDDED}ear_")]
    assert len(made) > 10 and len(features.columns) > len(made)
    assert features[made].notna().all().all() and (features[made].std() > 0).any()
    # the run keeps the network: nobody needs to keep the file
    shutil.move(folder / "ear.safetensors", folder / "elsewhere")
    shutil.copytree(folder / "data", folder / "new")
    (folder / "new" / "low" / "broken.wav").write_bytes(b"RIFF, but nothing else")
    clips = read_inputs([folder / "new"], ReadOptions(), read_spec(run))
    applied = predict_clips(files_of_run(run), clips, cache_dir=folder / "cache")
    table = applied.to_frame()
    truth = table["path"].astype(str).str.split("/").str[0]
    broken = table["path"].astype(str).str.endswith("broken.wav")
    assert broken.sum() == 1 and (table["label"][~broken] == truth[~broken]).all()
    assert applied.seen[~broken].all()  # though the last bits of an embedding depend on its batch


def test_one_without_weights_has_nothing_to_say(folder: Path) -> None:
    (folder / "blank.toml").write_text(RECIPE, encoding="utf-8")
    config = FitConfig(preset="quick", embeddings=(str(folder / "blank.toml"),))
    with pytest.raises(ConfigError, match=r"blank|ear starts with random weights"):
        fit(folder / "data", folder / "refused", config)
    assert not (folder / "refused").exists()


def test_a_table_without_recordings_is_refused(folder: Path, table: pd.DataFrame) -> None:
    config = FitConfig(preset="quick", embeddings=(str(folder / "ear.toml"),))
    with pytest.raises(AuristError, match="no column of audio files"):
        fit(table, folder / "refused", config)


def test_they_have_no_part_in_whether_a_row_was_seen() -> None:
    rows = pd.DataFrame({"tempo": [1.0, 2.0], f"{EMBEDDED}ear_0000": [0.1, 0.2]})
    again = rows.assign(**{f"{EMBEDDED}ear_0000": [0.1 + 1e-9, 0.3]})
    assert (row_keys(rows) == row_keys(again)).all() and row_keys(rows)[0] != row_keys(rows)[1]
