"""Lay out anew what a layer with ranges found at run time reads, and nothing else.

ExecuTorch 1.5.1 looks for what to lay out by walking from such a convolution up the first argument of every
op, as far as the input of the network: what permutes, pads or reshapes on the way, and another convolution
beside it, then read a map that is laid out otherwise than they think, and the file gives nonsense. Before
such a linear layer it puts the change behind the quantisation, which no longer looks like one then.
executorch/backends/xnnpack/_passes/channels_last_tagged_reshape_pass.py
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.fx import GraphModule, Node

from runtime.extras import require

_FORMATS = {"nhwc": torch.channels_last, "nchw": torch.contiguous_format}


@contextlib.contextmanager
def own_layouts() -> Iterator[None]:
    """Let every program that is delegated inside this block change layouts before it quantises a map."""
    passes = require(
        "executorch.backends.xnnpack._passes.channels_last_tagged_reshape_pass", extra="executorch"
    )
    taken = passes.ChannelsLastTaggedReshapePass
    before = {f"input_to_{word}": getattr(taken, f"input_to_{word}") for word in _FORMATS}
    for word in _FORMATS:
        setattr(taken, f"input_to_{word}", _mended(before[f"input_to_{word}"], word))
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(taken, name, method)


def _mended(as_it_comes: Callable[..., None], word: str) -> Callable[..., None]:
    is_dynamic = require("executorch.backends.xnnpack.utils.quant_utils", extra="executorch").is_dynamic_qdq

    def change(layouts: Any, module: GraphModule, source: Node, reader: Node) -> None:
        """Let ``reader`` read ``source`` in the layout called ``word``."""
        if is_dynamic(source) and not getattr(layouts, f"is_{word}_node")(source):
            _quantise_laid_out(layouts, module, source.args[0], word)
        as_it_comes(layouts, module, source, reader)  # which finds that nothing is left to do

    return change


def _quantise_laid_out(layouts: Any, module: GraphModule, quantise: Node, word: str) -> None:
    """Let ``quantise`` read its map in the layout called ``word``."""
    floats, choose = quantise.args[0], quantise.args[1].args[0]
    made = floats.meta.get(layouts.PARTNER_NODE)
    if made is None:
        exir_ops = require("executorch.exir.dialects._ops", extra="executorch").ops
        with module.graph.inserting_after(floats):
            made = layouts.create_call_function_node(
                module, exir_ops.edge.aten._to_copy.default, (floats,), _FORMATS[word]
            )
        getattr(layouts, f"mark_as_{word}_node")(made)
        layouts.make_partners(floats, made)
    # Both: a transpose that only a quantisation reads is taken for one of integers.
    for node in (quantise, choose):
        node.replace_input_with(floats, made)
