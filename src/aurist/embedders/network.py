"""Run the networks of embedders, by ONNX Runtime or by TensorFlow Lite."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aurist.embedders.graph import needs_change, one_graph
from aurist.embedders.lite import with_output
from aurist.embedders.spec import EmbedderSpec
from aurist.errors import AuristError, DataError
from aurist.extras import need_extra
from aurist.files import atomic_path, sha256_of
from aurist.folders import default_cache_dir
from aurist.system import without_output

Float = npt.NDArray[np.float32]
#: Windows that an ONNX network gets at once.
_BATCH = 16


class EmbedderError(AuristError):
    """The network of an embedder is missing, is another one, or cannot be run."""


class Network(Protocol):
    """A network that turns windows into vectors. It may be called from several threads."""

    def __call__(self, windows: Float) -> Float:
        """Turn (n, n_samples) into (n, size)."""
        ...


def open_embedder(spec: EmbedderSpec, path: Path) -> tuple[Network, int]:
    """Open the network of an embedder; return it with the count of numbers in its vectors.

    Parameters
    ----------
    spec
        The embedder.
    path
        Its network; see `Available.path`.

    Raises
    ------
    EmbedderError
        If it cannot be opened, or has other inputs and outputs than described.
    MissingExtraError
        If its engine is not installed.
    """
    if spec.file.endswith(".tflite"):
        need_extra("tflite", f"The embedder {spec.name}")
    try:
        network: Network = _Lite(spec, path) if spec.file.endswith(".tflite") else _Onnx(spec, path)
        vectors = network(np.zeros((1, spec.n_samples), np.float32))
    except AuristError:
        raise
    except Exception as error:  # the libraries raise whatever they like
        kind = "a TensorFlow Lite" if spec.file.endswith(".tflite") else "an ONNX"
        raise EmbedderError(
            f"{path} cannot be run as {kind} network with windows of {spec.n_samples:,} samples: {_line(error)}. "
            f"Supported are .onnx and .tflite files that take sound; check the embedder's TOML file, or get "
            "the network again."
        ) from error
    if vectors.ndim != 2 or (spec.size and vectors.shape[1] != spec.size):
        raise EmbedderError(
            f"{path} gives vectors of shape {vectors.shape[1:]}, and {spec.size or 'numbers'} are expected: "
            f"it is another network than {spec.name}, or output names another tensor."
        )
    return network, vectors.shape[1]


def unpacked(path: Path, member: str) -> Path:
    """Unpack an archive into the cache, once; return the path of one of its files.

    Raises
    ------
    EmbedderError
        If it is no archive, or lacks the file.
    """
    folder = default_cache_dir() / "embedders" / sha256_of(path)[:16]
    if not (folder / member).exists():
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    _extract(archive, name, folder)
        except (OSError, zipfile.BadZipFile) as error:
            raise EmbedderError(f"{path} cannot be unpacked: {_line(error)}") from error
    if not (folder / member).is_file():
        raise EmbedderError(f"{path} holds no file {member}.")
    return folder / member


def _extract(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    target = folder / name
    if name.endswith("/") or not target.resolve().is_relative_to(folder.resolve()):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as part:
        part.write_bytes(archive.read(name))


class _Onnx:
    """Runs an ONNX file with ONNX Runtime, one core per call."""

    def __init__(self, spec: EmbedderSpec, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        model = one_graph(spec, path) if needs_change(spec) else str(path)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        given = self._session.get_inputs()[0]
        self._name, shape = given.name, given.shape
        # a fixed batch is filled up; a graph of (n_samples,) takes one window at a time
        self._flat = len(shape) == 1
        self._fixed = not self._flat and isinstance(shape[0], int) and shape[0] > 0
        self._batch = 1 if self._flat else shape[0] if self._fixed else _BATCH
        self._outputs = [self._session.get_outputs()[0].name]

    def __call__(self, windows: Float) -> Float:
        parts = [self._run(windows[i : i + self._batch]) for i in range(0, len(windows), self._batch)]
        return np.concatenate(parts)

    def _run(self, windows: Float) -> Float:
        batch = windows
        if self._flat:
            batch = windows[0]
        elif self._fixed and len(windows) < self._batch:
            batch = np.concatenate(
                [windows, np.zeros((self._batch - len(windows), windows.shape[1]), np.float32)]
            )
        vectors = np.asarray(self._session.run(self._outputs, {self._name: batch})[0], np.float32)
        return vectors.reshape(self._batch if self._fixed else len(windows), -1)[: len(windows)]


class _Lite:
    """Runs a TensorFlow Lite file, one core and one interpreter for each thread, as it is not safe with several."""

    def __init__(self, spec: EmbedderSpec, path: Path) -> None:
        self._spec, self._path = spec, path
        self._content = _with_inner_output(path, spec.output) if spec.output else path.read_bytes()
        self._local = threading.local()

    def __call__(self, windows: Float) -> Float:
        interpreter, source, target = self._opened()
        out = []
        for window in windows:
            interpreter.set_tensor(source, window[None])
            interpreter.invoke()
            out.append(np.array(interpreter.get_tensor(target), np.float32).ravel())
        return np.stack(out)

    def _opened(self) -> tuple[Any, int, int]:
        if not hasattr(self._local, "opened"):
            self._local.opened = self._open()
        opened: tuple[Any, int, int] = self._local.opened
        return opened

    def _open(self) -> tuple[Any, int, int]:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        spec = self._spec
        with without_output(2):
            interpreter = Interpreter(
                model_content=self._content,
                num_threads=1,
                experimental_op_resolver_type=OpResolverType.BUILTIN,
            )
            interpreter.allocate_tensors()  # which names the delegate on standard error
        source = _tensor(interpreter.get_input_details(), spec.input, "input", self._path)
        shape = tuple(int(n) for n in source["shape"])
        if int(np.prod(shape)) != spec.n_samples:
            raise EmbedderError(
                f"{self._path} takes {shape}, and {spec.name} has windows of {spec.n_samples:,} samples "
                f"({spec.seconds:g} s at {spec.sample_rate} Hz)."
            )
        outputs = interpreter.get_output_details()
        target = outputs[0] if spec.output else _tensor(outputs, "", "output", self._path)
        return interpreter, int(source["index"]), int(target["index"])


def _with_inner_output(path: Path, name: str) -> bytes:
    """Read a TensorFlow Lite file; the tensor of this name becomes its first output."""
    from ai_edge_litert.interpreter import Interpreter

    content = path.read_bytes()
    tensors = Interpreter(model_content=content).get_tensor_details()
    return with_output(content, int(_tensor(tensors, name, "output", path)["index"]))


def _tensor(details: list[dict[str, Any]], name: str, key: str, path: Path) -> dict[str, Any]:
    """Choose a tensor by name, or the only one."""
    matching = [tensor for tensor in details if tensor["name"] == name] if name else details
    if len(matching) == 1 or (matching and name):
        return matching[0]
    names = ", ".join(str(tensor["name"]) for tensor in details[-8:])
    if name:
        raise EmbedderError(f"{path} has no tensor {name!r}; there are: {names}.")
    raise EmbedderError(f"{path} has {len(details)} tensors as {key}: {names}. Name one: {key} = ")


def check_vectors(vectors: Float, spec: EmbedderSpec) -> None:
    """Check that all numbers are finite.

    Raises
    ------
    DataError
        If some are not.
    """
    bad = int((~np.isfinite(vectors)).any(axis=1).sum())
    if bad:
        raise DataError(f"{spec.name} gives no numbers (NaN) for {bad} of {len(vectors)} windows of it")


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:200]
