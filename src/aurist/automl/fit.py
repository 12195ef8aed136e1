"""Fit a run, plan a fit, and resume one that was stopped."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aurist.automl.planning import plan_of
from aurist.automl.prepare import prepare
from aurist.automl.train import train
from aurist.clips.read import ReadOptions, Source
from aurist.config import FitConfig
from aurist.errors import FullDiskError, RunError
from aurist.files import LOCK, folder_lock
from aurist.folders import check_output, claim
from aurist.metrics import metric
from aurist.plan import Clock, FitPlan, time_limit
from aurist.run import RunFolder, open_run, read_data, training_data

#: What a fit writes in its folder under names that others use, too.
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
) -> RunFolder:
    """Learn to recognise what the labels of some recordings, or of a feature table, say.

    Parameters
    ----------
    source
        A folder of recordings, a table (CSV, TSV, Parquet, ARFF), a DataFrame, or clips such as `read_annotated`
        gives.
    output
        The run folder to make; it must not hold a run yet.
    config
        Metric, preset, time limit, seed ...
    options
        How to read the source: which column is the label, the group, ...
    test
        An unlabelled table that will be predicted; its overlap with the training data is measured, and the
        score to expect on it is stated.
    cache_dir
        Where summary features are stored between runs.
    started
        ``time.monotonic()`` when the time limit began to run; now by default.

    Returns
    -------
    Run
        With `RunFolder.leaderboard`, `RunFolder.scores`, `RunFolder.predictions`.

    Raises
    ------
    DataError, ConfigError
        Where the data or the settings cannot be used.
    RunError
        Where ``output`` holds a run already, or nothing could be fitted in the time.
    """
    began = time.monotonic() if started is None else started
    config = config or FitConfig()
    folder = Path(output)
    if config.metric is not None:
        metric(config.metric)
    _check_free(folder)
    check_output(folder, folder=True)
    with claim(folder), _go_on_with(folder):
        _check_free(folder)  # another command may have made a run meanwhile
        run = prepare(
            source,
            folder,
            config,
            options=options or ReadOptions(),
            test=test,
            cache_dir=cache_dir,
        )
        clock = Clock(began, time_limit(config))
        run.log("prepared", {"used": clock.used()})
        train(run, clock)
    return run


def _check_free(folder: Path) -> None:
    """See that there is no run in a folder yet, and nothing of somebody else's that a run would replace.

    Raises
    ------
    RunError
        Where there is.
    """
    if (folder / "data.json").exists():
        finished = RunFolder(folder).is_finished()
        advice = "" if finished else f"Go on with it: aurist resume {folder}. Or "
        state = "a finished run" if finished else "a run"
        raise RunError(
            f"{folder} holds {state} already. {advice}{'G' if finished else 'g'}ive another folder (output=)."
        )
    theirs = [name for name in REPLACED if (folder / name).exists()]
    if theirs and not (folder / LOCK).exists():
        raise RunError(
            f"{folder} is no run folder, and holds what a run would replace: {', '.join(theirs)}. Give another folder "
            "(output=)."
        )


@contextmanager
def _go_on_with(folder: Path) -> Iterator[None]:
    """Say how to go on after the disk was full or memory ran out."""
    try:
        yield
    except (FullDiskError, MemoryError) as error:
        what, room = (
            (str(error), "room") if isinstance(error, FullDiskError) else ("Memory ran out.", "memory")
        )
        if not (folder / "data.json").exists():
            raise RunError(f"{what} Make {room}, and give the same command again.") from error
        raise RunError(f"{what} Make {room}, and go on with: aurist resume {folder}") from error


def plan_fit(
    source: Source,
    config: FitConfig | None = None,
    *,
    options: ReadOptions | None = None,
    cache_dir: Path | None = None,
) -> FitPlan:
    """What `fit` would do with this data in this time: it reads, checks and listens to the data, and fits nothing.

    Features that it computes are stored, so that `fit` need not compute them again.

    Raises
    ------
    DataError, ConfigError
        As `fit` does.
    """
    began = time.monotonic()
    config = config or FitConfig()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
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
    """Seconds of the limit that were used at an event; 0 where its line of the journal does not say."""
    used = event.get("used")
    return float(used) if isinstance(used, (int, float)) and math.isfinite(used) else 0.0


def resume(folder: Path | str) -> RunFolder:
    """Go on with a run that was killed or interrupted: finished folds are not fitted again.

    Those of a second level are, where the models that it asks are others now.

    The time limit is counted anew, less what had been used when the last model was done.
    """
    run = open_run(Path(folder))
    with folder_lock(run.folder), _go_on_with(run.folder):
        began = time.monotonic() - max(map(_used, run.journal()), default=0.0)
        run.log("resumed", {})
        train(run, Clock(began, time_limit(run.config())))
    return run
