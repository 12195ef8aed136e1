"""The demonstration behind `aurist demo`: from data to a report, on synthesised music."""

from __future__ import annotations

import time
from pathlib import Path

from aurist.cli.messages import in_options
from aurist.cli.printing import print_table, show

#: Seconds for the fit: long enough for several models, short enough to watch.
FIT_SECONDS = 120.0
#: Folders that it makes anew each time, and the file that marks them as its own.
MADE = ("music", "unseen", "run", "evaluation")
MARK = "made_by_aurist_demo.txt"


def run_demo(output: Path, seed: int, jobs: int) -> None:
    """Synthesise, check, fit, predict unseen tracks, evaluate, and draw; into ``output``."""
    from aurist.audit import audit
    from aurist.audit.sentences import sentences
    from aurist.automl.fit import fit
    from aurist.cli.leaderboard import print_leaderboard
    from aurist.clips.read import read_clips
    from aurist.config import FitConfig
    from aurist.errors import RunError
    from aurist.files import atomic_path, write_text
    from aurist.folders import check_output, remove_folder
    from aurist.inference.predict import predict_clips
    from aurist.machine import available_cores
    from aurist.plots import plot_leaderboard
    from aurist.report import write_report
    from aurist.results.evaluation import evaluate_run
    from aurist.synth import synthesise_demo

    started = time.monotonic()
    run_folder = output / "run"
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
    _title("1. Music in seven genres, synthesised, with copies and broken files in it")
    data = synthesise_demo(output, seed)
    print(f"{data.train}, and tracks without labels in {data.unseen}")

    _title(f"2. aurist check {data.train}")
    cache_dir = output / "cache"
    result = audit(read_clips(data.train), jobs=available_cores(jobs), cache_dir=cache_dir)
    for sentence in sentences(result):
        show(in_options(f"- {sentence}"))

    _title(f"3. aurist fit {data.train} -o {run_folder}")
    config = FitConfig(preset="good", time_limit=FIT_SECONDS, seed=seed, jobs=jobs)
    run = fit(data.train, run_folder, config, cache_dir=cache_dir)
    print_leaderboard(run)

    _title(f"4. aurist predict {run_folder} {data.unseen}")
    unseen = predict_clips(run, read_clips(data.unseen, labelled=False), jobs=jobs, cache_dir=cache_dir)
    table = unseen.to_frame()
    with atomic_path(output / "predictions.csv") as part:
        table.to_csv(part, index=False)
    print_table(table.head(8), digits=2)

    _title(f"5. aurist evaluate {run_folder} {data.unseen}: the same tracks, with their labels this time")
    evaluation = evaluate_run(run, data.unseen, jobs=jobs, cache_dir=cache_dir)
    evaluation.write(output / "evaluation")
    for scores in evaluation.scores.values():
        print_table(scores)
    plot_leaderboard(run.leaderboard(), output / "leaderboard.png")
    write_report(run, output / "report.html")
    print(f"\nDone in {time.monotonic() - started:.0f} s. Look at:")
    for name in (
        "report.html",
        "leaderboard.png",
        "evaluation/confusion.png",
        "predictions.csv",
        "run/leaderboard.csv",
    ):
        print(f"  {output / name}")


def _title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if _terminal() else f"\n{text}")


def _terminal() -> bool:
    import sys

    return sys.stdout.isatty()
