"""Time networks as they will run: exported, on the target, in turns with the whole network."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from edgekit.export import Origin, export_bundle
from edgekit.pruning.latency_limit import LatencyLimit
from edgekit.pruning.timing import Timing
from edgekit.tasks import SourceGraph
from runtime.bundle import MAIN_GRAPH, Bundle, TensorSpec
from runtime.bundle.staging import staging_folder
from runtime.bundle.workload import Workload
from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency
from runtime.errors import DeviceStableError
from runtime.measure.bench import BenchRow, bench, summarise
from runtime.measure.bench.plan import BenchPlan
from runtime.measure.compare import measure_both
from runtime.measure.interval import Interval, paired_ratio
from runtime.measure.profiling.profile import profile
from runtime.measure.quantile import quantile
from runtime.measure.records import Record, RecordLog
from runtime.targets import Target, choose_settings, open_target

PLAN = BenchPlan(runs=30, warmup=3, blocks=6)
# A ratio is wanted as sure as the search stays below its limit; on a machine that is never quiet so long.
_SURE_SHARE, _MOST_TURNS = 0.015, 3
_PROFILED = 10  # frames: only the layers' shares of the latency are taken from them
_QUIET = 0.1
_TOLERANCE = 0.01  # of the largest output: weights are those of no network that will run


class CutTimer(contextlib.ExitStack):
    """Exports and times networks on the target of a limit; the first is the whole one.

    Args:
        limit: says where.
        example: real inputs, shape (N, C, H, W).
        progress: called with each step.

    Attributes:
        target, setting: where and under what they run.
        layers_ms: of the network timed last, by module: see ``LayerCosts``.

    Raises:
        ValueError: no such target or cluster.
        DeviceError: it cannot be reached.
    """

    def __init__(self, limit: LatencyLimit, example: torch.Tensor, progress: Callable[[str], None]):
        super().__init__()
        self.limit, self.example, self.progress = limit, example, progress
        self.target = open_target(limit.target)
        self.setting = _setting(self.target, limit)
        self.layers_ms: dict[str, float] = {}
        self._folder = self.enter_context(staging_folder())
        self._whole: Bundle | None = None

    def time(self, model: nn.Module, what: str) -> Timing:
        """Export ``model`` and time it; ``what`` names it for who waits.

        Raises:
            ExportError, DelegationError: it cannot be exported.
            DeviceError, PermissionNeeded: the target cannot run it, or is gone.
        """
        self.progress(f"{what}: exporting for {self.limit.engine}")
        begin = time.perf_counter()
        bundle = self._export(model)
        exported = time.perf_counter()
        self.progress(f"{what}: timing on {self.target.name}, {self.setting}")
        mine, whole = self._measure(bundle)
        self.layers_ms = _by_layer(bundle, self.target, self.setting, summarise(mine)[0].latency_ms)
        ended = time.perf_counter()
        if self._whole is None:
            self._whole = bundle
        (row,) = summarise(mine)
        return _timing(row, mine, whole, bundle, exported - begin, ended - exported)

    def _export(self, model: nn.Module) -> Bundle:
        frames = tuple((self.example[i : i + 1].numpy(),) for i in range(len(self.example)))
        spec = TensorSpec("image", "float32", tuple(self.example[:1].shape))
        graph = SourceGraph(model.eval(), (spec,), frames, "test images", ("scores",))
        origin = Origin("cut", {MAIN_GRAPH: graph}, (), {})
        place = self._folder / f"{len(list(self._folder.iterdir()))}.edgekit"
        return export_bundle(origin, place, engines=(self.limit.engine,), tolerance=_TOLERANCE)

    def _measure(self, bundle: Bundle) -> tuple[list[Record], list[Record]]:
        """Return the records of ``bundle`` and of the whole network, which took turns with it."""
        logs = [RecordLog(bundle.path / f"{side}.jsonl") for side in ("mine", "whole")]
        if self._whole is None:
            plan = {name: getattr(PLAN, name) for name in ("runs", "warmup", "blocks")}
            records = bench(bundle, self.target, settings=[self.setting], log=logs[0], **plan)
            return records, records
        (mine,), (whole,) = bundle.manifest.variants, self._whole.manifest.variants
        found: tuple[list[Record], list[Record]] = ([], [])
        for turn in range(_MOST_TURNS):
            sides = measure_both(
                bundle,
                self._whole,
                self.target,
                variants=[(mine.name, whole.name)],
                settings=[self.setting],
                plan=replace(PLAN, seed=turn),
                logs=(logs[0], logs[1]),
            )
            for records, more in zip(found, sides, strict=True):
                records += more
            half_share = quiet_ratio(found[1], found[0])[1].half_share
            if half_share <= _SURE_SHARE:
                break
            if turn + 1 < _MOST_TURNS:
                self.progress(
                    f"its share is known to +-{half_share:.1%} only: timing {turn + 2} of {_MOST_TURNS}"
                )
        return found


def quiet_ratio(whole: Sequence[Record], mine: Sequence[Record]) -> tuple[float, Interval]:
    """Return the latency of ``mine`` to that of ``whole``, which took turns, and its 95 % interval.

    Other work on a machine only makes frames slower: the quieter ones of each block are compared.
    """
    quiet_ms = [[quantile(record.samples_ms, _QUIET) for record in side] for side in (whole, mine)]
    if len(mine) < 2:  # modelled: the same each time
        ratio = quiet_ms[1][0] / quiet_ms[0][0]
        return ratio, Interval(ratio, ratio)
    return paired_ratio(*quiet_ms)


def _setting(target: Target, limit: LatencyLimit) -> Setting:
    """Return the fastest clock of the cluster that is asked for, or of the fastest one."""
    name = limit.cluster or max(target.profile.clusters, key=target.profile.capacity).name
    offered = choose_settings(target, (limit.threads,), (name,))
    return max(offered, key=lambda setting: setting.freq_khz or 0)


def _timing(
    row: BenchRow,
    mine: list[Record],
    whole: list[Record],
    bundle: Bundle,
    export_s: float,
    timing_s: float,
) -> Timing:
    ratio, interval = quiet_ratio(whole, mine)
    (variant,) = bundle.manifest.variants
    return Timing(
        latency_ms=row.latency_ms,
        interval_ms=row.interval_ms,
        ratio=ratio,
        ratio_interval=interval,
        verdict=row.verdict,
        reasons=row.reasons,
        provenance=row.provenance,
        setting=str(row.setting),
        file_bytes=Path(bundle.file(variant.path)).stat().st_size,
        export_s=round(export_s, 1),
        timing_s=round(timing_s, 1),
    )


def _by_layer(bundle: Bundle, target: Target, setting: Setting, latency_ms: float) -> dict[str, float]:
    """Return what each module takes of ``latency_ms``: by the engine's profiler, a model, or MACs."""
    (variant,) = bundle.manifest.variants
    workload = bundle.workload(variant)
    ops = workload.ops if workload else ()
    found: Counter[str] = Counter()
    if target.is_modelled:
        for op in ops:
            alone = modelled_latency(Workload((op,)), target.profile, setting, variant.precision)
            found[op.name] += alone.latency_ms
    else:
        where = {"target": target, "cluster": setting.cluster, "threads": setting.threads}
        try:
            for seen in profile(bundle, runs=_PROFILED, warmup=2, **where).ops:
                found[seen.module_path or ""] += seen.median_ms
        except DeviceStableError:  # programs of others that time whole frames
            for op in ops:
                found[op.name] += op.macs
    scale = latency_ms / sum(found.values())
    return {name: ms * scale for name, ms in found.items()}
