"""OpenSoundscape in its own environment, in a process that predicts on request."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

#: Numbers of workers and batches to try.
SETTINGS = [(workers, batch) for workers in (0, 1, 2) for batch in (8, 16, 64)]


class Peer:
    """A process in the peer's environment.

    Parameters
    ----------
    python
        The Python of the environment with OpenSoundscape.
    network
        A TorchScript file, or the weights of a ResNet18 under torchvision's names.
    settings
        The classes, the seconds of a window and of its overlap, the sample rate, the rows and frames of an image.
    log
        File for its messages.
    """

    def __init__(self, python: Path, network: Path, settings: dict[str, Any], log: Path) -> None:
        script = Path(__file__).with_name("_opensoundscape_predict.py")
        self._process = subprocess.Popen(
            [str(python), str(script), str(network), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
            env={**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"},
        )

    def predict(self, file: Path, workers: int, batch: int) -> dict[str, float]:
        return dict(self._ask({"file": str(file), "workers": workers, "batch": batch}))

    def logits(self, images: Path) -> list[list[float]]:
        """Return the logits of images in a file of numpy, without a front end."""
        return list(self._ask({"images": str(images)}))

    def best_setting(self, file: Path) -> tuple[int, int]:
        """Return the workers and the batch that predict a file fastest."""
        took = {setting: self.predict(file, *setting)["seconds"] for setting in SETTINGS}
        return min(took, key=lambda setting: took[setting])

    def close(self) -> None:
        into = self._process.stdin
        assert into is not None
        into.close()
        self._process.wait()

    def _ask(self, task: dict[str, Any]) -> Any:
        into, out = self._process.stdin, self._process.stdout
        assert into is not None and out is not None
        into.write(json.dumps(task) + "\n")
        into.flush()
        return json.loads(out.readline())
