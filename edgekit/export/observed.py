"""Watch a model run to find all that keeps it from being traced: a trace ends at the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from edgekit.export.findings import Finding, at_call
from edgekit.export.outputs import named_outputs
from edgekit.export.traced import BRANCHES, TELL
from runtime.errors import ExportError


def observe(model: nn.Module, example: Sequence[torch.Tensor]) -> list[Finding]:
    """Return where ``model`` draws random numbers, reads values or makes shapes of data in one run."""
    watch = _Watch(model)
    try:
        with watch:
            named_outputs(model, example)
    except ExportError:  # what it returns has a finding of its own
        pass
    return watch.findings


class _Watch(TorchDispatchMode):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model, self.findings = model, []

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = op.overloadpacket.__name__
        if name == "_local_scalar_dense":
            self._note(BRANCHES)
        elif torch.Tag.nondeterministic_seeded in op.tags:
            self._note(f"aten.{name.rstrip('_')} {TELL['random']}")
        elif torch.Tag.dynamic_output_shape in op.tags:
            self._note(f"aten.{name} {TELL['shape']}")
        return op(*args, **(kwargs or {}))

    def _note(self, reason: str) -> None:
        found = at_call(self.model, reason)
        if found.source and found not in self.findings:  # without a line of the user it is PyTorch's own
            self.findings.append(found)
