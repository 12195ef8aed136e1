"""Cut a batch of clips into windows in an ONNX graph, exactly as `aurist.models.sound.Sound` does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aurist.models.sound import AUDIBLE_SHARE, BLOCKS, SILENCE, TAIL
from aurist.onnx_graph import Graph
from aurist.recipes import Window


@dataclass(frozen=True)
class Cut:
    """Names of values that describe the windows of a batch of clips.

    Parameters
    ----------
    wave
        (batch, samples): the clips, made at least as long as a window.
    count
        The number of windows of each clip; clips of a batch are equally long.
    last
        The first sample of the last window.
    first
        The first sample of the only window of a short clip; with more windows it is 0.
    used
        (count, batch, 1), float64: 1 for windows that are used, 0 for silent ones.
    """

    wave: str
    count: str
    last: str
    first: str
    used: str


def clean(graph: Graph, waveform: str) -> str:
    """Replace samples that are not finite by zeros, and make empty clips one sample long."""
    bad = graph.add("Or", graph.add("IsNaN", waveform), graph.add("IsInf", waveform))
    finite = graph.add("Where", bad, np.float32(0), waveform)
    missing = graph.add("Max", graph.add("Sub", 1, _length(graph, finite)), 0)
    return _padded(graph, finite, missing)


def cut(graph: Graph, wave: str, window: Window, n_samples: int, sample_rate: int) -> Cut:
    """Describe the windows of a batch of clips.

    Parameters
    ----------
    graph
        The graph.
    wave
        (batch, samples): the result of `clean`.
    window, n_samples, sample_rate
        The setting of the windows, their length, and the sample rate.
    """
    length = _length(graph, wave)
    hop = max(1, n_samples // 2 if window.hop is None else round(window.hop * sample_rate))
    last = graph.add("Max", graph.add("Sub", length, n_samples), 0)
    on_grid = graph.add("Div", last, hop)
    remainder = graph.add("Sub", last, graph.add("Mul", on_grid, hop))
    moved = graph.add("Cast", graph.add("Greater", remainder, 0), to=_int64())
    several = graph.add("Add", graph.add("Add", on_grid, moved), 1)
    short = graph.add("LessOrEqual", length, math.floor((1 + TAIL) * n_samples))
    count = graph.add("Where", short, 1, several)
    first = graph.constant(0)
    if window.place == "centre":
        middle = graph.add("Sub", graph.add("Div", length, 2), n_samples // 2)
        first = graph.add("Where", short, graph.add("Min", graph.add("Max", middle, 0), last), 0)
    used = _used(graph, wave, window, n_samples, sample_rate, count, hop, last)
    return Cut(_filled(graph, wave, length, window, n_samples), count, last, first, used)


def window_of(body: Graph, cuts: Cut, number: str, window: Window, n_samples: int, sample_rate: int) -> str:
    """Return a window of all clips, (batch, n_samples), by its number."""
    hop = max(1, n_samples // 2 if window.hop is None else round(window.hop * sample_rate))
    start = body.add("Add", cuts.first, body.add("Min", body.add("Mul", number, hop), cuts.last))
    start = body.add("Reshape", start, np.array([1]))
    return body.add("Slice", cuts.wave, start, body.add("Add", start, np.array([n_samples])), np.array([1]))


def _filled(graph: Graph, wave: str, length: str, window: Window, n_samples: int) -> str:
    """Make clips as long as a window, by zeros or by repeating them."""
    if window.pad == "repeat":
        longer = graph.add("Max", length, n_samples)
        index = graph.add("Mod", graph.add("Range", 0, longer, 1), length)
        return graph.add("Gather", wave, index, axis=1)
    return _padded(graph, wave, graph.add("Max", graph.add("Sub", n_samples, length), 0))


def _used(
    graph: Graph,
    wave: str,
    window: Window,
    n_samples: int,
    sample_rate: int,
    count: str,
    hop: int,
    last: str,
) -> str:
    """Return 1 for each window that is used, 0 for each silent one, (count, batch, 1); never 0 for all of a clip."""
    batch = graph.add("Gather", graph.add("Shape", wave), 0)
    shape = graph.add("Concat", _vector(graph, count), _vector(graph, batch), np.array([1]), axis=0)
    ones = graph.add("Expand", np.float64(1), shape)
    if not window.skip_silence:
        return ones
    block = max(1, sample_rate // BLOCKS)
    length = _length(graph, wave)
    filled = graph.add("Mod", graph.add("Sub", block, graph.add("Mod", length, block)), block)
    magnitude = graph.add("Abs", _padded(graph, wave, filled))
    n_blocks = graph.add("Div", graph.add("Add", length, block - 1), block)
    blocks = graph.add("Concat", _vector(graph, batch), _vector(graph, n_blocks), np.array([block]), axis=0)
    loudest = graph.add("ReduceMax", graph.add("Reshape", magnitude, blocks), axes=[2], keepdims=0)
    limit = graph.add("Mul", graph.add("ReduceMax", loudest, axes=[1]), np.float32(SILENCE))
    audible = graph.add("Cast", graph.add("Greater", loudest, limit), to=_int64())
    counted = graph.add("CumSum", graph.add("Pad", audible, np.array([0, 1, 0, 0])), 1)

    numbers = graph.add("Range", 0, count, 1)
    starts = graph.add("Min", graph.add("Mul", numbers, hop), last)
    begin = graph.add("Min", graph.add("Div", starts, block), n_blocks)
    end = graph.add("Min", graph.add("Div", graph.add("Add", starts, n_samples), block), n_blocks)
    of_window = graph.add(
        "Sub", graph.add("Gather", counted, end, axis=1), graph.add("Gather", counted, begin, axis=1)
    )
    enough = math.ceil(AUDIBLE_SHARE * n_samples / block)
    kept = graph.add("Cast", graph.add("GreaterOrEqual", of_window, enough), to=_float64())
    kept = graph.add("Unsqueeze", graph.add("Transpose", kept, perm=[1, 0]), np.array([2]))
    any_kept = graph.add("Greater", graph.add("ReduceMax", kept, axes=[0]), np.float64(0))
    return graph.add("Where", any_kept, kept, ones)


def _padded(graph: Graph, wave: str, n_zeros: str) -> str:
    """Append zeros to (batch, samples)."""
    pads = graph.add("Concat", np.array([0, 0, 0]), _vector(graph, n_zeros), axis=0)
    return graph.add("Pad", wave, pads)


def _length(graph: Graph, wave: str) -> str:
    return graph.add("Gather", graph.add("Shape", wave), 1)


def _vector(graph: Graph, scalar: str) -> str:
    return graph.add("Reshape", scalar, np.array([1]))


def _int64() -> int:
    from onnx import TensorProto

    return int(TensorProto.INT64)


def _float64() -> int:
    from onnx import TensorProto

    return int(TensorProto.DOUBLE)
