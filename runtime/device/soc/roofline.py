"""Latency of a workload on a modelled core: the roofline, op by op.

Williams, Waterman, Patterson, "Roofline: an insightful visual performance model" (2009). An op
takes the longer of its arithmetic and its memory traffic, plus a fixed number of cycles. The
shares of the peak below are modelling assumptions, chosen with the columns of ``cores.py``.
Everything that comes out is modelled, never measured.
"""

from __future__ import annotations

from runtime.bundle.workload import Op, Workload
from runtime.device.setting import Setting
from runtime.device.soc.cores import core_type
from runtime.device.soc.profile import SocProfile
from runtime.errors import DeviceStableError

# Share of the core's peak that good kernels reach, per kind of op.
EFFICIENCY = {
    "conv2d": 0.75,
    "depthwise_conv2d": 0.30,
    "linear": 0.50,
    "matmul": 0.60,
    "pool": 0.25,
    "elementwise": 0.25,
    "softmax": 0.05,
    "copy": 0.25,
    "other": 0.10,
}
# Part of the work that does not spread over threads. XNNPACK's README (2020): MobileNet v1 and v2 run
# 3.2x and 2.9x faster on four threads of a Pixel 2, 1.9x and 2.0x on two of a Pixel 3a; 0.08 gives
# 3.2x and 1.9x.
SERIAL_SHARE = 0.08
_INT8_KINDS = ("conv2d", "depthwise_conv2d", "linear", "matmul")


def roofline_latency_ms(
    workload: Workload, profile: SocProfile, setting: Setting, precision: str = "fp32"
) -> float:
    """Return the modelled latency of one frame in ms.

    Args:
        workload: its bytes must be those of ``precision``.
        profile: of the SoC.
        setting: cluster, clock (``None``: the cluster's highest) and threads.
        precision: one of the bundle's precisions; int8 ones use the int8 peak.

    Raises:
        ValueError: the profile has no such cluster or clock, or too few CPUs for the threads.
        DeviceStableError: nothing is known of the cluster's cores, or it shows no clock.
    """
    cluster = profile.cluster(setting.cluster)
    core = core_type(cluster)
    if not 1 <= setting.threads <= len(cluster.cpus):
        raise ValueError(
            f"threads is {setting.threads}; allowed on {cluster.name!r} of {profile.name}: "
            f"1 to {len(cluster.cpus)}"
        )
    freq_khz = setting.freq_khz or cluster.max_khz
    if freq_khz is None:
        raise DeviceStableError(
            f"{profile.name} shows no clocks, so no latency can be modelled for it; bench on it instead"
        )
    freq_hz = cluster.opp(freq_khz).freq_khz * 1e3
    speedup = 1 / (SERIAL_SHARE + (1 - SERIAL_SHARE) / setting.threads)
    bytes_per_s = min(core.bytes_per_cycle * freq_hz * speedup, core.memory_gb_s * 1e9)

    def op_s(op: Op) -> float:
        int8 = precision != "fp32" and op.kind in _INT8_KINDS
        peak = core.int8_macs_per_cycle if int8 else core.fp32_macs_per_cycle
        compute_s = op.macs / (peak * EFFICIENCY[op.kind] * freq_hz * speedup)
        memory_s = (op.bytes_read + op.bytes_written) / bytes_per_s
        return max(compute_s, memory_s) + core.overhead_cycles / freq_hz

    return 1e3 * sum(op_s(op) for op in workload.ops)
