"""`aurist leaderboard`, `aurist importance`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurist.cli import options as opt
from aurist.cli.printing import interval, print_json, print_table, say

if TYPE_CHECKING:
    from aurist.run import Run

SHOWN = ["model", "score", "low", "high", "metric", "fit_time", "pred_time", "stack_level"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(leaderboard)
    app.command()(importance)


def leaderboard(run: opt.RunFolder, as_json: opt.Json = False) -> None:
    """Every model's honest score with its interval and times, best first.

    Example:

      aurist leaderboard run
    """
    from aurist.run import open_run

    opened = open_run(run)
    if as_json:
        print_json({"leaderboard": opened.leaderboard().to_dict("records"), "scores": opened.scores()})
    else:
        print_leaderboard(opened)


def print_leaderboard(run: Run) -> None:
    """The leaderboard, and beneath it what the run says of itself."""
    board = run.leaderboard()
    scores = run.scores()
    print_table(board[SHOWN])
    print(
        f"\n{scores['best']}: {scores['metric']} {interval(scores['score'])} on {scores['n_scored']} clips in "
        f"{scores['n_groups']} groups, none of which its models had seen; chance is {scores['chance']:.3f}."
    )
    _print_careless(scores)
    if "test" in scores:
        _print_test(scores)
    if "held_out" in scores:
        _print_held_out(scores)


def _print_careless(scores: dict[str, Any]) -> None:
    careless = scores["careless"]
    if careless is None:
        return
    honest, random = careless["honest"], careless["random"]
    print(
        f"A random split would have claimed {interval(random)} for {careless['model']}; "
        f"the honest score of the same model is {interval(honest)}."
    )
    if random["score"] > max(honest["high"], honest["score"]):
        print(
            "Warning: the difference is a leak. Groups or duplicates stand on both sides of a random split; "
            "believe the honest score."
        )


def _print_test(scores: dict[str, Any]) -> None:
    test = scores["test"]
    print(
        f"The test table: {test['seen']} of its {test['rows']} rows stand in the training data. Expected "
        f"{scores['metric']}: {interval(test['expected_new'])} on its new rows, "
        f"{interval(test['expected_all'])} on all of it."
    )


def _print_held_out(scores: dict[str, Any]) -> None:
    held = scores["held_out"]
    print(f"The held-out part, {held['n']} clips: {scores['metric']} {interval(held['score'])}.")
    if "new" in held:
        print(
            f"{held['seen']} of them stand in the training data too; the others alone: {interval(held['new'])}."
        )


def importance(
    run: opt.RunFolder,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for importance.csv and importance.png; the run's own."),
    ] = None,
    repeats: Annotated[int, typer.Option(help="How often each feature is shuffled.")] = 5,
    top: Annotated[int, typer.Option(help="How many features to print and draw.")] = 20,
    as_json: opt.Json = False,
) -> None:
    """How much worse the score gets when a feature is shuffled, on clips its models had not seen.

    Example:

      aurist importance run
    """
    from aurist.automl.importance import permutation_importance
    from aurist.files import atomic_path
    from aurist.plots import plot_importance
    from aurist.run import open_run

    opened = open_run(run)
    table = permutation_importance(opened, repeats=repeats)
    folder = output or run
    with atomic_path(folder / "importance.csv") as part:
        table.to_csv(part, index=False)
    plot_importance(table.head(top), folder / "importance.png")
    if as_json:
        print_json(table.to_dict("records"))
        return
    print_table(table.head(top))
    say(f"written: {folder / 'importance.csv'}, {folder / 'importance.png'}")
