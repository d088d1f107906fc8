"""What dynamic blocks cost in an exported MobileNetV2: ``python -m tests.benchmarks.export_latency``.

MobileNetV2 1.0 at 224x224, batch 1, one thread, random weights with settled batch norm: static
(ReLU6), dynamic 1x1 convolutions (K = 4), DY-ReLU-B. All nets of an engine run in one interleaved
series, each in a process of its own; a ratio is the median over rounds of latency / static's in the
same round. Then: where the time goes, by the engine's own profiler, and the forms of each block that
were tried. ``--no-forms`` leaves the last part out.

Workers ask malloc for huge pages (GLIBC_TUNABLES), so that a virtual machine's nested page tables,
which a phone does not have, weigh less on the many megabytes of kernels that a frame reads.
"""

from __future__ import annotations

import argparse
import copy
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edgekit.cli._output import note
from edgekit.export import EXPORT_BACKENDS, lower
from edgekit.models import ModelSpec, build_model
from edgekit.nn import DynamicReLU, KernelAttention, set_temperature
from runtime.engines import EngineProcess
from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.profiling.profile import profile
from tests.benchmarks._forms import EXPORTED, SITES, Between, dynamic_block, static_block, tried_forms
from tests.benchmarks._side_by_side import rounds_ms
from tests.benchmarks._table import show, write_report

ENGINES = ("executorch", "litert")
NETS: dict[str, dict[str, str]] = {
    "static": {},
    "dynamic_conv": {"dynamic_conv": "pointwise"},
    "dyrelu_b": {"act": "dyrelu-b"},
}
X = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.export_latency", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--no-forms", action="store_true", help="only the whole nets")
    options = parser.parse_args(arguments)
    os.environ.update(_HUGE_PAGES)
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        nets = {name: build(choices) for name, choices in NETS.items()}
        for engine in ENGINES:
            files = {
                name: export(net, lower(net), X, engine, Path(folder) / name) for name, net in nets.items()
            }
            timed = time_side_by_side(engine, files, options.rounds)
            found = [{"part": "net", "engine": engine, "what": name, **row} for name, row in timed.items()]
            rows += found
            summary[engine] = {
                "baseline_ms": timed["static"]["latency_ms"],
                "dynamic_conv_ratio": timed["dynamic_conv"]["ratio"],
                "dyrelu_b_ratio": timed["dyrelu_b"]["ratio"],
            }
            print(f"\n{engine}: whole nets")
            show(
                {"what": "net", "latency_ms": "ms", "ratio": "/ static", "largest_error": "max error"}, found
            )
            kinds = [{"part": "limit", "engine": engine, **row} for row in by_kind(files)]
            rows += kinds
            print(f"\n{engine}: where a frame's time goes, ms by kind of op")
            show({"kind": "kind", **{name: name for name in NETS}}, kinds)
        if not options.no_forms:
            rows += compare_forms(Path(folder), options.rounds)
    write_report(options.json, "export_latency", rows, summary)


def build(choices: Mapping[str, str]) -> nn.Module:
    """Return the net in evaluation mode; random, but with the activations' scales of a trained one."""
    torch.manual_seed(0)
    model = build_model(ModelSpec("mobilenet_v2", **choices)).train()
    set_temperature(model, 1.0)
    for module in model.modules():
        if isinstance(module, KernelAttention):
            nn.init.normal_(module.fc2.weight, std=0.3)
        elif isinstance(module, DynamicReLU):
            for head in (module.slope1, module.slope2, module.offset1, module.offset2):
                nn.init.normal_(head.weight, std=0.3)
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        for _ in range(2):  # else nets of random kernels fade to denormal numbers, which are slow
            model(torch.randn(4, *X.shape[1:]))
    return model.eval()


def export(eager: nn.Module, form: nn.Module, x: torch.Tensor, engine: str, stem: Path) -> tuple[Path, float]:
    """Write ``form`` as a file; return its path and its largest error against ``eager``."""
    note(f"exporting {stem.name} for {engine}")
    exported = EXPORT_BACKENDS.get(engine)(form, (x,))
    path = stem.with_name(f"{stem.name}{exported.suffix}")
    path.write_bytes(exported.data)
    with torch.no_grad():
        expected = eager(x).numpy()
    with EngineProcess(engine, path) as process:
        (actual,) = process.run([x.numpy()]).outputs or ()
    return path, float(np.abs(actual - expected).max())


def time_side_by_side(
    engine: str, files: Mapping[str, tuple[Path, float]], rounds: int
) -> dict[str, dict[str, float]]:
    """Return median latency, ratio to the first file's, and error, of each file."""
    found = rounds_ms(engine, {name: path for name, (path, _) in files.items()}, rounds)
    first = np.array(next(iter(found.values())))
    return {
        name: {
            "latency_ms": float(np.median(values)),
            "ratio": float(np.median(np.array(values) / first)),
            "largest_error": files[name][1],
        }
        for name, values in found.items()
    }


def by_kind(files: Mapping[str, tuple[Path, float]]) -> list[dict[str, Any]]:
    """Return one row per kind of op of the engine: its time in each net."""
    totals: dict[str, Counter[str]] = {}
    for name, (path, _) in files.items():
        bundle = open_bundle_or_model(path)
        totals[name] = Counter()
        for op in profile(bundle, runs=20).ops:
            totals[name][op.op] += op.median_ms
    kinds = sorted(set().union(*totals.values()), key=lambda kind: -max(t[kind] for t in totals.values()))
    return [{"kind": kind, **{name: total[kind] for name, total in totals.items()}} for kind in kinds]


def compare_forms(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Print and return the latency of every form of a block at a few sites of real nets."""
    rows = []
    for number, site in enumerate(SITES):
        torch.manual_seed(0)
        static = Between(static_block(site), site).eval()
        dynamic = Between(dynamic_block(site), site).eval()
        x = torch.randn(1, site.in_channels, site.side, site.side)
        forms = {"static": (static, static), EXPORTED: (dynamic, lower(dynamic))}
        for name, rewrite in tried_forms(site).items():
            form = copy.deepcopy(dynamic)
            form.block = rewrite(form.block)
            forms[name] = (dynamic, form.eval())
        found = []
        for engine in ENGINES:
            files = {
                name: export(*pair, x, engine, folder / f"site{number}-{i}")
                for i, (name, pair) in enumerate(forms.items())
            }
            timed = time_side_by_side(engine, files, rounds)
            found += [
                {"part": "form", "engine": engine, "site": str(site), "what": name, **row}
                for name, row in timed.items()
            ]
        print(f"\n{site}")
        show({"engine": "engine", "what": "form", "latency_ms": "ms", "ratio": "/ static"}, found)
        rows += found
    return rows


if __name__ == "__main__":
    main()
