"""Model folders of networks, and the files that training leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..archives.made import dataset
from .harness import Target

_RECIPE = """
name = "tiny"
[front]
sample_rate = 8000
n_fft = 256
hop_length = 128
n_mels = 32
[window]
seconds = 0.5
[network]
backbone = "test_resnet"
[training]
epochs = 1
precision = "32"
"""


def make_model(folder: Path) -> None:
    """Make a model folder of a network, and a recording."""
    from aurist.automl.fit import fit
    from aurist.config import FitConfig
    from aurist.export.export import export_run
    from aurist.run import open_run

    with_run = folder / "made"
    dataset(with_run / "set")
    (with_run / "tiny.toml").write_text(_RECIPE)
    config = FitConfig(
        engine="networks", recipes=(str(with_run / "tiny.toml"),), folds=2, jobs=1, time_limit=600.0
    )
    fit(with_run / "set", with_run / "run", config, cache_dir=with_run / "cache")
    export_run(open_run(with_run / "run"), folder / "model")
    shutil.copy(with_run / "set" / "audio" / "clip_00.wav", folder / "new.wav")
    shutil.rmtree(with_run)


def read_model(folder: Path) -> object:
    """Read it as `predict` does."""
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.inference.predict import predict_clips
    from aurist.run.model_folder import open_model

    return predict_clips(
        open_model(folder / "model"), read_clips(folder / "new.wav", ReadOptions(), labelled=False)
    )


def make_files(folder: Path) -> None:
    """Make the files that the training of a small network leaves for a fold."""
    from ..models.sounds import tiny
    from ..models.untrained import write_fold

    write_fold(folder, tiny(training={"top_k": 1}), 4000)


def read_files(folder: Path) -> object:
    from aurist.models.network_files import read_networks
    from aurist.models.training.model import load_torch_networks
    from aurist.stored import stored

    with stored(folder, "Train it again."):
        return load_torch_networks(read_networks(folder), 3)


TARGETS = (
    Target("network", make_files, read_files, 0.3, folder=True),
    Target("network, exported", make_model, read_model, 0.5, ("new.wav",), folder=True),
)
