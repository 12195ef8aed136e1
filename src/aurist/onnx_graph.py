"""Write ONNX graphs step by step; constants and whole other graphs can be inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

#: A value in a graph: its name, or a constant.
Value = str | int | np.generic | npt.NDArray[Any]


class Graph:
    """A graph of ONNX operations, or the body of a loop in one.

    Parameters
    ----------
    outer
        The graph around the body of a loop. A body uses the values of the outer graph by their names.
    prefix
        The first letters of all new names, of a graph that becomes a part of another one.
    """

    def __init__(self, outer: Graph | None = None, prefix: str = "") -> None:
        self._prefix = prefix
        self.nodes: list[NodeProto] = []
        self.root: Graph = outer.root if outer is not None else self
        #: Of the outermost graph: numbers by name.
        self.constants: dict[str, TensorProto] = {}
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._count = 0

    def add(self, kind: str, *inputs: Value, **attributes: Any) -> str:
        """Add an operation, and return the name of its output; ints and arrays become constants."""
        return self.add_many(kind, inputs, 1, **attributes)[0]

    def add_many(self, kind: str, inputs: Sequence[Value], n_outputs: int, **attributes: Any) -> list[str]:
        """Add an operation with several outputs, and return their names."""
        from onnx import helper

        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        outputs = [self.new_name(kind) for _ in range(n_outputs)]
        self.nodes.append(helper.make_node(kind, names, outputs, **attributes))
        return outputs

    def constant(self, value: int | np.generic | npt.NDArray[Any]) -> str:
        """Return the name of a constant; ints are of 64 bits."""
        from onnx import numpy_helper

        array, root = np.asarray(value), self.root
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in root._names:
            root._names[key] = self.new_name("constant")
            root.constants[root._names[key]] = numpy_helper.from_array(array, root._names[key])
        return root._names[key]

    def insert(self, model: ModelProto, inputs: Mapping[str, str], output: str) -> str:
        """Add the operations of another model that lead to one of its outputs; return the name of that output.

        Parameters
        ----------
        model
            The model.
        inputs
            By name of its input, or of an inner tensor, a value of this graph.
        output
            The name of its output.
        """
        prefix = self.new_name("inserted")
        names = dict(inputs) | {"": ""}
        for tensor in model.graph.initializer:
            names[tensor.name] = f"{prefix}/{tensor.name}"
            tensor.name = names[tensor.name]
            self.root.constants[tensor.name] = tensor
        for node in needed_nodes(model, output, set(inputs)):
            names |= {name: f"{prefix}/{name}" for name in node.output if name}
            node.name = f"{prefix}/{node.name}" if node.name else ""
            for field in (node.input, node.output):
                renamed = [names[name] for name in field]
                del field[:]
                field.extend(renamed)
            self.nodes.append(node)
        return names[output]

    def loop(self, count: str, body: Graph, number: str, outputs: Sequence[str]) -> list[str]:
        """Run the body ``count`` times, and return its outputs of all rounds, stacked along a new first axis.

        Parameters
        ----------
        count
            The number of rounds, a scalar.
        body
            The operations of a round.
        number
            The name of the round's number in the body.
        outputs
            Values of the body.
        """
        from onnx import TensorProto, helper

        go_on, still = self.new_name("go_on"), self.new_name("still")
        body.nodes.append(helper.make_node("Identity", [go_on], [still]))
        graph = helper.make_graph(
            body.nodes,
            self.new_name("round"),
            [
                helper.make_tensor_value_info(number, TensorProto.INT64, []),
                helper.make_tensor_value_info(go_on, TensorProto.BOOL, []),
            ],
            [
                helper.make_tensor_value_info(still, TensorProto.BOOL, []),
                *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs),
            ],
        )
        return self.add_many("Loop", [count, np.asarray(True)], len(outputs), body=graph)

    def new_name(self, kind: str) -> str:
        """Return a name that is not used yet."""
        self.root._count += 1
        return f"{self.root._prefix}{kind.lower()}_{self.root._count}"


def needed_nodes(model: ModelProto, output: str, given: set[str]) -> list[NodeProto]:
    """Return the operations that lead from the given tensors to an output, in order."""
    needed, nodes = {output}, []
    for node in reversed(model.graph.node):
        if needed & (set(node.output) - given):
            needed |= _used_by(node)
            nodes.append(node)
    return nodes[::-1]


def _used_by(node: NodeProto) -> set[str]:
    """Return the tensors that an operation uses, also inside of its branches and loops."""
    bodies = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    return set(node.input).union(*(_used_by(inner) for body in bodies for inner in body.node))
