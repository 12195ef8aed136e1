"""A run on sounds, for the tests of reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.run import RunFolder

RATE = 8000
PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\nsettings = {trees = 60}\n'


def trees(folder: Path, n_splits: int) -> FitConfig:
    """Settings of a fit of a forest alone."""
    (folder / "plan.toml").write_text(PLAN)
    return FitConfig(plan=str(folder / "plan.toml"), folds=n_splits, jobs=1)


@pytest.fixture(scope="session")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A quick run on sounds, some of them with a wrong label on purpose, one of them broken."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    for i in range(48):
        kind = i % 2
        named = ("low & <slow>", "high $1")[1 - kind if i in (10, 21) else kind]
        (folder / "data" / named).mkdir(parents=True, exist_ok=True)
        tone = np.sin(2 * np.pi * (300, 2500)[kind] * rng.uniform(0.8, 1.2) * t)
        sf.write(folder / "data" / named / f"{i}.wav", 0.3 * tone + 0.1 * rng.normal(size=RATE), RATE)
    (folder / "data" / "high $1" / "broken.wav").write_bytes(b"RIFF, but no more")
    return fit(folder / "data", folder / "run", trees(folder, 3), cache_dir=folder / "cache")
