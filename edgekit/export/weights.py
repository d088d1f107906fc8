"""Check a model's weights before anything is computed with them."""

from __future__ import annotations

import torch
from torch import nn

from edgekit.export.findings import Finding


def check_weights(model: nn.Module) -> list[Finding]:
    """Return the parameters and buffers of ``model`` that are not finite, or no float32."""
    findings = []
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if not (tensor.is_floating_point() or tensor.is_complex()):
            continue
        if tensor.dtype != torch.float32:
            findings.append(
                Finding(f"{name} is {tensor.dtype}; only float32 is exported: call model.float() first")
            )
        elif wrong := int((~torch.isfinite(tensor)).sum()):
            findings.append(
                Finding(
                    f"{name} has {wrong} of {tensor.numel()} values that are not finite (nan or inf); "
                    "the training went wrong: export an earlier checkpoint"
                )
            )
    return findings
