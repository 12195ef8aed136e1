"""Search the settings of a recipe, and say on clips that no trial saw whether what was found is really better."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from aurist.automl.prepare import prepare
from aurist.automl.train import decode_for
from aurist.clips.read import ReadOptions, Source
from aurist.config import FitConfig
from aurist.errors import MissingExtraError, plural
from aurist.files import full_disk_error
from aurist.folders import check_output, claim
from aurist.machine import available_cores
from aurist.metrics import metric
from aurist.plan import Clock, n_splits
from aurist.progress import Say
from aurist.run import RunData, held_out, open_run, read_data, training_data
from aurist.tuning.budget import Budget
from aurist.tuning.config import TuneConfig, check_same, study_name
from aurist.tuning.holdout import hold_out
from aurist.tuning.result import Tuned, compare, found, write_trials
from aurist.tuning.target import Target, read_subject
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
    say: Say = lambda line: None,
) -> Tuned:
    """Search the settings of a recipe, or go on with a search, alone or beside others of the same folder or database.

    Parameters
    ----------
    source, options, cache_dir, say, started
        As `aurist.fit` takes them.
    output
        Folder of the study; it may hold one of the same data and settings.
    recipe
        A name of `aurist recipes` or the path of a TOML file, with a table ``[search]``; or a member that learns from
        features: "LightGBM", "LightGBMXT", "XGBoost", "CatBoost".
    config
        Metric, folds, seed, cores, changes to the recipe; what says which models to fit has no effect.
    search
        How many trials, in what time ...

    Returns
    -------
    Tuned
        Also written to the folder: ``trials.csv``, ``best.toml`` (which `aurist fit` takes), ``comparison.json``.

    Raises
    ------
    DataError, ConfigError
        Where the data, the recipe or the settings cannot be used.
    MissingExtraError
        Where Optuna, or what the recipe needs, is not installed.
    RunError
        Where the folder holds a study of something else.
    """
    began = time.monotonic() if started is None else started
    config, search, options = config or FitConfig(), search or TuneConfig(), options or ReadOptions()
    subject = read_subject(recipe, config)
    _need_optuna()
    if config.metric is not None:
        metric(config.metric)
    recipes = () if subject.recipe is None else (recipe,)
    config = replace(config, engine=subject.engine, recipes=recipes, plan=None, time_limit=None)
    folder = Path(output)
    place = folder / "data"
    check_output(folder, folder=True)
    asked = folder / "asked.json"
    with claim(place, _PATIENCE):
        fresh = not (place / "data.json").exists()
        if fresh:
            asked.unlink(missing_ok=True)  # of a command that ended before its data was ready
        check_same(asked, source, subject, config, search, options)
        try:
            if fresh:
                prepare(source, place, config, options=options, test=None, cache_dir=cache_dir, say=say)
            data, note = hold_out(read_data(open_run(place)), search.holdout, n_splits(config), config.seed)
        except BaseException:
            if fresh:  # what was refused claims no folder
                for path in (asked, place / "data.json"):
                    path.unlink(missing_ok=True)
            raise
    say(note)
    data = replace(data, task=replace(data.task, jobs=available_cores(config.jobs)))
    clock = Clock(began, math.inf if search.time_limit is None else search.time_limit)
    return _search(folder, subject, data, search, clock, say)


def _search(
    folder: Path, subject: Target, data: RunData, search: TuneConfig, clock: Clock, say: Say
) -> Tuned:
    from aurist.tuning.study import Study

    learn, held, task = training_data(data), held_out(data), data.task
    study = Study(
        folder,
        study_name(subject, data, task.seed),
        subject.space,
        subject.own_settings(),
        storage=search.storage,
        pruner=search.pruner,
        n_folds=len(learn.splits),
        seed=task.seed,
    )
    n_held = 0 if held is None else len(held.groups)
    pace = Budget(clock, 2 * len(learn.splits) * n_held, study.fold_seconds())
    sound = decode_for([subject.member], learn, say)

    def after_each() -> None:
        write_trials(folder, study, subject, learn)
        study.clear()

    try:
        with full_disk_error(folder / "study.db"):
            Trials(study, subject, learn, pace, say).run(search.trials, after_each)
    except KeyboardInterrupt:
        say("interrupted: finishing with what there is; the same command goes on")
    after_each()
    if study.n_running():
        say(f"{plural(study.n_running(), 'trial')} in hand elsewhere")
    comparison = None if held is None else compare(folder, study, subject, learn, held, pace, say)
    del sound  # held until here: what is in use is not dropped from the store
    return found(folder, study, subject, task.metric, comparison)


def _need_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("A search of settings", "search") from error
