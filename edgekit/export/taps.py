"""Make a model return, after its own outputs, what each of its modules gave."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from edgekit.export.outputs import run_model
from edgekit.tasks import Frame, as_tensors


@dataclass(frozen=True)
class Tap:
    """One call of one module: its path, and which call of that module it is, from 0."""

    module_path: str
    call: int

    def __str__(self) -> str:
        return f"{self.module_path}#{self.call + 1}" if self.call else self.module_path


class TappedModel:
    """A copy of a model whose forward also returns the tensor of every module call, in order.

    Modules keep their paths. What several modules pass on unchanged is returned once, under the
    innermost, and the model's own outputs are not returned twice.

    Attributes:
        model: the copy.
        taps: of the tensors after the outputs; filled by each run of the copy.
        makers: of each output: the module call that gave it, ``None`` where it was computed between
            modules; filled likewise.
        calls: how often each module was called; filled likewise.
        behind_ops: the calls whose input was computed between modules; filled likewise.
    """

    def __init__(self, model: nn.Module):
        self.model = copy.deepcopy(model).eval()
        self.taps: list[Tap] = []
        self.makers: list[Tap | None] = []
        self._known: list[torch.Tensor] = []  # inputs, then what each tap saw
        self.calls: dict[str, int] = {}
        self.behind_ops: set[Tap] = set()
        for path, module in self.model.named_modules():
            if getattr(module, "inplace", False) is True:
                module.inplace = False  # or it would change what was tapped before it
            if path:
                module.register_forward_hook(self._keep(path))
        self.model.register_forward_pre_hook(self._begin)
        self.model.register_forward_hook(self._end)

    def __deepcopy__(self, memo: dict[int, Any]) -> TappedModel:
        return self  # the hooks of a copied model go on telling this one

    def _begin(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.taps, self.calls, self.behind_ops = [], {}, set()
        self._known = [tensor for tensor in inputs if isinstance(tensor, torch.Tensor)]

    def _keep(self, path: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
            call = self.calls.get(path, 0)
            self.calls[path] = call + 1
            given = [tensor for tensor in inputs if isinstance(tensor, torch.Tensor)]
            if not all(any(_is_view(tensor, known) for known in self._known) for tensor in given):
                self.behind_ops.add(Tap(path, call))
            if isinstance(output, torch.Tensor) and not any(output is known for known in self._known):
                self._known.append(output)
                self.taps.append(Tap(path, call))

        return hook

    def _end(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> tuple[torch.Tensor, ...]:
        own = (
            (output,) if isinstance(output, torch.Tensor) else tuple(torch.utils._pytree.tree_leaves(output))
        )
        first = len(self._known) - len(self.taps)
        seen = list(zip(self.taps, self._known[first:], strict=True))
        self.makers = [next((tap for tap, tensor in seen if tensor is output), None) for output in own]
        self.taps = [tap for tap in self.taps if tap not in self.makers]
        # ExecuTorch 1.5.1 mixes up the layout of a quantised map that is an output and read by a
        # convolution too; the result of an op that is never quantised comes out right.
        return (*own, *(tensor.neg().neg() for tap, tensor in seen if tap not in self.makers))

    def run(self, frames: Sequence[Frame]) -> list[list[Any]]:
        """Return arrays per frame: the outputs, then one per tap."""
        return [[tensor.numpy() for tensor in run_model(self.model, as_tensors(frame))] for frame in frames]


def _is_view(tensor: torch.Tensor, known: torch.Tensor) -> bool:
    """Return whether both are the same values, perhaps in another shape."""
    if tensor is known:
        return True
    is_real = type(tensor) is torch.Tensor and type(known) is torch.Tensor  # not while a model is traced
    return is_real and tensor.numel() == known.numel() and tensor.data_ptr() == known.data_ptr()
