"""A synthetic Rainforest Connection: the published recipe against ours, in the same time.

Calls of bird species (the annotated syllables of nips4b, joined if they follow each other) are mixed into soundscapes
of a tropical forest, in recordings of one minute at 48 kHz, with tables of true and false positives in the columns of
the contest. Files with calls, and soundscapes, are divided before mixing: the test contains no sound of the training.
The tables hold only some of the calls in the training recordings, as in the contest. In the test all calls are known,
and the prediction of a recording for a species is its highest window.

The published recipe trains on ten seconds around the boxes of true positives, and predicts ten seconds at a time.
`mel-sed` trains on three seconds around all boxes, false positives too: near a call other species are absent, near a
false positive they are unknown. "default" is what `aurist fit train/ --annotations tables/ --unannotated partial`
fits, and "default, birdnet" the same with this embedder. The scores of windows are also pooled as entrants of such
contests did, to see what that gains. Existing files in the folder are used again.

    python benchmarks/rfcx.py --minutes 30 --folder rfcx --output results
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile
from scipy.ndimage import median_filter
from scipy.signal import istft, stft

import _common
from aurist.annotations import CutOptions
from aurist.audio import read
from aurist.automl.annotated import read_annotated
from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.metrics import metric
from aurist.plan import with_half_frame_rate
from aurist.recipes import read_recipe, with_settings
from aurist.results.bootstrap import bootstrap
from aurist.run import files_of_run, open_run

RATE, SECONDS = 48_000, 60.0
#: Seconds of the windows of the published recipe, and of ours.
WINDOW, OURS = 10.0, 3.0
SPECIES, TRAINING, TEST = 20, 160, 80
#: Closer syllables are joined to one call; longest call in seconds; decibels of a call above the background.
JOINED, LONGEST, LEVEL = 0.5, 4.0, (0.0, 12.0)
#: Species, and calls of each, in a recording; share of the calls in the tables; false positives of each.
PRESENT, CALLS, KNOWN, FALSE = (2, 4), (1, 3), 0.4, 5
#: One recording of so many is scored and not trained on.
FOLDS = 3
COLUMNS = ["recording_id", "species_id", "songtype_id", "t_min", "f_min", "t_max", "f_max"]
Wave = npt.NDArray[np.float32]
WAYS = ("rfcx-resnet50", "mel-sed", "default", "default, birdnet")
#: The scores of a recording, (n_species,), from those of its windows, (n_windows, n_species).
POOLED = {
    "highest window": lambda proba: proba.max(axis=0),
    "mean of the three highest": lambda proba: np.sort(proba, axis=0)[-3:].mean(axis=0),
    "highest mean of three neighbours": lambda proba: _neighbours(proba).max(axis=0),
    "highest window, times the root of the mean": lambda proba: (
        proba.max(axis=0) * np.sqrt(proba.mean(axis=0))
    ),
}


@dataclass(frozen=True)
class Call:
    """Some syllables of a species, and their band."""

    species: int
    y: Wave
    low: float
    high: float


def calls_of(data: Path, *, test: bool) -> list[Call]:
    """Return the calls in one half of the files; species are those with the most files."""
    table = pd.read_csv(data / "nips4b" / "segments.csv")
    files = table.groupby("label")["path"].nunique().sort_values(ascending=False, kind="stable")
    species = sorted(files.index[:SPECIES])
    paths = sorted(table["path"].unique())
    half = np.random.default_rng(0).permutation(len(paths)) < len(paths) // 2
    chosen = {path for path, one in zip(paths, half, strict=True) if one == test}
    table = table[table["label"].isin(species) & table["path"].isin(chosen)]
    return [
        call
        for (path, label), boxes in table.groupby(["path", "label"])
        for call in _joined(data / "nips4b" / str(path), species.index(str(label)), boxes)
    ]


def _joined(path: Path, species: int, boxes: pd.DataFrame) -> Iterator[Call]:
    sound = _without_noise(read(path, RATE)[0])
    start = end = None
    times = sorted(zip(boxes["t_min"], boxes["t_max"], strict=True))
    for low, high in [*times, (np.inf, np.inf)]:
        if start is not None and (low - end > JOINED or high - start > LONGEST):
            y = sound[max(0, round((start - 0.05) * RATE)) : round((end + 0.05) * RATE)]
            if len(y) >= 0.1 * RATE and np.abs(y).max() > 0:
                low_hz, high_hz = _band(y)
                yield Call(species, _faded(_within(y, 0.8 * low_hz, 1.25 * high_hz)), low_hz, high_hz)
            start = None
        start, end = (low if start is None else start), high


def _without_noise(y: Wave) -> Wave:
    """Remove the steady noise of a recording by spectral subtraction: otherwise calls bring their noise as visible
    boxes.
    """
    _, _, spectrum = stft(y, RATE, nperseg=1024, noverlap=768)
    power = np.abs(spectrum) ** 2
    noise = 6.0 * np.quantile(power, 0.4, axis=1, keepdims=True)
    gain = np.sqrt(np.clip(1 - noise / np.maximum(power, 1e-20), 0.0, 1.0))
    gain = median_filter(gain, (7, 5))  # Single bins above the noise are noise.
    return istft(spectrum * gain, RATE, nperseg=1024, noverlap=768)[1][: len(y)].astype(np.float32)


def _faded(y: Wave) -> Wave:
    n = round(0.02 * RATE)
    ramp = np.minimum(1.0, np.minimum(np.arange(len(y)), np.arange(len(y))[::-1]) / n)
    return (y * ramp).astype(np.float32)


def _within(y: Wave, low: float, high: float) -> Wave:
    spectrum, hertz = np.fft.rfft(y), np.fft.rfftfreq(len(y), 1 / RATE)
    return np.fft.irfft(np.where((hertz >= low) & (hertz <= high), spectrum, 0), len(y)).astype(np.float32)


def _band(y: Wave) -> tuple[float, float]:
    """Return the frequencies between which nine tenths of the power lie."""
    power = np.abs(np.fft.rfft(y)) ** 2
    share = np.cumsum(power) / power.sum()
    low, high = np.searchsorted(share, [0.05, 0.95]) * RATE / len(y)
    return float(low), float(max(high, low + 100))


def backgrounds(data: Path, *, test: bool) -> list[Wave]:
    files = sorted((data / "soundscapes").rglob("*.ogg"))
    half = np.random.default_rng(1).permutation(len(files)) < len(files) // 2
    return [read(file, RATE)[0] for file, one in zip(files, half, strict=True) if one == test]


def forest(pieces: list[Wave], rng: np.random.Generator) -> Wave:
    """Mix a minute of several soundscapes, one fading into the next."""
    n, fade = round(SECONDS * RATE), RATE
    out, at = np.zeros(n + 12 * RATE, dtype=np.float32), 0
    while at < n:
        y = _faded(pieces[int(rng.integers(len(pieces)))]).copy()
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        y[:fade] *= ramp
        y[-fade:] *= ramp[::-1]
        out[at : at + len(y)] += y[: len(out) - at]
        at += len(y) - fade
    return out[:n]


def make(folder: Path, data: Path, n: int, *, test: bool) -> None:
    """Write recordings, ``train_tp.csv`` and ``train_fp.csv`` for some of their calls, ``truth.csv`` for all calls."""
    if (folder / "truth.csv").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2 + test)
    calls, pieces = calls_of(data, test=test), backgrounds(data, test=test)
    by_species: dict[int, list[Call]] = {}
    for call in calls:
        by_species.setdefault(call.species, []).append(call)
    annotated, false, truth = [], [], []
    for number in range(n):
        name, y = f"{'test' if test else 'train'}{number:04d}", forest(pieces, rng)
        loudness = float(np.sqrt(np.mean(y**2)))
        present = rng.choice(list(by_species), int(rng.integers(PRESENT[0], PRESENT[1] + 1)), replace=False)
        laid = []
        for species in present.tolist():
            for _ in range(int(rng.integers(CALLS[0], CALLS[1] + 1))):
                call = by_species[species][int(rng.integers(len(by_species[species])))]
                at = int(rng.integers(len(y) - len(call.y)))
                gain = loudness * 10 ** (rng.uniform(*LEVEL) / 20) / float(np.sqrt(np.mean(call.y**2)))
                y[at : at + len(call.y)] += gain * call.y
                start, end = at / RATE, (at + len(call.y)) / RATE
                laid.append((name, species, 1, start, call.low, end, call.high))
        truth += laid
        annotated += [one for one in laid if rng.uniform() < KNOWN]
        others = [species for species in by_species if species not in present]
        for _ in range(FALSE):  # A false positive is mostly at a place where another species calls.
            near = laid[int(rng.integers(len(laid)))]
            false.append((name, int(rng.choice(others)), *near[2:]))
        y *= np.float32(0.9 / max(0.9, float(np.abs(y).max())))
        soundfile.write(folder / f"{name}.flac", y, RATE, subtype="PCM_16")
    for file, rows in (("train_tp", annotated), ("train_fp", false), ("truth", truth)):
        pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / f"{file}.csv", index=False, float_format="%.4f")


def _neighbours(proba: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.pad(proba, ((1, 1), (0, 0)), mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def fitted(folder: Path, way: str, minutes: float, jobs: int) -> Path:
    """Return the run of a method, with its tables in the form of the contest."""
    run_folder, training = folder / way, folder / "train"
    if (run_folder / "scores.json").exists():
        return run_folder
    tables = folder / f"tables_{way}"
    tables.mkdir(exist_ok=True)
    published = way == "rfcx-resnet50"
    for name in ["train_tp"] if published else ["train_tp", "train_fp"]:
        pd.read_csv(training / f"{name}.csv").to_csv(tables / f"{name}.csv", index=False)
    unannotated = "absent" if published else "partial"
    one_network = published or way == "mel-sed"
    clips = read_annotated(
        training, tables, CutOptions("boxes" if one_network else "windows", unannotated=unannotated)
    )
    config = FitConfig(
        time_limit=60 * minutes,
        metric="lwlrap",
        jobs=jobs,
        near_duplicates=False,  # Recordings are mixed from the same soundscapes and would all be one group.
        embeddings=("birdnet",) if way.endswith("birdnet") else (),
    )
    if one_network:
        # A third of the recordings, always the same, is scored and used for no choice.
        third = clips.table["path"].map(lambda name: int(Path(name).stem[-4:]) % FOLDS == 0)
        clips = replace(clips, table=clips.table.assign(part=np.where(third, "valid", "train")))
        recipe = way if published else _ours(folder)
        config = replace(config, engine="networks", recipes=(recipe,))
    fit(clips, run_folder, config, cache_dir=folder / "cache")
    return run_folder


def _ours(folder: Path) -> str:
    """Train `mel-sed` on the sound around a box, with half as many frames, as the planner does with little time."""
    import tomli_w

    recipe = with_half_frame_rate(read_recipe("mel-sed"))
    window = {"window.seconds": OURS, "window.hop": OURS / 2, "window.place": "centre"}
    recipe = with_settings(recipe, window)
    path = folder / "mel-sed.toml"
    path.write_text(tomli_w.dumps(recipe.to_dict()), encoding="utf-8")
    return str(path)


def window_scores(
    folder: Path, run: Path, window: float | None, species: list[str]
) -> list[npt.NDArray[np.float64]]:
    """Return the scores of the windows of each recording, (n_windows, n_species)."""
    opened = open_run(run)
    recordings = [Recording(file.name, file) for file in sorted((folder / "test").glob("*.flac"))]
    result = listen(files_of_run(opened), recordings, folder / f"heard_{run.name}", WindowOptions(window))
    columns = np.array([result.classes.index(name) if name in result.classes else -1 for name in species])
    out = []
    for one in result.recordings:
        proba = result.detections.scores(one).proba
        out.append(np.where(columns >= 0, proba[:, columns], 0.0).astype(np.float64))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--minutes", type=float, default=30.0, help="minutes of each method")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS[:3])
    parser.add_argument("--folder", type=Path, default=Path("rfcx"), help="folder for all files")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    folder = options.folder
    make(folder / "train", options.data, TRAINING, test=False)
    make(folder / "test", options.data, TEST, test=True)
    laid = pd.read_csv(folder / "test" / "truth.csv")
    species = [f"s{number}" for number in range(SPECIES)]
    names = [file.stem for file in sorted((folder / "test").glob("*.flac"))]
    truth = np.zeros((len(names), SPECIES), dtype=np.int8)
    truth[laid["recording_id"].map(names.index), laid["species_id"]] = 1
    groups, rng = np.arange(len(names)), np.random.default_rng(0)
    score = metric("lwlrap")
    chance = float(np.mean([score(truth, rng.random(truth.shape), multilabel=True) for _ in range(200)]))
    rows, figures = [["chance", "", f"{chance:.3f}", "", "", ""]], []
    for way in options.ways:
        run = fitted(folder, way, options.minutes, options.jobs)
        windows = {"rfcx-resnet50": WINDOW, "mel-sed": OURS}.get(way)
        scores = window_scores(folder, run, windows, species)
        epochs = [len(pd.read_csv(path)) for path in sorted(run.glob("models/*/fold*/net*/history.csv"))]
        for pooled, pool in POOLED.items():
            proba = np.stack([pool(of_recording) for of_recording in scores])
            result = {
                name: str(bootstrap(truth, proba, groups, name))
                for name in ("lwlrap", "average_precision", "roc_auc")
            }
            rows.append([way, pooled, *result.values(), " ".join(map(str, epochs))])
            own = json.loads((run / "scores.json").read_text())["score"]
            figures.append({"way": way, "pooled": pooled, **result, "epochs": epochs, "run": own})
    header = ["method", "score of a recording", "LWLRAP", "mean average precision", "AUC", "epochs"]
    text = (
        f"{TRAINING} recordings of a minute to learn from, {TEST} to be scored, {SPECIES} species, "
        f"{options.minutes:g} minutes of training for each method:\n\n" + _common.table(header, rows)
    )
    _common.publish("rfcx", text, figures, options.output)


if __name__ == "__main__":
    main()
