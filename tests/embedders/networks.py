"""Small networks as files, made here: ONNX of sound and of spectrograms, and TensorFlow Lite."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE, N_SAMPLES, SIZE = 8000, 4000, 6
Floats = npt.NDArray[np.float32]


def weights(n: int = N_SAMPLES, size: int = SIZE, seed: int = 0) -> Floats:
    """Sines and cosines of a few frequencies, (n, size), with some noise: vectors that tell tones apart."""
    t = np.arange(n) / RATE
    waves = [np.sin(2 * np.pi * hz * t + phase) for hz in (300, 1000, 2500) for phase in (0, np.pi / 2)]
    noise = np.random.default_rng(seed).normal(0, 0.01, (n, size))
    return (np.stack(waves, axis=1)[:, :size] / 100 + noise / 100).astype(np.float32)


def write_onnx(path: Path, *, batch: int | str = "batch", seed: int = 0, divide: bool = False) -> Floats:
    """Write |samples @ weights|, the inner tensor ``hidden``, and its sum, the output ``score``; return the weights.

    ``divide``: divide by the sum, so that silence gives no numbers.
    """
    w = weights(seed=seed)
    nodes = [
        helper.make_node("MatMul", ["samples", "w"], ["product"]),
        helper.make_node("Abs", ["product"], ["positive"]),
        helper.make_node("ReduceSum", ["positive", "axis"], ["score"], keepdims=1),
        helper.make_node("Div" if divide else "Sub", ["positive", "score" if divide else "zero"], ["hidden"]),
        helper.make_node("Identity", ["hidden"], ["last"]),
    ]
    graph = helper.make_graph(
        nodes,
        "ear",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, [batch, N_SAMPLES])],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, [batch, 1]),
            helper.make_tensor_value_info("last", TensorProto.FLOAT, [batch, SIZE]),
        ],
        [
            numpy_helper.from_array(w, "w"),
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        ],
    )
    _save(path, graph)
    return w


def write_spectrogram_onnx(path: Path, shape: tuple[int, int]) -> Floats:
    """Write a network of 8-bit images, (1, 1, *shape), that are rounded again inside; return its weights.

    It takes ``image`` as bytes, turns them into the floats ``levels``, rounds them, and gives their sum over time,
    times the weights.
    """
    w = np.random.default_rng(1).normal(size=(shape[1], SIZE)).astype(np.float32)
    nodes = [
        helper.make_node("DequantizeLinear", ["image", "scale", "point"], ["levels"]),
        helper.make_node("QuantizeLinear", ["levels", "scale", "point"], ["levels_q"]),
        helper.make_node("DequantizeLinear", ["levels_q", "scale", "point"], ["levels_dq"]),
        helper.make_node("ReduceMean", ["levels_dq"], ["bands"], axes=[2], keepdims=0),
        helper.make_node("Reshape", ["bands", "flat"], ["flat_bands"]),
        helper.make_node("QuantizeLinear", ["w", "w_scale", "w_point"], ["w_q"]),
        helper.make_node("DequantizeLinear", ["w_q", "w_scale", "w_point"], ["w_dq"]),
        helper.make_node("MatMul", ["flat_bands", "w_dq"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "eye",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 1, *shape])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, SIZE])],
        [
            numpy_helper.from_array(np.float32(0.1), "scale"),
            numpy_helper.from_array(np.uint8(144), "point"),
            numpy_helper.from_array(np.float32(0.05), "w_scale"),
            numpy_helper.from_array(np.uint8(128), "w_point"),
            numpy_helper.from_array(w, "w"),
            numpy_helper.from_array(np.array([1, -1]), "flat"),
        ],
    )
    _save(path, graph, opset=13)
    return w


def _save(path: Path, graph: onnx.GraphProto, opset: int = 17) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def write_lite(path: Path) -> Floats:
    """Write relu(samples @ weights), the inner tensor ``hidden``, and its relu, the output ``out``; return the weights.

    Source of the layout: TensorFlow Lite's ``schema.fbs``, version 3.
    """
    w = weights()
    builder = flatbuffers.Builder(1 << 20)

    def numbers(values: npt.NDArray[np.int32]) -> int:
        return int(builder.CreateNumpyVector(np.asarray(values, np.int32)))

    def offsets(values: list[int]) -> int:
        builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            builder.PrependUOffsetTRelative(value)
        return int(builder.EndVector())

    def table(slots: int, **fields: tuple[str, int, int]) -> int:
        builder.StartObject(slots)
        for kind, slot, value in fields.values():
            getattr(builder, f"Prepend{kind}Slot")(slot, value, 0)
        return int(builder.EndObject())

    def tensor(name: str, shape: list[int], buffer: int) -> int:
        text, dims = builder.CreateString(name), numbers(np.array(shape))
        return table(
            8,
            shape=("UOffsetTRelative", 0, dims),
            buffer=("Uint32", 2, buffer),
            name=("UOffsetTRelative", 3, text),
        )

    def operator(code: int, inputs: list[int], outputs: list[int], options: int) -> int:
        ins, outs = numbers(np.array(inputs)), numbers(np.array(outputs))
        made = table(1) if options else 0
        return table(
            6,
            code=("Uint32", 0, code),
            inputs=("UOffsetTRelative", 1, ins),
            outputs=("UOffsetTRelative", 2, outs),
            kind=("Uint8", 3, options),
            options=("UOffsetTRelative", 4, made),
        )

    def code(builtin: int) -> int:
        return table(4, old=("Int8", 0, builtin), version=("Int32", 2, 1), new=("Int32", 3, builtin))

    data = builder.CreateNumpyVector(np.frombuffer(np.ascontiguousarray(w.T).tobytes(), np.uint8))
    buffers = offsets([table(1), table(1, data=("UOffsetTRelative", 0, data))])
    tensors = offsets(
        [
            tensor("samples", [1, N_SAMPLES], 0),
            tensor("weights", [SIZE, N_SAMPLES], 1),
            tensor("product", [1, SIZE], 0),
            tensor("hidden", [1, SIZE], 0),
            tensor("out", [1, SIZE], 0),
        ]
    )
    fully_connected, absolute, relu, options = 9, 101, 19, 8
    operators = offsets(
        [operator(0, [0, 1, -1], [2], options), operator(1, [2], [3], 0), operator(2, [3], [4], 0)]
    )
    ins, outs = numbers(np.array([0])), numbers(np.array([4]))
    subgraph = table(
        5,
        tensors=("UOffsetTRelative", 0, tensors),
        inputs=("UOffsetTRelative", 1, ins),
        outputs=("UOffsetTRelative", 2, outs),
        operators=("UOffsetTRelative", 3, operators),
    )
    codes = offsets([code(fully_connected), code(absolute), code(relu)])
    subgraphs = offsets([subgraph])
    builder.Finish(
        table(
            5,
            version=("Uint32", 0, 3),
            codes=("UOffsetTRelative", 1, codes),
            subgraphs=("UOffsetTRelative", 2, subgraphs),
            buffers=("UOffsetTRelative", 4, buffers),
        ),
        b"TFL3",
    )
    path.write_bytes(bytes(builder.Output()))
    return w
