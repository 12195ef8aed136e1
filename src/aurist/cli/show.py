"""`aurist leaderboard`, `aurist importance`, `aurist report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurist.cli import options as opt
from aurist.cli.printing import group_words, interval, line_width, paragraph, print_json, print_table, say

if TYPE_CHECKING:
    from aurist.plan import FitPlan
    from aurist.run import RunFolder

SHOWN = ["model", "score", "low", "high", "fit_time", "pred_time", "stack_level"]
#: Marks the row that predicts.
PREDICTS = " (predicts)"
#: Where a line has room for it, the score that choices were made by stands behind the honest one.
ROOM, CHOSEN_BY = 92, "score_val"
#: Shown of networks, as what they cost.
OF_NETWORKS = {"params": "params (M)", "train_speed": "train clips/s", "pred_speed": "predict clips/s"}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(leaderboard)
    app.command()(prune)
    app.command()(importance)
    app.command()(report)


def leaderboard(
    run: opt.RunFolder,
    pairs: Annotated[
        bool,
        typer.Option("--pairs", help="Every pair of models, too: is the one really better than the other?"),
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Show every model's honest score with its interval and times.

    A score is honest where the models had not seen what they are scored on. "Ensemble", a blend of the others, is
    what predicts and stands first; the others follow, best first.

    Example:

      aurist leaderboard run --pairs
    """
    from aurist.run import open_run
    from aurist.stored import stored

    opened = open_run(run)
    if as_json:
        told = {"leaderboard": opened.leaderboard(), "pairwise": opened.pairwise()}
        print_json(
            {**{name: table.to_dict("records") for name, table in told.items()}, "scores": opened.scores()}
        )
        return
    with stored(opened.folder, opened.remedy):
        print_leaderboard(opened)
    if pairs:
        title = "pairs on the same resamples; better: share of the resamples in which model scored higher"
        print_table(opened.pairwise(), title=title)


def print_leaderboard(run: RunFolder) -> None:
    """The leaderboard, and beneath it what the run says of itself."""
    from aurist.errors import plural

    board = run.leaderboard()
    scores = run.scores()
    predicts = board["model"].where(board["model"] != scores["best"], board["model"] + PREDICTS)
    print_table(
        board.assign(model=predicts)[_columns()],
        title=f"{scores['metric']}, higher is better; times in seconds, all folds together",
    )
    print()
    _print_networks(run)
    paragraph(
        f"{scores['best']}: {scores['metric']} {interval(scores['score'])} on "
        f"{plural(scores['n_scored'], 'clip')}{group_words(scores)}; chance is {scores['chance']:.3f}."
    )
    if not run.is_finished():
        paragraph(
            f"The fit has not come to its end: this is what was done. Go on with: aurist resume {run.folder}"
        )
    _print_gain(scores["vs_best_single"])
    for caution in scores.get("cautions", ()):
        paragraph(caution)
    _print_decisions(scores)
    _print_random_split(scores)
    if "test" in scores:
        _print_test(scores)
    if "held_out" in scores:
        _print_held_out(scores)


def _columns() -> list[str]:
    if line_width() < ROOM:
        return SHOWN
    place = SHOWN.index("high") + 1
    return [*SHOWN[:place], CHOSEN_BY, *SHOWN[place:]]


def print_plan(plan: FitPlan, limit: float) -> None:
    """What would be fitted, in order, with the time that each is expected to take or may take."""
    import pandas as pd

    from aurist.config import duration

    rows = []
    for step in plan.steps:
        training = step.member.settings.get("recipe", {}).get("training", {})
        expected = "" if step.seconds is None else f"about {duration(step.seconds)}"
        by = "" if limit == float("inf") else duration(step.until * limit)
        rows.append((step.member.name, step.member.engine, training.get("epochs", ""), expected, by))
    columns = ["model", "engine", "epochs", "takes", "done by"]
    whole = "no limit" if limit == float("inf") else duration(limit)
    print_table(
        pd.DataFrame(rows, columns=columns),
        title=f"what would be fitted, in this order; time in all: {whole}",
    )
    for note in plan.notes:
        say(f"plan: {note}")


def prune(
    run: opt.RunFolder,
    size: Annotated[
        int | None,
        typer.Option(help="Let the ensemble hold so many models from now on; none is deleted.", min=1),
    ] = None,
    as_json: opt.Json = False,
) -> None:
    """Show what the ensemble would score, and how fast it would be, with fewer models; --size changes it.

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
        curve, title="loss: of score, against the whole ensemble; pred_time: seconds for the clips scored"
    )


def _print_networks(run: RunFolder) -> None:
    """How large and fast they are, and what slices and votes, several checkpoints and several seeds are worth."""
    board = run.leaderboard()
    networks = board[board["params"].notna()] if "params" in board else board.iloc[:0]
    if len(networks):
        costs = networks[["model", "score", *OF_NETWORKS]].assign(params=networks["params"] / 1e6)
        print_table(costs.rename(columns=OF_NETWORKS), title="the networks, by what they cost")
        print()
    variants = run.variants()
    if variants is None:
        return
    print_table(
        variants, title="rows of the leaderboard against other ways to answer; gain: of the row over the way"
    )
    print()


def _print_gain(gain: dict[str, Any] | None) -> None:
    """What the ensemble is there for, and whether it is worth it."""
    if gain is None:
        return
    verdict = "better" if gain["low"] > 0 else "worse" if gain["high"] < 0 else "no sure difference"
    bounds = "" if gain["low"] != gain["low"] else f" [{gain['low']:+z.3f}, {gain['high']:+z.3f}]"
    paragraph(
        f"Ensemble is what predicts (--model chooses another). Against {gain['model']}: {gain['score']:+z.3f}{bounds}, "
        f"{verdict}."
    )


def _print_decisions(scores: dict[str, Any]) -> None:
    """Where clips may have several labels: how well these are named."""
    said = [
        f"{name} {interval(found['thresholds'])} (from 0.5 on {interval(found['at_0.5'])})"
        for name, found in scores.get("decisions", {}).items()
    ]
    if said:
        paragraph(f"Labels by thresholds of each class, chosen on the other folds: {', '.join(said)}.")


def _print_random_split(scores: dict[str, Any]) -> None:
    split = scores["random_split"]
    if split is None:
        return
    honest, random = split["honest"], split["random"]
    paragraph(
        f"A random split would have claimed {interval(random)} for {split['model']}; "
        f"the honest score of the same model is {interval(honest)}."
    )
    if "by_shares" not in split:
        return
    paragraph(
        "Warning: the difference is a leak. Groups or duplicates stand on both sides of a random split; "
        "believe the honest score."
        if split["leak"]
        else "The difference is no sign of a leak: class shares differ between the folds, which makes "
        f"{split['by_shares']:+z.3f} of it alone, with features shuffled. Believe the honest score."
    )


def _print_test(scores: dict[str, Any]) -> None:
    from aurist.errors import plural

    test = scores["test"]
    paragraph(
        f"The test table: {test['seen']:,} of its {plural(test['rows'], 'row')} "
        f"{'stands' if test['seen'] == 1 else 'stand'} in the training data. Expected "
        f"{scores['metric']}: {interval(test['expected_new'])} on its new rows, "
        f"{interval(test['expected_all'])} on all of it."
    )
    if test.get("of_learnt_groups"):
        paragraph(
            f"Rows of groups (recordings, artists) that are learnt from: {test['of_learnt_groups']:,}. What is "
            "expected of new rows is for new groups, and lower."
        )


def _print_held_out(scores: dict[str, Any]) -> None:
    from aurist.errors import plural

    held = scores["held_out"]
    paragraph(
        f"The held-out part, {plural(held['n'], 'clip')}: {scores['metric']} {interval(held['score'])}."
    )
    if held["seen"]:
        told = f"the others alone: {interval(held['new'])}." if "new" in held else "nothing in it is new."
        paragraph(
            f"{held['seen']:,} of them {'stands' if held['seen'] == 1 else 'stand'} in the training data too, or in a "
            f"group with clips that do; {told}"
        )


def importance(
    run: opt.RunFolder,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for importance.csv and importance.png. Default: the run's."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(help="How often each feature is shuffled.", min=1)] = 5,
    top: Annotated[int, typer.Option(help="How many features to print and draw.", min=1)] = 20,
    safe_csv: opt.SafeCsv = False,
    as_json: opt.Json = False,
) -> None:
    """Measure how much worse the score gets when a feature is shuffled, on clips its models had not seen.

    Example:

      aurist importance run
    """
    from aurist.files import write_csv
    from aurist.folders import check_output
    from aurist.plots import plot_importance
    from aurist.results.importance import permutation_importance
    from aurist.run import open_run

    opened, folder = open_run(run), output or run
    check_output(folder, folder=True)
    table = permutation_importance(opened, repeats=repeats)
    write_csv(table, folder / "importance.csv", safe=safe_csv, float_format="%.6g")
    plot_importance(table.head(top), folder / "importance.png")
    if as_json:
        print_json(table.to_dict("records"))
        return
    print_table(table.head(top))
    say(f"written: {folder / 'importance.csv'}, {folder / 'importance.png'}")


def report(
    run: opt.RunFolder,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write. Default: report.html in the run folder."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="The row of the leaderboard to look at. Default: the one that predicts."),
    ] = None,
    sound: Annotated[
        bool, typer.Option(help="Whether the worst mistakes can be heard; most of the file.")
    ] = True,
) -> None:
    """Write one page of HTML about a run, to open in a browser or to send: no other file is needed.

    Example:

      aurist report run
    """
    from aurist.report import write_report
    from aurist.run import open_run

    path = output or run / "report.html"
    write_report(open_run(run), path, model=model, with_sound=sound)
    say(f"written: {path}")
