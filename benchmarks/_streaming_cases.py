"""The networks of `streaming.py`, trained for an epoch: speed does not depend on what they have learnt."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import soundfile

from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.run import RunFolder, open_run

WINDOW = 5.0
RECIPE = """\
base = "mel-cnn"
name = "{name}"
[front]
sample_rate = {rate}
n_fft = {n_fft}
hop_length = {hop}
n_mels = {rows}
{image}
[window]
seconds = {seconds}
hop = {step}
skip_silence = {skip}
[network]
backbone = "{backbone}"
[training]
epochs = 1
"""
LARGE = {"rate": 32_000, "n_fft": 1024, "hop": 512, "rows": 128, "seconds": 5.0, "step": 2.5, "skip": "false"}
SMALL = {"rate": 44_100, "n_fft": 2048, "hop": 441, "rows": 64, "seconds": 2.0, "step": 0.5, "skip": "true"}
#: By name: the recipe, the folds, the rate of the recording, the overlap of its windows.
CASES = {
    "resnet18": ({**LARGE, "image": "image = [224, 224]", "backbone": "resnet18"}, 1, 32_000, 0.0),
    "efficientnet_b0": ({**LARGE, "image": "", "backbone": "efficientnet_b0"}, 1, 32_000, 0.0),
    "mel-cnn": ({**SMALL, "image": "", "backbone": "mel_cnn"}, 5, 48_000, WINDOW / 2),
    "mel-cnn, one fold": ({**SMALL, "image": "", "backbone": "mel_cnn"}, 1, 48_000, WINDOW / 2),
}


def tones(folder: Path) -> Path:
    """Write a few clips of two classes to train on."""
    rng, time_axis = np.random.default_rng(0), np.arange(round(WINDOW * 16_000)) / 16_000
    for label, hertz in (("low", 400), ("high", 3000)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(15):
            wave = 0.3 * np.sin(2 * np.pi * hertz * rng.uniform(0.8, 1.2) * time_axis)
            wave += 0.02 * rng.standard_normal(len(wave))
            soundfile.write(folder / label / f"{label}{number}.wav", wave, 16_000)
    return folder


def fitted(folder: Path, name: str) -> RunFolder:
    """Train the networks of a case for an epoch, or read them if they exist."""
    settings, folds, _, _ = CASES[name]
    root = folder / f"run {name.partition(',')[0]}"
    if not (root / "scores.json").exists():
        shutil.rmtree(root, ignore_errors=True)
        recipe = folder / f"{root.name}.toml"
        recipe.write_text(RECIPE.format(name=name.partition(",")[0], **settings), encoding="utf-8")
        config = FitConfig(engine="networks", recipes=(str(recipe),), folds=max(2, folds), time_limit=3600)
        fit(tones(folder / "tones"), root, config, cache_dir=folder / "cache")
    if folds > 1:
        return open_run(root)
    alone = folder / f"{root.name}, one fold"
    if not alone.exists():
        shutil.copytree(root, alone)
        for other in alone.glob("models/*/fold[1-9]*"):
            shutil.rmtree(other)
    return RunFolder(alone)
