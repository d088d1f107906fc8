"""What an export backend is: a function from a lowered model to one file and what is known of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import nn
from torch.export import ExportedProgram

from runtime.bundle import Delegation, IoScale
from runtime.bundle.staging import staging_folder
from runtime.bundle.workload import Workload
from runtime.registry import Registry


@dataclass(frozen=True)
class Exported:
    """One model file, in memory.

    Attributes:
        data: bytes of the file.
        suffix: of the file's name: ``.pte`` or ``.tflite``.
        delegate: who runs the ops, as it stands in the file's name.
        delegation: what the delegate took and what it left.
        workload: cost of each op as this file runs it.
        packages: distributions that made the file; their versions go into the manifest.
        inputs, outputs: of a file that takes and gives int8.
        ops: names of the ops that it was made of.
    """

    data: bytes
    suffix: str
    delegate: str
    delegation: Delegation
    workload: Workload
    packages: tuple[str, ...]
    inputs: tuple[IoScale, ...] = ()
    outputs: tuple[IoScale, ...] = ()
    ops: frozenset[str] = frozenset()

    @contextlib.contextmanager
    def as_file(self) -> Iterator[Path]:
        """Put the file on the disk inside the block, for an engine to load."""
        with staging_folder() as folder:
            path = folder / f"model{self.suffix}"
            path.write_bytes(self.data)
            yield path


class Backend(Protocol):
    """Exports the lowered ``model`` for the shapes of ``example``: one tensor of batch 1 per input.

    ``program`` is what ``torch.export`` made of both; a backend may use it instead of tracing again.
    """

    def __call__(
        self, model: nn.Module, example: tuple[torch.Tensor, ...], program: ExportedProgram | None = None
    ) -> Exported: ...


EXPORT_BACKENDS: Registry[Backend] = Registry("export_backend")
