"""Nights with calls at known times: events, false alarms an hour, and the detector's own thresholds.

Calls of nips4b are laid over background (soundscapes and nips4b's files without a species). Files and background are
divided into those to learn from and those to lay before anything is laid. The commands are those of a user: Raven
tables for `aurist fit`, then `aurist predict` on a night with calls and on one without. A call is the boxes of a class
with less than a second between them. An event is right if its intersection over union with a call of its class is at
least 0.3, or (second figure) if its middle is at most a second outside of one. Average precision is the area under
precision over recall, pooled over classes, at one threshold for all of them. Intervals resample the files of the calls
and of the background. An interrupted command continues.

    python benchmarks/night.py --name default --minutes 10 --draws 0 1 2 --folder night
    python benchmarks/night.py --name windows --minutes 10 --draws 0 1 2 --folder night --fit="--window 1.5"

The same run with other options of `aurist predict`:

    python benchmarks/night.py --name whole --run default --predict="--times windows" --draws 0 1 2 --folder night

Several names of one folder are compared on the same resamples, with the first as the base:

    python benchmarks/night.py --compare default windows --draws 0 1 2 --folder night

All fits that show what a second window and gaps as background bring, and their comparison, by one command:

    python benchmarks/night.py --steps --minutes 10 --draws 0 1 2 --folder night
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from _common import DATA, table_of
from _night import divide, lay_background, lay_calls, matched, write_learnt, write_sound
from aurist.annotations import Recordings, read_annotations
from aurist.annotations.window_choice import next_window, propose_window
from aurist.detection.store import open_detections
from aurist.results.event_matching import area

NIGHT, QUIET = "night.flac", "quiet.flac"
#: Length of the night with calls, in seconds. The quiet one has each background file once.
SECONDS = 1200.0
#: Thresholds to try for average precision.
SWEEP = 1 / (1 + np.exp(-np.linspace(-7, 5, 49)))
ROUNDS, LEVEL = 1000, 0.95
#: False alarms an hour at which recall is read; about as few as the quiet minutes can show.
ALARMS = 10.0


def prepared(folder: Path, data: Path, draw: int, *, most: bool) -> Path:
    """Write what one draw learns from and its nights, unless they are written."""
    if (folder / "calls.csv").exists():
        return folder
    learnt, laid = divide(data, draw, most=most)
    write_learnt(folder, data, learnt)
    rng = np.random.default_rng(1000 + draw)
    (folder / "nights").mkdir(exist_ok=True)
    quiet, pieces = lay_background(laid.background, None, rng)
    write_sound(folder / "nights" / QUIET, quiet)
    pieces.to_csv(folder / "quiet.csv", index=False)
    sound, pieces = lay_background(laid.background, SECONDS, rng)
    calls = lay_calls(sound, data, laid.calls, rng)
    write_sound(folder / "nights" / NIGHT, sound)
    pieces.to_csv(folder / "background.csv", index=False)
    calls.to_csv(folder / "calls.csv", index=False)
    return folder


def command(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "aurist", *map(str, words)], check=True)


#: Names to compare after the fits of `steps`; the first is the base.
STEPS = (("longer-window", "default"), ("calls-alone", "gaps"))
#: Tables of the recordings with calls, without those of background.
CALLS = "tables-calls"


def steps(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Name the fits of a draw, with the folder of tables and more options of each.

    With the window that holds three quarters of the boxes, as before, and as by default; and of the recordings with
    calls alone, without mixtures and with gaps as background.
    """
    (folder / CALLS).mkdir(exist_ok=True)
    for table in sorted((folder / "tables").iterdir()):
        if len(pd.read_csv(table, sep="\t")):
            (folder / CALLS / table.name).write_bytes(table.read_bytes())
    annotations = read_annotations(folder / CALLS, audio_root=Recordings(folder / "recordings"))
    window = propose_window(annotations).window
    longer = next_window(annotations.table, window) or window
    return {
        "longer-window": ("tables", _by_hand(longer)),
        "default": ("tables", []),
        "calls-alone": (CALLS, [*_by_hand(window), "--mix-background", "0"]),
        "gaps": (CALLS, _by_hand(window)),
    }


def _by_hand(window: float) -> list[str]:
    return ["--window", f"{window:g}", "--hop", f"{window / 2:g}"]


def fitted(
    folder: Path,
    name: str,
    minutes: float,
    given: list[str],
    of_run: str = "",
    predict: Sequence[str] = (),
    tables: str = "tables",
) -> Path:
    """Fit as a user of Raven would, or continue, unless it is done; then detect, perhaps with another run."""
    run, detections = folder / f"run-{of_run or name}", folder / f"detections-{name}"
    if not (run / "scores.json").exists():
        if run.exists():
            command("resume", run)
        else:
            began = time.monotonic()
            limit = ("--time-limit", f"{minutes:g}m") if minutes else ()
            words = ("--annotations", folder / tables, *limit, "--jobs", 1)
            command("fit", folder / "recordings", *words, *given, "-o", run)
            (folder / f"seconds-{name}.json").write_text(json.dumps(round(time.monotonic() - began)))
    if not (detections / "events.csv").exists():
        command("predict", run, folder / "nights", "--jobs", 1, *predict, "-o", detections)
    return detections


@dataclass(frozen=True)
class Counts:
    """Events at one setting, as counts by source file, to be resampled.

    Parameters
    ----------
    hits
        (n_call_files,).
    alarms
        (n_background_files,): events of the night that are no call.
    quiet
        (n_background_files,): events of the quiet night.
    """

    hits: npt.NDArray[np.float64]
    alarms: npt.NDArray[np.float64]
    quiet: npt.NDArray[np.float64]


class Night:
    """The truth of one draw."""

    def __init__(self, folder: Path) -> None:
        self.calls = pd.read_csv(folder / "calls.csv")
        self.background, self.silence = (pd.read_csv(folder / f"{n}.csv") for n in ("background", "quiet"))
        self.call_files = sorted(set(self.calls["source"]))
        self.files = sorted(set(self.silence["source"]))
        self.n_calls = self._by_file(self.calls["source"], self.call_files)
        seconds = self.silence.assign(s=self.silence["end"] - self.silence["start"])
        self.hours = seconds.groupby("source")["s"].sum()[self.files].to_numpy() / 3600

    def counts(self, night: pd.DataFrame, quiet: pd.DataFrame, how: str) -> Counts:
        match = matched(night, self.calls, how)
        hit = match >= 0
        return Counts(
            self._by_file(self.calls["source"].to_numpy()[match[hit]], self.call_files),
            self._by_file(self._background_of(night[~hit], self.background), self.files),
            self._by_file(self._background_of(quiet, self.silence), self.files),
        )

    def _background_of(self, events: pd.DataFrame, pieces: pd.DataFrame) -> npt.NDArray[np.object_]:
        middle = (events["start"] + events["end"]).to_numpy() / 2
        row = np.searchsorted(pieces["start"].to_numpy(), middle, side="right") - 1
        return pieces["source"].to_numpy(dtype=object)[row]

    def _by_file(self, sources: object, files: list[str]) -> npt.NDArray[np.float64]:
        return pd.Series(sources, dtype=object).value_counts().reindex(files, fill_value=0).to_numpy(float)

    def weights(self, seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Draw files with replacement: the weights of call files and of background files; the first row is all once."""
        rng = np.random.default_rng(seed)
        out = []
        for files in (self.call_files, self.files):
            drawn = rng.multinomial(len(files), np.full(len(files), 1 / len(files)), size=ROUNDS)
            out.append(np.concatenate([np.ones((1, len(files))), drawn]))
        return out[0], out[1]


#: The figures of a detector, each (1 + ROUNDS,): the score, then its resamples.
Figures = dict[str, npt.NDArray[np.float64]]


def scored(folder: Path, detections: Path, seed: int) -> Figures:
    """Score the events of the user's command, and those at each threshold of the sweep."""
    night = Night(folder)
    of_calls, of_background = night.weights(seed)
    n_calls, hours = of_calls @ night.n_calls, of_background @ night.hours
    own = pd.read_csv(detections / "events.csv")
    sweeps = swept(detections)
    out: Figures = {}
    for how in ("iou", "second"):
        counts = night.counts(own[own["path"] == NIGHT], own[own["path"] == QUIET], how)
        hits, alarms = of_calls @ counts.hits, of_background @ counts.alarms
        out[f"precision {how}"] = hits / np.maximum(hits + alarms, 1)
        out[f"recall {how}"] = hits / n_calls
        swept_counts = [night.counts(at[NIGHT], at[QUIET], how) for at in sweeps]
        hits, alarms = (
            np.stack([weights @ getattr(at, kind) for at in swept_counts])
            for weights, kind in ((of_calls, "hits"), (of_background, "alarms"))
        )
        quiet = np.stack([of_background @ at.quiet for at in swept_counts]) / hours
        recall, precision = hits / n_calls, hits / np.maximum(hits + alarms, 1)
        out[f"AP {how}"] = area(recall, precision)
        out[f"recall {how} at {ALARMS:g}/h"] = np.where(quiet <= ALARMS, recall, 0).max(axis=0)
    counts = night.counts(own[own["path"] == NIGHT], own[own["path"] == QUIET], "iou")
    out["false alarms/h"] = (of_background @ counts.quiet) / hours
    return out


def swept(detections: Path) -> list[dict[str, pd.DataFrame]]:
    """Find the events of both nights at each threshold of the sweep."""
    store = open_detections(detections)
    classes = store.settings["classes"]
    scores = {one.name: store.scores(one) for one in store.recordings()}
    out = []
    for threshold in SWEEP:
        found = {
            name: pd.DataFrame(
                one.events(np.full(len(classes), threshold)), columns=["start", "end", "column", "score"]
            )
            for name, one in scores.items()
        }
        out.append(
            {name: one.assign(label=[classes[i] for i in one["column"]]) for name, one in found.items()}
        )
    return out


def interval(values: npt.NDArray[np.float64], *, signed: bool = False) -> str:
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    digits = "+.3f" if signed else (".0f" if values[0] >= 20 else ".1f" if values[0] >= 1.5 else ".3f")
    return f"{values[0]:{digits}} [{low:{digits}}, {high:{digits}}]"


def mean_of(draws: list[Figures]) -> Figures:
    """Average draws, resample by resample."""
    return {name: np.mean([figures[name] for figures in draws], axis=0) for name in draws[0]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=Path("night"))
    parser.add_argument("--name", default="default", help="of the fit and its detections")
    parser.add_argument("--fit", default="", help="more options of aurist fit")
    parser.add_argument("--predict", default="", help="more options of aurist predict")
    parser.add_argument("--run", default="", help="the name of the fit whose run detects, if not this one")
    parser.add_argument("--minutes", type=float, default=10, help="0: no limit, as of a plan")
    parser.add_argument("--draws", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--most", action="store_true", help="the 12 classes with the most files, not of 7 to 14"
    )
    parser.add_argument("--steps", action="store_true", help="fit and compare all steps")
    parser.add_argument("--compare", nargs="+", help="names that are done; the first is the base")
    options = parser.parse_args()
    folders = {
        draw: prepared(
            options.folder / f"{'most' if options.most else 'few'}{draw}",
            options.data,
            draw,
            most=options.most,
        )
        for draw in options.draws
    }
    for draw, folder in folders.items():
        night = Night(folder)
        print(
            f"draw {draw}: {len(night.calls)} calls of {len(night.call_files)} files, median "
            f"{(night.calls['end'] - night.calls['start']).median():.2f} s, in {SECONDS / 60:g} minutes; "
            f"{night.hours.sum() * 60:.1f} distinct quiet minutes",
            flush=True,
        )
    if options.steps:
        for folder in folders.values():
            for name, (tables, given) in steps(folder).items():
                fitted(folder, name, options.minutes, given, tables=tables)
        for names in STEPS:
            print_scores(folders, names)
        return
    if not options.compare:
        for folder in folders.values():
            words = (shlex.split(options.fit), options.run, shlex.split(options.predict))
            fitted(folder, options.name, options.minutes, *words)
    print_scores(folders, options.compare or [options.name])


def print_scores(folders: Mapping[int, Path], names: Sequence[str]) -> None:
    """Print the figures of each name, and its difference to the first."""
    means = {
        name: mean_of(
            [scored(folder, folder / f"detections-{name}", draw) for draw, folder in folders.items()]
        )
        for name in names
    }
    base, rows = means[names[0]], []
    for name in names:
        rows.append({"fit": name, **{figure: interval(values) for figure, values in means[name].items()}})
        if name != names[0]:
            gains = {f: interval(values - base[f], signed=True) for f, values in means[name].items()}
            rows.append({"fit": f"{name} minus {names[0]}", **gains})
    print(table_of(rows), flush=True)


if __name__ == "__main__":
    main()
