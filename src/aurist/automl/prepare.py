"""Prepare a run folder for fitting: read and audit the data, compute features and folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations.groups import SHORTEST_RECORDING
from aurist.audit import audit, with_file_rows
from aurist.audit.nearest_clips import nearest_sentence
from aurist.audit.sentences import sentences
from aurist.automl.clip_features import summary_config_of, training_features
from aurist.automl.embedders import embedders_of, named_embedders
from aurist.clips import BACKGROUND, Clips
from aurist.clips.guessed_groups import apply_grouping, without_guessed_groups
from aurist.clips.read import ReadOptions, Source, read_clips
from aurist.cluster import Cluster
from aurist.config import FitConfig
from aurist.embedders import Available
from aurist.errors import ConfigError, DataError, about, listing, plural
from aurist.features.profiles import profiles_of
from aurist.features.schema import infer_schema
from aurist.files import atomic_path, write_json
from aurist.folders import default_cache_dir
from aurist.inference.features import FeaturePipeline
from aurist.inference.inputs import like_clips
from aurist.machine import available_cores
from aurist.metrics import metric
from aurist.models.base import Task
from aurist.models.network import check_recipe
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.network_member import recipe_of
from aurist.plan import ENSEMBLE, GLUON_ENSEMBLE, SECOND_LEVEL, n_splits, read_plan, table_members, with_band
from aurist.progress import logger
from aurist.recipes import Recipe, parse_setting, read_recipe
from aurist.run import HELD_OUT, RunData, RunFolder, RunSpec, create_run
from aurist.run.audit_file import AUDIT
from aurist.run.profiles_file import write_profiles
from aurist.splits import NEVER_SCORED, assign_folds, given_folds, group_codes
from aurist.workers import run_in_processes

#: Fitting stops if more than this share of the clips would be left out.
MOST_LOST = 0.1


def prepare(
    source: Source,
    output: Path,
    config: FitConfig,
    *,
    options: ReadOptions,
    test: Source | None,
    cache_dir: Path | None,
    cluster: Cluster | None = None,
) -> RunFolder:
    """Read and audit the data, leave out broken clips, compute features and folds, and write the run folder.

    A cluster computes the vectors of embedders.
    """
    recipes = chosen_recipes(config)
    clips, test_clips = _read_sources(source, test, config, options)
    if clips.band is not None and config.plan is None:  # a plan contains its recipes in full
        recipes = [with_band(recipe, clips.band) for recipe in recipes]
    named = named_embedders(config.embeddings or ())
    _check_networks(recipes, named, clips)
    for note in clips.notes:
        logger.info(note)
    jobs = available_cores(config.jobs)
    cache_dir = cache_dir or default_cache_dir()
    report = audit(clips, test_clips, jobs=jobs, cache_dir=cache_dir, near=config.near_duplicates)
    messages = sentences(report)
    for sentence in messages:
        logger.info(f"check: {sentence}")
    summary = None if clips.features else summary_config_of(config, clips, report)
    embedders = named or embedders_of(config, clips, report, jobs=jobs, cache_dir=cache_dir)
    computed = training_features(
        clips, summary, report, output, embedders, jobs=jobs, cache_dir=cache_dir, cluster=cluster
    )
    broken, level = computed.broken, computed.level
    rows = _keep(clips, broken, allow_loss=config.allow_loss)
    if len(broken):
        logger.info(
            f"left out: {len(broken):,} of {plural(len(clips), 'clip')}, listed in {output / 'quarantine.csv'}"
        )
    clips, groups = clips.take(rows), report.groups[rows]
    features = computed.table.iloc[rows].reset_index(drop=True)
    nearest = nearest_sentence(clips, computed.summary.iloc[rows].reset_index(drop=True))
    if nearest is not None:
        logger.info(f"check: {nearest}")
        messages.append(nearest)
    schema = infer_schema(features, clips.decimal_commas)
    ready, _ = schema.apply(features)
    spec = RunSpec(_task(clips, config, jobs), schema, summary, clips.window)
    pipeline = FeaturePipeline(output, schema, summary, computed.embedders)
    data = RunData(
        spec=spec,
        clips=replace(clips, classes=spec.task.classes),
        features=ready,
        folds=_folds(clips, groups, config),
        groups=groups,
        test_keys=None if test_clips is None else pipeline.keys(test_clips, jobs=jobs, cache_dir=cache_dir),
        notes=(*clips.notes, *messages),
        cache_dir=cache_dir,
        level=None if level is None else level[rows],
    )
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / AUDIT, report.to_dict())
    if clips.window is not None:
        learnt = clips.table.loc[data.folds != HELD_OUT, "path"].astype(str)
        write_profiles(output, profiles_of([clips.file(path) for path in dict.fromkeys(learnt)]))
    with atomic_path(output / "quarantine.csv") as part:
        with_file_rows(broken, report.rows).to_csv(part, index=False)
    return create_run(output, config, data, recipes)


def _read_sources(
    source: Source, test: Source | None, config: FitConfig, options: ReadOptions
) -> tuple[Clips, Clips | None]:
    """Read the training data and the test table, and check that the data without labels can be read."""
    clips = read_clips(source, options)
    if config.fraction is not None and config.fraction < 1:
        n = len(clips)
        clips = some_groups(clips, config.fraction, config.seed)
        logger.info(
            f"fraction: {len(clips):,} of {plural(n, 'clip')}, whole groups, stratified (seed {config.seed})"
        )
    # data to predict need not have the columns of the training data
    unlabelled = like_clips(replace(options, label=None, group=None, fold=None), clips)
    test_clips = None if test is None else read_clips(test, unlabelled, labelled=False)
    if test_clips is not None:
        test_clips = apply_grouping(without_guessed_groups(test_clips), clips.grouping)
    if config.unlabelled is not None:
        read_clips(config.unlabelled, unlabelled, labelled=False)  # fail early if it cannot be read
    _check_learnable(clips)
    return clips, test_clips


def _check_networks(recipes: Sequence[Recipe], embedders: Sequence[Available | Recipe], clips: Clips) -> None:
    """Check that networks have recordings to learn from, and that they can be built."""
    named = [f"The recipe {recipe.name} is a network" for recipe in recipes]
    named += [
        f"The embedder {network.spec.name if isinstance(network, Available) else network.name} makes features of sound"
        for network in embedders
    ]
    if named and not clips.has_audio:
        raise DataError(
            f"{named[0]} and needs sound, but this table has no column of audio files. "
            "Name it with path=, or leave recipes= and embeddings= out."
        )
    by_torch = [*recipes, *(network for network in embedders if isinstance(network, Recipe))]
    checks = [partial(check_recipe, recipe, len(clips.classes)) for recipe in by_torch]
    if checks:
        run_in_processes(checks, workers=1)


def chosen_recipes(config: FitConfig) -> list[Recipe]:
    """Read the recipes that the settings or their plan name, with the changed settings.

    Raises
    ------
    ConfigError
        If there is no such recipe, or two rows of the leaderboard would have the same name.
    """
    if config.plan is not None:
        members = read_plan(Path(config.plan)).members
        return [recipe_of(member) for member in members if member.engine == NETWORK]
    changes = dict(parse_setting(text) for text in config.recipe_settings)
    if not config.recipes:
        return []
    recipes = [read_recipe(name, changes) for name in config.recipes]
    names = [recipe.name for recipe in recipes]
    tables = table_members(replace(config, engine="all"))
    taken = {*(member.name for member in tables), SECOND_LEVEL.name, ENSEMBLE, GLUON_ENSEMBLE}
    for name in names:
        if names.count(name) > 1 or name in taken:
            raise ConfigError(
                f"Two rows of the leaderboard would be called {name}: give the recipe another name."
            )
    return recipes


def some_groups(clips: Clips, share: float, seed: int) -> Clips:
    """Sample about a share of the clips: whole groups, stratified."""
    groups = group_codes(clips.table["group"].tolist(), clips.table["clip_id"].tolist())
    parts = assign_folds(clips.targets(), groups, max(20, round(1 / share)), seed)
    return clips.take(np.flatnonzero(parts < max(1, round(share * (parts.max() + 1)))))


def _check_learnable(clips: Clips) -> None:
    trained = clips.table[clips.table["part"] != "test"]
    present = {label for labels in trained["labels"] for label in labels}
    if len(present) < (1 if clips.multilabel else 2):
        raise DataError(
            f"Found {plural(len(present), 'class', 'classes')} ({', '.join(sorted(present)) or 'no labels'}) among "
            f"{plural(len(trained), 'clip')} to train on, but a classifier needs at least two. "
            "Check the label column (label=)."
        )
    counts = Counter(label for labels in trained["labels"] for label in labels)
    once = sum(count == 1 for count in counts.values())
    if len(present) > 20 and once > len(present) / 2:
        raise DataError(
            f"Found {len(present)} classes among {len(trained)} clips, {once} of them with a single clip: these look "
            f"like names or measurements, such as {min(present)!r}, not classes. Name the column of the classes with "
            "label=."
        )


def _keep(clips: Clips, broken: pd.DataFrame, *, allow_loss: bool) -> npt.NDArray[np.intp]:
    """Select the rows without broken clips; raise DataError if too many would be lost."""
    lost = clips.table["clip_id"].isin(broken["clip_id"]).to_numpy()
    rows: npt.NDArray[np.intp] = np.flatnonzero(~lost)
    lost_classes = sorted(
        set(clips.classes) - {label for row in rows for label in clips.table["labels"].iloc[row]}
    )
    if not lost.any() or (allow_loss and len(rows)):
        return rows
    row_of = {name: row for row, name in enumerate(clips.table["clip_id"])}
    details = zip(broken["clip_id"], broken["detail"], strict=True)
    reasons = listing(
        [about(clips.display_name(row_of[name]), str(detail)) for name, detail in details], limit=10
    )
    advice = "Repair these files or rows (`aurist check` lists them), or continue without them with allow_loss=True."
    if lost_classes:
        raise DataError(
            f"Without the broken clips no clip is left of: {', '.join(lost_classes)}.\n{reasons}\n{advice}"
        )
    # in annotated recordings, stretches of silence between calls are nothing to repair
    silent = clips.table["clip_id"].isin(broken.loc[broken["kind"] == "silent", "clip_id"]).to_numpy()
    lost &= ~(silent & clips.table["labels"].map(len).eq(0).to_numpy())
    if lost.mean() > MOST_LOST:
        raise DataError(
            f"{lost.sum():,} of {plural(len(lost), 'clip')} {'is' if lost.sum() == 1 else 'are'} broken, more than a "
            f"tenth.\n{reasons}\n{advice}"
        )
    return rows


def _task(clips: Clips, config: FitConfig, jobs: int) -> Task:
    name = config.metric or ("average_precision" if clips.multilabel else "accuracy")
    chosen = metric(name)
    if clips.multilabel and not chosen.multilabel:
        raise DataError(f"The metric {chosen.name} is for one label a clip, but clips here have several.")
    return Task(clips.classes, clips.multilabel, chosen.name, config.seed, jobs)


def _folds(clips: Clips, groups: npt.NDArray[np.int64], config: FitConfig) -> npt.NDArray[np.int64]:
    """Assign each clip to the fold that scores it, as prescribed or made here; mark held-out clips."""
    held_out = (clips.table["part"] == "test").to_numpy()
    folds = np.full(len(clips), HELD_OUT, dtype=np.int64)
    is_background = (clips.table["part"] == BACKGROUND).to_numpy()
    folds[is_background] = NEVER_SCORED
    learnt = np.flatnonzero(~held_out & ~is_background)
    table = clips.table.iloc[learnt]
    prescribed = given_folds(table["fold"].tolist(), table["part"].tolist())
    if (
        prescribed is None
        and len(learnt) > 1
        and len(np.unique(groups[learnt])) < 2
        and config.near_duplicates
    ):
        if clips.window is not None and len(set(clips.table["path"])) == 1:
            raise DataError(
                f"All {len(learnt):,} clips are of one recording, which is too short to be divided by time: with "
                f"windows of {clips.window:g} s it needs {SHORTEST_RECORDING * clips.window:g} s. Annotate more "
                "recordings, or give shorter windows (window=)."
            )
        raise DataError(
            f"All {len(learnt):,} clips are in one group: a given group, or exact or near duplicates of "
            f"each other. A group is never split over folds. `aurist check DATA -o audit` lists the pairs "
            f"of near duplicates. If they only share a background, give near_duplicates=False."
        )
    if prescribed is None:
        targets = clips.take(learnt).targets(clips.classes)
        counts = [len(np.unique(groups[learnt][column == 1])) for column in targets.T]
        fewest = min((count for count in counts if count), default=None)
        folds[learnt] = assign_folds(targets, groups[learnt], n_splits(config, fewest), config.seed)
        logger.info(f"folds: {folds.max() + 1} made, stratified, no group on two sides (seed {config.seed})")
    else:
        folds[learnt] = prescribed
        origin = (
            "the valid part"
            if (prescribed == NEVER_SCORED).any()
            else f"{prescribed.max() + 1} given by the data"
        )
        logger.info(f"folds: {origin}")
    return folds
