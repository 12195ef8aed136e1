"""Search the settings of a recipe, and compare the result on clips that no trial saw."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from aurist.automl.prepare import prepare
from aurist.automl.train import decode_for
from aurist.clips.read import ReadOptions, Source
from aurist.config import FitConfig
from aurist.errors import plural
from aurist.extras import need_extra
from aurist.files import full_disk_error
from aurist.folders import check_output, claim
from aurist.machine import available_cores
from aurist.metrics import metric
from aurist.plan import Clock, n_splits
from aurist.progress import logger
from aurist.run import RunData, held_out, open_run, read_data, training_data
from aurist.run.description import DESCRIPTION
from aurist.tuning.budget import Budget
from aurist.tuning.config import TuneConfig, check_same, study_name
from aurist.tuning.holdout import hold_out
from aurist.tuning.result import Tuned, compare, gather_result, write_trials
from aurist.tuning.target import Target, read_target
from aurist.tuning.trials import Trials

#: Seconds to wait for another process that prepares the same data.
_PATIENCE = 24 * 3600.0


def tune(
    source: Source,
    output: Path | str,
    recipe: str,
    config: FitConfig | None = None,
    search: TuneConfig | None = None,
    *,
    options: ReadOptions | None = None,
    cache_dir: Path | None = None,
    started: float | None = None,
) -> Tuned:
    """Search the settings of a recipe, or continue a search. Several processes may share a folder or a database.

    Parameters
    ----------
    source, options, cache_dir, started
        As in `aurist.fit`.
    output
        Folder of the study; it may have one with the same data and settings.
    recipe
        A name of `aurist recipes` or the path of a TOML file, with a table ``[search]``; or a model of
        features: "LightGBM", "LightGBMXT", "XGBoost", "CatBoost".
    config
        Metric, folds, seed, cores, changes to the recipe; settings that choose models have no effect.
    search
        The number of trials, the time, and so on.

    Returns
    -------
    Tuned
        Also written to the folder: ``trials.csv``, ``best.toml`` (for `aurist fit`), ``comparison.json``.

    Raises
    ------
    DataError, ConfigError
        If the data, the recipe or the settings cannot be used.
    MissingExtraError
        If Optuna, or a library for the recipe, is not installed.
    RunError
        If the folder has a study of something else.
    """
    began = time.monotonic() if started is None else started
    config, search, options = config or FitConfig(), search or TuneConfig(), options or ReadOptions()
    target = read_target(recipe, config)
    need_extra("tune", "A search of settings")
    need_extra("automl" if target.recipe is None else "networks", f"A search for {recipe}")
    if config.metric is not None:
        metric(config.metric)
    recipes = () if target.recipe is None else (recipe,)
    config = replace(config, engine=target.engine, recipes=recipes, plan=None, time_limit=None)
    folder = Path(output)
    data_folder = folder / "data"
    check_output(folder, folder=True)
    settings_file = folder / "study.json"
    with claim(data_folder, _PATIENCE):
        is_new = not (data_folder / DESCRIPTION).exists()
        if is_new:
            settings_file.unlink(missing_ok=True)  # left by a command that ended before its data was ready
        check_same(settings_file, source, target, config, search, options)
        try:
            if is_new:
                prepare(source, data_folder, config, options=options, test=None, cache_dir=cache_dir)
            data, note = hold_out(
                read_data(open_run(data_folder)), search.holdout, n_splits(config), config.seed
            )
        except BaseException:
            if is_new:  # a refused command leaves no files
                for path in (settings_file, data_folder / DESCRIPTION):
                    path.unlink(missing_ok=True)
            raise
    logger.info(note)
    data = replace(data, spec=replace(data.spec, task=replace(data.task, jobs=available_cores(config.jobs))))
    clock = Clock(began, math.inf if search.time_limit is None else search.time_limit)
    return _search(folder, target, data, search, clock)


def _search(folder: Path, target: Target, data: RunData, search: TuneConfig, clock: Clock) -> Tuned:
    from aurist.tuning.study import Study

    learn, holdout, task = training_data(data), held_out(data), data.task
    study = Study(
        folder,
        study_name(target, data, task.seed),
        target.space,
        target.own_settings(),
        storage=search.storage,
        pruner=search.pruner,
        n_folds=len(learn.splits),
        seed=task.seed,
    )
    n_holdout = 0 if holdout is None else len(holdout.groups)
    budget = Budget(clock, 2 * len(learn.splits) * n_holdout, study.fold_seconds())
    sound = decode_for([target.member], learn)

    def after_each() -> None:
        write_trials(folder, study, target, learn)
        study.remove_models()

    try:
        with full_disk_error(folder / "study.db"):
            Trials(study, target, learn, budget).run(search.trials, after_each)
    except KeyboardInterrupt:
        logger.info("interrupted: writing the results so far; give the same command again to continue")
    after_each()
    if study.n_running():
        logger.info(f"{plural(study.n_running(), 'trial')} running elsewhere")
    comparison = None if holdout is None else compare(folder, study, target, learn, holdout, budget)
    del sound  # in use until here: sound in use is not removed from the store
    return gather_result(folder, study, target, task.metric, comparison)
