"""What the examples of the Python API's docstrings find in the current folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

PLAN = '[[member]]\nname = "LDA"\nengine = "classic"\nsettings = {kind = "lda"}\n'
RATE = 8000


def write_tones(folder: Path, files: dict[str, float], seconds: float = 1.0, seed: int = 0) -> None:
    """Write a tone of so many radians a sample into each file, in noise."""
    rng = np.random.default_rng(seed)
    for name, step in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(int(seconds * RATE))
        wave = 0.4 * np.sin(time * step * rng.uniform(0.9, 1.1)) + rng.normal(0, 0.1, len(time))
        sf.write(folder / name, wave, RATE)


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, recordings, tables and a plan."""
    from aurist.api.fitting import fit

    folder = tmp_path_factory.mktemp("examples")
    (folder / "plan.toml").write_text(PLAN)
    kinds = {"drone": 0.2, "whistle": 1.9}
    for name, count, seed in (("sounds", 8, 0), ("more", 3, 1)):
        files = {f"{name}/{kind}/{n}.wav": step for kind, step in kinds.items() for n in range(count)}
        write_tones(folder, files, seed=seed)
    write_tones(folder, {"new/a.wav": 0.2, "new/b.wav": 1.9}, seed=2)
    write_tones(folder, {"field/night.wav": 0.2}, seconds=4.0, seed=3)
    calls = {"path": ["night.wav"], "start": [1.2], "end": [1.8], "label": ["wren"]}
    pd.DataFrame(calls).to_csv(folder / "calls.csv", index=False)
    rng = np.random.default_rng(0)
    songs = pd.DataFrame({"tempo": rng.normal(100, 20, 40).round(2), "energy": rng.random(40).round(4)})
    songs.assign(genre=np.where(songs["tempo"] > 100, "rock", "folk")).to_csv(
        folder / "songs.csv", index=False
    )
    fit(folder / "sounds", folder / "run", plan=folder / "plan.toml", jobs=1, near_duplicates=False)
    return folder


@pytest.fixture(autouse=True)
def _in_examples(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the examples of `aurist.api` in that folder."""
    if not isinstance(request.node, pytest.DoctestItem) or not request.node.name.startswith("aurist.api."):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(request.getfixturevalue("examples"))
        yield
