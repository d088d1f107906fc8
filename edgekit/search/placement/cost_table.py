"""What a dynamic block adds to the latency, by shape: measured once, kept as JSON."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import torch

from edgekit import export
from edgekit.models import ModelSpec, build_model, static_of
from edgekit.search.placement.block import Block, measure_block
from edgekit.search.placement.paired import paired_engine_latencies_ms
from runtime._version import __version__
from runtime.bundle import write_atomic
from runtime.bundle.decoding import read_json
from runtime.errors import DataError

_PACKAGES = {"litert": ("torch", "litert-torch", "ai-edge-litert"), "executorch": ("torch", "executorch")}


@dataclass(frozen=True)
class BlockCost:
    """A block and the milliseconds that it takes longer than the static layer in its place."""

    block: Block
    added_ms: float


@dataclass(frozen=True)
class CostTable:
    """Measured costs on one machine and engine.

    Attributes:
        machine: whose costs these are; ``versions``: of what exported and ran the blocks.
        costs: of blocks.
        base_ms: latency of static networks, by what they are.
    """

    engine: str
    machine: str
    versions: dict[str, str]
    costs: tuple[BlockCost, ...] = ()
    base_ms: dict[str, float] = field(default_factory=dict)

    def added_ms(self, block: Block) -> float | None:
        """Return what ``block`` adds, or ``None`` if it was not measured."""
        return next((cost.added_ms for cost in self.costs if cost.block == block), None)

    def is_of_here(self) -> bool:
        """Whether it was measured on this machine with the packages that are installed now."""
        return (self.machine, self.versions) == (_machine(), _versions(self.engine))

    def complete(
        self,
        blocks: Sequence[Block],
        static: ModelSpec,
        *,
        save_to: Path | None = None,
        progress: Callable[[str], None] = lambda line: None,
    ) -> CostTable:
        """Return a table that knows ``blocks`` and the latency of ``static``; measure what is missing.

        Args:
            save_to: is written after each measurement, so an interrupted one goes on.

        Raises:
            DataError: something is missing, and the table is of another machine or other versions.
            ExportError, DeviceError: a block cannot be exported or run.
        """
        missing = sorted({block for block in blocks if self.added_ms(block) is None})
        name, table = net_name(static), self
        if (missing or name not in self.base_ms) and not self.is_of_here():
            raise DataError(
                f"the cost table of {self.engine} on {self.machine!r} lacks {len(missing)} of the blocks "
                f"or the static network, and this is {_machine()!r} with {_versions(self.engine)}; "
                "measure all of it where it came from, or leave the table out"
            )
        for i, block in enumerate(missing):
            added_ms = measure_block(block, self.engine)
            progress(f"{i + 1}/{len(missing)} {block}: {added_ms * 1000:+.1f} us")
            table = replace(table, costs=(*table.costs, BlockCost(block, added_ms)))
            table.save(save_to)
        if name not in table.base_ms:
            (base_ms,) = paired_engine_latencies_ms([build_model(static)], example_of(static), self.engine)
            progress(f"static network: {base_ms:.3g} ms")
            table = replace(table, base_ms={**table.base_ms, name: base_ms})
            table.save(save_to)
        return table

    def save(self, path: Path | None) -> None:
        """Write it to ``path`` as JSON, whole or not at all; ``None`` writes nothing."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, msgspec.json.format(msgspec.json.encode(self), indent=1))


def default_costs(engine: str) -> tuple[CostTable, Path]:
    """Return this machine's table for ``engine``, empty at first, and the file in the cache it belongs to."""
    empty = CostTable(engine, _machine(), _versions(engine))
    digest = hashlib.sha256(repr((empty.machine, sorted(empty.versions.items()))).encode()).hexdigest()[:12]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = base / "edgekit" / "placement" / f"{engine}-{digest}.json"
    return (load_costs(path) if path.is_file() else empty), path


def load_costs(path: str | Path) -> CostTable:
    """Return the table in the file ``path``.

    Raises:
        DataError: there is none, or it is not a table of costs.
    """
    advice = "remove it: edgekit place measures a new one"
    table: CostTable = read_json(
        Path(path), CostTable, where=f"{path} is no table of costs", advice=advice, error=DataError
    )
    return table


def net_name(spec: ModelSpec) -> str:
    """Return what makes the latency of the static network of ``spec``."""
    size = f"{spec.in_channels}x{spec.image_size}x{spec.image_size}"
    chosen = "" if spec.choices is None else f", {' '.join(spec.choices)}"
    return f"{spec.name} x{spec.width:g} {size} -> {spec.num_classes}, act {static_of(spec).act}{chosen}"


def example_of(spec: ModelSpec) -> torch.Tensor:
    """Return an input of the network of ``spec``, of zeros."""
    return torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size)


def _machine() -> str:
    return f"{platform.node()} {platform.machine()} {_cpu_model()}".strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _versions(engine: str) -> dict[str, str]:
    """Return versions of packages, and a hash of the export forms: other forms have other costs."""
    digest = hashlib.sha256()
    for file in sorted((Path(export.__file__).parent / "lower").glob("*.py")):
        digest.update(file.read_bytes())
    packages: dict[str, Any] = {package: version(package) for package in _PACKAGES.get(engine, ("torch",))}
    return {"edgekit": __version__, "forms": digest.hexdigest()[:12], **packages}
