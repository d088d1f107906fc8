"""Rewrite the graph that litert-torch converts: it takes rules for single ops only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.lower.byte_inputs import convert_bytes_first
from edgekit.export.lower.conditions import write_conditions
from edgekit.export.lower.constants import adapt_factors, spread_by_rows, store_conditions
from edgekit.export.lower.reorder import join_reordered
from edgekit.export.lower.writer import Writer
from runtime.extras import require


@contextlib.contextmanager
def rewritten_graphs() -> Iterator[None]:
    """Let every program that is converted inside this block pass through our rewrites."""
    core = require("litert_torch._convert.core", extra="litert-export")
    convert = core._run_convert_passes

    def rewritten(program: ExportedProgram) -> ExportedProgram:
        join_reordered(program)
        convert_bytes_first(program, _cast)
        store_conditions(program)
        write_conditions(program)
        adapt_factors(program, spread=spread_by_rows)
        return convert(program)

    core._run_convert_passes = rewritten
    try:
        yield
    finally:
        core._run_convert_passes = convert


def _cast(writer: Writer, given: Node) -> Node:
    return writer.call(torch.ops.aten._to_copy.default, given, dtype=torch.float32)
