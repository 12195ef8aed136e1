"""Make of any embedder's ONNX file a graph with one input, the sound, and one output, the vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aurist.embedders.spec import EmbedderSpec, FrontSpec
from aurist.errors import ConfigError, short_repr
from aurist.extras import need_extra
from aurist.onnx_graph import Graph, needed_nodes

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

#: Names of the input and the output.
SAMPLES, VECTORS = "aurist/samples", "aurist/vectors"
#: The operations of the front end have this version at least.
_OPSET = 13
_ROUNDING = {"QuantizeLinear", "DequantizeLinear"}


def needs_change(spec: EmbedderSpec) -> bool:
    """Return True if the file of an embedder cannot be used as it is."""
    return spec.front is not None or spec.floats or bool(spec.output)


def one_graph(spec: EmbedderSpec, path: Path) -> bytes:
    """Put the front end before a network, lead an inner tensor out, and leave 8-bit roundings out.

    Parameters
    ----------
    spec
        The embedder.
    path
        Its ONNX file.

    Returns
    -------
    The content of an ONNX file: from `SAMPLES`, (batch, n_samples), to `VECTORS`.

    Raises
    ------
    ConfigError
        If there are no such tensors.
    MissingExtraError
        If onnx is not installed.
    """
    need_extra("embed", f"The embedder {spec.name}")
    import onnx
    from onnx import TensorProto, helper, version_converter

    model = onnx.load(str(path))
    if _opset(model) < _OPSET:
        model = version_converter.convert_version(model, _OPSET)
    if spec.floats:
        _without_rounding(model)
    source, target = _input_of(model, spec), _output_of(model, spec)
    front = Graph(prefix="aurist/")
    value = SAMPLES if spec.front is None else _front(front, spec.front, spec, _rank_of(model, source))
    _make_batch_free(model)
    nodes = needed_nodes(model, target, {source})
    for node in nodes:
        node.input[:] = [value if name == source else name for name in node.input]
    graph = helper.make_graph(
        [*front.nodes, *nodes, helper.make_node("Identity", [target], [VECTORS])],
        spec.name,
        [helper.make_tensor_value_info(SAMPLES, TensorProto.FLOAT, ["batch", spec.n_samples])],
        [helper.make_tensor_value_info(VECTORS, TensorProto.FLOAT, None)],
        [*model.graph.initializer, *front.constants.values()],
    )
    model.graph.CopyFrom(graph)
    return bytes(model.SerializeToString())


def _front(graph: Graph, front: FrontSpec, spec: EmbedderSpec, rank: int) -> str:
    """Add the log-mel front end: the Fourier transform is a convolution with windowed cosines and sines."""
    n_bins = front.n_fft // 2 + 1
    signal = graph.add("Unsqueeze", SAMPLES, np.array([1]))
    both = graph.add("Conv", signal, fourier_filters(front), strides=[front.hop])
    real = graph.add("Slice", both, np.array([0]), np.array([n_bins]), np.array([1]))
    imaginary = graph.add("Slice", both, np.array([n_bins]), np.array([2 * n_bins]), np.array([1]))
    power = graph.add("Add", graph.add("Mul", real, real), graph.add("Mul", imaginary, imaginary))
    if front.power == 1:
        power = graph.add("Sqrt", power)
    bands = graph.add("MatMul", htk_bank(spec.sample_rate, front), power)
    image = graph.add("Log", graph.add("Add", bands, np.float32(front.offset)))
    if front.layout == "tm":
        image = graph.add("Transpose", image, perm=[0, 2, 1])
    return graph.add("Unsqueeze", image, np.array([1])) if rank == 4 else image


def fourier_filters(front: FrontSpec) -> npt.NDArray[np.float32]:
    """Return the windowed cosines and sines of all bins, (2 * n_bins, 1, window)."""
    n = np.arange(front.window)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / front.window)
    angles = 2 * np.pi * np.outer(np.arange(front.n_fft // 2 + 1), n) / front.n_fft
    both = np.concatenate([np.cos(angles), -np.sin(angles)]) * hann
    return both[:, None].astype(np.float32)


def htk_bank(sample_rate: int, front: FrontSpec) -> npt.NDArray[np.float32]:
    """Return the mel bands of AudioSet's networks, (n_mels, n_bins): triangles along mels, peaks of 1.

    Source: `tf.signal.linear_to_mel_weight_matrix`; the mel scale of S. Young et al., "The HTK Book".
    """

    def mel(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return 1127.0 * np.log1p(np.asarray(hz, np.float64) / 700.0)

    bins = mel(np.linspace(0, sample_rate / 2, front.n_fft // 2 + 1))
    edges = np.linspace(mel(front.fmin), mel(front.fmax), front.n_mels + 2)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[:, 0] = 0  # the bin at 0 Hz holds the offset of the recording
    return bank.astype(np.float32)


def _without_rounding(model: ModelProto) -> None:
    """Replace the operations that round to 8 bits by none: the values pass as floats.

    Raises
    ------
    ConfigError
        If weights are stored as integers: their floats are lost.
    """
    from onnx import TensorProto

    floats = {tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT}
    stored = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in _ROUNDING:
            continue
        if node.op_type == "DequantizeLinear" and node.input[0] in stored - floats:
            raise ConfigError(
                f"The weights {node.input[0]} of this network are integers, so floats = true has nothing to restore. "
                "Leave it out."
            )
        del node.input[1:]
        del node.attribute[:]
        node.op_type = "Identity"


def _input_of(model: ModelProto, spec: EmbedderSpec) -> str:
    """Return the tensor that takes the sound or the image."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = {value.name: value for value in model.graph.input if value.name not in constants}
    names = [*inputs, *(name for node in model.graph.node for name in node.output)]
    if not spec.input and len(inputs) != 1:
        raise ConfigError(
            f"{spec.file} has {len(inputs)} inputs: {_some(inputs)}. Name the one for the sound: input = "
        )
    name = spec.input or next(iter(inputs))
    if name not in names:
        raise ConfigError(f"{spec.file} has no tensor {name!r} as input; its inputs are: {_some(inputs)}.")
    return name


def _output_of(model: ModelProto, spec: EmbedderSpec) -> str:
    outputs = [value.name for value in model.graph.output]
    if not spec.output:
        if len(outputs) != 1:
            raise ConfigError(
                f"{spec.file} has {len(outputs)} outputs: {_some(outputs)}. Name the one with the vectors: output = "
            )
        return str(outputs[0])
    inner = [name for node in model.graph.node for name in node.output]
    if spec.output not in inner:
        raise ConfigError(
            f"{spec.file} has no tensor {short_repr(spec.output)}. Its outputs are: {_some(outputs)}; inner tensors "
            f"end with: {_some(inner[-6:])}."
        )
    return spec.output


def _rank_of(model: ModelProto, source: str) -> int:
    values: list[ValueInfoProto] = list(model.graph.input)
    shapes = {value.name: len(value.type.tensor_type.shape.dim) for value in values}
    return shapes.get(source, 4)


def _make_batch_free(model: ModelProto) -> None:
    """Let constant shapes such as (1, -1) keep the size of the batch instead."""
    from onnx import numpy_helper

    shapes = {node.input[1] for node in model.graph.node if node.op_type == "Reshape"}
    for tensor in model.graph.initializer:
        if tensor.name in shapes:
            shape = numpy_helper.to_array(tensor).copy()
            if len(shape) and shape[0] == 1:
                shape[0] = 0  # as the input has it
                tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def _opset(model: ModelProto) -> int:
    return max((opset.version for opset in model.opset_import if opset.domain == ""), default=_OPSET)


def _some(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    return ", ".join(map(repr, listed[:most])) + (" ..." if len(listed) > most else "") or "none"
