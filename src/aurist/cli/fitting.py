"""`aurist fit`, `aurist resume` and `aurist demo`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import say
from aurist.cli.settings import read_options, refuse_unused_options

if TYPE_CHECKING:
    from aurist.clips import Clips

#: Start of the command, for its time limit: this file is imported first.
STARTED = time.monotonic()


def fit(
    context: typer.Context,
    data: opt.Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder to make.", show_default=False)
    ] = None,
    preset: Annotated[
        str, typer.Option(help="quick (1 minute), good (10 minutes) or best (1 hour).")
    ] = "good",
    time_limit: Annotated[
        str | None, typer.Option(help="Wall time of the whole command: 90s, 15m, 1h30m. Default: by preset.")
    ] = None,
    metric: opt.Metric = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Unlabelled data to predict later: estimate the score to expect on it."),
    ] = None,
    label: opt.Label = None,
    group: opt.Group = None,
    path: opt.PathColumn = None,
    start: opt.Start = None,
    end: opt.End = None,
    row_id: opt.Id = None,
    features: opt.Features = None,
    fold: opt.Fold = None,
    folds: opt.Folds = None,
    label_from: opt.LabelFrom = None,
    label_separator: opt.LabelSeparator = None,
    audio_root: opt.AudioRoot = None,
    annotations: opt.Annotations = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(
            help="More annotations, written by `aurist verdicts`. Everything else in their recordings is unknown.",
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
    engine: Annotated[
        str,
        typer.Option(
            help="auto: AutoGluon's models and, for recordings and with enough time, a network. autogluon. mljar. all: "
            "both of these. networks: only those of --recipe.",
            rich_help_panel=opt.MODELS,
        ),
    ] = "auto",
    ensemble_size: Annotated[
        int | None,
        typer.Option(
            help="Largest number of models in the ensemble; see `aurist prune`.", rich_help_panel=opt.MODELS
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print which models would be fitted, and fit none.", rich_help_panel=opt.MODELS
        ),
    ] = False,
    save_plan: Annotated[
        Path | None,
        typer.Option(
            help="Write the plan to this TOML file, to change it and give it to --plan. Fit nothing.",
            rich_help_panel=opt.MODELS,
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Plan to follow, a TOML file. It has no time limit, so that the same seed gives the same result.",
            rich_help_panel=opt.MODELS,
        ),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            help="Also train this network: a name of `aurist recipes`, or a TOML file. Repeatable.",
            rich_help_panel=opt.NETWORKS,
        ),
    ] = None,
    change: opt.Change = None,
    embed: Annotated[
        list[str] | None,
        typer.Option(
            help="Recipe of a pretrained network whose embeddings become features. Repeatable.",
            rich_help_panel=opt.NETWORKS,
        ),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="Folder or table of clips without labels. Learn from confident predictions on them, too.",
            rich_help_panel=opt.UNLABELLED,
        ),
    ] = None,
    pseudo_rounds: Annotated[
        int,
        typer.Option(help="Number of rounds of learning from predictions.", rich_help_panel=opt.UNLABELLED),
    ] = 1,
    pseudo_threshold: Annotated[
        float,
        typer.Option(
            help="Lowest probability of a prediction to learn from.", rich_help_panel=opt.UNLABELLED
        ),
    ] = 0.9,
    sample_rate: opt.SampleRate = None,
    level: opt.Level = "relative",
    seed: opt.Seed = 0,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
    fraction: opt.Fraction = None,
    near_duplicates: opt.NearDuplicates = True,
    allow_loss: opt.AllowLoss = False,
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
    from aurist.cli.leaderboard import print_leaderboard, print_plan
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
    refuse_unused_options(context, annotations)
    options = CutOptions(clip_mode, window, hop, min_overlap, background, unannotated, group_by, seed, band)
    source: Path | Clips = data
    if annotations is not None:
        source = read_annotated(data, annotations, options, label=label, verdicts=verdicts)
    elif verdicts is not None:
        raise ConfigError(
            "--verdicts needs --annotations. To learn from verdicts alone: --annotations FILE --unannotated unknown."
        )
    reading = read_options(
        label, path, group, fold, start, end, row_id, features, label_from, audio_root, label_separator
    )
    if save_plan is not None:
        check_output(save_plan)
    if dry_run or save_plan is not None:
        planned = plan_fit(source, config, options=reading, cache_dir=cache_dir)
        print_plan(planned, whole_time(config))
        if save_plan is not None:
            write_plan(save_plan, planned)
            say(f"written: {save_plan}; follow it with: aurist fit {data} --plan {save_plan} -o RUN")
        return
    if output is None:
        raise ConfigError("No run folder is given. Name it with -o, or print the plan alone with --dry-run.")
    run = fit_run(
        source,
        output,
        config,
        options=reading,
        test=test,
        cache_dir=cache_dir,
        started=STARTED,
    )
    print_leaderboard(run)


def resume(run: opt.RunFolder) -> None:
    """Continue a fit that was interrupted; finished folds are not fitted again.

    Stacked models are refitted if their base models changed.

    Example:

      aurist resume run
    """
    from aurist.automl.fit import resume as resume_run
    from aurist.cli.leaderboard import print_leaderboard

    print_leaderboard(resume_run(run))


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path("demo"),
    seed: Annotated[
        int, typer.Option(help="Seed of the music and of the fit.", min=0, max=opt.MOST_SEED)
    ] = 0,
    jobs: opt.Jobs = 0,
) -> None:
    """Demonstrate aurist on synthesised music: check, fit, leaderboard, predictions, report.

    Example:

      aurist demo -o demo
    """
    from aurist.cli.demo import run_demo

    run_demo(output, seed, jobs)
