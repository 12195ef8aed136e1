"""ESC-10 and gtzan100: aurist against extra-trees on librosa's summary features, on the same folds.

The baseline is what people write by hand: mean and standard deviation of librosa's MFCC and deltas, chroma, contrast,
tonnetz, centroid, bandwidth, rolloff, flatness, zero crossings and RMS, and 500 extra-trees. ESC-10 uses its official
folds, gtzan100 ten grouped folds. Differences are paired, with a bootstrap over groups. An interrupted command
continues.

    python benchmarks/audio.py --limit 2m --seeds 3 --output audio/
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from _common import DATA
from aurist.clips.read import read_clips
from aurist.plan import ENSEMBLE
from aurist.predictions import from_frame
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import open_run, read_data, training_data

SETS = {"esc10": (), "gtzan100": ("--folds", "10")}


def librosa_summary(path: Path) -> np.ndarray:
    """Return mean and standard deviation of librosa's features, each from its own call."""
    import librosa

    y, rate = librosa.load(path, sr=22050)
    mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=20)
    frames = [
        mfcc,
        librosa.feature.delta(mfcc),
        librosa.feature.chroma_stft(y=y, sr=rate),
        librosa.feature.spectral_contrast(y=y, sr=rate),
        librosa.feature.tonnetz(y=y, sr=rate),
        librosa.feature.spectral_centroid(y=y, sr=rate),
        librosa.feature.spectral_bandwidth(y=y, sr=rate),
        librosa.feature.spectral_rolloff(y=y, sr=rate),
        librosa.feature.spectral_flatness(y=y),
        librosa.feature.zero_crossing_rate(y),
        librosa.feature.rms(y=y),
    ]
    return np.concatenate([f(frame, axis=1) for frame in frames for f in (np.mean, np.std)])


def baseline(name: str, data: Path, out: Path) -> pd.DataFrame:
    """Return librosa's features of every clip; they are stored with the results."""
    path = out / f"{name}_librosa.parquet"
    if not path.exists():
        clips = read_clips(data / name)
        rows = np.stack([librosa_summary(file) for file in clips.files()])
        table = pd.DataFrame(rows, columns=[f"f{i}" for i in range(rows.shape[1])])
        table.insert(0, "clip_id", clips.table["clip_id"])
        table.to_parquet(path)
    return pd.read_parquet(path).set_index("clip_id")


def compare(name: str, data: Path, out: Path, limit: str, seed: int) -> str:
    """Return one line of the table: both scores and the paired differences, in accuracy and macro F1."""
    from sklearn.ensemble import ExtraTreesClassifier

    folder = out / f"{name}_{seed}"
    if not (folder / "scores.json").exists():
        command = [sys.executable, "-m", "aurist", "fit", str(data / name), "-o", str(folder), *SETS[name]]
        subprocess.run([*command, "--time-limit", limit, "--seed", str(seed)], check=True)
    run = open_run(folder)
    learn = training_data(read_data(run))
    predictions = {
        p.model: p for p in from_frame(run.predictions().query("part == 'oof'"), learn.task.classes)
    }
    ours = predictions[ENSEMBLE].aligned(learn.clip_ids.tolist())
    features = baseline(name, data, out).loc[learn.clip_ids.tolist()].to_numpy()
    label = learn.examples.targets.argmax(axis=1)
    theirs = np.zeros(ours.shape)
    for split in learn.splits:
        rows = np.concatenate([split.train, split.validation])
        forest = ExtraTreesClassifier(500, random_state=seed, n_jobs=-1).fit(features[rows], label[rows])
        theirs[np.ix_(split.scored, forest.classes_)] = forest.predict_proba(features[split.scored])
    truth, groups = learn.examples.targets, learn.groups
    cells = [f"{name}, seed {seed}"]
    for metric in ("accuracy", "f1_macro"):
        cells += [
            str(bootstrap(truth, ours, groups, metric)),
            f"{bootstrap(truth, theirs, groups, metric).score:.3f}",
            str(paired(truth, ours, theirs, groups, metric)),
        ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--limit", default="2m")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("audio"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    lines = [
        "| data set | accuracy, aurist | extra-trees | difference | macro-F1, aurist | extra-trees | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for seed in range(options.seeds):
        for name in SETS:
            lines.append(compare(name, options.data, options.output, options.limit, seed))
            (options.output / "audio.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
