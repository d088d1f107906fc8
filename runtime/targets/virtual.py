"""A SoC profile played on the host: clocks through a tree of files, latency and power modelled."""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace

from runtime._version import __version__
from runtime.bundle import Bundle, Variant
from runtime.bundle.staging import staging_folder
from runtime.device.actuators import CpuFreq, FreqDomain, Journal, allowed_cpus
from runtime.device.conditions import Conditions
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure, bounds_basis, load_profile, modelled_frame, setting_power
from runtime.device.soc.cores import core_notes
from runtime.device.soc.span import check_threads
from runtime.device.soc.tree import SocTree
from runtime.engines import EngineProcess, Frame, ModelBounds, Samples, Tensor, random_inputs
from runtime.engines.pacing import ModelledTime, PacedFrames, run_paced
from runtime.errors import DeviceStableError
from runtime.targets.name import TargetName
from runtime.targets.target import settings_of


class VirtualTarget:
    """A phone that is only modelled; see ``Target``. Every figure it gives is modelled.

    Args:
        soc: name of a SoC profile, or the path of a TOML or YAML file.

    Example:
        >>> target = VirtualTarget("sm8250")
        >>> target.power(target.settings()[0]).source.partition(",")[0]
        'measured: freqbench (MIT)'
    """

    provenance = "modelled"
    is_modelled = True
    returns_outputs = True

    def __init__(self, soc: str):
        self.name = str(TargetName("virtual", soc))
        self.profile = load_profile(soc)
        self.energy_note = self.profile.unlike_bases or (
            f"{self.name} has no power for this cluster: neither measured nor with a known voltage"
        )
        files = contextlib.ExitStack()
        self.root = files.enter_context(staging_folder())
        weakref.finalize(self, files.close)
        tree = SocTree(self.profile, self.root)
        self._cpufreq = CpuFreq(self.root, settle=tree.settle, journal=Journal(self.root / "journal"))

    def settings(self, threads: Sequence[int] = (1,), clusters: Sequence[str] = ()) -> tuple[Setting, ...]:
        return settings_of(self.profile, threads, clusters)

    def power(self, setting: Setting) -> PowerFigure | None:
        return setting_power(self.profile, setting)

    @contextlib.contextmanager
    def session(self, bundle: Bundle, variant: Variant, setting: Setting) -> Iterator[VirtualSession]:
        costs = bundle.costs(variant)
        if not costs:
            raise DeviceStableError(
                f"{variant.path} comes without a table of its operations, so {self.name} cannot model it; "
                "export the model with edgekit, or bench on --target local"
            )
        cluster = self.profile.cluster(setting.cluster)
        check_threads(cluster, setting.threads)
        policy = self._cpufreq.domain_of(cluster.cpus)
        with contextlib.ExitStack() as stack:
            if setting.freq_khz is not None:
                cluster.opp(setting.freq_khz)
                stack.enter_context(self._cpufreq.hold(policy, setting.freq_khz))
            read = replace(setting, freq_khz=self._cpufreq.read_khz(policy))
            modelled = modelled_frame(costs, self.profile, read)
            bounds = ModelBounds(modelled.low_ms, modelled.high_ms, bounds_basis(self.profile))
            session = VirtualSession(
                self._cpufreq, policy, setting, bounds, modelled.latency_ms, bundle, variant, stack
            )
            if notes := core_notes(cluster.parts):
                session.versions["model"] += f" ({'; '.join(notes)})"
            session.device = {"name": self.profile.board, "soc": self.profile.title}
            yield session


class VirtualSession:
    """See ``Session``. Outputs are computed on the host, when they are asked for."""

    control_level = "sysfs"
    worker_pid = None
    device: dict[str, str]

    def __init__(
        self,
        cpufreq: CpuFreq,
        policy: FreqDomain,
        setting: Setting,
        bounds: ModelBounds,
        latency_ms: float,
        bundle: Bundle,
        variant: Variant,
        stack: contextlib.ExitStack,
    ):
        self.setting = setting
        self.versions = {"model": f"edgekit latency model {__version__}"}
        self._cpufreq, self._policy = cpufreq, policy
        self._latency_ms, self._bounds = latency_ms, bounds
        self._bundle, self._variant = bundle, variant
        self._stack = stack
        self._engine: EngineProcess | None = None

    @property
    def setting_read(self) -> Setting:
        return Setting(self.setting.cluster, self._cpufreq.read_khz(self._policy), self.setting.threads)

    def run(self, inputs: Sequence[Tensor] | None = None) -> Frame:
        if self._engine is None:
            path = self._bundle.file(self._variant.path)
            threads = min(self.setting.threads, len(allowed_cpus() or (0,)))
            sha256 = self._bundle.sha256(self._variant.path)
            engine, graph = self._variant.engine, self._variant.graph
            model = EngineProcess(engine, path, graph=graph, threads=threads, sha256=sha256)
            self._engine = self._stack.enter_context(model)
        given = random_inputs(self._engine.inputs) if inputs is None else inputs
        return Frame(self._latency_ms, self._engine.run(given).arrays)

    def sample(self, *, warmup: int, runs: int, fps: float | None = None) -> Samples:
        return Samples(None, (self._latency_ms,), None, bounds=self._bounds)

    def run_paced(self, inputs: Sequence[Sequence[Tensor]], frames: int, fps: float | None) -> PacedFrames:
        return run_paced(self, inputs, frames, fps, ModelledTime())

    def conditions(self, *, probe: bool = False) -> Conditions:
        return Conditions(time_s=time.monotonic(), freq_khz=self._cpufreq.read_khz(self._policy))
