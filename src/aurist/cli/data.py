"""`aurist check`, `aurist features`, `aurist cache`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import LabelledColumns, TrainingColumns, spread
from aurist.cli.messages import in_options
from aurist.cli.printing import UNKNOWN_GROUPS, print_json, print_table, say, show

if TYPE_CHECKING:
    from aurist.audit import Audit
    from aurist.clips import Clips


@spread
def check(
    data: opt.Data,
    *,
    test: Annotated[
        Path | None, typer.Option(help="Data to predict later: look for overlap with it.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder to write to: quarantine.csv, near_duplicates.csv, leaks.csv, audit.json.",
        ),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(
            help="Annotations of the recordings: a file, or a folder of them. Also count boxes, lengths and bands."
        ),
    ] = None,
    columns: TrainingColumns,
    near_duplicates: Annotated[
        bool, typer.Option(help="Look for near duplicates.", rich_help_panel=opt.ADVANCED)
    ] = True,
    safe_csv: opt.SafeCsv = False,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
    as_json: opt.Json = False,
) -> None:
    """Check data before learning: broken files, duplicates, leaks between folds.

    Examples:

      aurist check music/

      aurist check train.csv --label genre --test test.csv -o audit

      aurist check recordings/ --annotations tables/
    """
    from aurist.audit import audit
    from aurist.audit.nearest_clips import compare_nearest
    from aurist.audit.sentences import sentences
    from aurist.clips.guessed_groups import apply_grouping, without_guessed_groups
    from aurist.clips.read import read_clips
    from aurist.folders import check_output, default_cache_dir

    if output is not None:
        check_output(output, folder=True)
    options = columns.reading()
    # the audit reports clips without a label; the reader would refuse them
    clips = (
        read_clips(data, options, labelled=False)
        if annotations is None
        else _annotated(data, annotations, columns.label, quiet=as_json)
    )
    unlabelled = replace(options, label=None, group=None, fold=None)
    test_clips = (
        None
        if test is None
        else apply_grouping(
            without_guessed_groups(read_clips(test, unlabelled, labelled=False)), clips.grouping
        )
    )
    cache_dir = cache_dir or default_cache_dir()
    result = audit(clips, test_clips, jobs=jobs, cache_dir=cache_dir, near=near_duplicates)
    nearest = compare_nearest(clips, result.usable, jobs=jobs, cache_dir=cache_dir)
    nearest = None if nearest is None else in_options(nearest)
    if output is not None:
        _write(result, output, safe_csv)
    if as_json:
        guess = None if clips.grouping is None else clips.grouping.to_dict()
        print_json(result.to_dict() | {"nearest": nearest, "groups_from_names": guess})
        return
    for note in clips.notes:
        say(note)
    _print_content(result.content)
    findings = sentences(result)
    print("\nFound:" if findings else "\nNothing broken, duplicated or leaking was found.")
    for sentence in findings:
        show(in_options(f"- {sentence}"))
    if nearest is not None:
        show(f"\nNearest clips: {nearest}.")
    if clips.labelled and not clips.table["group"].notna().any():
        show(f"\nGroups: {UNKNOWN_GROUPS}.")
    if output is not None:
        say(f"written: {output}")


def _annotated(recordings: Path, annotations: Path, label: str | None, *, quiet: bool) -> Clips:
    """Cut annotated recordings into clips, and print what their annotations hold."""
    from aurist.automl.annotated import read_annotated, survey_annotated

    if not quiet:
        survey = survey_annotated(recordings, annotations, label=label)
        print_table(survey.by_class, title="boxes by class; lengths in seconds, frequencies in Hz", digits=2)
        if len(survey.together):
            print()
            print_table(survey.together, title="classes in the same recordings")
        print()
        for note in survey.notes:
            say(note)
    return read_annotated(recordings, annotations, label=label, allow_missing=True)


def _print_content(content: dict[str, Any]) -> None:
    import pandas as pd

    rows = []
    for key, value in content.items():
        if key == "classes" or value in ({}, 0, None):
            continue
        text = (
            ", ".join(f"{k}: {_short(v)}" for k, v in value.items())
            if isinstance(value, dict)
            else _short(value)
        )
        rows.append((key.replace("_", " "), text))
    print_table(pd.DataFrame(rows, columns=["property", "value"]))
    classes = content.get("classes", {})
    if classes:
        print()
        print_table(pd.DataFrame(classes.items(), columns=["class", "clips"]))


def _short(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _write(result: Audit, folder: Path, safe: bool) -> None:
    from aurist.audit import with_file_rows
    from aurist.files import write_csv, write_json

    write_json(folder / "audit.json", result.to_dict())
    for name, table in (
        ("quarantine", with_file_rows(result.quarantine, result.rows)),
        ("near_duplicates", result.near_table()),
        ("leaks", result.leaks),
    ):
        write_csv(table, folder / f"{name}.csv", safe=safe, float_format="%.6g")


@spread
def features(
    data: opt.Data,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Table to write: .parquet or .csv. With --shard: folder of the shard."
        ),
    ],
    columns: LabelledColumns,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Compute a part of the clips, such as 2/16, on one of several machines; then `aurist merge`."
        ),
    ] = None,
    cluster: opt.Cluster = None,
    sample_rate: opt.SampleRate = None,
    level: opt.Level = "relative",
    safe_csv: opt.SafeCsv = False,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Compute the summary features of every clip, and store them for later commands.

    Examples:

      aurist features music/ -o features.parquet

      aurist features music/ --shard 2/16 -o part-2

      aurist features music/ --cluster ray://head:10001 -o features.parquet
    """
    from aurist.errors import ConfigError, about, plural
    from aurist.inference.feature_shards import features_on_cluster, write_feature_shard
    from aurist.inference.feature_tables import feature_file

    if shard is not None and cluster is not None:
        raise ConfigError("--shard and --cluster cannot go together: a cluster makes its shards itself.")
    if shard is not None:
        part = write_feature_shard(
            data,
            output,
            columns.reading(),
            shard,
            sample_rate=sample_rate,
            level=level,
            jobs=jobs,
            cache_dir=cache_dir,
        )
        for clip_id, message in part.failures.items():
            say(f"no features: {about(clip_id, message)}")
        say(f"written: {output} (shard {part.number} of {part.of})")
        return
    if cluster is not None:
        written = features_on_cluster(
            data, output, columns.reading(), cluster, sample_rate=sample_rate, level=level, safe_csv=safe_csv
        )
    else:
        written = feature_file(
            data,
            output,
            columns.reading(),
            sample_rate=sample_rate,
            level=level,
            jobs=jobs,
            cache_dir=cache_dir,
            safe_csv=safe_csv,
        )
    for note in written.notes:
        say(note)
    for clip_id, message in written.failures.items():
        say(f"no features: {about(clip_id, message)}")
    say(f"written: {output} ({plural(written.rows, 'clip')}, {plural(written.columns, 'feature')})")


def cache(
    clear: Annotated[
        bool, typer.Option("--clear", help="Delete all stored features and decoded audio.")
    ] = False,
    limit: Annotated[
        str | None,
        typer.Option(help="Delete the least recently used audio until the rest has this size: 20GB, 500MB."),
    ] = None,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Show the size and the folder of stored features and decoded audio, or delete them.

    Decoded audio takes at most $AURIST_CACHE_LIMIT (20GB, 500MB). Default: 50 GB or a third of the free disk, whichever
    is less. The folder is $AURIST_CACHE_DIR. Default: the system's cache folder (~/.cache/aurist).

    Example:

      aurist cache --clear
    """
    from aurist.features.cache import audio_size, clear_cache, feature_size
    from aurist.features.waves import audio_limit, parse_size, trim_waves
    from aurist.folders import default_cache_dir

    folder = cache_dir or default_cache_dir()
    most = None if limit is None else parse_size(limit)
    if clear:
        clear_cache(folder)
    elif most is not None:
        trim_waves(folder, most)
    show(str(folder))
    print(f"features: {feature_size(folder) / 1e6:.1f} MB")
    print(f"audio: {audio_size(folder) / 1e6:.1f} MB of {audio_limit(folder) / 1e9:.3g} GB at most")
