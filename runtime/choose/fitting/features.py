"""What a latency predictor gets to know about one frame under one setting."""

from __future__ import annotations

from collections import Counter

import numpy as np

from runtime.bundle.workload import OP_KINDS, Workload
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile

FEATURE_NAMES = (
    "log_macs",
    "log_bytes",
    "log_intensity",  # macs per byte: which of the two bounds a frame
    *(f"log_count_{kind}" for kind in OP_KINDS),
    *(f"mac_share_{kind}" for kind in OP_KINDS),
    "weights_int8",
    "activations_int8",
    "engine_executorch",
    "log_clock",
    "log_strength",  # capacity per clock: what kind of core it is
    "log_threads",
    "log_compute_time",  # macs over capacity and threads
    "log_balance",  # intensity over capacity: above the ridge of the roofline or below
)
# What adds up to a latency, up to a factor each: arithmetic over the speed of the cores, traffic that keeps
# up with their clock, traffic that does not, and what an op takes that does nothing.
COST_NAMES = (
    *(f"compute_{kind}" for kind in OP_KINDS),
    "compute_int8",
    "bytes_by_core",
    "bytes_by_memory",
    "ops_by_core",
)
_WEIGHTED = ("conv2d", "depthwise_conv2d", "linear")


def features(
    workload: Workload,
    profile: SocProfile,
    setting: Setting,
    precision: str,
    engine: str,
    with_costs: bool = False,
) -> np.ndarray:
    """Return the features of one frame under ``setting``, shape (len(FEATURE_NAMES),), float64.

    All are known before anything was measured: the cost of each op, the device's published
    clocks and capacities. Where the clock is left to the kernel the highest stands for it.

    Args:
        workload: the variant's ops.
        profile: of the target; the setting's cluster must be one of its.
        precision, engine: of the variant.
        with_costs: append those of ``COST_NAMES``; none is negative.

    Raises:
        ValueError: the workload is empty or the cluster unknown.
    """
    if not workload.ops or workload.macs <= 0 or workload.bytes_moved <= 0:
        raise ValueError(f"workload has {len(workload.ops)} ops that do nothing; export the model again")
    cluster = profile.cluster(setting.cluster)
    capacity = profile.capacity(cluster, setting.freq_khz)
    clock_khz = setting.freq_khz or cluster.max_khz or 1
    counts = Counter(op.kind for op in workload.ops)
    macs = Counter[str]()
    for op in workload.ops:
        macs[op.kind] += op.macs
    intensity = workload.macs / workload.bytes_moved
    values = [
        np.log(workload.macs),
        np.log(workload.bytes_moved),
        np.log(intensity),
        *(np.log1p(counts[kind]) for kind in OP_KINDS),
        *(macs[kind] / workload.macs for kind in OP_KINDS),
        "wi8" in precision,
        "ai8" in precision,
        engine == "executorch",
        np.log(clock_khz),
        np.log(capacity / clock_khz),
        np.log(setting.threads),
        np.log(workload.macs / (capacity * setting.threads)),
        np.log(intensity / (capacity * setting.threads)),
    ]
    if with_costs:
        speed = capacity * setting.threads
        is_int8 = {kind: "wi8" in precision and kind in _WEIGHTED for kind in OP_KINDS}
        values += [0.0 if is_int8[kind] else macs[kind] / speed for kind in OP_KINDS]
        values += [
            sum(macs[kind] for kind in OP_KINDS if is_int8[kind]) / speed,
            workload.bytes_moved / speed,
            workload.bytes_moved,
            len(workload.ops) / capacity,
        ]
    return np.array(values, dtype=np.float64)
