"""Networks on MNN, which computes convolutions of 3 x 3 with less arithmetic: Winograd's minimal filtering."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aurist.errors import RunError
from aurist.system import without_output

if TYPE_CHECKING:
    from aurist.models.onnx_networks.sessions import Session

Float = npt.NDArray[np.float32]

#: With fewer windows in all, to convert the network takes longer than it saves.
WORTH = 200
#: Copies of a network at most; each has its own weights, four times as large for convolutions of 3 x 3.
_MOST_COPIES = 8


class MnnSession:
    """A network on MNN, once it has enough windows to predict; until then on another session.

    Parameters
    ----------
    content
        The ONNX file. The other session has opened it, so it is a network without other files.
    plain
        The same network on another engine.
    jobs
        The number of threads that will run it at the same time.
    """

    def __init__(self, content: bytes, plain: Session, jobs: int) -> None:
        self.input_shape = plain.input_shape
        self._waiting: tuple[bytes, Session] | None = (content, plain)
        self._jobs = max(1, jobs)
        self._done, self._lock = 0, threading.Lock()
        self._copies: SimpleQueue[_Copy] = SimpleQueue()

    def expect(self, windows: int) -> None:
        """Convert the network if these windows and those before are more than `WORTH`.

        Raises
        ------
        RunError
            If MNN cannot run the network.
        """
        if self._waiting is not None and self._done + windows > WORTH:
            self._copies = _copies(self._waiting[0], self._jobs)
            self._waiting = None

    def run(self, images: Float, *, frames: bool = False) -> Float:
        """Return logits: see `aurist.models.onnx_networks.sessions.Session`."""
        if self._waiting is not None:
            with self._lock:
                self._done += len(images)
            return self._waiting[1].run(images, frames=frames)
        copy = self._copies.get()
        try:
            return copy.run(images, frames)
        finally:
            self._copies.put(copy)


class _Copy:
    """A network for one thread at a time. MNN locks a network while it runs, but not the interpreter of Python."""

    def __init__(self, path: Path, threads: int) -> None:
        import MNN

        self._network = MNN.Interpreter(str(path))
        self._session = self._network.createSession({"backend": "CPU", "numThread": threads})
        self._input = self._network.getSessionInput(self._session)
        self._shape: tuple[int, ...] = ()

    def run(self, images: Float, frames: bool) -> Float:
        from aurist.models.onnx_networks.sessions import FRAMES, LOGITS, joined

        if images.shape != self._shape:
            self._network.resizeTensor(self._input, images.shape)
            self._network.resizeSession(self._session)
            self._shape = images.shape
        self._input.copyFrom(_tensor(np.ascontiguousarray(images)))
        self._network.runSession(self._session)
        return joined(self._output(LOGITS), self._output(FRAMES) if frames else None)

    def _output(self, name: str) -> Float:
        output = self._network.getSessionOutput(self._session, name)
        tensor = _tensor(np.empty(output.getShape(), dtype=np.float32))
        output.copyToHostTensor(tensor)
        return np.array(tensor.getNumpyData(), dtype=np.float32)


def _tensor(array: Float) -> Any:
    import MNN

    return MNN.Tensor(array.shape, MNN.Halide_Type_Float, array, MNN.Tensor_DimensionType_Caffe)


def _copies(content: bytes, jobs: int) -> SimpleQueue[_Copy]:
    """Convert a network, and open it for each thread."""
    count = min(jobs, _MOST_COPIES)
    copies: SimpleQueue[_Copy] = SimpleQueue()
    with TemporaryDirectory() as folder, without_output(1):
        from _tools import mnnconvert  # MNN's own module, without the report of the command to its makers

        onnx, converted = Path(folder) / "network.onnx", Path(folder) / "network.mnn"
        onnx.write_bytes(content)
        given = ["--modelFile", str(onnx), "--MNNModel", str(converted), "--bizCode", "aurist"]
        mnnconvert(["", "-f", "ONNX", *given])
        if not converted.exists():
            raise RunError("MNN cannot run this network.")
        for _ in range(count):
            copies.put(_Copy(converted, -(-jobs // count)))
    return copies
