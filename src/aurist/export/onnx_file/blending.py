"""Turn the logits of windows into the probabilities of clips in an ONNX graph, in double precision as aurist does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aurist.calibration import LEAST
from aurist.ensemble.model import PriorCorrection
from aurist.onnx_graph import Graph
from aurist.pooling import STRONGEST

#: A logit that makes a probability exactly 0.
_NEVER = -1e30


def probabilities(
    graph: Graph, logits: str, n_classes: int, unseen: Sequence[int], *, multilabel: bool
) -> str:
    """Turn logits, (..., n_classes), into probabilities: `aurist.models.network_model.to_proba`."""
    from onnx import TensorProto

    x = graph.add("Cast", logits, to=TensorProto.DOUBLE)
    if unseen:
        added = np.zeros(n_classes)
        added[list(unseen)] = _NEVER
        x = graph.add("Add", x, added)
    return graph.add("Sigmoid", x) if multilabel else graph.add("Softmax", x, axis=-1)


def mean_of(graph: Graph, values: Sequence[str]) -> str:
    """Average values of one shape."""
    total = values[0]
    for value in values[1:]:
        total = graph.add("Add", total, value)
    return total if len(values) == 1 else graph.add("Div", total, np.float64(len(values)))


def pool(graph: Graph, proba: str, used: str, how: str, n_classes: int, *, multilabel: bool) -> str:
    """Pool windows to clips: `aurist.pooling.pool`.

    Parameters
    ----------
    proba
        (n_windows, batch, n_classes).
    used
        (n_windows, batch, 1): 1 for windows that are used, else 0.
    how, multilabel
        As there.
    n_classes
        The number of classes.

    Returns
    -------
    (batch, n_classes)
    """
    count = graph.add("ReduceSum", used, np.array([0]), keepdims=0)
    if how == "vote":
        return graph.add("Div", _used_sum(graph, _votes(graph, proba, n_classes, multilabel), used), count)
    if how == "mean":
        pooled = graph.add("Div", _used_sum(graph, proba, used), count)
    else:
        most = 1 if how == "max" else STRONGEST
        pooled = _mean_of_highest(graph, proba, used, count, most)
    return pooled if multilabel else _with_sum_1(graph, pooled, 1e-300)


def with_temperature(graph: Graph, proba: str, temperature: float, *, multilabel: bool) -> str:
    """Divide the logits by a temperature: `aurist.calibration.apply_temperature`."""
    if temperature == 1:
        return proba
    logs = _log(graph, proba)
    divisor = np.float64(temperature)
    if multilabel:
        logit = graph.add("Sub", logs, _log(graph, graph.add("Sub", np.float64(1), proba)))
        return graph.add("Sigmoid", graph.add("Div", logit, divisor))
    moved = graph.add("Sub", logs, graph.add("ReduceMax", logs, axes=[1]))
    odds = graph.add("Exp", graph.add("Div", moved, divisor))
    is_possible = graph.add("Greater", proba, np.float64(0))
    return _with_sum_1(graph, graph.add("Where", is_possible, odds, np.float64(0)))


def weighted_sum(graph: Graph, probas: Sequence[str], weights: Sequence[float]) -> str:
    """Blend probabilities: `aurist.ensemble.blend.blend`."""
    total = graph.add("Mul", probas[0], np.float64(weights[0]))
    for proba, weight in zip(probas[1:], weights[1:], strict=True):
        total = graph.add("Add", total, graph.add("Mul", proba, np.float64(weight)))
    return total


def with_prior_correction(graph: Graph, proba: str, correction: PriorCorrection) -> str:
    """Raise rare classes: `aurist.ensemble.prior_correction.correct_prior`."""
    if correction.power == 0:
        return proba
    divisor = np.maximum(correction.prior, 1e-9) ** correction.power
    return _with_sum_1(graph, graph.add("Div", proba, divisor))


def _votes(graph: Graph, proba: str, n_classes: int, multilabel: bool) -> str:
    from onnx import TensorProto

    if multilabel:
        votes = graph.add("GreaterOrEqual", proba, np.float64(0.5))
    else:
        votes = graph.add("Equal", graph.add("ArgMax", proba, axis=2), np.arange(n_classes))
    return graph.add("Cast", votes, to=TensorProto.DOUBLE)


def _used_sum(graph: Graph, values: str, used: str) -> str:
    return graph.add("ReduceSum", graph.add("Mul", values, used), np.array([0]), keepdims=0)


def _mean_of_highest(graph: Graph, proba: str, used: str, count: str, most: int) -> str:
    """Average the ``most`` highest used windows of each class, or all if there are fewer."""
    candidates = graph.add("Where", graph.add("Greater", used, np.float64(0)), proba, np.float64(-1))
    n_windows = graph.add("Gather", graph.add("Shape", proba), np.array([0]))
    k = graph.add("Min", n_windows, np.array([most]))
    highest, _ = graph.add_many("TopK", [candidates, k], 2, axis=0)
    total = graph.add("ReduceSum", graph.add("Max", highest, np.float64(0)), np.array([0]), keepdims=0)
    return graph.add("Div", total, graph.add("Min", count, np.float64(most)))


def _log(graph: Graph, proba: str) -> str:
    return graph.add("Log", graph.add("Max", proba, np.float64(LEAST)))


def _with_sum_1(graph: Graph, proba: str, least: float = 0.0) -> str:
    total = graph.add("ReduceSum", proba, np.array([1]))
    return graph.add("Div", proba, graph.add("Max", total, np.float64(least)) if least else total)
