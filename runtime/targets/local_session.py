"""A model that runs on this machine under one setting."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace

from runtime.device.actuators import CpuFreq, FreqDomain
from runtime.device.conditions import Conditions
from runtime.device.marker import find_marker
from runtime.device.meters import MeterInUse, read_conditions, read_device
from runtime.device.meters.threads import misplaced, read_threads
from runtime.device.setting import Setting
from runtime.engines import EngineProcess, Frame, ProfiledFrames, Samples, Tensor, random_inputs
from runtime.engines.pacing import PacedFrames, WallTime, run_paced


class LocalSession:
    """A model loaded on this machine under a setting; see ``Session``.

    Args:
        model: that is run and timed.
        load_profiled: loads it once more with the engine's profiler on, in the same place.
        setting: what was asked, and is held by others as long as this lives.
        policy: whose clock that is.
        smt: what is known of cores with several hardware threads, where there are some.
        clock_level: how the clock is held where one was asked for.
    """

    def __init__(
        self,
        model: EngineProcess,
        load_profiled: Callable[[], EngineProcess],
        setting: Setting,
        cpufreq: CpuFreq,
        policy: FreqDomain | None,
        meter: MeterInUse,
        smt: str | None = None,
        clock_level: str = "sysfs",
    ):
        self.setting = setting
        self.device = read_device(cpufreq.root)
        if (marker := find_marker(cpufreq.root)) is not None:
            self.device["name"] = f"{marker.soc} emulated on {self.device['name']}"
        if smt is not None:
            self.device["smt"] = smt
        self._clock_level = clock_level
        self.worker_pid: int | None = model.pid
        self.versions = {"engine": model.version, "kernel": platform.release()}
        self._load_profiled = load_profiled
        self._model, self._cpufreq, self._policy = model, cpufreq, policy
        self._inputs = random_inputs(model.inputs)
        self._threads_read: int | None = None
        self._meter = meter
        self.meter = meter.found.name

    @property
    def control_level(self) -> str:
        if self.setting.freq_khz is not None:
            return self._clock_level
        return "affinity" if self._model.cpus is not None else "threads"

    @property
    def setting_read(self) -> Setting | None:
        if self._threads_read is None:
            return None  # a pool shows its size only after it has worked
        freq_khz = self._cpufreq.read_khz(self._policy) if self._policy is not None else None
        return Setting(self.setting.cluster, freq_khz, self._threads_read)

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame:
        return self._model.run(self._inputs if inputs is None else inputs)

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        if self._meter.found.meter is None:
            samples = self._model.sample(self._inputs, warmup=warmup, runs=runs, fps=fps)
        else:  # the cold frame and the warm-up stay out of the meter's window
            cold = self._model.sample(self._inputs, warmup=warmup, runs=0)
            timed, energy = self._meter.measure(
                runs, lambda: self._model.sample(self._inputs, warmup=0, runs=runs, fps=fps)
            )
            samples = replace(
                timed, first_ms=cold.first_ms, threads=timed.threads or cold.threads, energy=energy
            )
        self._threads_read = samples.threads
        return replace(samples, misplaced=self._misplaced())

    def _misplaced(self) -> tuple[str, ...]:
        """Look at every thread of the worker: affinity is each one's own, and a cpuset overrides it."""
        cpus = self._model.cpus
        if cpus is None or self.worker_pid is None:
            return ()
        marker = find_marker()  # of the machine that the worker really runs on
        return misplaced(read_threads(self.worker_pid), cpus if marker is None else marker.map(cpus))

    def run_paced(self, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None) -> PacedFrames:
        return run_paced(self, inputs, frames, fps, WallTime())

    def profile(self, *, warmup: int, runs: int) -> ProfiledFrames:
        with self._load_profiled() as model:
            return model.profile(self._inputs, warmup=warmup, runs=runs)

    def conditions(self, *, probe: bool = False) -> Conditions:
        return read_conditions(
            self._cpufreq.root,
            pid=self.worker_pid,
            cpus=self._model.cpus,
            policy=None if self._policy is None else self._policy.path,
            probe=probe,
        )
