"""What ops take on a target that a network never ran on, as far as edgekit's predictors know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from edgekit.export.backend import EXPORT_BACKENDS
from edgekit.export.executorch import trace
from edgekit.export.lower import lower
from edgekit.export.workload import workload_of
from edgekit.search.kernels.fit import choose_setting
from runtime.bundle import Bundle
from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting.kernels.predict import predict_workload
from runtime.choose.fitting.kernels.storage import load_kernel_fit
from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency
from runtime.errors import NotFittedError
from runtime.targets import open_target


@dataclass(frozen=True)
class Timing:
    """Tells what ops take; the latencies of all ops and ``frame_ms`` add up to a frame's.

    Attributes:
        target, setting: where they run.
        provenance: how the figures came about; they are never measured of the network itself.
        workload: returns the ops of a network, from the network and an input.
        latencies_ms: returns what each op takes.
    """

    target: str
    setting: Setting
    provenance: str
    workload: Callable[[nn.Module, torch.Tensor], Workload]
    latencies_ms: Callable[[Workload], Sequence[float]]
    frame_ms: float = 0.0

    def latency_ms(self, network: nn.Module, example: torch.Tensor) -> float:
        """Return what a frame of ``network`` takes; ``example`` has the shape (1, C, H, W)."""
        return sum(self.latencies_ms(self.workload(network, example))) + self.frame_ms


def timing_on(
    target: str,
    *,
    kernels: Path | None = None,
    engine: str = "litert",
    cluster: str | None = None,
    freq_khz: int | None = None,
    threads: int = 1,
) -> Timing:
    """Return what is known of ``target``: the latency model of a virtual one, or kernels timed on a real one.

    Args:
        kernels: the bundle that ``edgekit fit --kernels`` made; needed but for virtual targets.
        engine: whose kernels.
        cluster, freq_khz, threads: of a virtual target; default: its biggest cluster at its highest clock.

    Raises:
        ValueError: no such target or setting.
        NotFittedError: no kernels were timed on ``target``.
    """
    if kernels is not None:
        return _by_kernels(target, kernels, engine)
    machine = open_target(target) if target.startswith("virtual:") else None
    if machine is None:
        raise NotFittedError(
            f"what blocks take on {target} is not known; time kernels there once (edgekit fit --kernels "
            f"--target {target}) and give their bundle: --kernels kernels.edgekit; or choose virtual:SOC"
        )
    profile = machine.profile
    setting = choose_setting(machine, cluster, freq_khz, threads)

    def latencies_ms(workload: Workload) -> list[float]:
        # The model is a sum over ops: each alone takes what it takes in the frame.
        return [modelled_latency(Workload((op,)), profile, setting).latency_ms for op in workload.ops]

    def workload(network: nn.Module, example: torch.Tensor) -> Workload:
        return workload_of(trace(lower(network), (example,)))

    return Timing(machine.name, setting, machine.provenance, workload, latencies_ms)


def _by_kernels(target: str, kernels: Path, engine: str) -> Timing:
    if not kernels.exists():
        raise NotFittedError(
            f"there are no kernels at {kernels}; time some: edgekit fit --kernels {kernels} --target {target}"
        )
    fit, estimator = load_kernel_fit(Bundle.open(kernels), target, engine)

    def latencies_ms(workload: Workload) -> list[float]:
        return [op.latency_ms for op in predict_workload(fit, estimator, workload)[2]]

    def workload(network: nn.Module, example: torch.Tensor) -> Workload:
        return EXPORT_BACKENDS.get(engine)(lower(network), (example,)).workload

    provenance = f"predicted from {fit.provenance} kernels"
    return Timing(target, fit.setting, provenance, workload, latencies_ms, fit.frame[3])


def is_of_place(op: Op, place: int) -> bool:
    """Return whether ``op`` belongs to the block at ``place``."""
    return f"{op.name}.".startswith(f"blocks.{place}.")
