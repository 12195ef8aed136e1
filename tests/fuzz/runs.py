"""Run folders and model folders of features."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.errors import AuristError

from .harness import Target
from .tables import feature_rows

_PLAN_OF_RUN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 5}
[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}
[[member]]
name = "KernelRidge"
engine = "kernel"
"""


def make_run(folder: Path) -> None:
    """Make a small finished run that uses features alone."""
    from aurist.automl.fit import fit
    from aurist.config import FitConfig

    (folder / "own.toml").write_text(_PLAN_OF_RUN)
    table = pd.concat([feature_rows()] * 3, ignore_index=True).drop(columns=["id", "artist"])
    table["tempo"] += np.random.default_rng(1).normal(size=len(table))
    config = FitConfig(plan=str(folder / "own.toml"), folds=2, jobs=1)
    fit(
        table.assign(mode=table["mode"].str.upper()),
        folder / "run",
        config,
        test=table.drop(columns="genre").head(4),
    )
    (folder / "own.toml").unlink()


def read_run(folder: Path) -> object:
    """Read a run as `leaderboard`, `predict`, `report` and `resume` do."""
    from aurist.cli.leaderboard import print_leaderboard
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.inference.predict import predict_clips
    from aurist.inference.thresholds import silent_classes
    from aurist.report import gather
    from aurist.report.cells import confusion_cells
    from aurist.results.pruning import fitted_members
    from aurist.results.reported import decisions, model_predictions
    from aurist.run import files_of_run, open_run, read_audit, read_data, training_data
    from aurist.run.events_file import read_events
    from aurist.stored import stored

    run = open_run(folder / "run")
    new = feature_rows().drop(columns=["id", "artist", "genre"]).head(3)
    wrong: AuristError | None = None

    def board() -> None:
        with stored(run.folder, run.remedy), contextlib.redirect_stdout(io.StringIO()):
            print_leaderboard(run)
            run.pairwise()

    def report() -> None:
        with stored(run.folder, run.remedy):
            data, reported = read_data(run), model_predictions(run, read_data(run), None)
            confusion_cells(reported.clips, reported.truth, reported.proba, decisions(reported))
            gather.left_out(run), gather.class_counts(data), gather.curves(run), gather.importance(run)
            (
                gather.settings(run.config()),
                gather.versions(run),
                read_events(run.folder, run.remedy),
                silent_classes(run, reported.model),
            )

    for part in (
        board,
        report,
        lambda: predict_clips(files_of_run(run), read_clips(new, ReadOptions(), labelled=False)),
        lambda: fitted_members(run, training_data(read_data(run))),
        lambda: (run.plan(), read_audit(run), run.networks(), run.embedders(), run.recipes()),
    ):
        try:
            part()
        except AuristError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return None


def make_model(folder: Path) -> None:
    """Make a model folder, as `export` writes it."""
    from aurist.export.export import export_run
    from aurist.run import open_run

    make_run(folder)
    export_run(open_run(folder / "run"), folder / "model")
    shutil.rmtree(folder / "run")


def read_model(folder: Path) -> object:
    """Read a model folder as `predict` does."""
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.inference.predict import predict_clips
    from aurist.run.model_folder import open_model

    new = feature_rows().drop(columns=["id", "artist", "genre"]).head(3)
    return predict_clips(open_model(folder / "model"), read_clips(new, ReadOptions(), labelled=False))


TARGETS = (
    Target("run folder", make_run, read_run, 0.7, folder=True),
    Target("model folder", make_model, read_model, 0.7, folder=True),
)
