"""A network of an ONNX file, ready to run on one of three engines."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from aurist.errors import RunError
from aurist.extras import is_installed, need_extra
from aurist.models.onnx_networks.mnn_session import MnnSession

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest

Float = npt.NDArray[np.float32]

#: Names of the input and of the outputs of an ONNX file, as `aurist.nets.onnx_file` writes them.
IMAGE, LOGITS, FRAMES = "image", "logits", "frames"
ONNXRUNTIME, OPENVINO, OPENVINO_BF16, MNN = "onnxruntime", "openvino", "openvino-bf16", "mnn"
ENGINES = (ONNXRUNTIME, OPENVINO, OPENVINO_BF16, MNN)


class Session(Protocol):
    """A network, ready to run. Several threads may run it at the same time; each uses one core."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, rows and frames of an image."""
        ...

    def expect(self, windows: int) -> None:
        """Announce a number of windows that will be run. No thread runs it meanwhile."""
        ...

    def run(self, images: Float, *, frames: bool = False) -> Float:
        """Turn (batch, channels, rows, frames) into logits, (batch, n_classes).

        With ``frames``, those of the frames follow those of the image: (batch, 1 + n_frames, n_classes).
        """
        ...


def open_session(path: Path, engine: str, jobs: int) -> Session:
    """Open an ONNX file on an engine.

    Parameters
    ----------
    path
        The file. It cannot refer to other files.
    engine
        One of `ENGINES`.
    jobs
        The number of threads that will run it at the same time.

    Raises
    ------
    MissingExtraError
        If the engine is not installed.
    RunError
        If it is not a network of aurist.
    """
    # bytes: a path would let the file name others, for its weights
    content = path.read_bytes()
    session: Session
    if engine in (OPENVINO, OPENVINO_BF16):
        session = _OpenVino(content, engine == OPENVINO_BF16, jobs)
    else:
        session = _OnnxRuntime(content)
    if len(session.input_shape) != 3:
        raise RunError(f"{path} is not a network of aurist: its input is no batch of images.")
    if engine == MNN:
        if not is_installed("MNN"):
            need_extra("fast", "MNN")
        return MnnSession(content, session, jobs)
    return session


def joined(logits: Float, of_frames: Float | None) -> Float:
    """Put the logits of frames behind those of the image."""
    return logits if of_frames is None else np.concatenate([logits[:, None], of_frames], axis=1)


class _OnnxRuntime:
    def __init__(self, content: bytes) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        # each thread has a whole batch: faster than to split every layer, above all on a busy machine
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(self._session.get_inputs()[0].shape[1:])

    def expect(self, windows: int) -> None:
        """Do nothing: it is ready."""

    def run(self, images: Float, *, frames: bool = False) -> Float:
        outputs = self._session.run([LOGITS, FRAMES] if frames else [LOGITS], {IMAGE: images})
        return joined(outputs[0], outputs[1] if frames else None)


class _OpenVino:
    def __init__(self, content: bytes, half: bool, jobs: int) -> None:
        if not is_installed("openvino"):
            need_extra("fast", "OpenVINO")
        import openvino

        threads = max(1, jobs)
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "NUM_STREAMS": str(threads),
            "INFERENCE_NUM_THREADS": str(threads),
        }
        core = openvino.Core()
        self._compiled: CompiledModel = core.compile_model(core.read_model(content), "CPU", settings)
        self._requests = threading.local()
        # OpenVINO imports numpy here, once, inside a C++ lock: two threads that do so first would wait for ever
        openvino.Type.f32.to_dtype()

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(size.get_length() for size in list(self._compiled.input(IMAGE).partial_shape)[1:])

    def expect(self, windows: int) -> None:
        """Do nothing: it is ready."""

    def run(self, images: Float, *, frames: bool = False) -> Float:
        request: InferRequest | None = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        request.infer({IMAGE: images}, share_inputs=True)
        logits = request.get_tensor(LOGITS).data.copy()
        return joined(logits, request.get_tensor(FRAMES).data.copy() if frames else None)


def has_engine(engine: str) -> bool:
    """Return True if this machine has an engine; only the question for bf16 imports it."""
    if engine == MNN:
        # what it prints can only be dropped where the C library of the process is at hand
        return is_installed("MNN") and os.name == "posix"
    if engine == ONNXRUNTIME or not is_installed("openvino"):
        return engine == ONNXRUNTIME
    if engine == OPENVINO:
        return True
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def other_engines() -> tuple[str, ...]:
    """Return the engines besides ONNX Runtime that this machine has."""
    return tuple(engine for engine in ENGINES if engine != ONNXRUNTIME and has_engine(engine))
