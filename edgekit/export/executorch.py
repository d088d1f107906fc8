"""Export to ExecuTorch with the XNNPACK delegate: a ``.pte`` file and what the delegate left out."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from edgekit.export._quiet import exporting
from edgekit.export.backend import EXPORT_BACKENDS, Exported
from edgekit.export.hints import hint_for
from edgekit.export.lower.ops import rewrite_ops
from edgekit.export.lower.writer import dtype_of
from edgekit.export.run_order import in_run_order
from edgekit.export.scalars import write_integers_as_floats
from edgekit.export.workload import module_path_of, workload_of
from edgekit.export.xnnpack_graph import shortened_graphs
from edgekit.export.xnnpack_layouts import own_layouts
from runtime.bundle import Delegation, FallbackOp
from runtime.errors import ExportError
from runtime.extras import require

_PARTITION_LOGGER = "executorch.backends.xnnpack.partition"


@EXPORT_BACKENDS.register("executorch")
def export_executorch(
    model: nn.Module, example: tuple[torch.Tensor, ...], program: ExportedProgram | None = None
) -> Exported:
    """Export ``model`` as it is for inputs of the shapes of ``example``; see ``Backend``.

    Raises:
        ExportError: torch.export cannot trace it, or ExecuTorch cannot lower it.
        MissingExtra: executorch is not installed.
    """
    with exporting():
        exir = require("executorch.exir", extra="executorch")
        xnnpack = require("executorch.backends.xnnpack.partition.xnnpack_partitioner", extra="executorch")
        program = program or trace(model, example)
        workload, types = workload_of(program), [dtype_of(node) for node in _inputs(program)]
        try:
            with _reasons() as reasons, own_layouts(), shortened_graphs():
                edge = exir.to_edge_transform_and_lower(
                    rewrite_ops(program), partitioner=[xnnpack.XnnpackPartitioner()]
                )
            # Before to_executorch, which rewrites the graph in place and puts an alloc before every op.
            graph = edge.exported_program().graph_module
            delegation = read_delegation(graph, reasons)
            _check_kernels(delegation)
            workload = in_run_order(workload, _runs(graph))
            _name_types(edge.exported_program(), types)
            data = bytes(edge.to_executorch().buffer)
        except ExportError:
            raise
        except Exception as err:
            raise ExportError(f"ExecuTorch could not lower the model: {first_line(err)}") from err
    return Exported(
        data=data,
        suffix=".pte",
        delegate="xnnpack",
        delegation=delegation,
        workload=workload,
        packages=("torch", "executorch", "torchao"),
        ops=frozenset(_op_name(node) for node in program.graph.nodes if node.op == "call_function"),
    )


def _inputs(program: ExportedProgram) -> list[Node]:
    given = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    return [given[name] for name in program.graph_signature.user_inputs]


def _name_types(lowered: ExportedProgram, types: Sequence[torch.dtype | None]) -> None:
    """Let the file say what its inputs of bytes are; the delegate reads all of them as signed ones."""
    for node, dtype in zip(_inputs(lowered), types, strict=True):
        if dtype in (torch.uint8, torch.bool):
            node.meta["val"] = node.meta["val"].to(dtype)


def trace(model: nn.Module, example: tuple[torch.Tensor, ...]) -> ExportedProgram:
    """Return the program of ``model`` with static shapes.

    Raises:
        ExportError: the model branches on data, or does something else that cannot be traced.
    """
    try:
        program = torch.export.export(model, example)
    except Exception as err:
        raise ExportError(
            f"torch.export could not trace the model: {first_line(err)}; "
            "a model must not branch on the values of tensors or change shape from input to input"
        ) from err
    write_integers_as_floats(program)
    return program


def read_delegation(graph: GraphModule, reasons: dict[str, str]) -> Delegation:
    """Count the ops inside and outside the delegates of a lowered ``graph``.

    Args:
        graph: top level of the edge program.
        reasons: node name -> why the partitioner refused it.
    """
    delegated, partitions, fallback = 0, 0, []
    for node in graph.graph.nodes:
        if node.op != "call_function" or _op_name(node) == "getitem":
            continue
        if _op_name(node) == "executorch_call_delegate":
            partitions += 1
            lowered = getattr(graph, node.args[0].target)
            inside = lowered.original_module.graph.nodes
            delegated += sum(n.op == "call_function" and _op_name(n) != "getitem" for n in inside)
        else:
            reason = reasons.get(node.name) or _untold(_op_name(node))
            fallback.append(FallbackOp(_op_name(node), module_path_of(node), reason))
    return Delegation(delegated, delegated + len(fallback), partitions, tuple(fallback))


def _check_kernels(delegation: Delegation) -> None:
    """Refuse ops that nothing can run: XNNPACK leaves them, and no kernel of ExecuTorch's stands for them."""
    binding = require("executorch.extension.pybindings._C", extra="executorch")
    known = {name.partition(".")[0] for name in binding._get_operator_names()}
    for op in delegation.fallback:
        if op.op.startswith("aten.") and "::".join(op.op.split(".")[:2]) not in known:
            raise ExportError(
                f"in {op.module_path}: {op.op} has no kernel in ExecuTorch, and XNNPACK leaves it "
                f"({op.reason}); {hint_for(op.op)}"
            )


def _runs(graph: GraphModule) -> list[tuple[str, str]]:
    """Return module path and bare name of each op of a lowered ``graph``, in the order they run."""
    runs = []
    for node in graph.graph.nodes:
        if node.op != "call_function":
            continue
        inside = [node]
        if _op_name(node) == "executorch_call_delegate":
            inside = list(getattr(graph, node.args[0].target).original_module.graph.nodes)
        runs += [(module_path_of(n), _op_name(n).split(".")[-2]) for n in inside if "." in _op_name(n)]
    return runs


def _untold(op: str) -> str:
    """Return why XNNPACK's partitioner leaves an op it says nothing about."""
    config = require("executorch.backends.xnnpack.partition.config", extra="executorch")
    known = {one.target_name for one in config.ALL_PARTITIONER_CONFIGS}
    if op.partition(".")[2] not in known:
        return "XNNPACK's partitioner does not know this op"
    return "XNNPACK's partitioner knows this op, but refuses it for its types, shapes or neighbours"


def first_line(err: Exception) -> str:
    """Return the first line of an error's text that says something, with the error's kind."""
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return f"{type(err).__name__}: {lines[0] if lines else 'no message'}"


def _op_name(node: Node) -> str:
    """Return ``aten.convolution.default`` and the like."""
    target = node.target
    schema = getattr(target, "_schema", None)
    if schema is None:
        return getattr(target, "__name__", str(target))
    return f"{schema.name.replace('::', '.')}.{schema.overload_name or 'default'}"


@contextlib.contextmanager
def _reasons() -> Iterator[dict[str, str]]:
    """Yield a dict that fills with node name -> why XNNPACK's partitioner refused it.

    The partitioner tells only its debug log: https://github.com/pytorch/executorch/issues/12703.
    """
    found: dict[str, str] = {}

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            node, reason = getattr(record.msg, "node", None), getattr(record.msg, "reason", None)
            if isinstance(node, Node) and reason:
                found.setdefault(node.name, str(reason))

    logger = logging.getLogger(_PARTITION_LOGGER)
    handler, level, propagate = Collect(), logger.level, logger.propagate
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield found
    finally:
        logging.disable(disabled)
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
