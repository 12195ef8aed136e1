"""Other recorders: how much codec, noise, microphone, channels and sample rate move the answers of a run.

A run of `night.py` predicts the recordings that its draw lays and does not learn from: as they are, and as another
recorder would have written them. Average precision over the classes, and the difference to the recordings as they are,
on the same resamples of the recordings. *Said* is what `aurist predict` says of these recordings as a whole.

    python benchmarks/recorders.py night/few0/run-now --draw 0
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from scipy.signal import butter, firwin2, lfilter, sosfilt

from _common import DATA, table_of
from _night import divide
from aurist.annotations import CutOptions, make_annotations, to_clips
from aurist.audio import read
from aurist.detection.store import Recording
from aurist.detection.unlike_recordings import unlike_recordings
from aurist.inference.predict import predict_clips
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import files_of_run, open_run

RATE = 22_050
Sound = npt.NDArray[np.float64]


def noisy(db: float) -> Callable[[Sound], Sound]:
    """Add white noise, so many dB below the recording."""

    def add(y: Sound) -> Sound:
        noise = np.random.default_rng(len(y)).normal(size=len(y))
        return y + noise * np.sqrt(np.mean(y**2)) * 10 ** (-db / 20)

    return add


def tilted(y: Sound) -> Sound:
    """Fall by 3 dB an octave above 1 kHz, as with wind shields and cheap microphones."""
    hz = np.array([0, 1000, 2000, 4000, 8000, RATE / 2])
    gain = 10 ** (-3 * np.log2(np.maximum(hz, 1000) / 1000) / 20)
    return np.asarray(lfilter(firwin2(257, hz, gain, fs=RATE), 1, np.pad(y, (0, 128)))[128:])


def low_cut(y: Sound) -> Sound:
    """Cut below 500 Hz, as the switch of a recorder does."""
    return np.asarray(sosfilt(butter(4, 500, "high", fs=RATE, output="sos"), y))


def mixed(y: Sound) -> Sound:
    """Mix two microphones half a millisecond apart, as stereo mixed to mono."""
    late = round(0.0005 * RATE)
    return (y + np.pad(y, (late, 0))[: len(y)]) / 2


#: The sound, the sample rate in Hz, and the format to write it in.
CHANGES: dict[str, tuple[Callable[[Sound], Sound] | None, int, str]] = {
    "as it is": (None, RATE, "wav"),
    "MP3": (None, RATE, "mp3"),
    "Ogg Vorbis": (None, RATE, "ogg"),
    "noise, -20 dB": (noisy(20), RATE, "wav"),
    "noise, -10 dB": (noisy(10), RATE, "wav"),
    "-3 dB an octave from 1 kHz": (tilted, RATE, "wav"),
    "low cut, 500 Hz": (low_cut, RATE, "wav"),
    "two microphones, mixed": (mixed, RATE, "wav"),
    "16 kHz": (None, 16_000, "wav"),
    "48 kHz": (None, 48_000, "wav"),
}


def written(
    files: list[Path], folder: Path, change: tuple[Callable[[Sound], Sound] | None, int, str]
) -> None:
    apply, rate, form = change
    folder.mkdir()
    for file in files:
        y = read(file, RATE)[0].astype(np.float64)
        y = y if apply is None else apply(y)
        y = y if rate == RATE else soxr.resample(y, RATE, rate)
        soundfile.write(folder / f"{file.stem}.{form}", y / max(1.0, float(np.abs(y).max())), rate)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--models", nargs="+", default=["Ensemble", "KernelRidge", "Forest"])
    options = parser.parse_args()
    run = files_of_run(open_run(options.run))
    window = run.spec.window or 5.0
    calls = divide(options.data, options.draw, most=False)[1].calls
    files = [options.data / "nips4b" / path for path in sorted(set(calls["path"]))]
    # codecs and resampling change lengths by some milliseconds, and the windows must be the same
    length = {file.stem: soundfile.info(file).duration - 0.1 for file in files}
    calls = calls[[row.start < length[Path(row.path).stem] - 0.05 for row in calls.itertuples()]]
    rows: list[dict[str, str]] = []
    base: dict[str, npt.NDArray[np.float64]] = {}
    for name, change in CHANGES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "sound"
            written(files, folder, change)
            table = calls.assign(path=[f"{Path(path).stem}.{change[2]}" for path in calls["path"]])
            boxes = make_annotations(table.to_dict("records"), "calls", root=folder)
            seconds = {path: length[Path(path).stem] for path in boxes.recordings}
            clips = to_clips(boxes, seconds, CutOptions(window=window))
            truth = clips.targets(run.spec.task.classes)
            groups = [Path(path).stem for path in clips.table["path"]]
            row = {"recorder": name}
            for model in options.models:
                answers = predict_clips(run, clips, model=model, jobs=1, cache_dir=Path(temporary) / "cache")
                proba = answers.proba
                if name == "as it is":
                    base[model] = proba
                    row[model] = str(bootstrap(truth, proba, groups, "average_precision"))
                else:
                    difference = paired(truth, proba, base[model], groups, "average_precision")
                    row[model] = f"{difference.score:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
                row["unlike"] = (
                    f"{np.mean(answers.likeness <= 0.05):.0%}" if answers.likeness is not None else ""
                )
            recordings = [Recording(file.name, file) for file in sorted(folder.iterdir())]
            row["said"] = ", ".join(note.split(":")[0] for note in unlike_recordings(run, recordings))
            rows.append(row)
            print(table_of([row]), flush=True)
    print(table_of(rows))


if __name__ == "__main__":
    main()
