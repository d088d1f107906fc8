"""An Android phone on adb as a target: models run in the user's own benchmark programs.

A phone has no Python. Its clocks are held from the host through devlib's adb connection, by the actuator
that holds this machine's; LiteRT models run in ``benchmark_model``, ExecuTorch ones in
``executor_runner``, pinned by ``taskset``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from runtime.bundle import Bundle, Variant
from runtime.device.actuators import Capability, CpuFreq, FreqDomain, Journal
from runtime.device.actuators.cpufreq import write_state
from runtime.device.actuators.domains import POLICY_DIR, domain_over
from runtime.device.actuators.states import PolicyState
from runtime.device.conditions import Conditions
from runtime.device.meters.memory import MemoryUse
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure
from runtime.device.soc.span import check_threads
from runtime.engines import Frame, Samples, Tensor
from runtime.engines.pacing import PacedFrames, WallTime, run_paced
from runtime.engines.programs import RUNNERS
from runtime.engines.pte_program import planned_bytes, read_methods
from runtime.errors import DeviceStableError, PermissionNeeded
from runtime.targets.adb.conditions import AdbConditions
from runtime.targets.adb.facts import read_facts
from runtime.targets.adb.job import AdbJob
from runtime.targets.adb.meter import AdbMeter
from runtime.targets.adb.path import AdbPath
from runtime.targets.adb.runner import install, push_once
from runtime.targets.adb.shell import AdbShell, CommandFailed
from runtime.targets.local import HeldSetting
from runtime.targets.name import TargetName
from runtime.targets.target import settings_of

_LIMIT = "scaling_max_freq"
_NO_TASKSET = "the phone has no taskset to pin programs with"


class AdbTarget:
    """The phone ``adb devices`` calls ``serial``; see ``Target``.

    Raises:
        MissingExtra: devlib is not installed.
        DeviceError: the phone cannot be reached, or shows too little of itself.

    Example:
        >>> target = AdbTarget("R5CT1234")                              # doctest: +SKIP
        >>> target.capability.level                                       # doctest: +SKIP
        'affinity'
    """

    provenance = "measured"
    is_modelled = False
    returns_outputs = False

    def __init__(self, serial: str):
        self.name = str(TargetName("adb", serial))
        self.shell = AdbShell(serial)
        self._facts = read_facts(self.shell)
        self.profile = self._facts.profile
        self.device = self._facts.device
        self._is_root = self.shell.is_root
        self.meter = AdbMeter(self.shell, as_root=self._is_root)
        self.capability = self._probe()
        self.journal = Journal(
            device=self.name, boot_id=self._facts.boot_id, guardian="runtime.targets.adb.guardian"
        )
        self.cpufreq = CpuFreq(cast(Path, AdbPath(self.shell, "/", as_root=True)), journal=self.journal)

    def settings(self, threads: Sequence[int] = (1,), clusters: Sequence[str] = ()) -> tuple[Setting, ...]:
        return settings_of(self.profile, threads, clusters, with_clocks=self.capability.level == "sysfs")

    @property
    def why_not_held(self) -> str | None:
        """Why other programs on the phone cannot be put on a core and a clock; ``None``: they can."""
        if self.capability.level != "sysfs":
            return self.capability.reasons[0]
        return None if self._facts.has_taskset else _NO_TASKSET

    @property
    def energy_note(self) -> str:
        """Why there is no energy where no meter of the phone gives it, and what helps."""
        return self.meter.note

    def use_meter(self, wanted: str) -> None:
        """Take another meter of the phone from now on; see ``AdbMeter``."""
        self.meter.use(wanted)

    def power(self, setting: Setting) -> PowerFigure | None:
        return None

    @contextlib.contextmanager
    def session(self, bundle: Bundle, variant: Variant, setting: Setting) -> Iterator[AdbSession]:
        check_threads(self.profile.cluster(setting.cluster), setting.threads)
        file = bundle.file(variant.path)
        _check_method(file, variant)
        runner = RUNNERS.get(variant.engine)
        installed = install(self.shell, runner)
        model = push_once(self.shell, file)
        with contextlib.ExitStack() as stack:
            held = stack.enter_context(self.hold(setting))
            job = AdbJob(self.shell, runner, installed, model, setting.threads, held.cpus)
            stack.callback(job.stop)
            arena_bytes = planned_bytes(file, variant.graph)
            yield AdbSession(
                *(job, setting, self.device, self.cpufreq, held.domain, self.reader(held), self.meter),
                arena_bytes=arena_bytes,
            )

    @contextlib.contextmanager
    def hold(self, setting: Setting) -> Iterator[HeldSetting]:
        """Hold the clock of ``setting`` within the block; what runs there is for the caller to place.

        Raises:
            ValueError: no such cluster, clock or number of threads.
            PermissionNeeded: a clock was asked for and may not be set.
            DeviceError: the phone is gone, or does not take it.
        """
        cluster = self.profile.cluster(setting.cluster)
        check_threads(cluster, setting.threads)
        policy = self._policy(setting.cluster)
        if setting.freq_khz is not None and self.capability.level != "sysfs":
            raise PermissionNeeded(
                f"{self.name} cannot hold a clock: {self.capability.reasons[0]}; root the phone, or leave "
                "the clock to the kernel (no --freq-khz)"
            )
        cpus = cluster.place(setting.threads) if self._facts.has_taskset else None
        with contextlib.ExitStack() as stack:
            if setting.freq_khz is not None:
                assert policy is not None
                stack.enter_context(self.cpufreq.hold(policy, setting.freq_khz))
            yield HeldSetting(setting, policy, cpus, None, "sysfs")

    def reader(self, held: HeldSetting) -> AdbConditions:
        """Return what reads the phone's conditions while a setting is held."""
        return AdbConditions(self.shell, held.domain, held.cpus, as_root=self._is_root)

    def _probe(self) -> Capability:
        """Return what a shell on the phone may do; changes nothing."""
        reason = f"no clocks below /{POLICY_DIR} of the phone: they are the kernel's choice"
        policy = self._policy(self.profile.clusters[-1].name)
        if policy is not None:
            path = AdbPath(self.shell, str(policy.path), as_root=True) / _LIMIT
            if not self._is_root:
                reason = "the phone gives no root (neither adb root nor su): clocks are the kernel's choice"
            elif _is_writable(self.shell, str(path)):
                return Capability("sysfs")
            else:
                reason = f"{path} of the phone is not writable, even for root"
                if _is_read_only(self.shell):
                    reason += ": its /sys is read-only; run: adb shell su -c 'mount -o remount,rw /sys'"
        if self._facts.has_taskset:
            return Capability("affinity", (reason,))
        return Capability("threads", (reason, _NO_TASKSET))

    def _policy(self, cluster_name: str) -> FreqDomain | None:
        cluster = self.profile.cluster(cluster_name)
        domain = domain_over(self._facts.policies, cluster.cpus)
        return None if domain is None else self._on_phone(domain)

    def _on_phone(self, policy: FreqDomain) -> FreqDomain:
        folder = AdbPath(self.shell, f"/{POLICY_DIR}/{policy.path.name}", as_root=True)
        members = tuple(self._on_phone(member) for member in policy.members)
        return replace(policy, path=cast(Path, folder), members=members)


class AdbSession:
    """See ``Session``. It times frames; the program's inputs are its own, so it serves none."""

    worker_pid = None

    def __init__(
        self,
        job: AdbJob,
        setting: Setting,
        device: dict[str, str],
        cpufreq: CpuFreq,
        policy: FreqDomain | None,
        reader: AdbConditions,
        meter: AdbMeter,
        arena_bytes: int | None = None,
    ):
        self.setting, self.device = setting, device
        self.versions = {"engine": job.program}
        self._job, self._cpufreq, self._policy, self._reader = job, cpufreq, policy, reader
        self._threads_read: int | None = None
        self._meter, self.meter = meter, meter.found.name
        self._arena_bytes = arena_bytes

    @property
    def control_level(self) -> str:
        if self.setting.freq_khz is not None:
            return "sysfs"
        return "affinity" if self._job.cpus is not None else "threads"

    @property
    def setting_read(self) -> Setting | None:
        if self._threads_read is None:
            return None  # the program says how many threads it uses once it has run
        # A clock nobody holds is read when the cores are idle again: it says nothing of the frames.
        is_held = self._policy is not None and self.setting.freq_khz is not None
        freq_khz = self._cpufreq.read_khz(cast(FreqDomain, self._policy)) if is_held else None
        return Setting(self.setting.cluster, freq_khz, self._threads_read)

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame:
        if inputs is not None:
            raise DeviceStableError(
                "benchmark programs on a phone time frames of their own inputs and return no outputs; "
                "bench there, and run inputs on local or over ssh"
            )
        return Frame(self.sample(warmup=1, runs=1).samples_ms[0], None)

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        timings = self._job.time(warmup=warmup, runs=runs, fps=fps)
        self._threads_read = timings.threads
        if timings.note is not None:
            self.versions["samples"] = timings.note
        energy = self._meter.measure(runs, lambda: self._job.time_steady(warmup=warmup, runs=runs, fps=fps))
        known = (timings.model_bytes, self._arena_bytes)
        return Samples(
            timings.first_ms,
            timings.samples_ms,
            timings.threads,
            energy,
            load_ms=timings.load_ms,
            memory=None if known == (None, None) else MemoryUse(None, *known),
        )

    def run_paced(self, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None) -> PacedFrames:
        return run_paced(self, inputs, frames, fps, WallTime())

    def conditions(self, *, probe: bool = False) -> Conditions:
        return self._reader.read()


def restore_clocks(name: str, state: PolicyState, boot_id: str) -> bool:
    """Put a clock of the phone called ``adb:SERIAL`` back; ``False`` if it was restarted since.

    Raises:
        DeviceError: the phone cannot be reached or does not take the old state.
        PermissionNeeded: it gives no root any more.
    """
    shell = AdbShell(TargetName.parse(name).rest)
    if shell.run("cat /proc/sys/kernel/random/boot_id").strip() != boot_id:
        return False
    folder = AdbPath(shell, f"/{POLICY_DIR}/{Path(state.policy).name}", as_root=True)
    write_state(state, cast(Path, folder))
    return True


def _check_method(file: Path, variant: Variant) -> None:
    """Refuse a method of an ExecuTorch program other than its first, which is the one that runs."""
    if variant.engine != "executorch":
        return
    first, *others = read_methods(file)
    if others and variant.graph != first:
        raise DeviceStableError(
            f"{variant.name} runs the method {variant.graph!r} of {file.name}, but executor_runner runs the "
            f"first of a program, here {first!r}; export that method into a file of its own"
        )


def _is_read_only(shell: AdbShell) -> bool:
    lines = (line.split() for line in shell.run("cat /proc/mounts 2>/dev/null || true").splitlines())
    # A later mount lies over an earlier one.
    options = [words[3].split(",") for words in lines if len(words) > 3 and words[1] == "/sys"]
    return bool(options) and "ro" in options[-1]


def _is_writable(shell: AdbShell, path: str) -> bool:
    try:
        shell.run(f"[ -w {path} ]", as_root=True)
    except CommandFailed:
        return False
    return True
