"""Time graphs of kernels on a target, op by op, in interleaved rounds; what is timed is kept."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import numpy as np

from runtime.bundle import Bundle, Variant, decode_file, write_atomic
from runtime.bundle.figures import check_figures
from runtime.bundle.names import slug
from runtime.bundle.workload import Workload
from runtime.choose.fitting.kernels.quiet import QuietWatch
from runtime.device.setting import Setting
from runtime.engines import ProfiledFrames
from runtime.errors import BundleError, DeviceStableError
from runtime.measure.origin import Origin, origin
from runtime.measure.profiling.profile import make_profile, profiled
from runtime.targets import Target

FOLDER = "kernels"  # of a bundle; like records, what lies there is not in the manifest
_FASTEST, _DISTURBED, _RESOLUTION_MS = 0.05, 1.05, 0.001
_PATIENCE_S = 3.0  # for a machine that is busy: of a round, for each of its graphs
_MOST_FAILURES = 3  # of the first graphs: more cannot all be broken, so the target is at fault


@dataclass(frozen=True)
class Round:
    """A graph timed once: its frame without the profiler, each op with it, and how long all that took."""

    number: int
    latency_ms: float
    ops_ms: tuple[float, ...]
    took_s: float
    created_utc: str

    def __post_init__(self) -> None:
        check_figures(self)
        if self.latency_ms <= 0 or not all(0 <= op_ms < 1e9 for op_ms in self.ops_ms):
            raise ValueError(f"round {self.number} holds times that no op takes; remove the file")


@dataclass(frozen=True)
class TimedGraph:
    """A graph of kernels and what it took: its quietest frame, and each op in its quietest round."""

    workload: Workload
    latency_ms: float
    ops_ms: np.ndarray


@dataclass(frozen=True)
class GraphTimes:
    """All rounds of one graph under one setting, and what made them.

    Attributes:
        failure: why the graph cannot run there; ``None``: it can.
    """

    model_sha256: str
    setting: Setting
    origin: Origin | None = None
    rounds: tuple[Round, ...] = ()
    failure: str | None = None

    def quietest(self, workload: Workload) -> TimedGraph:
        """Return what the graph of ``workload`` takes: other work on a machine can only make it slower."""
        latency_ms = min(one.latency_ms for one in self.rounds)
        return TimedGraph(workload, latency_ms, np.min([one.ops_ms for one in self.rounds], axis=0))


@dataclass
class KernelTimer:
    """Times the variants of a bundle of kernels on ``target`` under ``setting``.

    Args:
        runs, warmup: timed and untimed frames of each round, without the profiler and with it.
        on_step: called before each graph.
        on_message: called with what is measured again, and which graphs cannot run.

    Example:
        >>> timer = KernelTimer(open_target("local"), Setting("cpu", None))     # doctest: +SKIP
        >>> timer.time_round(bundle, ["litert-000"], 0)                         # doctest: +SKIP
    """

    target: Target
    setting: Setting
    runs: int = 30
    warmup: int = 3
    on_step: Callable[[str], None] = lambda text: None
    on_message: Callable[[str], None] = lambda text: None
    _now: Origin | None = field(default=None, init=False)  # what measures in this run
    _failures: int = field(default=0, init=False)
    _watches: dict[str, QuietWatch] = field(default_factory=dict, init=False)  # by what they load

    def time_round(self, bundle: Bundle, names: Sequence[str], number: int) -> None:
        """Time each of the variants ``names`` once, in an order of this round's own; kept ones are not.

        A graph that the engine or the machine cannot run is kept as such: its kernels are left out.

        Raises:
            DeviceError: the target is gone, or gives no times of single ops; what is timed is kept.
        """
        order = list(names)
        random.Random(number).shuffle(order)
        due = {
            place: variant
            for place, variant in enumerate(map(bundle.manifest.variant, order), 1)
            if self._is_due(self.kept(bundle, variant), number)
        }
        if not due:
            return
        with contextlib.ExitStack() as stack:
            watch = self._start_watch(bundle, names, stack)
            for place, variant in due.items():
                self.on_step(
                    f"round {number + 1}, graph {place} of {len(order)}: {variant.name} on {self.target.name}"
                )
                timed = self._time(bundle, variant, watch, number)
                path = self._path(bundle, variant)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, msgspec.json.encode(timed))

    def kept(self, bundle: Bundle, variant: Variant) -> GraphTimes:
        """Return what is known of a variant: rounds of this very file, and of one machine and engine."""
        empty = GraphTimes(bundle.sha256(variant.path), self.setting)
        path = self._path(bundle, variant)
        known = decode_file(path, GraphTimes) if path.is_file() else empty
        if (known.model_sha256, known.setting) != (empty.model_sha256, empty.setting):
            return empty
        return known

    @staticmethod
    def _is_due(known: GraphTimes, number: int) -> bool:
        return known.failure is None and all(one.number != number for one in known.rounds)

    def _start_watch(
        self, bundle: Bundle, names: Sequence[str], stack: contextlib.ExitStack
    ) -> QuietWatch | None:
        """Load the smallest graph, to tell by it when the machine is quiet; ``None``: it cannot run."""
        workloads = {name: self._workload(bundle, bundle.manifest.variant(name)) for name in names}
        smallest = min(names, key=lambda name: sum(op.macs for op in workloads[name].ops))
        variant = bundle.manifest.variant(smallest)
        if self.kept(bundle, variant).failure is not None:
            return None
        setting = replace(self.setting, freq_khz=None)  # the graph that is timed holds the clock
        try:
            session = stack.enter_context(self.target.session(bundle, variant, setting))
        except DeviceStableError:
            return None  # what is wrong is said when its turn comes
        known = self._watches.get(bundle.sha256(variant.path))
        watch = QuietWatch(session, _PATIENCE_S * len(names))
        if known is not None:
            watch.quietest_ms = known.quietest_ms
        self._watches[bundle.sha256(variant.path)] = watch
        return watch

    def _time(self, bundle: Bundle, variant: Variant, watch: QuietWatch | None, number: int) -> GraphTimes:
        known, workload = self.kept(bundle, variant), self._workload(bundle, variant)
        start_s = time.monotonic()
        plain_ms: list[float] = []
        frames: list[ProfiledFrames] = []
        try:
            with self.target.session(bundle, variant, self.setting) as session:
                self._now = origin(session.device, session.versions, None)
                timed = profiled(session, self.target.name)

                def sample() -> None:
                    plain_ms.extend(session.sample(warmup=self.warmup, runs=self.runs).samples_ms)
                    frames.append(timed.profile(warmup=self.warmup, runs=self.runs))

                if watch is None:
                    sample()
                else:
                    watch.sample_quietly(sample)
        except DeviceStableError as err:
            self._failures += 1
            if self._now is None and self._failures >= _MOST_FAILURES:
                raise  # no graph runs there: it is not this one's fault
            self.on_message(f"{variant.name} is left out: {err}")
            return replace(known, failure=str(err))
        if known.origin is not None and known.origin != self._now:
            self.on_message(f"{variant.name} is timed again: it was by {known.origin.text}")
            known = replace(known, rounds=())
        took_s = time.monotonic() - start_s
        seen = ProfiledFrames(
            tuple(ms for each in frames for ms in each.samples_ms),
            tuple(frame for each in frames for frame in each.frames),
            frames[0].partitions,
        )
        path, threads = bundle.file(variant.path), self.setting.threads
        made = make_profile(
            path, variant, workload, plain_ms, seen, version=self._now.engine, threads=threads
        )
        places = [op.place for op in made.ops]
        one = Round(number, _calm_ms(plain_ms), _op_times_ms(seen, places, workload), took_s, _utc())
        return replace(known, origin=self._now, rounds=(*known.rounds, one))

    @staticmethod
    def _workload(bundle: Bundle, variant: Variant) -> Workload:
        workload = bundle.workload(variant)
        if workload is None:
            raise BundleError(f"{variant.name} of {bundle.path.name} has no workload; fit with a new bundle")
        return workload

    def _path(self, bundle: Bundle, variant: Variant) -> Path:
        where = f"{self.setting.cluster}-{self.setting.freq_khz or 'kernel'}-x{self.setting.threads}"
        return bundle.path / FOLDER / slug(f"{self.target.name}-{where}") / f"{slug(variant.name)}.json"


def _op_times_ms(seen: ProfiledFrames, places: Sequence[int | None], workload: Workload) -> tuple[float, ...]:
    """Return what each op of the workload took undisturbed: 0 for one that was fused into another."""
    each_ms = np.array([[event.duration_ns / 1e6 for event in frame] for frame in seen.frames])
    times_ms = np.zeros(len(workload.ops))
    for column, place in enumerate(places):
        if place is not None:
            times_ms[place] += _calm_ms(each_ms[:, column])
    return tuple(times_ms.tolist())


def _calm_ms(samples_ms: Sequence[float] | np.ndarray) -> float:
    """Return the mean of the samples that other work did not disturb: those hardly longer than the fastest.

    Op by op, since of a long frame on a busy machine nearly every one is disturbed somewhere. Profilers that
    give whole microseconds round one time up and another down: the mean tells what lies between.
    """
    samples = np.asarray(samples_ms, dtype=np.float64)
    calm = samples <= _DISTURBED * np.quantile(samples, _FASTEST) + _RESOLUTION_MS
    return float(samples[calm].mean())


def _utc() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
