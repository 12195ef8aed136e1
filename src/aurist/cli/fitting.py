"""`aurist fit`, `aurist resume`, `aurist demo`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import say

if TYPE_CHECKING:
    from aurist.clips import Clips

#: The limit holds for the whole command: importing this file is about its beginning.
STARTED = time.monotonic()
#: A panel of the help.
UNLABELLED = "Recordings without labels"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(fit)
    app.command()(resume)
    app.command()(demo)


def fit(
    context: typer.Context,
    data: opt.Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The run folder to make.", show_default=False)
    ] = None,
    label: opt.Label = None,
    metric: opt.Metric = None,
    preset: Annotated[
        str, typer.Option(help="quick (a minute), good (10 minutes) or best (an hour).")
    ] = "good",
    time_limit: Annotated[
        str | None, typer.Option(help="Wall time of the whole command: 90s, 15m, 1h30m. Default: by preset.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="auto: AutoGluon's models and, for recordings and with time enough, a network; autogluon; mljar; all: "
            "these two; networks: the recipes alone. A --recipe joins any of them."
        ),
    ] = "auto",
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            help="Network to train, too: a name of `aurist recipes`, or a TOML file. May be repeated."
        ),
    ] = None,
    change: opt.Change = None,
    embed: Annotated[
        list[str] | None,
        typer.Option(
            help="Recipe whose network, with ready weights, makes further features of recordings. May be repeated."
        ),
    ] = None,
    ensemble_size: Annotated[
        int | None,
        typer.Option(help="Models that the ensemble may hold; `aurist prune` shows what each is worth."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Plan to follow, as TOML, to its end: without a clock, so that it can be repeated."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fitted and in what time, and fit nothing.")
    ] = False,
    save_plan: Annotated[
        Path | None,
        typer.Option(help="Write what would be fitted to this TOML file, to be changed; fit nothing."),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="Folder or table of clips without labels: what models are sure of is learnt from, too.",
            rich_help_panel=UNLABELLED,
        ),
    ] = None,
    pseudo_rounds: Annotated[
        int,
        typer.Option(
            help="How often models learn anew from what those before are sure of.", rich_help_panel=UNLABELLED
        ),
    ] = 1,
    pseudo_threshold: Annotated[
        float, typer.Option(help="Probability from which they are sure.", rich_help_panel=UNLABELLED)
    ] = 0.9,
    fraction: opt.Fraction = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Unlabelled table to be predicted later: says what score to expect on it."),
    ] = None,
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
    verdicts: Annotated[
        Path | None,
        typer.Option(
            help="More annotations, of `aurist verdicts`: of their recordings the rest is unknown.",
            rich_help_panel=opt.ANNOTATED,
        ),
    ] = None,
    clip_mode: opt.ClipMode = "windows",
    window: opt.CutWindow = 5.0,
    hop: opt.CutHop = None,
    min_overlap: opt.MinOverlap = 0.25,
    background: opt.Background = None,
    unannotated: opt.Unannotated = "absent",
    group_by: opt.GroupBy = "recording",
    band: opt.Band = False,
) -> None:
    """Learn from labelled recordings or a table of features.

    Examples:

      aurist fit music/ -o run

      aurist fit train.csv --label genre --metric f1_macro --time-limit 15m --preset best -o run

      aurist fit recordings/ --label-from '{label}_{group}_{n}' -o run

      aurist fit music/ --time-limit 1h --save-plan plan.toml

      aurist fit music/ --plan plan.toml -o run

      aurist fit labelled/ --unlabelled more_recordings/ --time-limit 1h -o run

      aurist fit sounds.csv --engine networks --recipe mel-cnn --time-limit 30m -o run

      aurist fit recordings/ --annotations tables/ --window 5 --metric lwlrap -o run

      aurist fit recordings/ --annotations tables/ --verdicts annotations.csv --window 5 -o better
    """
    from aurist.annotations import CutOptions
    from aurist.automl.annotated import read_annotated
    from aurist.automl.fit import fit as fit_run
    from aurist.automl.fit import plan_fit
    from aurist.cli.show import print_leaderboard, print_plan
    from aurist.config import FitConfig, parse_duration
    from aurist.errors import ConfigError
    from aurist.folders import check_output
    from aurist.plan import time_limit as whole_time
    from aurist.plan import write_plan

    config = FitConfig(
        metric=metric,
        preset=preset,
        time_limit=None if time_limit is None else parse_duration(time_limit),
        engine=engine,
        folds=folds,
        seed=seed,
        jobs=jobs,
        allow_loss=allow_loss,
        near_duplicates=near_duplicates,
        sample_rate=sample_rate,
        level=level,
        recipes=tuple(recipe or ()),
        recipe_settings=tuple(change or ()),
        embeddings=tuple(embed or ()),
        ensemble_size=ensemble_size,
        plan=None if plan is None else str(plan),
        unlabelled=None if unlabelled is None else str(unlabelled),
        pseudo_rounds=pseudo_rounds,
        pseudo_threshold=pseudo_threshold,
        fraction=fraction,
    )
    opt.refuse_idle(context, annotations)
    options = CutOptions(clip_mode, window, hop, min_overlap, background, unannotated, group_by, seed, band)
    source: Path | Clips = data
    if annotations is not None:
        source = read_annotated(data, annotations, options, label=label, verdicts=verdicts)
    elif verdicts is not None:
        raise ConfigError(
            "--verdicts are added to --annotations. To learn from them alone: --annotations FILE --unannotated unknown."
        )
    reading = opt.read_options(
        label, path, group, fold, start, end, row_id, features, label_from, audio_root, label_separator
    )
    if save_plan is not None:
        check_output(save_plan)
    if dry_run or save_plan is not None:
        planned = plan_fit(source, config, options=reading, cache_dir=cache_dir, say=say)
        print_plan(planned, whole_time(config))
        if save_plan is not None:
            write_plan(save_plan, planned)
            say(f"written: {save_plan}; follow it with: aurist fit {data} --plan {save_plan} -o RUN")
        return
    if output is None:
        raise ConfigError("Name the run folder to make with -o, or ask for the plan alone with --dry-run.")
    run = fit_run(
        source,
        output,
        config,
        options=reading,
        test=test,
        cache_dir=cache_dir,
        started=STARTED,
        say=say,
    )
    print_leaderboard(run)


def resume(run: opt.RunFolder) -> None:
    """Go on with a fit that was killed; finished folds are not fitted again.

    Those of a second level are, where the models that it asks are others now.

    Example:

      aurist resume run
    """
    from aurist.automl.fit import resume as resume_run
    from aurist.cli.show import print_leaderboard

    print_leaderboard(resume_run(run, say=say))


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write everything to.")] = Path(
        "demo"
    ),
    seed: Annotated[
        int, typer.Option(help="Seed of the music and of all that is made of it.", min=0, max=opt.MOST_SEED)
    ] = 0,
    jobs: opt.Jobs = 0,
) -> None:
    """Show the main job on music that is synthesised here: check, fit, leaderboard, predictions, plots.

    Example:

      aurist demo -o demo
    """
    from aurist.cli.demo import run_demo

    run_demo(output, seed, jobs)
