"""Rewrite single ops of a traced program, which no module stands for, into what a delegate takes.

A rule gets the arguments of an op and returns what to compute instead, or ``NotImplemented`` to leave the
op as it is. What a rule calls is rewritten too, so rules build on each other.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower import (
    attention,
    borders,
    elementwise,
    norms,
    patches,
    pools,
    reductions,
    selections,
    shapes,
    transposed,
)
from edgekit.export.lower.byte_inputs import convert_bytes_first
from edgekit.export.lower.conditions import write_conditions
from edgekit.export.lower.constants import adapt_factors, fold_constants, spread_by_ones
from edgekit.export.lower.reorder import join_reordered
from edgekit.export.lower.writer import Writer
from edgekit.export.scalars import write_integers_as_floats
from runtime.extras import require

_aten = torch.ops.aten
Rules = dict[torch._ops.OpOverload, Callable[..., Any]]


def rewrite_ops(program: ExportedProgram) -> ExportedProgram:
    """Return ``program`` with its ops in forms that ExecuTorch's delegate takes and computes rightly.

    Inputs of bytes are int8 in it, for the delegate knows no others; the file must say what they are.
    """
    program = program.run_decompositions(executorch_rules())
    write_integers_as_floats(program)
    join_reordered(program)
    convert_bytes_first(program, _dequantised)
    write_conditions(program)
    program = fold_constants(program)
    adapt_factors(program, spread=spread_by_ones)
    return fold_constants(program)


def _dequantised(writer: Writer, given: Node) -> Node:
    """Write the bytes of ``given`` as floats: in steps of 1, unsigned ones above 127 read as negative."""
    value = given.meta["val"]
    given.meta["val"] = value.to(torch.int8)
    back = torch.ops.quantized_decomposed.dequantize_per_tensor.default
    signed = writer.call(back, given, 1.0, 0, -128, 127, torch.int8)
    if value.dtype != torch.uint8:
        return signed
    is_negative = writer.call(_aten.clamp.default, writer.call(_aten.mul.Tensor, signed, -1.0), 0.0, 1.0)
    return writer.call(_aten.add.Tensor, signed, writer.call(_aten.mul.Tensor, is_negative, 256.0))


def executorch_rules() -> Rules:
    """Return how ops are taken apart: by our rules, else as ExecuTorch does it for XNNPACK."""
    tracer = require("executorch.exir.tracer", extra="executorch")
    table = tracer._default_decomposition_table()
    for op in whole_ops():
        table.pop(op, None)
    return {**table, **_over(table, _EXECUTORCH)}


def whole_ops() -> set[torch._ops.OpOverload]:
    """Return the ops that XNNPACK's partitioner wants as they are."""
    xnnpack = require("executorch.backends.xnnpack.partition.xnnpack_partitioner", extra="executorch")
    return set(xnnpack.XnnpackPartitioner().ops_to_not_decompose(None)[0])


def litert_rules(table: Rules) -> Rules:
    """Return our rules on top of ``table``, by which litert-torch takes ops apart."""
    return _over(table, _LITERT)


def _over(table: Rules, rules: Rules) -> Rules:
    """Return ``rules``; an op that one of them leaves is taken apart as ``table`` says."""

    def first(rule: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(rule)
        def either(*args: Any, **kwargs: Any) -> Any:
            found = rule(*args, **kwargs)
            return other(*args, **kwargs) if found is NotImplemented else found

        return either

    return {op: first(rule, table[op]) if op in table else rule for op, rule in rules.items()}


_BOTH: Rules = {
    _aten.pow.Tensor_Scalar: elementwise.power,
    _aten.pow.Tensor_Tensor: elementwise.power_by_tensor,
    _aten.exp2.default: elementwise.power_of_two,
    _aten.hypot.default: elementwise.hypotenuse,
    _aten.remainder.Scalar: elementwise.remainder,
    _aten.remainder.Tensor: elementwise.remainder,
    _aten.trunc.default: elementwise.trunc,
    _aten.im2col.default: patches.unfold,
    _aten.col2im.default: patches.fold,
    _aten.unfold.default: patches.windows,
    _aten.softplus.default: elementwise.softplus,
    _aten.mish.default: elementwise.mish,
    _aten.elu.default: elementwise.elu,
    _aten.celu.default: elementwise.celu,
    _aten.log_softmax.int: elementwise.log_softmax,
    _aten._log_softmax.default: lambda x, dim, half: elementwise.log_softmax(x, dim),
    _aten.clamp.Tensor: elementwise.clamp_by_tensors,
    _aten.add.Tensor: elementwise.scaled_sum(1.0),
    _aten.sub.Tensor: elementwise.scaled_sum(-1.0),
    _aten.slice.Tensor: shapes.strided_slice,
    _aten.slice_scatter.default: shapes.replace_slice,
    _aten.select_scatter.default: shapes.replace_entry,
    _aten.copy.default: shapes.copy,
    _aten.repeat.default: shapes.repeat,
    _aten.diagonal.default: shapes.diagonal,
    _aten.avg_pool2d.default: pools.avg_pool2d,
    _aten.avg_pool3d.default: pools.avg_pool3d,
    _aten.adaptive_avg_pool2d.default: pools.adaptive_avg_pool2d,
    _aten._adaptive_avg_pool2d.default: pools.adaptive_avg_pool2d,
    _aten.adaptive_max_pool2d.default: pools.adaptive_max_pool2d,
    _aten.max_pool1d.default: pools.max_pool1d,
    _aten.native_group_norm.default: norms.group_norm,
    _aten.sign.default: elementwise.sign,
    _aten.flip.default: selections.flip,
    _aten.embedding_bag.padding_idx: selections.embedding_bag,
    _aten.one_hot.default: selections.one_hot,
    _aten.empty_like.default: shapes.filled_like(0.0),
    _aten.upsample_nearest1d.vec: selections.nearest,
    _aten.upsample_nearest2d.vec: selections.nearest,
    _aten._upsample_nearest_exact1d.vec: selections.nearest_exact,
    _aten._upsample_nearest_exact2d.vec: selections.nearest_exact,
    _aten.pad.default: borders.pad,
    _aten.reflection_pad1d.default: borders.reflect,
    _aten.reflection_pad2d.default: borders.reflect,
    _aten.replication_pad1d.default: borders.replicate,
    _aten.replication_pad2d.default: borders.replicate,
}
_EXECUTORCH: Rules = _BOTH | {
    _aten.mean.dim: reductions.mean,
    _aten.mean.default: reductions.mean,
    _aten.sum.dim_IntList: reductions.total,
    _aten.sum.default: lambda x, dtype=None: reductions.total(x, dtype=dtype),
    _aten.amax.default: reductions.amax,
    _aten.amin.default: reductions.amin,
    _aten.max.default: reductions.amax,
    _aten.min.default: reductions.amin,
    _aten.max.dim: reductions.with_places(reductions.amax, torch.argmax),
    _aten.min.dim: reductions.with_places(reductions.amin, torch.argmin),
    _aten.var.correction: reductions.variance,
    _aten.linalg_vector_norm.default: reductions.vector_norm,
    _aten.select.int: shapes.select,
    _aten.unsqueeze.default: shapes.unsqueeze,
    _aten.squeeze.default: shapes.squeeze,
    _aten.squeeze.dim: shapes.squeeze,
    _aten.squeeze.dims: shapes.squeeze,
    _aten.split.Tensor: shapes.split,
    _aten.split_with_sizes.default: shapes.split,
    _aten.unbind.int: shapes.unbind,
    _aten.cat.default: shapes.join_same,
    _aten.constant_pad_nd.default: shapes.pad,
    _aten.roll.default: shapes.roll,
    _aten.full_like.default: shapes.full_like,
    _aten.zeros_like.default: shapes.filled_like(0.0),
    _aten.ones_like.default: shapes.filled_like(1.0),
    _aten.native_layer_norm.default: norms.layer_norm,
    _aten._native_batch_norm_legit.no_stats: norms.instance_norm,
    _aten.scaled_dot_product_attention.default: attention.attention,
    _aten.softmax.int: attention.softmax,
    _aten.special_softmax.default: attention.softmax,
    _aten._softmax.default: lambda x, dim, half_to_float: attention.softmax(x, dim),
    _aten.reciprocal.default: elementwise.reciprocal,
    _aten.hardsigmoid.default: elementwise.hardsigmoid,
    _aten.hardtanh.default: elementwise.hardtanh,
    _aten.gelu.default: elementwise.gelu,
    _aten.log_sigmoid.default: elementwise.log_sigmoid,
    _aten.lerp.Scalar: lambda x, end, weight: x + (end - x) * weight,
    _aten.add.Scalar: elementwise.by_scalar(operator.add),
    _aten.sub.Scalar: elementwise.by_scalar(operator.sub),
    _aten.mul.Scalar: elementwise.by_scalar(operator.mul),
    _aten.div.Scalar: elementwise.by_scalar(operator.truediv),
}
_LITERT: Rules = _BOTH | {
    _aten.pow.Tensor_Scalar: elementwise.power_for_litert,
    _aten.bmm.default: attention.product,
    _aten.scaled_dot_product_attention.default: attention.masked_attention,
    _aten.cat.default: shapes.join_few,
    _aten.constant_pad_nd.default: borders.filled,
    _aten.conv_transpose1d.default: transposed.fill_gaps,
    _aten.conv_transpose2d.input: transposed.fill_gaps,
    _aten.clamp.default: elementwise.clamp_to_one,
    _aten.hardtanh.default: lambda x, low=-1.0, high=1.0: elementwise.clamp_to_one(x, low, high),
    _aten.rsub.Scalar: elementwise.subtract_from,
    _aten.max_pool2d_with_indices.default: pools.max_pool2d_with_indices,
}
