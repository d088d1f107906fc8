"""Learn what kernels take on a target, so that networks can be predicted that never ran there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit.search.kernels.sample import KernelSample
from runtime.bundle import Bundle
from runtime.choose.fitting.kernels.result import KernelFit
from runtime.choose.fitting.kernels.timing import KernelTimer
from runtime.device.setting import Setting
from runtime.extras import require
from runtime.targets import Target, open_target
from runtime.targets.target import Metered, choose_settings, use_meter


def fit_kernels(
    path: Path,
    target: str,
    *,
    engine: str = "litert",
    most: int = 2000,
    rounds: int = 4,
    cluster: str | None = None,
    freq_khz: int | None = None,
    threads: int = 1,
    seed: int = 0,
    on_step: Callable[[str], None] = lambda text: None,
    on_message: Callable[[str], None] = lambda text: None,
) -> tuple[Bundle, KernelFit]:
    """Draw kernels, time them on ``target`` and learn from them; what is in the bundle is not done again.

    Args:
        path: the bundle of kernels; made where it is missing. Several targets may share one.
        engine: that runs them.
        most: kernels in all.
        rounds: times each graph is timed, interleaved with all others; the quietest counts.
        cluster, freq_khz, threads: where they run; default: the biggest cluster at its highest clock.
        on_step, on_message: called with what is done, and with what is left out.

    Raises:
        ValueError: the target's latencies are computed, or it has no such setting.
        DeviceError: the target is gone, or times no single ops; what is done is kept.
        DataError: too few kernels ran.

    Example:
        >>> fit_kernels(Path("kernels.edgekit"), "ssh:pi@board", most=500)      # doctest: +SKIP
    """
    require("sklearn", extra="predict")  # before an hour of timing, not after it
    machine = open_target(target)
    if machine.is_modelled:
        raise ValueError(
            f"{target} runs nothing: its latencies are computed, for any network (edgekit bench NETWORK "
            f"--target {target}); fit kernels on local, ssh:USER@HOST or emulated:SOC"
        )
    if isinstance(machine, Metered):
        use_meter(machine, "none")  # nobody asks for energy here, and a meter that fails would end it
    setting = choose_setting(machine, cluster, freq_khz, threads)
    timer = KernelTimer(machine, setting, on_step=on_step, on_message=on_message)
    sample = KernelSample(path, engine, timer, most, seed, on_step, on_message)
    sample.grow()
    for number in range(1, rounds):
        sample.time_round(number)
    return sample.learn()


def choose_setting(target: Target, cluster: str | None, freq_khz: int | None, threads: int) -> Setting:
    """Return the one setting: of the biggest cluster and its highest clock where none is named.

    Raises:
        ValueError: the target has no such setting.
    """
    name = cluster or max(target.profile.clusters, key=target.profile.capacity).name
    clocks = () if freq_khz is None else (freq_khz,)
    return choose_settings(target, (threads,), (name,), clocks)[-1]
