"""The run folder: everything that a fit leaves, written so that a kill at any moment loses little.

``config.toml  recipes.json  plan.toml  data.json  clips.parquet  features.parquet  level.parquet  folds.parquet
embedders/<name>/  models/<name>/fold<k>/  predictions.parquet  ensemble.json  leaderboard.csv  pairwise.csv
variants.csv  scores.json  audit.json  quarantine.csv  versions.json  journal.jsonl``
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.config import FitConfig, read_config, read_toml, write_config
from aurist.errors import RunError
from aurist.features.level import LEVEL
from aurist.features.schema import schema_to_dict
from aurist.features.summary import VERSION
from aurist.files import append_jsonl, atomic_path, read_jsonl, write_json
from aurist.machine import versions
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.network_member import recipe_of
from aurist.plan import FitPlan, read_plan
from aurist.predictions import COLUMNS, Predictions, from_frame
from aurist.recipes import Recipe, recipe_from
from aurist.run.data import RunData
from aurist.run.shapes import BOARD, CONFIG, DATA, SCORES
from aurist.stored import Shape, check_shape, read_frame, read_json, stored

#: Raised when a run of an older version can no longer be read.
FORMAT = 3


@dataclass(frozen=True)
class RunFolder:
    """A run folder."""

    folder: Path

    @property
    def models(self) -> Path:
        """Where the models are, a folder each."""
        return self.folder / "models"

    def config(self) -> FitConfig:
        """The settings of the fit.

        Raises
        ------
        RunError
            Where some that every run has are missing: an empty file would be settings that nobody chose.
        """
        path = self.folder / "config.toml"
        with stored(path, self.remedy):
            check_shape(read_toml(path, "the settings in"), CONFIG)
        return read_config(path)

    @property
    def remedy(self) -> str:
        """The next step where files of it are damaged."""
        return (
            f"Copy the run again from where it was made, or fit it anew into another folder: aurist fit DATA -o "
            f"{self.folder}-2"
        )

    def read_json(self, name: str, shape: Shape) -> Any:
        """A JSON file of the run that has this shape.

        Raises
        ------
        RunError
            Where it is missing, damaged, or holds something else.
        """
        return read_json(self.folder / name, shape, self.remedy)

    def window(self) -> float | None:
        """Seconds of the windows of annotated recordings that it was fitted on; None: it was fitted on other clips."""
        found = self.known().get("window")
        return None if found is None else float(found)

    def classes(self) -> list[str]:
        """What it tells apart."""
        return [str(name) for name in self.known()["classes"]]

    def known(self) -> dict[str, Any]:
        """What ``data.json`` says of the data."""
        return dict(self.read_json("data.json", DATA))

    def recipes(self) -> list[Recipe]:
        """The recipes of the networks that are asked for, as they were when the fit began."""
        path = self.folder / "recipes.json"
        if not path.exists():
            return []
        with stored(path, self.remedy):
            return [recipe_from(one, str(path)) for one in self.read_json(path.name, [dict])]

    @property
    def plan_path(self) -> Path:
        """Where the plan of the fit is, once it is made."""
        return self.folder / "plan.toml"

    def plan(self) -> FitPlan:
        """What is fitted, in which order."""
        return read_plan(self.plan_path)

    def networks(self) -> list[Recipe]:
        """The recipes of the networks of the plan."""
        return [recipe_of(member) for member in self.plan().members if member.engine == NETWORK]

    def audit(self) -> dict[str, Any]:
        """What the audit found."""
        return dict(self.read_json("audit.json", {"content": dict}))

    def is_finished(self) -> bool:
        """Whether the fit came to its end; one that was killed may have a leaderboard already."""
        return any(event.get("event") == "finished" for event in self.journal())

    def embedders(self) -> list[Recipe]:
        """The networks that make features of the recordings."""
        recipes = []
        for path in sorted(self.folder.glob("embedders/*/embedder.json")):
            with stored(path, self.remedy):
                recipes.append(
                    recipe_from(read_json(path, {"recipe": dict}, self.remedy)["recipe"], str(path))
                )
        return recipes

    def leaderboard(self) -> pd.DataFrame:
        """Every model's score with its interval and times: the one that predicts, then the others, best first."""
        return read_frame(self.finished("leaderboard.csv"), BOARD, self.remedy)

    def pairwise(self) -> pd.DataFrame:
        """Every pair of the leaderboard's rows: how much better the first is, with the interval."""
        return read_frame(self.finished("pairwise.csv"), {}, self.remedy)

    def variants(self) -> pd.DataFrame | None:
        """How the ways of each network to answer compare with what its row says; None without networks."""
        path = self.folder / "variants.csv"
        return read_frame(path, {}, self.remedy) if path.exists() else None

    def scores(self) -> dict[str, Any]:
        """The run's own word: its score, and beside it the careless one, and those for a test table."""
        return dict(read_json(self.finished("scores.json"), SCORES, self.remedy))

    def predictions(self) -> pd.DataFrame:
        """The out-of-fold predictions of every model, as `Predictions.to_frame` lays them out."""
        return read_frame(self.finished("predictions.parquet"), COLUMNS, self.remedy)

    def out_of_fold(self, classes: Sequence[str]) -> dict[str, Predictions]:
        """What each row of the leaderboard says of the clips it never learnt from."""
        table = self.predictions()
        with stored(self.folder / "predictions.parquet", self.remedy):
            return {one.model: one for one in from_frame(table[table["part"] == "oof"], classes)}

    def finished(self, name: str) -> Path:
        """Give the path of a file that every finished run has.

        Raises
        ------
        RunError
            If it is not there.
        """
        path = self.folder / name
        if not path.exists():
            raise RunError(
                f"The run in {self.folder} was not finished: there is no {name}. "
                f"Go on with: aurist resume {self.folder}"
            )
        return path

    def log(self, event: str, details: dict[str, Any]) -> None:
        """Add a line to the journal, on the disk before this returns."""
        append_jsonl(
            self.folder / "journal.jsonl",
            {"at": time.strftime("%Y-%m-%dT%H:%M:%S"), "event": event} | details,
        )

    def journal(self) -> list[dict[str, Any]]:
        """The journal's events; a line that a kill cut short is left out."""
        return read_jsonl(self.folder / "journal.jsonl")


def create_run(folder: Path, config: FitConfig, data: RunData, recipes: Sequence[Recipe] = ()) -> RunFolder:
    """Write a new run folder; ``data.json``, written last, says that it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("recipes.json", "plan.toml", "test_keys.parquet", "journal.jsonl"):
        (folder / name).unlink(missing_ok=True)  # of an attempt that was killed, perhaps with other settings
    write_config(folder / "config.toml", config)
    if recipes:
        write_json(folder / "recipes.json", [recipe.to_dict() for recipe in recipes])
    base = data.clips.table.drop(columns=list(data.clips.features))
    base = base.assign(labels=base["labels"].map(list), absent=base["absent"].map(list))
    folds = pd.DataFrame({"clip_id": base["clip_id"], "group": data.groups, "fold": data.folds})
    for name, table in (("clips", base), ("features", data.features), ("folds", folds)):
        with atomic_path(folder / f"{name}.parquet") as part:
            table.to_parquet(part)
    if data.level is not None:
        with atomic_path(folder / "level.parquet") as part:
            pd.DataFrame({LEVEL: data.level}).to_parquet(part)
    if data.test_keys is not None:
        with atomic_path(folder / "test_keys.parquet") as part:
            pd.DataFrame({"key": data.test_keys}).to_parquet(part)
    write_json(folder / "versions.json", versions())
    write_json(
        folder / "data.json",
        {
            "format": FORMAT,
            "classes": list(data.task.classes),
            "multilabel": data.task.multilabel,
            "unannotated": data.clips.unannotated,
            "window": data.clips.window,
            "band": data.clips.band,
            "grouping": None if data.clips.grouping is None else data.clips.grouping.to_dict(),
            "metric": data.task.metric,
            "root": None if data.clips.root is None else str(data.clips.root.resolve()),
            "schema": schema_to_dict(data.schema),
            "features": VERSION,
            "summary": None if data.summary is None else asdict(data.summary),
            "notes": list(data.notes),
            "cache_dir": None if data.cache_dir is None else str(data.cache_dir.resolve()),
        },
    )
    return RunFolder(folder)


def open_run(folder: Path) -> RunFolder:
    """Open a run folder that `create_run` made.

    Raises
    ------
    RunError
        Where there is none, or one of a version that cannot be read.
    """
    path = folder / "data.json"
    if not path.exists():
        what = "is no run folder" if folder.is_dir() else "does not exist"
        raise RunError(
            f"{folder} {what}: there is no data.json in it. Make a run with: aurist fit DATA -o {folder}"
        )
    run = RunFolder(folder)
    found = run.read_json(path.name, {"format": (int, float, str)})["format"]
    if found != FORMAT:
        raise RunError(
            f"{folder} was written in format {found}, but this version of aurist reads {FORMAT}. Fit again, into a new "
            "folder: aurist fit DATA -o NEW_FOLDER"
        )
    return run
