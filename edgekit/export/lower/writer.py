"""Write ops into a traced program, in the place of others."""

from __future__ import annotations

from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec, TensorArgument
from torch.fx import Graph, Node
from torch.fx.node import map_arg

_aten = torch.ops.aten
# Ops that move values about and leave them what they are.
MOVES = {
    "alias", "clone", "contiguous", "detach", "expand", "permute", "repeat", "reshape", "select", "slice",
    "squeeze", "t", "transpose", "unsqueeze", "view", "view_copy", "_unsafe_view",
}  # fmt: skip


class Writer:
    """Writes ops in the place of ``node``."""

    def __init__(self, graph: Graph, node: Node):
        self.graph, self.node = graph, node

    def call(self, op: Any, *args: Any, **kwargs: Any) -> Node:
        """Return a new node, which takes over whence it comes."""
        with self.graph.inserting_before(self.node):
            made = self.graph.call_function(op, args, kwargs)
        made.meta.update({key: value for key, value in self.node.meta.items() if key != "val"})
        values = map_arg(args, lambda arg: arg.meta["val"])
        made.meta["val"] = op(*values, **kwargs)
        return made

    def view(self, x: Node, shape: Any) -> Node:
        return self.call(_aten.view_copy.default, x, [int(side) for side in shape])

    def replace(self, made: Node) -> None:
        self.node.replace_all_uses_with(made)
        self.graph.erase_node(self.node)


class Constants:
    """The values of what depends on no input of ``program``, and new ones."""

    def __init__(self, program: ExportedProgram):
        self._program, self._values = program, dict[Node, Any]()

    def value(self, node: Node) -> Any:
        """Return what a node that reads no input gives."""
        if node not in self._values:
            self._values[node] = self._stored(node) if node.op == "placeholder" else self._made(node)
        return self._values[node]

    def add(self, value: torch.Tensor) -> Node:
        """Return a new node that gives ``value``."""
        program, name = self._program, f"_written_{len(self._program.constants)}"
        first = next(node for node in program.graph.nodes if node.op == "placeholder")
        with program.graph.inserting_before(first):
            made = program.graph.placeholder(name)
        made.meta["val"] = first.meta["val"].fake_mode.from_tensor(value, static_shapes=True)
        spec = InputSpec(InputKind.CONSTANT_TENSOR, TensorArgument(made.name), made.name)
        program.graph_signature.input_specs.insert(0, spec)
        program.constants[made.name] = value
        return made

    def _stored(self, node: Node) -> Any:
        signature, name = self._program.graph_signature, node.name
        for names in (signature.inputs_to_parameters, signature.inputs_to_buffers):
            if name in names:
                where = names[name]
                stored = self._program.state_dict
                return stored[where] if where in stored else self._program.constants[where]
        return self._program.constants[signature.inputs_to_lifted_tensor_constants[name]]

    def _made(self, node: Node) -> Any:
        args, kwargs = map_arg((node.args, node.kwargs), self.value)
        return node.target(*args, **kwargs)


def aten_of(node: Node) -> str:
    """Return the bare name of the op that ``node`` calls, such as ``permute``; empty for other nodes."""
    return getattr(getattr(node.target, "overloadpacket", None), "__name__", "")


def dtype_of(node: Node) -> torch.dtype | None:
    """Return the type of what ``node`` gives; ``None`` where that is no tensor."""
    return getattr(node.meta.get("val"), "dtype", None)


def shape_of(node: Node) -> tuple[int, ...]:
    """Return the shape of what ``node`` gives."""
    return tuple(node.meta["val"].shape)


def computed_nodes(program: ExportedProgram) -> set[Node]:
    """Return the nodes that depend on an input; a quantised weight, say, depends on constants only."""
    inputs = set(program.graph_signature.user_inputs)
    found: set[Node] = set()
    for node in program.graph.nodes:
        if node.name in inputs or not found.isdisjoint(node.all_input_nodes):
            found.add(node)
    return found
