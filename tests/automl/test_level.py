"""A run's answers hang on what was recorded, not on the gain; the level is kept where that is wanted."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.automl.fit import fit
from aurist.clips.read import read_clips
from aurist.config import FitConfig
from aurist.errors import RunError
from aurist.features.level import LEVEL
from aurist.inference.predict import predict_clips
from aurist.run import RunFolder, files_of_run, read_data

from ..small_run import HUNDRED

#: At the rate of the features: to bring an offset to another rate leaves a trace at the ends of a clip.
RATE, CLIPS = 22050, 16
PLAN = HUNDRED + '[[member]]\nname = "Kernel"\nengine = "kernel"\n'
pytestmark = pytest.mark.usefixtures("hundred_trees")


def write(
    folder: Path,
    gain: float = 1.0,
    offset: float = 0.0,
    subtype: str = "FLOAT",
    first: int = 0,
    n: int = CLIPS,
) -> Path:
    """Noise of a pump and of a fan: they differ in colour, and those with a fault are louder by 12 dB."""
    for kind, smooth in (("fan", 1), ("pump", 6)):
        for number in range(first, first + n):
            rng = np.random.default_rng([number, smooth])
            y = np.convolve(rng.standard_normal(RATE // 3), np.ones(smooth) / smooth, "same")
            y *= 0.02 * (4 if number % 2 else 1) / y.std()
            path = folder / kind / f"{'fault' if number % 2 else 'fine'}_{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, (gain * y + offset).astype(np.float32), RATE, subtype=subtype)
    return folder


def fitted(folder: Path, sounds: Path, label: str, level: str) -> RunFolder:
    (folder / "plan.toml").write_text(PLAN)
    clips = read_clips(sounds)
    table = clips.table[["path"]].assign(
        path=[str(clips.file(str(path))) for path in clips.table["path"]],
        label=[
            Path(str(path)).parent.name if label == "machine" else Path(str(path)).stem.split("_")[0]
            for path in clips.table["path"]
        ],
    )
    config = FitConfig(plan=str(folder / "plan.toml"), folds=3, jobs=1, near_duplicates=False, level=level)
    return fit(table, folder / f"run-{label}-{level}", config, cache_dir=folder / "cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("level")


@pytest.fixture(scope="module")
def sounds(folder: Path) -> Path:
    return write(folder / "sounds")


@pytest.fixture(scope="module")
def machines(folder: Path, sounds: Path) -> RunFolder:
    return fitted(folder, sounds, "machine", "relative")


@pytest.mark.parametrize(
    ("gain", "offset", "subtype", "within"),
    [
        (0.01, 0.0, "FLOAT", 0.01),
        (100.0, 0.0, "FLOAT", 0.01),
        (1.0, 0.1, "FLOAT", 0.05),
        (1.0, 0.0, "PCM_24", 0.01),
        (1.0, 0.0, "PCM_U8", 0.3),
    ],
)
def test_gain_offset_and_bit_depth_change_no_answer(
    tmp_path, folder, machines, gain, offset, subtype, within
):
    # new clips: those that were learnt from are known again by their features, to the last bit
    as_they_are = write(tmp_path / "new", first=CLIPS, n=4)
    turned = write(tmp_path / "turned", gain, offset, subtype, first=CLIPS, n=4)
    before = predict_clips(files_of_run(machines), read_clips(as_they_are), cache_dir=folder / "cache")
    after = predict_clips(files_of_run(machines), read_clips(turned), cache_dir=folder / "cache")
    assert np.abs(before.proba - after.proba).max() < within
    assert (before.proba.argmax(axis=1) == after.proba.argmax(axis=1)).all()


def test_the_level_is_kept_where_it_is_wanted(folder, sounds):
    relative = fitted(folder, sounds, "state", "relative")
    kept = fitted(folder, sounds, "state", "keep")
    score = {name: run.scores().score.score for name, run in (("relative", relative), ("keep", kept))}
    assert score["keep"] > 0.9 and score["relative"] < 0.8
    variants = relative.variants().set_index("variant")
    assert variants.loc["level kept", "score"] > 0.9 and variants.loc["level kept", "high"] < 0
    variants = kept.variants().set_index("variant")
    assert variants.loc["level left out", "score"] < 0.8 and variants.loc["level left out", "low"] > 0
    # what was kept is heard by predict, too
    data = read_data(kept)
    assert LEVEL in data.schema.names and data.summary.level == "keep"
    assert (
        len(predict_clips(files_of_run(kept), read_clips(sounds), cache_dir=folder / "cache").proba)
        == 2 * CLIPS
    )


def test_a_run_of_older_features_is_refused(folder, sounds, machines, tmp_path):
    settings = json.loads((machines.folder / "data.json").read_text())
    old = tmp_path / "old"
    old.mkdir()
    for name in ("config.toml", "plan.toml"):
        (old / name).write_text((machines.folder / name).read_text())
    (old / "data.json").write_text(json.dumps({k: v for k, v in settings.items() if k != "features"}))
    with pytest.raises(RunError, match="features of version 1, but this aurist makes version 2"):
        read_data(RunFolder(old))


def test_levels_of_other_clips_are_damage(machines, tmp_path):
    shutil.copytree(machines.folder, tmp_path / "run")
    path = tmp_path / "run" / "level.parquet"
    pd.read_parquet(path).iloc[:-1].to_parquet(path)
    with pytest.raises(RunError, match=r"level\.parquet is damaged.*31 rows, and clips\.parquet has 32"):
        read_data(RunFolder(tmp_path / "run"))
