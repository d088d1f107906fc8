"""Where the time of a frame goes, op by op, as the engines' own profilers see it."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.bundle import Bundle, FallbackOp, Variant
from runtime.bundle.workload import Workload
from runtime.device.setting import Setting
from runtime.engines import EngineProcess, ProfiledFrames, random_inputs
from runtime.engines.tflite_graph import read_tflite
from runtime.engines.tflite_sizes import SHAPE
from runtime.errors import DeviceStableError
from runtime.measure.profiling.attribution import Attributed, attribute, pair_fallback, with_bodies
from runtime.measure.profiling.steadiness import disturbance, quieter
from runtime.targets.target import Profiled, Session, Target


@dataclass(frozen=True)
class OpTime:
    """What one op of a frame takes.

    Attributes:
        op: the engine's name for it.
        kind: one of ``runtime.bundle.workload.OP_KINDS``.
        module_path: in the source model; ``None`` where neither file nor bundle says.
        delegate: which delegate call of the frame runs it, from 0; ``None``: it runs outside.
        median_ms: over all frames: one in which the op was preempted does not count.
        mean_ms: over the quieter half of the frames; these add up.
        share: of the frame, 0 to 1: of the medians.
        source: who measured it: ``XNNPACK profiler``, ``LiteRT profiler`` or ``ETDump``.
        macs, bytes_moved: from the workload, where the op was found in it.
        start_ms, duration_ms: in one frame, the middle one of the quieter half.
        place: of the op among those of the workload, where it was found in it.
    """

    op: str
    kind: str
    module_path: str | None
    delegate: int | None
    mean_ms: float
    median_ms: float
    share: float
    source: str
    macs: int | None
    bytes_moved: int | None
    start_ms: float
    duration_ms: float
    place: int | None = None


@dataclass(frozen=True)
class Profile:
    """One variant's frame, op by op.

    Attributes:
        latency_ms: median of the frames without the profiler.
        profiled_ms: the same with it, inside the engine.
        ops: in the order they run.
        frame_ms: latency of the frame whose timeline the ops carry.
        remarks: what the figures do not show.
        target, provenance: where the frames ran, and how their latencies come about.
    """

    variant: str
    engine: str
    version: str
    threads: int
    runs: int
    latency_ms: float
    profiled_ms: float
    ops: tuple[OpTime, ...]
    frame_ms: float
    remarks: tuple[str, ...] = ()
    target: str = "local"
    provenance: str = "measured"

    @property
    def ops_ms(self) -> float:
        """Sum of the ops' medians."""
        return sum(op.median_ms for op in self.ops)

    @property
    def outside(self) -> tuple[OpTime, ...]:
        """The ops that run outside the delegate."""
        return tuple(op for op in self.ops if op.delegate is None)


def profile(
    bundle: Bundle,
    variant: str | None = None,
    *,
    target: Target | None = None,
    cluster: str | None = None,
    runs: int = 30,
    warmup: int = 5,
    threads: int = 1,
    seed: int = 0,
) -> Profile:
    """Run a variant with and without its engine's profiler.

    Args:
        bundle: from ``open_bundle_or_model``.
        variant: its name; default: the first.
        target: where; default: on this machine, on whichever cores the kernel takes.
        cluster: of the target whose cores run it, at the kernel's clock; default: the biggest.
        runs: frames of each kind.
        warmup: frames before them.
        threads: size of the engine's pool.
        seed: of the random input on this machine; a target makes its own.

    Raises:
        ValueError: no such variant or cluster.
        MissingExtra: the engine is not installed.
        DeviceError: the engine cannot load the file, or nothing times its ops on that target.

    Example:
        >>> profile(open_bundle_or_model("model.tflite")).ops_ms    # doctest: +SKIP
    """
    if target is None and cluster is not None:
        raise ValueError(
            f"cluster is {cluster!r}, but on this machine the kernel takes the cores; name a target, or none"
        )
    chosen = bundle.manifest.variant(variant)
    if target is not None:
        return _profile_there(bundle, chosen, target, cluster, runs=runs, warmup=warmup, threads=threads)
    return profile_file(
        bundle.file(chosen.path),
        chosen,
        bundle.workload(chosen),
        runs=runs,
        warmup=warmup,
        threads=threads,
        seed=seed,
        sha256=bundle.sha256(chosen.path),
    )


def profile_file(
    path: Path,
    variant: Variant,
    workload: Workload | None,
    *,
    runs: int,
    warmup: int,
    threads: int = 1,
    seed: int = 0,
    sha256: str | None = None,
) -> Profile:
    """Run the file at ``path``, which is or will be ``variant`` of a bundle; see ``profile``."""
    load = functools.partial(
        EngineProcess, variant.engine, path, graph=variant.graph, threads=threads, sha256=sha256
    )
    with load() as model:
        inputs = random_inputs(model.inputs, seed)
        plain_ms = model.sample(inputs, warmup=warmup, runs=runs).samples_ms
    with load(with_profiler=True) as model:
        seen = model.profile(inputs, warmup=warmup, runs=runs)
        version = model.version
    return make_profile(path, variant, workload, plain_ms, seen, version=version, threads=threads)


def _profile_there(
    bundle: Bundle,
    variant: Variant,
    target: Target,
    cluster: str | None,
    *,
    runs: int,
    warmup: int,
    threads: int,
) -> Profile:
    biggest = max(target.profile.clusters, key=target.profile.capacity).name
    setting = Setting(cluster or biggest, None, threads)
    with target.session(bundle, variant, setting) as session:
        timed = profiled(session, target.name)
        plain_ms = session.sample(warmup=warmup, runs=runs).samples_ms
        seen = timed.profile(warmup=warmup, runs=runs)
        version = session.versions["engine"]
    path, workload = bundle.file(variant.path), bundle.workload(variant)
    made = make_profile(path, variant, workload, plain_ms, seen, version=version, threads=threads)
    remarks = made.remarks
    if target.provenance == "emulated":
        remarks += ("an emulated core is slowed in slices of about 1 ms: believe only longer frames",)
    return replace(made, target=target.name, provenance=target.provenance, remarks=remarks)


def profiled(session: Session, target: str) -> Profiled:
    """Return ``session`` if its engine can time single ops.

    Raises:
        DeviceStableError: it cannot; ``target`` is named.
    """
    if isinstance(session, Profiled):
        return session
    raise DeviceStableError(
        f"{target} gives no times of single ops: models run there in programs of others, or are modelled; "
        "profile on local, ssh:USER@HOST or emulated:SOC"
    )


def make_profile(
    path: Path,
    variant: Variant,
    workload: Workload | None,
    plain_ms: Sequence[float],
    seen: ProfiledFrames,
    *,
    version: str,
    threads: int,
) -> Profile:
    """Put the ops of the frames together with what file and bundle know of them."""
    inside = sum(op.delegate is not None for op in seen.frames[0])
    remarks = [
        f"XNNPACK gives whole microseconds: {inside} ops may take up to {inside / 1000:.3g} ms more in all",
        *disturbance(plain_ms, seen.samples_ms),
    ]
    indices: tuple[int, ...] = ()
    graphs: tuple[str, ...] = ()
    if variant.engine == "litert":
        file = read_tflite(path)
        indices, workload, graphs = file.op_indices, workload or file.workload, file.graphs
        if SHAPE in file.op_counts:
            remarks.append(
                "sizes that the file computes are constants under the profiler: it may delegate more"
            )
    if any(event.subgraph for event in seen.frames[0]):
        remarks.append(
            "ops 'in GRAPH' are of a graph that control flow runs; the turns of a loop are added up, and IF "
            "and WHILE show what is left of their own time"
        )
    if workload is None:
        remarks.append("a bare .pte does not say which module an op comes from; profile the bundle")
    fallback = variant.delegation.fallback if variant.delegation else ()
    main = [event for event in seen.frames[0] if event.subgraph == 0]
    known = attribute(main, workload.ops if workload else (), indices, seen.partitions, fallback)
    ops = with_bodies(seen.frames[0], known, graphs)
    return Profile(
        variant=variant.name,
        engine=variant.engine,
        version=version,
        threads=threads,
        runs=len(seen.samples_ms),
        latency_ms=statistics.median(plain_ms),
        profiled_ms=statistics.median(seen.samples_ms),
        ops=_op_times(seen, ops),
        frame_ms=seen.samples_ms[_typical(seen)],
        remarks=tuple(remarks),
    )


def fallback_shares(profile: Profile, fallback: Sequence[FallbackOp]) -> list[float | None]:
    """Return the share of the frame that each op of ``fallback`` takes; ``None``: it was not seen running."""
    shares: list[float | None] = [None] * len(fallback)
    outside = profile.outside
    for place, found in enumerate(pair_fallback([op.op for op in outside], fallback)):
        if found is not None:
            shares[found] = outside[place].share
    return shares


def _op_times(seen: ProfiledFrames, ops: Sequence[Attributed]) -> tuple[OpTime, ...]:
    names = [event.name for event in seen.frames[0]]
    if any([event.name for event in frame] != names for frame in seen.frames):
        raise DeviceStableError("its frames do not run the same ops; it cannot be profiled op by op")
    calm = quieter(seen.samples_ms)
    frame_ms = statistics.median(seen.samples_ms)
    times = []
    for i, (event, op) in enumerate(zip(seen.frames[_typical(seen)], ops, strict=True)):
        each_ms = [frame[i].duration_ns / 1e6 for frame in seen.frames]
        times.append(
            OpTime(
                op=event.name,
                kind=op.kind,
                module_path=op.module_path,
                delegate=event.delegate,
                mean_ms=statistics.fmean(each_ms[frame] for frame in calm),
                median_ms=statistics.median(each_ms),
                share=statistics.median(each_ms) / frame_ms,
                source=event.source,
                macs=op.macs,
                bytes_moved=op.bytes_moved,
                start_ms=event.start_ns / 1e6,
                duration_ms=event.duration_ns / 1e6,
                place=op.place,
            )
        )
    return tuple(times)


def _typical(seen: ProfiledFrames) -> int:
    half = quieter(seen.samples_ms)
    return half[len(half) // 2]
