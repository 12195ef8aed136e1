"""The models of a server: the one that it was started with, and those that learnt from verdicts since."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aurist.detection.window_model import WindowModel
from aurist.errors import RunError
from aurist.files import write_json
from aurist.run import ModelFiles, open_model
from aurist.stored import read_json

IMPROVED, RUN = "improved", "run"
_IN_USE = "in_use.json"


@dataclass
class Models:
    """Models by their keys; one of them is in use.

    Parameters
    ----------
    original
        The one that the server was started with.
    state
        The folder of the server.
    cores
        Of a model; 0: as many as its run was fitted with.
    """

    original: ModelFiles
    state: Path
    cores: int = 0
    _by_key: dict[str, ModelFiles] = field(default_factory=dict)
    _window_model: tuple[str, WindowModel] | None = None

    def __post_init__(self) -> None:
        self.original_key = self.original.key()
        self._by_key[self.original_key] = self.original
        self.current, self.key = self.original, self.original_key
        path = self.state / _IN_USE
        if path.exists():
            name = read_json(path, {"improved": str}, f"Remove {path} to use the first model again.")[
                "improved"
            ]
            self.use(self.state / IMPROVED / Path(name).name / RUN)

    def of(self, key: str) -> ModelFiles:
        """Give the model with a key.

        Raises
        ------
        RunError
            If it is gone.
        """
        if key not in self._by_key:
            for folder in sorted((self.state / IMPROVED).glob(f"*/{RUN}")):
                try:
                    files = open_model(folder)
                except RunError:  # not finished
                    continue
                self._by_key[files.key()] = files
        if key not in self._by_key:
            raise RunError(
                f"The model {key}, which these results are of, is gone. Send the recordings again."
            )
        return self._by_key[key]

    def use(self, folder: Path) -> None:
        """Use a model that learnt from verdicts, also after a restart.

        Raises
        ------
        RunError
            If it is not finished.
        """
        files = open_model(folder)
        self.current, self.key = files, files.key()
        self._by_key[self.key] = files
        write_json(self.state / _IN_USE, {"improved": folder.parent.name})

    def use_original(self) -> None:
        """Use the model that the server was started with."""
        self.current, self.key = self.original, self.original_key
        (self.state / _IN_USE).unlink(missing_ok=True)

    def window_model(self, key: str) -> WindowModel:
        """Load the model of windows; the last one is kept."""
        if self._window_model is None or self._window_model[0] != key:
            files = self.of(key)
            self._window_model = key, WindowModel(files, None, self.cores or files.spec.task.jobs)
        return self._window_model[1]
