"""The float ``.tflite`` file to quantise: which module each op comes from, and how to change it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.export.quantize.plan import QuantizationPlan, is_below
from edgekit.export.tflite_bytes import builtin_code
from runtime.engines.tflite_names import NameOf
from runtime.extras import require

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
HARD_SWISH = "HARD_SWISH"
SPELT = ("ADD", "MUL")  # what it is written with where it is int8


class FloatFile:
    """The main graph of a float file, its ops with the modules they come from."""

    def __init__(self, data: bytes, model: nn.Module, name_of: NameOf):
        self._tools = require("ai_edge_litert.tools.flatbuffer_utils", extra="litert-export")
        self._schema = require("ai_edge_litert.schema_py_generated", extra="litert-export")
        self._model = self._tools.read_model_from_bytearray(bytearray(data))
        self._graph = self._model.subgraphs[0]
        self._name_of = name_of
        self._modules = dict(model.named_modules())
        self._layers = {
            _content(layout(module.weight)): path
            for path, module in model.named_modules()
            if isinstance(module, (nn.Conv2d, nn.Linear))
            for layout in _layouts(module)
        }
        self.ops = list(self._ops())  # before any weight changes: weights tell where an op comes from

    def _ops(self) -> Iterator[tuple[str, list[str], str | None, Any]]:
        """Yield name, output tensors, module path and the op itself."""
        for op in self._graph.operators:
            name = self._tools.opcode_to_name(self._model, op.opcodeIndex)
            outputs = [self._graph.tensors[i].name.decode() for i in op.outputs]
            # The last op's output has the graph's name, not the module's; its weights tell.
            path = self._layers.get(self._constant(op.inputs[1])) if name in WEIGHTED else None
            if path is None:
                found = (self._name_of(output, name in WEIGHTED) for output in outputs)
                path = next((one for one in found if one is not None), None)
            yield name, outputs, path, op

    def is_output(self, op: Any) -> bool:
        """Return whether the graph returns what ``op`` makes."""
        return not set(op.outputs).isdisjoint(self._graph.outputs)

    def put_weights(self, rounded: nn.Module, plan: QuantizationPlan) -> None:
        """Replace the weights of what is quantised by those of ``rounded``, and correct the biases as there.

        Converting ``rounded`` instead would take as long as the first conversion did. A bias in the
        file is more than its module's: the converter folds what the model adds behind the layer into it.
        Where it folds a factor into the weights they stay as they are, for the quantiser to round; such
        layers of ``rounded`` get their exact weights back, so that file and model are the same.
        """
        modules = dict(rounded.named_modules())
        changed = {
            path
            for name, _, path, op in self.ops
            if name in WEIGHTED and self._layers.get(self._constant(op.inputs[1])) != path
        }
        changes = [
            (op, self._modules[path], modules[path])
            for name, _, path, op in self.ops
            if name in WEIGHTED and path is not None and not plan.is_float(path)
            if path not in changed
        ]
        put = {id(layer) for _, _, layer in changes}
        for path, layer in modules.items():
            if isinstance(layer, (nn.Conv2d, nn.Linear)) and id(layer) not in put:
                layer.load_state_dict(self._modules[path].state_dict())
        for op, exact, layer in changes:
            shape = tuple(self._graph.tensors[op.inputs[1]].shape)
            (array, *_) = [a for layout in _layouts(layer) if (a := layout(layer.weight)).shape == shape]
            self._put(op, 1, array)
            if layer.bias is not None and not torch.equal(layer.bias, exact.bias):
                correction = (layer.bias - exact.bias).detach().numpy()
                self._put(op, 2, self._bias(op) + correction)

    def spell_out_hard_swish(self, plan: QuantizationPlan, whole: Collection[str | None]) -> None:
        """Write x relu6(x + 3) / 6 where it will be int8: XNNPACK has hard swish for floats only.

        Args:
            plan: says what stays float.
            whole: paths of modules whose hard swish stays float, too; with ``None`` every one does.
        """
        schema = self._schema
        for name, _, path, op in self.ops:
            if name != HARD_SWISH or path is None or path in whole or None in whole:
                continue
            if plan.is_float(path) or is_below(path, plan.heads):
                continue
            (x,), (y,) = op.inputs, op.outputs
            gate, product = self._like(y, "gate"), self._like(y, "product")
            relu6 = schema.ActivationFunctionType.RELU6
            spelt = [
                self._binary("ADD", (x, self._scalar(3.0, y)), gate, relu6),
                self._binary("MUL", (x, gate), product),
                self._binary("MUL", (product, self._scalar(1 / 6, y)), y),
            ]
            place = next(i for i, other in enumerate(self._graph.operators) if other is op)
            self._graph.operators[place : place + 1] = spelt

    def _binary(self, name: str, inputs: tuple[int, int], output: int, activation: int = 0) -> Any:
        """Return a new op, ``ADD`` or ``MUL``."""
        schema, word = self._schema, name.capitalize()
        op = schema.OperatorT()
        op.opcodeIndex = builtin_code(self._model, schema, name)
        op.inputs, op.outputs = list(inputs), [output]
        op.builtinOptionsType = getattr(schema.BuiltinOptions, f"{word}Options")
        op.builtinOptions = getattr(schema, f"{word}OptionsT")()
        op.builtinOptions.fusedActivationFunction = activation
        return op

    def _like(self, index: int, suffix: str, shape: tuple[int, ...] | None = None) -> int:
        """Add a float tensor named after another one, of its shape or ``shape``; return its index."""
        tensor, other = self._schema.TensorT(), self._graph.tensors[index]
        tensor.name = other.name + f";{suffix}{len(self._graph.tensors)}".encode()
        tensor.type = other.type
        tensor.shape = other.shape if shape is None else np.array(shape, np.int32)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _fill(self, index: int, array: np.ndarray) -> None:
        """Make ``array`` the constant that tensor ``index`` holds."""
        tensor = self._graph.tensors[index]
        if not tensor.buffer or sum(other.buffer == tensor.buffer for other in self._graph.tensors) > 1:
            self._model.buffers.append(self._schema.BufferT())  # number 0 is that of tensors without one
            tensor.buffer = len(self._model.buffers) - 1
        raw = np.ascontiguousarray(array, dtype=np.float32).tobytes()
        self._model.buffers[tensor.buffer].data = np.frombuffer(raw, dtype=np.uint8)

    def _scalar(self, value: float, like: int) -> int:
        index = self._like(like, "constant", ())
        self._fill(index, np.array(value))
        return index

    def to_bytes(self) -> bytes:
        """Return the file."""
        return bytes(self._tools.convert_object_to_bytearray(self._model))

    def _put(self, op: Any, position: int, array: np.ndarray) -> None:
        """Make ``array`` the op's input at ``position``, and no other op's: equal constants are shared."""
        given = op.inputs[position] if position < len(op.inputs) else -1  # -1: a bias of zeros is dropped
        readers = sum(list(other.inputs).count(given) for other in self._graph.operators)
        if given < 0 or readers > 1:
            given = self._like(op.inputs[1], "own", array.shape)
            op.inputs = [*op.inputs[:position], given, *op.inputs[position + 1 :]]
        self._fill(given, array)

    def _bias(self, op: Any) -> np.ndarray | float:
        """Return the op's bias; 0 where a bias of zeros was dropped."""
        index = op.inputs[2] if len(op.inputs) > 2 else -1
        if index < 0:
            return 0.0
        return np.asarray(self._model.buffers[self._graph.tensors[index].buffer].data).view(np.float32)

    def _constant(self, index: int) -> tuple[tuple[int, ...], bytes]:
        tensor = self._graph.tensors[index]
        data = self._model.buffers[tensor.buffer].data
        raw = b"" if data is None else np.asarray(data, dtype=np.uint8).tobytes()
        return tuple(tensor.shape), hashlib.sha256(raw).digest()


def _layouts(layer: nn.Module) -> list[Callable[[torch.Tensor], np.ndarray]]:
    """Return how a layer's weight may lie in a file."""
    if isinstance(layer, nn.Linear):
        return [lambda weight: weight.detach().numpy()]
    order = (1, 2, 3, 0) if layer.groups > 1 else (0, 2, 3, 1)  # depthwise (1, H, W, N), else (N, H, W, C)
    layouts = [lambda weight: weight.detach().permute(order).contiguous().numpy()]
    if layer.kernel_size == (1, 1) and layer.groups == 1:  # on a map of one pixel
        layouts.append(lambda weight: weight.detach().flatten(1).numpy())
    return layouts


def _content(array: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    return array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()
