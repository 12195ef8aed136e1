"""The run folder: all files of a fit, written so that a kill at any moment loses little.

``config.toml  recipes.json  plan.toml  data.json  clips.parquet  features.parquet  level.parquet  folds.parquet
embedders/<name>/  models/<name>/fold<k>/  predictions.parquet  ensemble.json  leaderboard.csv  pairwise.csv
variants.csv  scores.json  audit.json  quarantine.csv  versions.json  journal.jsonl``

Without pyarrow the tables are ``.npz`` files: see `aurist.tables`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.config import FitConfig, read_config, read_toml, write_config
from aurist.errors import RunError
from aurist.features.level import LEVEL
from aurist.features.summary import VERSION
from aurist.files import append_jsonl, read_jsonl, write_json
from aurist.machine import versions
from aurist.models.base import ModelSpec
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.network_member import recipe_of
from aurist.plan import FitPlan, read_plan
from aurist.predictions import COLUMNS, Predictions, from_frame
from aurist.recipes import Recipe, recipe_from
from aurist.records import read_record, write_record
from aurist.run.data import RunData
from aurist.run.description import DESCRIPTION, RunDescription
from aurist.run.embedders_file import FeatureNetwork, read_embedders
from aurist.run.scores_file import RANDOM_SPLIT, SCORES, RandomSplit, RunScores
from aurist.run.shapes import BOARD, BOXES, CONFIG
from aurist.stored import Shape, check_shape, read_frame, read_json, stored
from aurist.tables import table_path, write_table

#: Raised when a run of an older version can no longer be read.
FORMAT = 5
#: Networks that learnt from the ensemble, in the format of a plan.
STUDENTS = "students.toml"


@dataclass(frozen=True)
class RunFolder:
    """A run folder."""

    folder: Path

    @property
    def models(self) -> Path:
        """The folder of the models, with a folder for each."""
        return self.folder / "models"

    def config(self) -> FitConfig:
        """Read the settings of the fit.

        Raises
        ------
        RunError
            If settings that every run has are missing.
        """
        path = self.folder / "config.toml"
        with stored(path, self.remedy):
            check_shape(read_toml(path, "the settings in"), CONFIG)
        return read_config(path)

    @property
    def remedy(self) -> str:
        """The next step for the user if files are damaged."""
        return (
            f"Copy the run again from where it was made, or fit it again into another folder: aurist fit "
            f"DATA -o "
            f"{self.folder}-2"
        )

    def read_json(self, name: str, shape: Shape) -> Any:
        """Read a JSON file of the run, and check its shape.

        Raises
        ------
        RunError
            If it is missing, damaged, or has another shape.
        """
        return read_json(self.folder / name, shape, self.remedy)

    def window(self) -> float | None:
        """Give the window of annotated recordings in seconds; None if the run was fitted on other clips."""
        return self.description().window

    def classes(self) -> list[str]:
        """Give the class names."""
        return list(self.description().classes)

    def description(self) -> RunDescription:
        """Read the description of the data, without its tables."""
        return read_record(self.folder / DESCRIPTION, RunDescription, self.remedy)

    def recipes(self) -> list[Recipe]:
        """Read the recipes of the requested networks, as they were when the fit began."""
        path = self.folder / "recipes.json"
        if not path.exists():
            return []
        with stored(path, self.remedy):
            return [recipe_from(recipe, str(path)) for recipe in self.read_json(path.name, [dict])]

    @property
    def plan_path(self) -> Path:
        """The path of the plan of the fit; the plan may not exist yet."""
        return self.folder / "plan.toml"

    def plan(self) -> FitPlan:
        """Read the plan: the models to fit, in order."""
        return read_plan(self.plan_path)

    def students(self) -> list[ModelSpec]:
        """Read the networks that learnt what the ensemble predicts; they are not in it."""
        path = self.folder / STUDENTS
        return read_plan(path).members if path.exists() else []

    def networks(self) -> list[Recipe]:
        """Give the recipes of the networks of the plan."""
        return [recipe_of(member) for member in self.plan().members if member.engine == NETWORK]

    def is_finished(self) -> bool:
        """Tell if the fit is finished; a killed fit may have a leaderboard already."""
        return any(event.get("event") == "finished" for event in self.journal())

    def embedders(self) -> list[FeatureNetwork]:
        """Read the networks that make features of the recordings."""
        return read_embedders(self.folder, self.remedy)

    def leaderboard(self) -> pd.DataFrame:
        """Read the scores of all models with intervals and times: the ensemble first, then the best first."""
        return read_frame(self.finished("leaderboard.csv"), BOARD, self.remedy)

    def pairwise(self) -> pd.DataFrame:
        """Read the score differences of all pairs of models, with intervals."""
        return read_frame(self.finished("pairwise.csv"), {}, self.remedy)

    def variants(self) -> pd.DataFrame | None:
        """Read the scores of the variants of each network; None without networks."""
        path = self.folder / "variants.csv"
        return read_frame(path, {}, self.remedy) if path.exists() else None

    def scores(self) -> RunScores:
        """Read the score of the run, its score on random folds, and its scores for a test table."""
        return read_record(self.finished(SCORES), RunScores, self.remedy)

    def random_split(self) -> RandomSplit | None:
        """Read the score of a random split; None if it was not compared."""
        path = self.folder / RANDOM_SPLIT
        return read_record(path, RandomSplit, self.remedy) if path.exists() else None

    def predictions(self) -> pd.DataFrame:
        """Read the out-of-fold predictions of all models, in the layout of `Predictions.to_frame`."""
        return read_frame(self.finished("predictions.parquet"), COLUMNS, self.remedy)

    def out_of_fold(self, classes: Sequence[str]) -> dict[str, Predictions]:
        """Give the out-of-fold predictions of each row of the leaderboard."""
        table = self.predictions()
        with stored(self.folder / "predictions.parquet", self.remedy):
            return {
                predictions.model: predictions
                for predictions in from_frame(table[table["part"] == "oof"], classes)
            }

    def finished(self, name: str) -> Path:
        """Give the path of a file that every finished run has.

        Raises
        ------
        RunError
            If it is not there.
        """
        path = self.folder / name
        if not table_path(path).exists():
            raise RunError(
                f"The run in {self.folder} was not finished: there is no {name}. "
                f"Continue with: aurist resume {self.folder}"
            )
        return path

    def log(self, event: str, details: dict[str, Any]) -> None:
        """Add a line to the journal, on the disk before this returns."""
        append_jsonl(
            self.folder / "journal.jsonl",
            {"at": time.strftime("%Y-%m-%dT%H:%M:%S"), "event": event} | details,
        )

    def journal(self) -> list[dict[str, Any]]:
        """Read the events of the journal, without a line that a kill cut short."""
        return read_jsonl(self.folder / "journal.jsonl")


def create_run(folder: Path, config: FitConfig, data: RunData, recipes: Sequence[Recipe] = ()) -> RunFolder:
    """Write a new run folder; ``data.json`` is written last: with it the folder is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("recipes.json", "plan.toml", "test_keys.parquet", "journal.jsonl", BOXES):
        # of an attempt that was killed, perhaps with other settings
        table_path(folder / name).unlink(missing_ok=True)
    write_config(folder / "config.toml", config)
    if recipes:
        write_json(folder / "recipes.json", [recipe.to_dict() for recipe in recipes])
    base = data.clips.table.drop(columns=list(data.clips.features))
    base = base.assign(labels=base["labels"].map(list), absent=base["absent"].map(list))
    folds = pd.DataFrame({"clip_id": base["clip_id"], "group": data.groups, "fold": data.folds})
    for name, table in (("clips", base), ("features", data.features), ("folds", folds)):
        write_table(table, folder / f"{name}.parquet")
    if data.clips.boxes is not None:
        write_table(data.clips.boxes, folder / BOXES)
    if data.level is not None:
        write_table(pd.DataFrame({LEVEL: data.level}), folder / "level.parquet")
    if data.test_keys is not None:
        write_table(pd.DataFrame({"key": data.test_keys}), folder / "test_keys.parquet")
    write_json(folder / "versions.json", versions())
    write_record(folder / DESCRIPTION, _description(data))
    return RunFolder(folder)


def _description(data: RunData) -> RunDescription:
    clips = data.clips
    return RunDescription(
        format=FORMAT,
        classes=tuple(data.task.classes),
        multilabel=data.task.multilabel,
        unannotated=clips.unannotated,
        window=clips.window,
        band=clips.band,
        grouping=None if clips.grouping is None else clips.grouping.to_dict(),
        metric=data.task.metric,
        root=None if clips.root is None else str(clips.root.resolve()),
        schema=data.schema.columns,
        features=VERSION,
        summary=data.summary,
        notes=data.notes,
        cache_dir=None if data.cache_dir is None else str(data.cache_dir.resolve()),
    )


def open_run(folder: Path) -> RunFolder:
    """Open a run folder that `create_run` made.

    Raises
    ------
    RunError
        If there is none, or its version cannot be read.
    """
    path = folder / DESCRIPTION
    if not path.exists():
        problem = "is no run folder" if folder.is_dir() else "does not exist"
        raise RunError(
            f"{folder} {problem}: there is no data.json in it. Make a run with: aurist fit DATA -o {folder}"
        )
    run = RunFolder(folder)
    version = run.read_json(path.name, {"format": (int, float, str)})["format"]
    if version != FORMAT:
        raise RunError(
            f"{folder} was written in format {version}, but this version of aurist reads {FORMAT}. Fit again, into a "
            "new folder: aurist fit DATA -o NEW_FOLDER"
        )
    return run
