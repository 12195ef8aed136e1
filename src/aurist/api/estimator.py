"""aurist as a scikit-learn classifier."""

from __future__ import annotations

import io
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from aurist.api.fitting import fit
from aurist.api.inputs import samples_of, write_waves
from aurist.api.run import Run
from aurist.clips import Clips, make_clips
from aurist.errors import DataError, listing, plural


class AudioClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of recordings, waveforms or features, for scikit-learn's pipelines and searches.

    Parameters
    ----------
    time_limit
        Wall time of a fit in seconds, or as text such as "10m"; None: by preset.
    preset
        "instant", "quick", "good" or "best".
    metric
        Score to maximise; None: accuracy.
    plan
        A plan to follow to its end instead, as a TOML file; it has no time limit.
    engine, recipes, folds
        As in `aurist.fit`.
    sample_rate
        Of waveforms, in Hz; None: ``X`` is a matrix of features, or a list of paths.
    seed
        Of folds and models.
    jobs
        Cores to use; 0: all.
    folder
        The run folder to make; None: a temporary one, which is removed with the run.

    Attributes
    ----------
    classes_ : (n_classes,)
        The labels, sorted.
    run_ : Run
        With its leaderboard, score and report.

    Examples
    --------
    >>> import aurist, numpy as np
    >>> X, y = np.arange(40.0).reshape(-1, 1), np.repeat(["low", "high"], 20)
    >>> aurist.AudioClassifier(plan="plan.toml").fit(X, y).predict([[3.5], [36.5]]).tolist()
    ['low', 'high']
    """

    def __init__(
        self,
        *,
        time_limit: float | str | None = None,
        preset: str = "good",
        metric: str | None = None,
        plan: str | Path | None = None,
        engine: str = "auto",
        recipes: Sequence[str | Path] = (),
        folds: int | None = None,
        sample_rate: int | None = None,
        seed: int = 0,
        jobs: int = 0,
        folder: str | Path | None = None,
    ) -> None:
        self.time_limit = time_limit
        self.preset = preset
        self.metric = metric
        self.plan = plan
        self.engine = engine
        self.recipes = recipes
        self.folds = folds
        self.sample_rate = sample_rate
        self.seed = seed
        self.jobs = jobs
        self.folder = folder

    def fit(self, X: Any, y: Any, groups: Sequence[Any] | None = None) -> AudioClassifier:
        """Fit a run.

        Parameters
        ----------
        X
            n paths of recordings, (n, n_samples) waveforms with a ``sample_rate``, or (n, n_features).
        y : (n,)
            The labels.
        groups : (n,)
            Groups that must not be divided between folds (recording, artist, site); None: each row is a group.

        Raises
        ------
        ValueError
            If the data cannot be used; `aurist.DataError` is one.
        """
        if _are_paths(X):
            check_consistent_length(X, y, groups)
            y = column_or_1d(y, warn=True)
        elif isinstance(X, pd.DataFrame) and self.sample_rate is None:
            validate_data(self, X, skip_check_array=True)
            check_consistent_length(X, y, groups)
            y = column_or_1d(y, warn=True)
        else:
            X, y = validate_data(self, X, y, **self._array())
            check_consistent_length(X, groups)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        names = [str(name) for name in self.classes_]
        labels = [(names[code],) for code in codes]
        parent = Path(tempfile.mkdtemp(prefix="aurist-"))
        try:
            clips = self._clips(X, parent / "sounds", labels, groups)
            self.run_ = fit(
                clips,
                parent / "run" if self.folder is None else self.folder,
                metric=self.metric,
                preset=self.preset,
                time_limit=self.time_limit,
                plan=self.plan,
                engine=self.engine,
                recipes=self.recipes,
                folds=self.folds,
                seed=self.seed,
                jobs=self.jobs,
            )
        except BaseException:
            shutil.rmtree(parent, ignore_errors=True)
            raise
        weakref.finalize(self.run_, shutil.rmtree, parent, ignore_errors=True)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Predict the probability of each class, (n, n_classes).

        Raises
        ------
        ValueError
            If some rows cannot be used, such as files that cannot be read: all of them are named.
        """
        check_is_fitted(self)
        if isinstance(X, pd.DataFrame) and self.sample_rate is None:
            validate_data(self, X, reset=False, skip_check_array=True)
        elif not _are_paths(X):
            X = validate_data(self, X, reset=False, **self._array())
        with tempfile.TemporaryDirectory(prefix="aurist-") as folder:
            clips = self._clips(X, Path(folder) / "sounds", [()] * len(X), None)
            proba = self.run_.predict_proba(clips)
        unusable = np.flatnonzero(proba.isna().any(axis=1))
        if len(unusable):
            rows = [f"row {row}: {proba.index[int(row)]}" for row in unusable]
            raise DataError(f"{plural(len(rows), 'row')} of X cannot be predicted:\n{listing(rows)}")
        return proba[[str(name) for name in self.classes_]].to_numpy()

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict the most probable class of each row, (n,)."""
        proba = self.predict_proba(X)  # first, so that an unfitted classifier says so
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _array(self) -> dict[str, Any]:
        """Settings of scikit-learn's check of an array; only features may have gaps."""
        return {"dtype": "numeric", "ensure_all_finite": "allow-nan" if self.sample_rate is None else True}

    def _clips(self, X: Any, folder: Path, labels: Any, groups: Sequence[Any] | None) -> Clips:
        names = None if groups is None else [str(group) for group in groups]
        if _are_paths(X):
            return make_clips(labels, paths=[str(path) for path in X], groups=names)
        if self.sample_rate is None:
            table = pd.DataFrame(X)
            table.columns = [
                name if isinstance(name, str) else f"feature {name}" for name in table.columns.tolist()
            ]
            return make_clips(labels, features=table, groups=names)
        folder.mkdir(parents=True)
        waves = samples_of(np.asarray(X), self.sample_rate)
        return make_clips(labels, paths=write_waves(waves, self.sample_rate, folder), groups=names)

    def __getstate__(self) -> dict[str, Any]:
        """Take the run folder along, so that a pickled classifier can be used anywhere."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "run_" in state:
            state["run_"] = _packed(state["run_"].folder)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpack the run into a temporary folder."""
        packed = state.pop("run_", None)
        super().__setstate__(state)
        if packed is not None:
            parent = Path(tempfile.mkdtemp(prefix="aurist-"))
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                archive.extractall(parent / "run")
            self.run_ = Run(parent / "run")
            weakref.finalize(self.run_, shutil.rmtree, parent, ignore_errors=True)

    def __sklearn_tags__(self) -> Any:
        """State that features may have gaps."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _are_paths(X: Any) -> bool:
    """Tell a list of paths from an array."""
    if isinstance(X, pd.DataFrame) or not hasattr(X, "__len__") or getattr(X, "ndim", 1) != 1:
        return False
    return len(X) > 0 and all(isinstance(path, str | Path) for path in X)


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return buffer.getvalue()
