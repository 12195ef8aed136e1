"""`aurist fit`, `aurist resume` and `aurist demo`."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import AnnotatedOptions, LearningOptions, TrainingColumns, spread
from aurist.cli.printing import say

#: Start of the command, for its time limit: this file is imported first.
STARTED = time.monotonic()


@spread
def fit(
    context: typer.Context,
    data: opt.Data,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder to make.", show_default=False)
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="instant (seconds for a few hundred clips: linear and kernel models), quick (1 minute), good "
            "(10 minutes) or best (1 hour)."
        ),
    ] = "good",
    time_limit: Annotated[
        str | None, typer.Option(help="Wall time of the whole command: 90s, 15m, 1h30m. Default: by preset.")
    ] = None,
    metric: opt.Metric = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Unlabelled data to predict later: estimate the score to expect on it."),
    ] = None,
    columns: TrainingColumns,
    annotated: AnnotatedOptions,
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
    embed: Annotated[
        list[str] | None,
        typer.Option(
            help="Pretrained network whose embeddings become features: a name of `aurist embedders`, or a TOML file. "
            "Repeatable. Default: those of this machine that need little of the time.",
            rich_help_panel=opt.NETWORKS,
        ),
    ] = None,
    no_embed: Annotated[
        bool,
        typer.Option("--no-embed", help="Use no pretrained network.", rich_help_panel=opt.NETWORKS),
    ] = False,
    accept_licence: Annotated[
        list[str] | None,
        typer.Option(
            help="Accept the licence of this embedder, which forbids commercial use. Once for this machine.",
            rich_help_panel=opt.NETWORKS,
        ),
    ] = None,
    mix_background: Annotated[
        int,
        typer.Option(
            help="Mixtures of each clip that has a call with background of other recordings to learn from: of "
            "recordings without a call, or of gaps between calls if there are none. 0: none.",
            rich_help_panel=opt.ANNOTATED,
        ),
    ] = 2,
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
    cluster: opt.Cluster = None,
    learning: LearningOptions,
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

      aurist fit recordings/ --verdicts verdicts/ --window 3 -o run
    """
    from aurist.automl.fit import fit as fit_run
    from aurist.automl.fit import plan_fit
    from aurist.cli.embedding import accept_licences
    from aurist.cli.leaderboard import print_leaderboard, print_plan
    from aurist.config import parse_duration
    from aurist.errors import ConfigError
    from aurist.folders import check_output
    from aurist.plan import time_limit as whole_time
    from aurist.plan import write_plan

    accept_licences(accept_licence or (), embed or ())
    config = replace(
        learning.config(metric),
        preset=preset,
        time_limit=None if time_limit is None else parse_duration(time_limit),
        engine=engine,
        recipes=tuple(recipe or ()),
        embeddings=() if no_embed else tuple(embed) if embed else None,
        ensemble_size=ensemble_size,
        plan=None if plan is None else str(plan),
        unlabelled=None if unlabelled is None else str(unlabelled),
        pseudo_rounds=pseudo_rounds,
        pseudo_threshold=pseudo_threshold,
        mix_background=mix_background,
    )
    source = annotated.source(context, data, columns, learning, config)
    options = columns.reading()
    if save_plan is not None:
        check_output(save_plan)
    if dry_run or save_plan is not None:
        planned = plan_fit(source, config, options=options, cache_dir=learning.cache_dir)
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
        options=options,
        test=test,
        cache_dir=learning.cache_dir,
        started=STARTED,
        cluster=cluster,
    )
    print_leaderboard(run)


def resume(run: opt.RunFolder, cluster: opt.Cluster = None) -> None:
    """Continue a fit that was interrupted; finished folds are not fitted again.

    Stacked models are refitted if their base models changed.

    Example:

      aurist resume run
    """
    from aurist.automl.fit import resume as resume_run
    from aurist.cli.leaderboard import print_leaderboard

    print_leaderboard(resume_run(run, cluster=cluster))


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
