"""Gain by verdicts: 200 detections of a recording that the model had not seen are judged by the true labels.

As in `night_verdicts.py`, one night is judged and another one, with other calls and background, is scored: windows of
1.5 s, average precision over the classes. Detections are judged in the orders of the page: the most uncertain first, at
random, the highest scores first. After each 50 verdicts a model is fitted on the first data and the verdicts, as "learn
from my verdicts" does, with the plan of one kernel model. A detection is `yes` if it touches a call of its class, else
the classes of the calls in it, else `no`. There are few detections at the thresholds of the run, so all thresholds are
lowered by one factor until there are 400. Intervals resample pieces of the scored night of 30 s. An interrupted command
continues.

    python benchmarks/reviewer.py --draws 0 1 2 --folder reviewer
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from _common import DATA, table_of
from aurist.automl.fit import fit
from aurist.clips import make_clips
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import Recording
from aurist.inference.predictor import Predictor
from aurist.inference.thresholds import thresholds_of
from aurist.metrics import METRICS
from aurist.results.bootstrap import resampled_scores
from aurist.review.journal import Verdict, key_of
from aurist.review.learning import Judged, with_verdicts
from aurist.review.orders import ORDERS, Candidates
from aurist.review.sampling import Detection, Sampling, draw_detections
from aurist.run import ModelFiles, RunFolder, open_model, open_run, read_data
from aurist.serve.relearning import config_for
from night import NIGHT, SECONDS, command
from night_verdicts import JUDGED, prepared

WINDOW, HOP, PIECE = 1.5, 0.75, 30.0
POOL, STEPS = 400, (50, 100, 150, 200)
PLAN = '[[member]]\nname = "KernelRidge"\nengine = "kernel"\n'
ROUNDS = 1000


def first_run(folder: Path) -> RunFolder:
    """Fit without verdicts."""
    run = folder / "run-0"
    plan = folder / "plan.toml"
    plan.write_text(PLAN)
    if not (run / "scores.json").exists():
        command(
            *("fit", folder / "recordings", "--annotations", folder / "tables", "--plan", plan),
            *("--window", WINDOW, "--hop", HOP, "--jobs", 1, "-o", run),
        )
    return open_run(run)


def detections_of(folder: Path, files: ModelFiles) -> tuple[list[Detection], npt.NDArray[np.float64], float]:
    """Detect in the night to judge: detections at lowered thresholds, the thresholds of the run, and the factor."""
    recording = Recording(JUDGED, (folder / "judged" / JUDGED).resolve())
    options = WindowOptions(WINDOW, WINDOW - HOP)
    scan = listen(files, [recording], folder / "judged-scores", options, jobs=1, progress=False)
    given = thresholds_of(files)
    assert given is not None
    bars = np.where(given > 1, 0.5, given)
    every = Sampling(10**6, 10**6, 10**6)
    columns = np.arange(len(bars))
    for factor in 0.8 ** np.arange(30):
        found = draw_detections(scan.detections, [recording], columns, bars * factor, every)
        if sum(one.event.score >= bars[one.event.column] * factor for one in found) >= POOL:
            break
    return found, bars, float(factor)


def judged_in_order(
    folder: Path, files: ModelFiles, found: Sequence[Detection], bars: npt.NDArray[np.float64], factor: float
) -> dict[str, list[Judged]]:
    """Judge the first detections of each order by the true labels."""
    classes, calls = files.spec.task.classes, pd.read_csv(folder / "judged.csv")
    columns = np.array([one.event.column for one in found])
    labels = [classes[column] for column in columns]
    keys = [
        key_of(JUDGED, one.event.start, one.event.end, label)
        for one, label in zip(found, labels, strict=True)
    ]
    scores = np.array([one.event.score for one in found])
    out = {}
    for order in ORDERS:
        lowest = bars[columns] * (1.0 if order == "uncertainty" else factor)
        rows = Candidates(keys, labels, scores, lowest).in_order(order)[: STEPS[-1]]
        out[order] = [judged(found[row], keys[row], labels[row], calls) for row in rows]
    return out


def judged(one: Detection, key: str, label: str, calls: pd.DataFrame) -> Judged:
    """Judge a detection as somebody who knows where the calls lie."""
    event = one.event
    start, end = one.surest or (event.start, event.end)
    inside = calls[(calls["start"] < event.end) & (calls["end"] > event.start)]
    own = inside[inside["label"] == label]
    if ((own["start"] < end) & (own["end"] > start)).any():
        word, labels = "yes", ()
    elif len(inside):
        word, labels = "other", tuple(sorted(set(inside["label"])))
    else:
        word, labels = "no", ()
    verdict = Verdict(
        key, JUDGED, event.start, event.end, label, event.score, word, labels, surest_start=start, surest_end=end
    )  # fmt: skip
    return Judged(verdict, one.recording.file, JUDGED, True)


class Scored:
    """The windows of the scored night, with the truth: unknown where a call is only touched."""

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        self.starts = np.arange(0, SECONDS - WINDOW + 1e-6, HOP)
        calls = pd.read_csv(folder / "calls.csv")
        self.truth = np.zeros((len(self.starts), len(classes)), np.int8)
        for call in calls.itertuples():
            shared = np.minimum(self.starts + WINDOW, call.end) - np.maximum(self.starts, call.start)
            enough = 0.5 * min(WINDOW, call.end - call.start)
            column = list(classes).index(str(call.label))
            self.truth[(shared > 0) & (self.truth[:, column] == 0), column] = -1
            self.truth[shared >= enough, column] = 1
        path = str(folder / "nights" / NIGHT)
        n = len(self.starts)
        self.clips = make_clips(
            [()] * n, paths=[path] * n, starts=self.starts.tolist(), ends=(self.starts + WINDOW).tolist()
        )
        self.groups = (self.starts // PIECE).astype(np.int64)

    def figures(self, files: ModelFiles, seed: int) -> npt.NDArray[np.float64]:
        """Average precision, (1 + ROUNDS,): the score, then its resamples, the same for every model of a draw."""
        proba = Predictor(files).predict(self.clips).proba
        present = (self.truth == 1).any(axis=0)
        truth, proba = self.truth[:, present], proba[:, present]
        metric = METRICS["average_precision"]
        score, resampled = resampled_scores(
            [metric.scorer(truth, proba, True)], truth, self.groups, ROUNDS, seed, over_classes=True
        )
        return np.concatenate([score, resampled[0]])


def measured(folder: Path, draw: int) -> dict[str, npt.NDArray[np.float64]]:
    """Fit and score after each step of each order, by names such as "random 50"; what was scored is read."""
    first = first_run(folder)
    files = open_model(first.folder)
    scored = Scored(folder, files.spec.task.classes)
    store = folder / "figures.json"
    figures: dict[str, list[float]] = json.loads(store.read_text()) if store.exists() else {}

    def keep(name: str, of: ModelFiles) -> None:
        if name not in figures:
            figures[name] = scored.figures(of, draw).tolist()
            store.write_text(json.dumps(figures))

    keep("0", files)
    orders = judged_in_order(folder, files, *detections_of(folder, files))
    for order, verdicts in orders.items():
        for step in STEPS:
            run = folder / f"run-{order}-{step}"
            if f"{order} {step}" in figures:
                continue
            part = verdicts[:step]
            if not (run / "scores.json").exists():
                clips, _ = with_verdicts(read_data(first).clips, part, WINDOW)
                fit(clips, run, config_for(first, 0.0))
            keep(f"{order} {step}", open_model(run))
            right = sum(one.verdict.right for one in part)
            name = f"draw {draw}, {order}, {step} verdicts, {right} right"
            print(f"{name}: {figures['0'][0]:.3f} -> {figures[f'{order} {step}'][0]:.3f}", flush=True)
    return {name: np.array(values) for name, values in figures.items()}


def interval(values: npt.NDArray[np.float64], sign: str = "") -> str:
    """Write a score with its interval, which is corrected for the bias of resamples."""
    bias = 2 * (np.nanmean(values[1:]) - values[0])
    low, high = np.nanquantile(values[1:], [0.025, 0.975]) - bias
    return f"{values[0]:{sign}.3f} [{min(low, values[0]):{sign}.3f}, {max(high, values[0]):{sign}.3f}]"


def main() -> None:
    """Measure all draws, and print a table of their means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=Path("reviewer"))
    parser.add_argument("--draws", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    draws = [
        measured(prepared(options.folder / f"draw{draw}", options.data, draw), draw) for draw in options.draws
    ]
    mean = {name: np.mean([one[name] for one in draws], axis=0) for name in draws[0]}
    rows = [{"verdicts": 0, **dict.fromkeys(ORDERS, interval(mean["0"]))}]
    for step in STEPS:
        rows.append({"verdicts": step, **{order: interval(mean[f"{order} {step}"]) for order in ORDERS}})
        gains = {order: interval(mean[f"{order} {step}"] - mean["0"], "+") for order in ORDERS}
        rows.append({"verdicts": f"{step}, gain", **gains})
    print(table_of(rows))


if __name__ == "__main__":
    main()
