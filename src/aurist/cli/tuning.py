"""`aurist tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import AnnotatedOptions, LearningOptions, TrainingColumns, spread
from aurist.cli.printing import going_on, interval, paragraph, print_json, print_table

if TYPE_CHECKING:
    from aurist.tuning import Tuned
    from aurist.tuning.holdout import Comparison

#: Number of finished trials to print; all are in trials.csv.
SHOWN = 10


@spread
def tune(
    context: typer.Context,
    data: opt.Data,
    *,
    recipe: Annotated[
        str,
        typer.Option(
            help="Recipe to tune: mel-cnn, mel-sed or a TOML file with a table \\[search]; or LightGBM, LightGBMXT, "
            "XGBoost, CatBoost."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Study folder to make, or to continue.")],
    trials: Annotated[int, typer.Option(help="Number of settings to try in all.")] = 40,
    time_limit: Annotated[
        str | None, typer.Option(help="Wall time of the command: 15m, 1h30m. Default: no limit.")
    ] = None,
    metric: opt.Metric = None,
    holdout: Annotated[
        float | None,
        typer.Option(
            help="Fraction of the groups that no trial uses, for a fair comparison at the end. 0: none. Default: 0.2 "
            "if there are enough groups."
        ),
    ] = None,
    pruner: Annotated[
        str, typer.Option(help="Rule that stops bad trials early: median, hyperband or none.")
    ] = "median",
    storage: Annotated[
        str | None,
        typer.Option(
            help="Database that several processes or machines share: sqlite:///x.db, postgresql://... Default: a file "
            "in the study folder."
        ),
    ] = None,
    as_json: opt.Json = False,
    columns: TrainingColumns,
    annotated: AnnotatedOptions,
    learning: LearningOptions,
) -> None:
    """Search for better settings of a recipe, and test whether they are really better.

    Each trial is scored fold by fold; bad trials are stopped early. At the end, the best settings are compared with the
    original recipe on recordings that no trial used. Run the command again to continue it. Run it twice at the same
    time to share the work between two processes.

    Examples:

      aurist tune music/ --recipe mel-cnn --set training.epochs=40 --trials 30 --time-limit 2h -o study

      aurist fit music/ --recipe study/best.toml -o run

      aurist tune train.csv --label genre --recipe LightGBM --metric f1_macro --time-limit 20m -o study

      aurist tune music/ --recipe mine.toml --storage postgresql://me@host/studies -o study
    """
    from aurist.cli.fitting import STARTED
    from aurist.config import parse_duration
    from aurist.records import to_json
    from aurist.tuning import TuneConfig
    from aurist.tuning import tune as tune_recipe

    config = learning.config(metric)
    source = annotated.source(context, data, columns, learning)
    limit = None if time_limit is None else parse_duration(time_limit)
    search = TuneConfig(trials, limit, storage, pruner, holdout)
    with going_on():
        tuned = tune_recipe(
            source,
            output,
            recipe,
            config,
            search,
            options=columns.reading(),
            cache_dir=learning.cache_dir,
            started=STARTED,
        )
    if as_json:
        print_json(
            {
                "metric": tuned.metric,
                "trials": tuned.trials.to_dict("records"),
                "best": to_json(tuned.best),
                "comparison": to_json(tuned.comparison),
            }
        )
        return
    print_tuned(tuned, data)


def print_tuned(tuned: Tuned, data: Path) -> None:
    """Print the best trials, a warning on their scores, and the comparison."""
    table = tuned.trials[tuned.trials["state"] == "complete"]
    if tuned.best is None:
        paragraph("No trial is finished. Run the same command again to continue.")
        return
    best = table.sort_values(["score", "number"], ascending=[False, True]).head(SHOWN)
    counts = tuned.trials["state"].value_counts()
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    file = tuned.folder / "trials.csv"
    print_table(
        best.drop(columns=["state", "folds", "why"]).dropna(axis=1, how="all"),
        title=f"{tuned.metric} of the best trials on the folds that chose them ({states}; all are in {file})",
    )
    print()
    paragraph(
        f"The score of trial {tuned.best.number}, {tuned.best.score:.3f}, chose the trial: it is too "
        "good, and not to be quoted. The score of a fit with these settings on the same data is too good as well."
    )
    if tuned.comparison is not None:
        _print_comparison(tuned.comparison)
    option, recipe = tuned.best.option, tuned.best.recipe
    paragraph(f"written: {recipe}; use it with: aurist fit {data} {option} {recipe} -o RUN")


def _print_comparison(comparison: Comparison) -> None:
    """Print whether the tuned settings are better on clips that no trial used."""
    from aurist.errors import plural

    on = f"on {plural(comparison.clips, 'clip')} in {plural(comparison.groups, 'group')} that no trial used"
    tuned, gap = comparison.tuned, comparison.difference
    if tuned is None or gap is None:
        paragraph(
            f"No trial was better than the original settings: {comparison.metric} "
            f"{interval(comparison.original)} {on}."
        )
        return
    verdict = "no clear difference"
    if gap.low > 0:
        verdict = "really better"
    elif gap.high < 0:
        verdict = "really worse: keep the original recipe"
    paragraph(
        f"{on[0].upper()}{on[1:]}: {comparison.metric} {interval(tuned)} tuned, "
        f"{interval(comparison.original)} before; difference {gap.score:+z.3f} [{gap.low:+z.3f}, "
        f"{gap.high:+z.3f}], better in {gap.better:.0%} of the resamples: {verdict}."
    )
