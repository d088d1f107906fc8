"""How long an export takes beside the bare exporters: ``python -m tests.benchmarks.export_time``.

Bare: ``torch.export.export``, ``to_edge_transform_and_lower`` with XNNPACK's partitioner and
``to_executorch``; ``litert_torch.convert``; on the model as edgekit's lowering leaves it, because the
eager dynamic blocks are another graph. Ours: ``export_bundle`` for both engines, with preflight,
lowering, delegation, parity on real inputs and the bundle written. CPU seconds of the process and
its workers, after both exporters have been imported and have exported a small net.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.cli._output import note
from edgekit.export import Origin, export_bundle, lower
from edgekit.export._quiet import quiet
from edgekit.models import ModelSpec, build_model
from runtime.bundle import ImageSpec
from tests.benchmarks._table import show, write_report

NETS: dict[str, dict[str, str]] = {
    "mobilenet_v2": {},
    "mobilenet_v2, dynamic 1x1": {"dynamic_conv": "pointwise"},
    "mobilenet_v2, DY-ReLU-B": {"act": "dyrelu-b"},
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.export_time", description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    measure("small", build_model(ModelSpec("mobilenet_v2", width=0.1, image_size=32)))
    rows = []
    for name, choices in NETS.items():
        note(f"exporting {name}, bare and ours")
        torch.manual_seed(0)
        rows.append(measure(name, build_model(ModelSpec("mobilenet_v2", **choices))))
    show(
        {
            "net": "net",
            "bare_executorch_s": "bare ExecuTorch s",
            "bare_litert_s": "bare LiteRT s",
            "ours_s": "both, as a checked bundle s",
            "ratio": "ratio",
        },
        rows,
    )
    write_report(
        options.json, "export_time", rows, {"ratio": {str(row["net"]): row["ratio"] for row in rows}}
    )


def measure(name: str, model: nn.Module) -> dict[str, Any]:
    """Return CPU seconds of the bare exporters and of ours."""
    side = 32 if name == "small" else 224
    image = ImageSpec(side, side, (0.5,) * 3, (0.5,) * 3)
    inputs = np.random.default_rng(0).standard_normal((2, 3, side, side)).astype("float32")
    origin = Origin.of_images("net", model.eval(), image, (), inputs, "random numbers", {})
    example = (torch.from_numpy(inputs[:1]),)
    bare = {engine: cpu_seconds(lambda run=run: run(lower(model), example)) for engine, run in BARE.items()}
    with tempfile.TemporaryDirectory() as folder:
        ours_s = cpu_seconds(lambda: export_bundle(origin, Path(folder) / "net.edgekit"))
    return {
        "net": name,
        **{f"bare_{engine}_s": seconds for engine, seconds in bare.items()},
        "ours_s": ours_s,
        "ratio": ours_s / sum(bare.values()),
    }


def bare_executorch(model: nn.Module, example: tuple[torch.Tensor, ...]) -> bytes:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    program = torch.export.export(model, example)
    edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    return bytes(edge.to_executorch().buffer)


def bare_litert(model: nn.Module, example: tuple[torch.Tensor, ...]) -> bytes:
    import litert_torch

    return bytes(litert_torch.convert(model, example).model_content())


BARE: dict[str, Callable[[nn.Module, tuple[torch.Tensor, ...]], bytes]] = {
    "executorch": bare_executorch,
    "litert": bare_litert,
}


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time that ``work`` takes, that of finished workers included."""
    before = _cpu_s()
    with quiet():
        work()
    return _cpu_s() - before


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
