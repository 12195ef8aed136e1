"""Pictures of a run, which a notebook shows and `Picture.save` writes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aurist.api.messages import errors_in_python
from aurist.errors import ConfigError
from aurist.files import atomic_path
from aurist.run import RunFolder


@dataclass(frozen=True)
class Picture:
    """A PNG picture; a notebook shows it.

    Examples
    --------
    >>> import aurist
    >>> aurist.load("run").plot.leaderboard().save("board.png").name
    'board.png'
    """

    png: bytes = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the picture into a file, which is replaced as a whole."""
        with atomic_path(Path(path)) as part:
            part.write_bytes(self.png)
        return Path(path)

    def _repr_png_(self) -> bytes:
        return self.png


@dataclass(frozen=True)
class Plots:
    """The pictures of a run: `aurist.Run.plot`.

    Examples
    --------
    >>> import aurist
    >>> aurist.load("run").plot.confusion()
    Picture()
    """

    _run: RunFolder = field(repr=False)

    def confusion(self, *, model: str | None = None) -> Picture:
        """Draw the confusion matrix of a model on the clips that it was not fitted on.

        Parameters
        ----------
        model
            A row of the leaderboard; None: the ensemble.

        Raises
        ------
        ConfigError
            If clips may have several labels, or the run has no such model.
        """
        from aurist.plots import plot_confusion
        from aurist.results.reported import model_predictions
        from aurist.results.tables import confusion
        from aurist.run import read_data

        with errors_in_python():
            data = read_data(self._run)
            if data.task.multilabel:
                raise ConfigError("Clips of this run may have several labels: there is no confusion matrix.")
            answers = model_predictions(self._run, data, model)
            matrix = confusion(answers.truth, answers.proba)
            return _drawn(lambda path: plot_confusion(matrix, data.task.classes, path))

    def leaderboard(self) -> Picture:
        """Draw the score of each model with its interval."""
        from aurist.plots import plot_leaderboard

        with errors_in_python():
            return _drawn(lambda path: plot_leaderboard(self._run.leaderboard(), path))

    def importance(self, *, model: str | None = None, repeats: int = 5, top: int = 20) -> Picture:
        """Draw by how much the score falls when a feature is shuffled, of the ``top`` features."""
        from aurist.plots import plot_importance
        from aurist.results.importance import permutation_importance

        with errors_in_python():
            table = permutation_importance(self._run, model=model, repeats=repeats)
            return _drawn(lambda path: plot_importance(table.head(top), path))


def _drawn(draw: Callable[[Path], None]) -> Picture:
    with tempfile.TemporaryDirectory(prefix="aurist-") as folder:
        path = Path(folder) / "picture.png"
        draw(path)
        return Picture(path.read_bytes())
