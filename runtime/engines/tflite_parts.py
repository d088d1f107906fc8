"""A ``.tflite`` file of several signatures as files of one: LiteRT's interpreter runs the first graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.engines.tflite_graph import IDENTIFIER
from runtime.errors import BundleError
from runtime.extras import require

_EXTERNAL = 1  # of a buffer's offset: data lies behind the flatbuffer, in files above 2 GB


def write_with_main(path: Path, graph: int, out: Path) -> None:
    """Write the file at ``path`` to ``out`` with its graph number ``graph`` first.

    Raises:
        BundleError: it is too large to be copied so.
        MissingExtra: ai-edge-litert is not installed.
    """
    model = unpack(path)
    graphs = model.subgraphs
    graphs[0], graphs[graph] = graphs[graph], graphs[0]
    places = {0: graph, graph: 0}
    for op in (op for one in graphs for op in one.operators or ()):
        for options in (op.builtinOptions, op.builtinOptions2):
            for name, place in list(vars(options).items()) if options is not None else ():
                if name.lower().endswith("subgraphindex"):  # of IF, CALL_ONCE and many more
                    setattr(options, name, places.get(place, place))
    for signature in model.signatureDefs or ():
        signature.subgraphIndex = places.get(signature.subgraphIndex, signature.subgraphIndex)
    model.signatureDefs = sorted(model.signatureDefs or (), key=lambda one: one.subgraphIndex != 0)
    pack(model, out)


def unpack(path: Path) -> Any:
    """Return the file at ``path`` as objects that can be changed; raises as ``write_with_main``."""
    schema = require("ai_edge_litert.schema_py_generated", extra="litert")
    model: Any = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    if any(buffer.offset > _EXTERNAL for buffer in model.buffers):
        raise BundleError(
            f"{path.name} keeps weights behind its graph, as files above 2 GB do; convert it for fixed "
            "shapes and one signature"
        )
    return model


def put_shapes(model: Any, shapes: Sequence[Sequence[int]]) -> None:
    """Give the main graph's tensors ``shapes``; one without axes or elements keeps its own."""
    for tensor, shape in zip(model.subgraphs[0].tensors, shapes, strict=False):
        if shape and all(shape):
            tensor.shape, tensor.shapeSignature = list(shape), None


def pack(model: Any, out: Path) -> None:
    """Write what ``unpack`` gave to ``out``."""
    builder = require("flatbuffers", extra="litert").Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    out.write_bytes(bytes(builder.Output()))
