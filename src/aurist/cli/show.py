"""`aurist leaderboard`, `aurist prune`, `aurist importance` and `aurist report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.leaderboard import print_leaderboard
from aurist.cli.printing import print_json, print_table, say


def leaderboard(
    run: opt.RunFolder,
    pairs: Annotated[
        bool,
        typer.Option("--pairs", help="Also compare every pair of models."),
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Show the score of every model, with its interval and times.

    Scores are out of fold: each model is scored on clips that it was not fitted on. "Ensemble" blends the models, and
    makes the predictions. It is first; the others follow, best first.

    Example:

      aurist leaderboard run --pairs
    """
    from aurist.records import to_json
    from aurist.run import open_run
    from aurist.stored import stored

    opened = open_run(run)
    if as_json:
        tables = {"leaderboard": opened.leaderboard(), "pairwise": opened.pairwise()}
        print_json(
            {
                **{name: table.to_dict("records") for name, table in tables.items()},
                "scores": to_json(opened.scores()),
            }
        )
        return
    with stored(opened.folder, opened.remedy):
        print_leaderboard(opened)
    if pairs:
        title = "pairs of models on the same resamples; better: share of the resamples in which model scores higher"
        print_table(opened.pairwise(), title=title)


def prune(
    run: opt.RunFolder,
    size: Annotated[
        int | None,
        typer.Option(help="Limit the ensemble to this number of models. No model is deleted.", min=1),
    ] = None,
    as_json: opt.Json = False,
) -> None:
    """Show the score and the speed of the ensemble with fewer models; --size makes it smaller.

    Example:

      aurist prune run --size 2
    """
    from aurist.results.pruning import prune as prune_run
    from aurist.results.pruning import prune_curve
    from aurist.run import open_run

    opened = open_run(run)
    if size is not None:
        prune_run(opened, size)
        print_leaderboard(opened)
        return
    curve = prune_curve(opened)
    if as_json:
        print_json(curve.to_dict("records"))
        return
    print_table(
        curve,
        title="loss: of score, against the full ensemble; pred_time: seconds to predict the scored clips",
    )


def importance(
    run: opt.RunFolder,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder to write importance.csv and importance.png to. Default: the run."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(help="Number of times that each feature is shuffled.", min=1)] = 5,
    top: Annotated[int, typer.Option(help="Number of features to print and draw.", min=1)] = 20,
    safe_csv: opt.SafeCsv = False,
    as_json: opt.Json = False,
) -> None:
    """Measure the importance of each feature: the loss of score if it is shuffled, out of fold.

    Example:

      aurist importance run
    """
    from aurist.files import write_csv
    from aurist.folders import check_output
    from aurist.plots import can_draw, plot_importance
    from aurist.results.importance import permutation_importance
    from aurist.run import open_run

    opened, folder = open_run(run), output or run
    check_output(folder, folder=True)
    table = permutation_importance(opened, repeats=repeats)
    write_csv(table, folder / "importance.csv", safe=safe_csv, float_format="%.6g")
    drawn = can_draw("importance.png")
    if drawn:
        plot_importance(table.head(top), folder / "importance.png")
    if as_json:
        print_json(table.to_dict("records"))
        return
    print_table(table.head(top))
    say(f"written: {folder / 'importance.csv'}" + (f", {folder / 'importance.png'}" if drawn else ""))


def report(
    run: opt.RunFolder,
    other: Annotated[
        Path | None, typer.Argument(help="Another run: compare both on the clips that they share.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write. Default: report.html in the run folder, or comparison.html in the other one.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model of the leaderboard to report on. Default: the ensemble."),
    ] = None,
    sound: Annotated[
        bool, typer.Option(help="Include sounds of mistakes; they are most of the file.")
    ] = True,
) -> None:
    """Write a report on a run: one HTML file, which needs no other file and no connection.

    With two runs, the file compares them on the clips that both have scored.

    Examples:

      aurist report run

      aurist report run other-run -o comparison.html
    """
    from aurist.errors import ConfigError
    from aurist.report import write_comparison, write_report
    from aurist.run import open_run

    if other is None:
        path = output or run / "report.html"
        write_report(open_run(run), path, model=model, with_sound=sound)
    else:
        if model is not None:
            raise ConfigError("model= is for a single run: two runs are compared by what they predict with.")
        path = output or other / "comparison.html"
        write_comparison(open_run(run), open_run(other), path, with_sound=sound)
    say(f"written: {path}")
