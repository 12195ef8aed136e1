"""Gain by verdicts: detections of one night are judged, and another night is scored.

As in `night.py`, and the calls and background that are not learnt from are divided again: a night to judge, and a
night that nobody judges. The judge knows where the calls lie: `yes` if the surest part of a detection touches a call of
its class, else the classes of the calls in it, else `no`. The models are those of a plan, without a time limit.

    python benchmarks/night_verdicts.py --draws 0 1 2 --each 0 2 4 --folder night_verdicts
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from _common import DATA, table_of
from _night import Sources, divide, lay_background, lay_calls, write_learnt, write_sound
from night import NIGHT, QUIET, SECONDS, Figures, command, interval, mean_of, scored

PLAN = Path(__file__).with_name("night_plan.toml")
JUDGED = "judged.flac"


def halves(sources: Sources, seed: int) -> tuple[Sources, Sources]:
    """Divide the files of calls, class by class, and the background."""
    rng = np.random.default_rng(2000 + seed)
    first: set[str] = set()
    for _, paths in sources.calls.groupby("label")["path"]:
        free = sorted(set(paths) - first)
        first |= set(
            rng.permutation(free)[: max(0, round(paths.nunique() / 2) - (paths.nunique() - len(free)))]
        )
    order = rng.permutation(len(sources.background))
    parts = []
    for number, is_first in enumerate((True, False)):
        calls = sources.calls[sources.calls["path"].isin(first) == is_first].reset_index(drop=True)
        background = [sources.background[i] for i in order[number::2]]
        parts.append(replace(sources, calls=calls, background=background))
    return parts[0], parts[1]


def prepared(folder: Path, data: Path, draw: int) -> Path:
    """Write what one draw learns from, the night to judge and the nights to score, unless they are written."""
    if (folder / "calls.csv").exists():
        return folder
    learnt, laid = divide(data, draw, most=False)
    judged, scored_part = halves(laid, draw)
    write_learnt(folder, data, learnt)
    rng = np.random.default_rng(3000 + draw)
    for name in ("nights", "judged"):
        (folder / name).mkdir(exist_ok=True)
    sound, _ = lay_background(judged.background, SECONDS, rng)
    lay_calls(sound, data, judged.calls, rng).to_csv(folder / "judged.csv", index=False)
    write_sound(folder / "judged" / JUDGED, sound)
    quiet, pieces = lay_background(scored_part.background, None, rng)
    write_sound(folder / "nights" / QUIET, quiet)
    pieces.to_csv(folder / "quiet.csv", index=False)
    sound, pieces = lay_background(scored_part.background, SECONDS, rng)
    calls = lay_calls(sound, data, scored_part.calls, rng)
    write_sound(folder / "nights" / NIGHT, sound)
    pieces.to_csv(folder / "background.csv", index=False)
    calls.to_csv(folder / "calls.csv", index=False)
    return folder


def verdict(row: pd.Series, calls: pd.DataFrame) -> str:
    """Judge a detection as somebody who knows where the calls lie."""
    inside = calls[(calls["start"] < row["end"]) & (calls["end"] > row["start"])]
    own = inside[inside["label"] == row["label"]]
    if ((own["start"] < row["surest_end"]) & (own["end"] > row["surest_start"])).any():
        return "yes"
    return ";".join(sorted(set(inside["label"]))) if len(inside) else "no"


def judged(folder: Path, run: Path, each: int) -> Path:
    """Judge the best, the uncertain and some random detections of each class; return the annotations."""
    clips, annotations = folder / f"clips-{each}", folder / f"verdicts-{each}.csv"
    if annotations.exists():
        return annotations
    if not (folder / "judged-detections" / "events.csv").exists():
        command("predict", run, folder / "judged", "--jobs", 1, "-o", folder / "judged-detections")
    given = ("--best", each, "--uncertain", each, "--random", each)
    command("clips", run, folder / "judged-detections", *given, "-o", clips)
    table = pd.read_csv(clips / "clips.csv")
    calls = pd.read_csv(folder / "judged.csv")
    table["verdict"] = [verdict(row, calls) for _, row in table.iterrows()]
    table.to_csv(clips / "clips.csv", index=False)
    command("verdicts", run, clips / "clips.csv", "-o", annotations)
    return annotations


def fitted(folder: Path, each: int) -> Path:
    """Fit without verdicts, or with those on so many detections of each class and kind; detect; return detections."""
    run, detections = folder / f"run-{each}", folder / f"detections-{each}"
    recordings = folder / "recordings"
    if not (run / "scores.json").exists():
        more: tuple[object, ...] = ()
        if each:
            more = ("--verdicts", judged(folder, fitted_run(folder), each))
            link = recordings / JUDGED
            if not link.is_symlink():
                link.symlink_to((folder / "judged" / JUDGED).resolve())
        given = (
            "--annotations",
            folder / "tables",
            "--plan",
            PLAN,
            "--window",
            1.5,
            "--hop",
            0.75,
            "--jobs",
            1,
        )
        command("fit", recordings, *given, *more, "-o", run)
    if not (detections / "events.csv").exists():
        command("predict", run, folder / "nights", "--jobs", 1, "-o", detections)
    return detections


def fitted_run(folder: Path) -> Path:
    fitted(folder, 0)
    return folder / "run-0"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=Path("night_verdicts"))
    parser.add_argument("--draws", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--each", type=int, nargs="+", default=[0, 2, 4], help="detections of each class and kind to judge"
    )
    options = parser.parse_args()
    folders = {draw: prepared(options.folder / f"draw{draw}", options.data, draw) for draw in options.draws}
    rows: list[dict[str, object]] = []
    base: Figures = {}
    for each in options.each:
        draws = [scored(folder, fitted(folder, each), draw) for draw, folder in folders.items()]
        means = mean_of(draws)
        base = base or means
        clips = [folder / f"clips-{each}" / "clips.csv" for folder in folders.values()]
        n = np.mean([len(pd.read_csv(path)) for path in clips]) if each else 0
        rows.append({"verdicts": f"{n:.0f}", **{name: interval(values) for name, values in means.items()}})
        if each != options.each[0]:
            gains = {name: interval(values - base[name], signed=True) for name, values in means.items()}
            rows.append({"verdicts": f"{n:.0f}, gain", **gains})
        print(table_of(rows), flush=True)


if __name__ == "__main__":
    main()
