"""All that predictions need, of a run or of an exported model folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurist.ensemble.duplicates import Duplicates
from aurist.ensemble.model import Ensemble
from aurist.features.call_spectra import CallSpectra
from aurist.openset import OpenSet
from aurist.run.call_spectra_file import read_spectra
from aurist.run.description import DESCRIPTION
from aurist.run.duplicates_file import NAME as DUPLICATES
from aurist.run.duplicates_file import read_duplicates
from aurist.run.embedders_file import FeatureNetwork
from aurist.run.ensemble_file import NAME as ENSEMBLE_FILE
from aurist.run.ensemble_file import read_ensemble
from aurist.run.folder import RunFolder
from aurist.run.openset_file import read_open_set
from aurist.run.reading import read_spec
from aurist.run.spec import RunSpec
from aurist.run.thresholds_file import ThresholdsByModel, read_thresholds
from aurist.tables import table_path

#: The file that makes a folder a model folder.
MODEL = "model.json"
#: By class, the precisions that its thresholds reach, ascending: pairs of a precision and a threshold.
PrecisionSteps = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class ModelFiles:
    """All that predictions need, of a run or of an exported model folder.

    Parameters
    ----------
    folder
        The folder.
    remedy
        The next step for the user if files are damaged.
    spec
        The task, the features, the windows.
    ensemble
        The rows of the leaderboard, as rules that combine models.
    thresholds
        By row, the threshold of each class; empty if clips have one label.
    embedders
        Networks that make features of recordings.
    run
        The run, with its training data and out-of-fold predictions; None for a model folder.
    n_folds
        The number of folds of each model; None: count them.
    precisions
        By row, thresholds for a precision, of a model folder with several labels a clip.
    """

    folder: Path
    remedy: str
    spec: RunSpec
    ensemble: Ensemble
    thresholds: ThresholdsByModel
    embedders: tuple[FeatureNetwork, ...]
    run: RunFolder | None = None
    n_folds: int | None = None
    precisions: Mapping[str, PrecisionSteps] | None = None

    @property
    def models(self) -> Path:
        """The folder of the models, with a folder for each."""
        return self.folder / "models"

    def key(self) -> str:
        """Hash the files that predictions depend on."""
        if self.run is None:
            paths = [self.folder / MODEL]
        else:
            paths = [
                self.folder / DESCRIPTION,
                self.folder / ENSEMBLE_FILE,
                self.folder / "predictions.parquet",
            ]
        digest = hashlib.blake2b(digest_size=8)
        for path in paths:
            digest.update(table_path(path).read_bytes())
        return digest.hexdigest()

    def duplicates(self) -> Duplicates:
        """Read the rows of the training data; a model folder may have none."""
        n_classes = len(self.spec.task.classes)
        if self.run is None and not (self.folder / DUPLICATES).exists():
            return Duplicates.none(n_classes)
        return read_duplicates(self.folder, n_classes, self.remedy)

    def open_set(self) -> OpenSet | None:
        """Read how unlike the training clips a clip may be; None in folders of older versions."""
        return read_open_set(self.folder, len(self.spec.schema.columns), self.remedy)

    def call_spectra(self) -> CallSpectra | None:
        """Read in which bands each class calls; None without annotated times, and in folders of older versions."""
        return read_spectra(self.folder, len(self.spec.task.classes), self.remedy)


def files_of_run(run: RunFolder) -> ModelFiles:
    """Read what predictions need of a finished run.

    Raises
    ------
    RunError
        If the run is not finished, or its files are damaged.
    """
    return ModelFiles(
        run.folder,
        run.remedy,
        read_spec(run),
        read_ensemble(run),
        read_thresholds(run),
        tuple(run.embedders()),
        run,
    )
