"""Fit a run, plan a fit, and resume one that was stopped."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from aurist.automl.planning import plan_of
from aurist.automl.prepare import prepare
from aurist.automl.train import train
from aurist.automl.warming import workers_for
from aurist.clips.read import ReadOptions, Source
from aurist.cluster import Cluster, connected
from aurist.config import FitConfig
from aurist.errors import FullDiskError, RunError
from aurist.files import LOCK, folder_lock
from aurist.folders import check_output, claim
from aurist.metrics import metric
from aurist.plan import Clock, FitPlan, need_engines, time_limit
from aurist.run import RunFolder, open_run, read_data, training_data
from aurist.run.description import DESCRIPTION

#: Files of a run with names that other programs use, too.
REPLACED = ("config.toml", "plan.toml", "models", "clips.parquet", "features.parquet", "predictions.parquet")


def fit(
    source: Source,
    output: Path | str,
    config: FitConfig | None = None,
    *,
    options: ReadOptions | None = None,
    test: Source | None = None,
    cache_dir: Path | None = None,
    started: float | None = None,
    cluster: str | None = None,
) -> RunFolder:
    """Learn to recognise the labels of recordings or of a feature table.

    Parameters
    ----------
    source
        A folder of recordings, a table (CSV, TSV, Parquet, ARFF), a DataFrame, or clips such as `read_annotated`
        returns.
    output
        The run folder to create; it must not hold a run yet.
    config
        Metric, preset, time limit, seed ...
    options
        Options for reading the source: the column of the label, of the group, ...
    test
        An unlabelled table to predict later. Its overlap with the training data is measured, and the expected
        score on it is stated.
    cache_dir
        Folder for summary features, kept between runs.
    started
        Value of ``time.monotonic()`` at the start of the time limit; now by default.
    cluster
        The address of a Ray cluster that computes the vectors of embedders and fits the folds, see
        `aurist.cluster.connected`. Its machines find ``output``, the recordings, the networks of embedders and
        ``cache_dir`` at the same paths.

    Returns
    -------
    Run
        With `RunFolder.leaderboard`, `RunFolder.scores`, `RunFolder.predictions`.

    Raises
    ------
    DataError, ConfigError
        If the data or the settings cannot be used.
    RunError
        If ``output`` holds a run already, or no model could be fitted in the time.
    ClusterError
        If the cluster cannot be reached.
    """
    began = time.monotonic() if started is None else started
    config = config or FitConfig()
    folder = Path(output)
    if config.metric is not None:
        metric(config.metric)
    need_engines(config)
    _check_free(folder)
    check_output(folder, folder=True)
    warm = workers_for(config) if cluster is None else nullcontext()
    with _at(cluster) as machines, claim(folder), _advise_resume(folder), warm:
        _check_free(folder)  # another command may have created a run meanwhile
        run = prepare(
            source,
            folder,
            config,
            options=options or ReadOptions(),
            test=test,
            cache_dir=cache_dir,
            cluster=machines,
        )
        clock = Clock(began, time_limit(config))
        run.log("prepared", {"used": clock.used()})
        train(run, clock, machines)
    return run


def _at(cluster: str | None) -> AbstractContextManager[Cluster | None]:
    return nullcontext() if cluster is None else connected(cluster)


def _check_free(folder: Path) -> None:
    """Check that a folder holds no run, and no other files that a run would replace.

    Raises
    ------
    RunError
        If it holds a run or such files.
    """
    if (folder / DESCRIPTION).exists():
        finished = RunFolder(folder).is_finished()
        advice = "" if finished else f"Continue it with: aurist resume {folder}. Or "
        state = "a finished run" if finished else "a run"
        raise RunError(
            f"{folder} holds {state} already. {advice}{'G' if finished else 'g'}ive another folder (output=)."
        )
    existing = [name for name in REPLACED if (folder / name).exists()]
    if existing and not (folder / LOCK).exists():
        raise RunError(
            f"{folder} is no run folder, and holds what a run would replace: {', '.join(existing)}. Give another "
            "folder (output=)."
        )


@contextmanager
def _advise_resume(folder: Path) -> Iterator[None]:
    """Advise how to continue if the disk is full or memory runs out."""
    try:
        yield
    except (FullDiskError, MemoryError) as error:
        problem, resource = (
            (str(error), "room") if isinstance(error, FullDiskError) else ("Memory ran out.", "memory")
        )
        if not (folder / DESCRIPTION).exists():
            raise RunError(f"{problem} Make {resource}, and give the same command again.") from error
        raise RunError(f"{problem} Make {resource}, and continue with: aurist resume {folder}") from error


def plan_fit(
    source: Source,
    config: FitConfig | None = None,
    *,
    options: ReadOptions | None = None,
    cache_dir: Path | None = None,
) -> FitPlan:
    """Plan what `fit` would do with this data in this time; the data is read and checked, and nothing is fitted.

    Computed features are stored, and `fit` does not compute them again.

    Raises
    ------
    DataError, ConfigError
        As in `fit`.
    """
    began = time.monotonic()
    config = config or FitConfig()
    need_engines(config)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        run = prepare(
            source,
            folder,
            config,
            options=options or ReadOptions(),
            test=None,
            cache_dir=cache_dir,
        )
        return plan_of(run, training_data(read_data(run)), Clock(began, time_limit(config)))


def _used(event: dict[str, Any]) -> float:
    """Get the seconds of the limit that were used at an event of the journal; 0 if not recorded."""
    used = event.get("used")
    return float(used) if isinstance(used, (int, float)) and math.isfinite(used) else 0.0


def resume(folder: Path | str, *, cluster: str | None = None) -> RunFolder:
    """Continue a run that was killed or interrupted; finished folds are not fitted again.

    Stacked models are refitted if their base models changed.

    The time limit is that of the run, minus the time that was used when the last model was finished. ``cluster`` is as
    in `fit`; a run may begin on a cluster and end without one.
    """
    run = open_run(Path(folder))
    with _at(cluster) as machines, folder_lock(run.folder), _advise_resume(run.folder):
        began = time.monotonic() - max(map(_used, run.journal()), default=0.0)
        run.log("resumed", {})
        train(run, Clock(began, time_limit(run.config())), machines)
    return run
