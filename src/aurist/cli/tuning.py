"""`aurist tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurist.cli import options as opt
from aurist.cli.printing import going_on, interval, paragraph, print_json, print_table, say

if TYPE_CHECKING:
    from aurist.tuning import Tuned

#: Trials that are shown of those that were finished; all are in trials.csv.
SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tune)


def tune(
    context: typer.Context,
    data: opt.Data,
    recipe: Annotated[
        str,
        typer.Option(
            help="What to tune: mel-cnn, mel-sed, a TOML file with a table [search]; or LightGBM, LightGBMXT, XGBoost, "
            "CatBoost."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the study; one that is there is gone on with.")
    ],
    trials: Annotated[int, typer.Option(help="Settings to try in all.")] = 40,
    time_limit: Annotated[
        str | None, typer.Option(help="Wall time of the command: 15m, 1h30m. Default: as long as it takes.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Database that processes or machines share: sqlite:///x.db, postgresql://... Default: a file in the "
            "folder."
        ),
    ] = None,
    pruner: Annotated[
        str, typer.Option(help="Which trials are stopped before their last fold: median, hyperband or none.")
    ] = "median",
    holdout: Annotated[
        float | None,
        typer.Option(
            help="Share of the groups that no trial sees, to compare on at the end; 0 for none. Default: 0.2 where "
            "there are enough."
        ),
    ] = None,
    change: opt.Change = None,
    label: opt.Label = None,
    metric: opt.Metric = None,
    fraction: opt.Fraction = None,
    group: opt.Group = None,
    fold: opt.Fold = None,
    folds: opt.Folds = None,
    path: opt.PathColumn = None,
    start: opt.Start = None,
    end: opt.End = None,
    row_id: opt.Id = None,
    features: opt.Features = None,
    label_from: opt.LabelFrom = None,
    audio_root: opt.AudioRoot = None,
    label_separator: opt.LabelSeparator = None,
    sample_rate: opt.SampleRate = None,
    level: opt.Level = "relative",
    allow_loss: opt.AllowLoss = False,
    near_duplicates: opt.NearDuplicates = True,
    seed: opt.Seed = 0,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
    annotations: opt.Annotations = None,
    clip_mode: opt.ClipMode = "windows",
    window: opt.CutWindow = 5.0,
    hop: opt.CutHop = None,
    min_overlap: opt.MinOverlap = 0.25,
    background: opt.Background = None,
    unannotated: opt.Unannotated = "absent",
    group_by: opt.GroupBy = "recording",
    as_json: opt.Json = False,
) -> None:
    """Search better settings of a recipe, and say whether they really are better.

    Settings are tried on the folds one after the other; trials that fall behind are stopped. At the end the best are
    compared with the recipe as it was, on recordings that no trial saw. Given again, the command goes on; given twice
    at a time, two processes share the work.

    Examples:

      aurist tune music/ --recipe mel-cnn --set training.epochs=40 --trials 30 --time-limit 2h -o study

      aurist fit music/ --recipe study/best.toml -o run

      aurist tune train.csv --label genre --recipe LightGBM --metric f1_macro --time-limit 20m -o study

      aurist tune music/ --recipe mine.toml --storage postgresql://me@host/studies -o study
    """
    from aurist.annotations import CutOptions
    from aurist.automl.annotated import read_annotated
    from aurist.cli.fitting import STARTED
    from aurist.config import FitConfig, parse_duration
    from aurist.tuning import TuneConfig
    from aurist.tuning import tune as tune_recipe

    config = FitConfig(
        metric=metric,
        folds=folds,
        seed=seed,
        jobs=jobs,
        allow_loss=allow_loss,
        near_duplicates=near_duplicates,
        sample_rate=sample_rate,
        level=level,
        recipe_settings=tuple(change or ()),
        fraction=fraction,
    )
    opt.refuse_idle(context, annotations)
    limit = None if time_limit is None else parse_duration(time_limit)
    search = TuneConfig(trials, limit, storage, pruner, holdout)
    cutting = CutOptions(clip_mode, window, hop, min_overlap, background, unannotated, group_by, seed)
    with going_on():
        found = tune_recipe(
            data if annotations is None else read_annotated(data, annotations, cutting, label=label),
            output,
            recipe,
            config,
            search,
            options=opt.read_options(
                label,
                path,
                group,
                fold,
                start,
                end,
                row_id,
                features,
                label_from,
                audio_root,
                label_separator,
            ),
            cache_dir=cache_dir,
            started=STARTED,
            say=say,
        )
    if as_json:
        print_json(
            {
                "metric": found.metric,
                "trials": found.trials.to_dict("records"),
                "best": found.best,
                "comparison": found.comparison,
            }
        )
        return
    print_tuned(found, data)


def print_tuned(found: Tuned, data: Path) -> None:
    """The best trials, what is to be said of their scores, and the comparison."""
    table = found.trials[found.trials["state"] == "complete"]
    if found.best is None:
        paragraph("No trial was finished; the same command goes on.")
        return
    best = table.sort_values(["score", "number"], ascending=[False, True]).head(SHOWN)
    counts = found.trials["state"].value_counts()
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    where = found.folder / "trials.csv"
    print_table(
        best.drop(columns=["state", "folds", "why"]).dropna(axis=1, how="all"),
        title=f"{found.metric} of the best trials on the folds that chose them ({told}; all are in {where})",
    )
    print()
    paragraph(
        f"The score of trial {found.best['number']}, {found.best['score']:.3f}, had a part in its choice: it is too "
        "good, and not to be quoted. What a fit with these settings says of the same data inherits that."
    )
    if found.comparison is not None:
        _print_comparison(found.comparison)
    option, recipe = found.best["option"], found.best["recipe"]
    paragraph(f"written: {recipe}; use it with: aurist fit {data} {option} {recipe} -o RUN")


def _print_comparison(told: dict[str, Any]) -> None:
    """Whether the settings found are better, by clips that no trial saw."""
    from aurist.errors import plural
    from aurist.tuning.holdout import AS_IT_WAS, TUNED

    on = f"on {plural(told['clips'], 'clip')} in {plural(told['groups'], 'group')} that no trial saw"
    if TUNED not in told:
        paragraph(
            f"No settings were found better than the recipe's own: {told['metric']} {interval(told[AS_IT_WAS])} {on}."
        )
        return
    gap = told["difference"]
    verdict = "that is no clear difference"
    if gap["low"] > 0:
        verdict = "really better"
    elif gap["high"] < 0:
        verdict = "really worse: keep the recipe as it was"
    paragraph(
        f"{on[0].upper()}{on[1:]}: {told['metric']} {interval(told[TUNED])} tuned, {interval(told[AS_IT_WAS])} as it "
        f"was; difference {gap['score']:+z.3f} [{gap['low']:+z.3f}, {gap['high']:+z.3f}], better in "
        f"{gap['better']:.0%} of the resamples: {verdict}."
    )
