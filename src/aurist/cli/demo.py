"""The demonstration behind `aurist demo`: from data to a report, on synthesised music."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from aurist.cli.messages import in_options
from aurist.cli.printing import print_table, show

if TYPE_CHECKING:
    from aurist.run import RunFolder
    from aurist.synth import DemoData

#: Seconds for the fit: long enough for several models, short enough to watch.
FIT_SECONDS = 120.0
#: Folders that it makes anew each time, and the file that marks them as its own.
MADE = ("music", "unseen", "run", "evaluation")
MARK = "made_by_aurist_demo.txt"


def run_demo(output: Path, seed: int, jobs: int) -> None:
    """Synthesise, check, fit, predict unseen tracks, evaluate, and draw; into ``output``."""
    from aurist.synth import synthesise_demo

    started = time.monotonic()
    _clear(output)
    _title("1. Music in seven genres, synthesised, with copies and broken files in it")
    data = synthesise_demo(output, seed)
    print(f"{data.train}, and tracks without labels in {data.unseen}")
    run = _check_and_fit(data, output, seed, jobs)
    _predict_and_evaluate(run, data, output, jobs)
    print(f"\nDone in {time.monotonic() - started:.0f} s. Look at:")
    for name in (
        "report.html",
        "leaderboard.png",
        "evaluation/confusion.png",
        "predictions.csv",
        "run/leaderboard.csv",
    ):
        if (output / name).exists():
            print(f"  {output / name}")


def _clear(output: Path) -> None:
    """Remove what an earlier demonstration made.

    Raises
    ------
    RunError
        If the folder has other files.
    """
    from aurist.errors import RunError
    from aurist.files import write_text
    from aurist.folders import check_output, remove_folder

    check_output(output, folder=True)
    mark = output / MARK
    others = [name for name in MADE if (output / name).exists()]
    if others and not mark.exists():
        raise RunError(
            f"{output} was not made by the demonstration, and holds files that it would replace: {', '.join(others)}. "
            "Give another folder (-o)."
        )
    write_text(mark, "Made by `aurist demo`, which replaces this folder when it runs again.\n")
    for old in MADE:
        remove_folder(output / old)


def _check_and_fit(data: DemoData, output: Path, seed: int, jobs: int) -> RunFolder:
    from aurist.audit import audit
    from aurist.audit.sentences import sentences
    from aurist.automl.fit import fit
    from aurist.cli.leaderboard import print_leaderboard
    from aurist.clips.read import read_clips
    from aurist.config import FitConfig
    from aurist.machine import available_cores

    _title(f"2. aurist check {data.train}")
    cache_dir, run_folder = output / "cache", output / "run"
    result = audit(read_clips(data.train), jobs=available_cores(jobs), cache_dir=cache_dir)
    for sentence in sentences(result):
        show(in_options(f"- {sentence}"))

    _title(f"3. aurist fit {data.train} -o {run_folder}")
    config = FitConfig(preset="good", time_limit=FIT_SECONDS, seed=seed, jobs=jobs)
    run = fit(data.train, run_folder, config, cache_dir=cache_dir)
    print_leaderboard(run)
    return run


def _predict_and_evaluate(run: RunFolder, data: DemoData, output: Path, jobs: int) -> None:
    from aurist.clips.read import read_clips
    from aurist.files import atomic_path
    from aurist.inference.predict import predict_clips
    from aurist.plots import can_draw, plot_leaderboard
    from aurist.report import write_report
    from aurist.results.evaluation import evaluate_run
    from aurist.run import files_of_run

    _title(f"4. aurist predict {run.folder} {data.unseen}")
    cache_dir, files = output / "cache", files_of_run(run)
    unseen = predict_clips(files, read_clips(data.unseen, labelled=False), jobs=jobs, cache_dir=cache_dir)
    table = unseen.to_frame()
    with atomic_path(output / "predictions.csv") as part:
        table.to_csv(part, index=False)
    print_table(table.head(8), digits=2)

    _title(f"5. aurist evaluate {run.folder} {data.unseen}: the same tracks, with their labels this time")
    evaluation = evaluate_run(files, data.unseen, jobs=jobs, cache_dir=cache_dir)
    evaluation.write(output / "evaluation")
    for scores in evaluation.scores.values():
        print_table(scores)
    if can_draw("report.html"):
        plot_leaderboard(run.leaderboard(), output / "leaderboard.png")
        write_report(run, output / "report.html")


def _title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if _terminal() else f"\n{text}")


def _terminal() -> bool:
    import sys

    return sys.stdout.isatty()
