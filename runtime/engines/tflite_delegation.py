"""What LiteRT's XNNPACK delegate takes of a ``.tflite`` file, and what it leaves."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.bundle import Delegation, FallbackOp
from runtime.engines.process import EngineProcess
from runtime.engines.tflite_names import ROOT, WEIGHTED_OPS, NameOf, module_path
from runtime.engines.tflite_plan import PlannedOp
from runtime.engines.xnnpack_rules import refusals

_OF_SIGNATURE = "serving_default_"


def read_delegation(path: str | os.PathLike[str], name_of: NameOf = module_path) -> Delegation:
    """Load a model with the default XNNPACK delegate and count the ops it took.

    It is loaded in a worker process: XNNPACK aborts on some files instead of refusing them. The
    interpreter does not say why an op was left: the reasons are derived from the file.

    Args:
        path: a ``.tflite`` file.
        name_of: finds the module in a tensor's name.

    Raises:
        MissingExtra: ai-edge-litert is not installed.
        DeviceError: LiteRT cannot load the file, or dies of it.
    """
    with EngineProcess("litert", Path(path)) as model:
        plan = model.plan()
    taken = {index for partition in plan.partitions for index in partition}
    left = [op for op in plan.ops if op.index not in taken]
    reasons = refusals(Path(path).read_bytes(), [op.index for op in left]) if left else {}
    fallback = tuple(FallbackOp(op.name, _module_of(op, name_of), reasons[op.index]) for op in left)
    return Delegation(len(taken), len(plan.ops), len(plan.partitions), fallback)


def _module_of(op: PlannedOp, name_of: NameOf) -> str:
    for name in op.outputs:
        found = name_of(name, op.name in WEIGHTED_OPS)
        if found is not None:
            return found
    # The converter calls what makes an output after the signature; other tools name it as they like.
    named = [name for name in op.outputs if not name.startswith(_OF_SIGNATURE)]
    return named[0] if named else ROOT
