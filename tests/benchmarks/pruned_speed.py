"""What pruning saves of the latency of exported networks: ``python -m tests.benchmarks.pruned_speed``.

ResNet-18 and MobileNetV2 at 224x224, batch 1, one thread, untrained weights with settled batch norm, whole
and pruned inside their blocks to 70, 50 and 30 % of the MACs by L2 norms, multiples of 8 kept; at 50 %
also without multiples: what odd channels cost. All nets of a model and engine run in one interleaved series,
each in a process of its own; a ratio is the mean over rounds of latency / whole net's in the same
round, with its 95 % interval. Where it is above what is asked for, the layers that lose it are printed.

``--part budget`` instead prunes MobileNetV2 to 60 % of the latency measured here, on each engine, and
measures what came out in fresh processes, in turns with the whole net: by the quieter frames of each block,
as the search does, so that other work on the machine changes little, and by medians, which it does change.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgekit.cli._output import note
from edgekit.export import Origin, export_bundle
from edgekit.models import ModelSpec, build_model, count_macs
from edgekit.models.surgery.groups import ChannelGraph
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning import Budget, LatencyLimit
from edgekit.pruning.cut_timer import quiet_ratio
from edgekit.pruning.latency_search import NEAR, LatencySearch
from edgekit.pruning.method import norms
from edgekit.tasks import SourceGraph
from runtime.bundle import ENGINES, MAIN_GRAPH, Bundle, TensorSpec
from runtime.measure.interval import paired_ratio
from runtime.measure.profiling.profile import profile
from runtime.measure.records import RecordLog
from tests.benchmarks._side_by_side import rounds_ms
from tests.benchmarks._table import show, write_report

MODELS = ("resnet18", "mobilenet_v2")
# The latency's ratio may be this much above that of the MACs: what is not pruned weighs more in small nets.
ALLOWED = {0.7: 1.15, 0.5: 1.15, 0.3: 1.35}
ODD = 0.5  # share of the MACs at which multiples of 1 are tried, too
BUDGET = 0.6
X = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
_HEADERS = {
    "engine": "engine", "net": "net", "mac_ratio": "MACs", "latency_ms": "ms", "latency_ratio": "latency",
    "interval": "95 %", "limit": "asked", "lost_in": "loses it",
}  # fmt: skip
_WORST = 3


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.pruned_speed", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--model", choices=MODELS, action="append", help="only this one; repeatable")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this one; repeatable")
    parser.add_argument("--part", choices=("speed", "budget"), default="speed")
    options = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    for engine in options.engine or ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            if options.part == "budget":
                rows.append(meet_budget(engine, Path(folder)))
                continue
            for name in options.model or MODELS:
                rows += compare(name, engine, Path(folder), options.rounds)
    if options.part == "budget":
        show({key: key for key in rows[0]}, rows)
    else:
        show(_HEADERS, rows)
    summary: dict[str, Any] = {}
    for row in rows:
        if "limit" in row and row["limit"] is None:
            continue  # odd channels, which nothing is asked of
        values = {key: row[key] for key in ("mac_ratio", "latency_ratio", "interval")}
        summary.setdefault(row["engine"], {})[row["net"]] = values
    write_report(options.json, "pruned_speed", rows, summary)


def compare(name: str, engine: str, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Return one row per pruned net of the model ``name``."""
    whole = settled(name)
    macs = {name: count_macs(whole, tuple(X.shape[1:]))}
    bundles = {name: export(whole, engine, folder / f"{name}.edgekit")}
    limits: dict[str, float | None] = {}
    for share, round_to in [*((share, 8) for share in ALLOWED), (ODD, 1)]:
        net = f"{name}@{share:.0%}" + ("" if round_to == 8 else ", round_to 1")
        pruned = cut(whole, Budget(macs=share, round_to=round_to))
        macs[net] = count_macs(pruned, tuple(X.shape[1:]))
        limits[net] = ALLOWED[share] if round_to == 8 else None
        bundles[net] = export(pruned, engine, folder / f"{name}-{share:g}-{round_to}.edgekit")
    files = {net: bundle.file(bundle.manifest.variant().path) for net, bundle in bundles.items()}
    note(f"timing {name} on {engine}: {len(files)} nets, {rounds} rounds")
    found = rounds_ms(engine, files, rounds)
    rows = []
    for net, limit in limits.items():
        mac_ratio = macs[net] / macs[name]
        ratio, interval = paired_ratio(found[name], found[net])
        allowed = None if limit is None else limit * mac_ratio
        is_missed = allowed is not None and ratio > allowed
        rows.append(
            {
                "engine": engine,
                "net": net,
                "mac_ratio": round(mac_ratio, 3),
                "latency_ms": min(found[net]),
                "whole_ms": min(found[name]),
                "latency_ratio": round(ratio, 3),
                "interval": [round(interval.low, 3), round(interval.high, 3)],
                "limit": None if allowed is None else round(allowed, 3),
                "lost_in": "; ".join(losers(bundles[name], bundles[net], mac_ratio)) if is_missed else None,
            }
        )
    return rows


def losers(whole: Bundle, pruned: Bundle, mac_ratio: float) -> list[str]:
    """Return the layers that take most beyond their share of what the whole net takes."""
    ms = []
    for bundle in (whole, pruned):
        by_module: Counter[str] = Counter()
        for op in profile(bundle, runs=20).ops:
            by_module[op.module_path or op.op] += op.median_ms
        ms.append(by_module)
    excess = {name: ms[1][name] - mac_ratio * ms[0][name] for name in ms[1]}
    worst = sorted(excess, key=lambda name: -excess[name])[:_WORST]
    return [f"{name} {ms[0][name]:.2f} -> {ms[1][name]:.2f} ms" for name in worst]


def meet_budget(engine: str, folder: Path) -> dict[str, Any]:
    """Return how MobileNetV2 was pruned to a share of its latency on this machine."""
    whole = settled("mobilenet_v2")
    budget = Budget(latency=LatencyLimit(share=BUDGET, engine=engine))
    begin = time.perf_counter()
    search = LatencySearch(budget, whole, X, progress=note)
    groups = ChannelGraph(whole, X).groups()
    counts = search.counts(groups, norms(whole, groups))
    search_s = time.perf_counter() - begin
    result = search.result(counts)
    pruned = physically_remove(whole, {name: tuple(range(count)) for name, count in counts.items()}, X)
    for name, net in (("whole", whole), ("pruned", pruned)):
        export(net, engine, folder / f"{name}-{engine}.edgekit")
    command = [sys.executable, "-m", "edgekit", "compare", "--json", "-o", str(folder / f"{engine}-again")]
    files = [str(folder / f"{name}-{engine}.edgekit") for name in ("whole", "pruned")]
    done = subprocess.run([*command, *files], check=True, capture_output=True, text=True)
    (medians,) = json.loads(done.stdout)
    whole_again, pruned_again = (
        list(RecordLog(folder / f"{engine}-again" / f"{side}.jsonl")) for side in "ab"
    )
    ratio, interval = quiet_ratio(whole_again, pruned_again)  # judged as the search judges
    shape = tuple(X.shape[1:])
    return {
        "engine": engine,
        "net": f"mobilenet_v2, {BUDGET:.0%} of the latency",
        "mac_ratio": round(count_macs(pruned, shape) / count_macs(whole, shape), 3),
        "latency_ratio": round(result.after.ratio, 3),
        "interval": [round(result.after.ratio_interval.low, 3), round(result.after.ratio_interval.high, 3)],
        "again_ratio": round(ratio, 3),
        "again_interval": [round(interval.low, 3), round(interval.high, 3)],
        "is_met_again": NEAR * BUDGET <= ratio <= BUDGET,
        "medians_ratio": round(medians["ratio"], 3),
        "medians_verdict": "; ".join(medians["reasons"]),
        "latency_ms": result.after.latency_ms,
        "whole_ms": result.before.latency_ms,
        "exports": result.exports,
        "search_s": round(search_s),
        "export_s": [one.timing.export_s for one in search.timed],
    }


def settled(name: str) -> nn.Module:
    """Return the whole net: random, but with the activations' scales of a trained one."""
    torch.manual_seed(0)
    model = build_model(ModelSpec(name)).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        for _ in range(2):  # else nets of random kernels fade to denormal numbers, which are slow
            model(torch.randn(4, *X.shape[1:]))
    return model.eval()


def cut(whole: nn.Module, budget: Budget) -> nn.Module:
    """Return a copy of ``whole`` pruned to ``budget``."""
    groups = ChannelGraph(whole, X).groups()
    counts = budget.allocation(whole, X).counts(groups, norms(whole, groups))
    return physically_remove(whole, {name: tuple(range(count)) for name, count in counts.items()}, X)


def export(net: nn.Module, engine: str, path: Path) -> Bundle:
    """Write ``net`` as a bundle."""
    note(f"exporting {path.name} for {engine}")
    graph = SourceGraph(
        copy.deepcopy(net), (TensorSpec("image", "float32", tuple(X.shape)),), ((X.numpy(),),), "noise"
    )
    return export_bundle(Origin("net", {MAIN_GRAPH: graph}, (), {}), path, engines=(engine,), tolerance=0.01)


if __name__ == "__main__":
    main()
