"""What keeps a model from being exported, with the module and source line it is in."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import nn
from torch.fx import Node

from edgekit.export.workload import module_path_of
from runtime.engines.tflite_names import ROOT
from runtime.errors import ExportError

_TORCH = str(Path(torch.__file__).parent)
_OURS = str(Path(__file__).parents[1])
_FRAME = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')
_MOST = 12  # findings that an error lists


@dataclass(frozen=True)
class Finding:
    """One reason, with the path of the module it is in and, where known, ``file.py:line``."""

    reason: str
    module_path: str = ""
    source: str = ""

    def __str__(self) -> str:
        place = f"in {self.module_path}" if self.module_path else ""
        place += f" ({self.source})" if self.source else ""
        return f"{place.strip()}: {self.reason}" if place else self.reason


def refusal(findings: Sequence[Finding], graph: str = "") -> ExportError:
    """Return one error that tells all ``findings``.

    Args:
        findings: at least one.
        graph: name of the graph, named when the model has several.
    """
    unique = list(dict.fromkeys(findings))
    prefix = f"graph {graph!r}: " if graph else ""
    if len(unique) == 1:
        return ExportError(f"{prefix}{unique[0]}")
    listed = "\n".join(f"({i}) {finding}" for i, finding in enumerate(unique[:_MOST], start=1))
    more = f"\nand {len(unique) - _MOST} more" if len(unique) > _MOST else ""
    return ExportError(f"{prefix}{len(unique)} things keep the model from being exported:\n{listed}{more}")


def at_error(err: BaseException, model: nn.Module, reason: str) -> Finding:
    """Return a finding at the module of ``model`` whose forward raised ``err``."""
    return _at_frames(traceback.walk_tb(err.__traceback__), model, reason)


def at_call(model: nn.Module, reason: str) -> Finding:
    """Return a finding at the module of ``model`` whose forward is running now."""
    return _at_frames(reversed(list(traceback.walk_stack(None))), model, reason)


def _at_frames(frames: Iterable[tuple[FrameType, int]], model: nn.Module, reason: str) -> Finding:
    """Return a finding at the innermost module of ``model`` and line of the user in ``frames``."""
    paths = {id(module): path or ROOT for path, module in model.named_modules()}
    module_path, source = "", ""
    for frame, line in frames:
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module) and id(owner) in paths:
            module_path = paths[id(owner)]
        if module_path and _is_users(frame.f_code.co_filename):
            source = f"{Path(frame.f_code.co_filename).name}:{line}"
    return Finding(reason, module_path, source)


def at_node(node: Node, reason: str) -> Finding:
    """Return a finding at the module and line that made ``node``."""
    frames = _FRAME.finditer(node.meta.get("stack_trace") or "")
    lines = [f"{Path(f['path']).name}:{f['line']}" for f in frames if _is_users(f["path"])]
    return Finding(reason, module_path_of(node), lines[-1] if lines else "")


def _is_users(path: str) -> bool:
    return not path.startswith((_TORCH, _OURS, "<"))
