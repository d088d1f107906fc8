"""What one core of each type can do per cycle.

Peak arithmetic, fp32 multiply-accumulates per cycle (half the FLOP per cycle):

* Cortex-A7: 1, A15: 4, A72: 4. Measured, vfpbench, https://wlog.flatlib.jp/2014/02/14/n1680/ and
  https://wlog.flatlib.jp/2015/10/30/n1787/ (2, 8 and 8 FLOP per cycle).
* Cortex-A53, A55: 4. One 128-bit FMLA per cycle, ncnn's docs/developer-guide/arm-a53-a55-dual-issue.md.
* Cortex-A57, A73, A75: 4 (two 64-bit ASIMD pipelines); Cortex-A76, A77, A78: 8 (two of 128 bits);
  Cortex-X1: 16 (four of 128 bits). General knowledge of these cores: the pipeline tables of Arm's Software
  Optimization Guides were not consulted, so take them as assumptions.
* Cores after 2021 take the figures of the nearest core above, see ``NEAREST``, and whatever is computed with
  them says so: neither Arm's guides nor measurements of them were consulted.
* Kryo 280 to 585 are built on Arm's cores (Qualcomm says which) and take their figures.

int8: cores with the dot-product instructions (A55, A75 and later) do four times as many int8
multiply-accumulates; the others widen to 16 bit first and gain about half over fp32.

The other columns are modelling assumptions, not published figures: bytes that a core can stream
per cycle, the bandwidth it can get from the memory behind the caches, and the cycles that an op
costs before it does any work. With them MobileNet v1 and v2 come out within 20 % of XNNPACK's
published times on Pixel 2, Pixel 3a and Raspberry Pi 2 (its README, 2020) and 1.7 to 2.7 times too
fast on Raspberry Pi 3+ and 4, whose memory is narrow; tests/runtime/device/soc/test_roofline.py checks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.device.soc.profile import Cluster
from runtime.errors import DeviceStableError


@dataclass(frozen=True)
class CoreType:
    """Per-cycle abilities of one core.

    Attributes:
        fp32_macs_per_cycle, int8_macs_per_cycle: peak multiply-accumulates.
        bytes_per_cycle: read or written, assumed.
        memory_gb_s: bandwidth one cluster gets beyond its caches in GB/s, assumed.
        overhead_cycles: per op, assumed.
    """

    fp32_macs_per_cycle: float
    int8_macs_per_cycle: float
    bytes_per_cycle: float
    memory_gb_s: float
    overhead_cycles: float


_A53 = CoreType(4, 6, 2.0, 4.0, 20_000)
_A55 = CoreType(4, 16, 2.5, 8.0, 20_000)
_A72 = CoreType(4, 6, 4.0, 6.0, 12_000)
_A73 = CoreType(4, 6, 4.0, 10.0, 12_000)
_A75 = CoreType(4, 16, 5.0, 12.0, 10_000)
_A76 = CoreType(8, 32, 8.0, 16.0, 8_000)
_X1 = CoreType(16, 64, 12.0, 24.0, 8_000)

CORES = {
    "cortex-a7": CoreType(1, 2, 1.5, 2.0, 20_000),
    "cortex-a15": CoreType(4, 6, 4.0, 6.0, 12_000),
    "cortex-a53": _A53,
    "cortex-a55": _A55,
    "cortex-a57": _A72,
    "cortex-a72": _A72,
    "cortex-a73": _A73,
    "cortex-a75": _A75,
    "cortex-a76": _A76,
    "cortex-a77": _A76,
    "cortex-a78": _A76,
    "cortex-x1": _X1,
    "kryo-280-silver": _A53,
    "kryo-280-gold": _A73,
    "kryo-385-silver": _A55,
    "kryo-385-gold": _A75,
    "kryo-470-silver": _A55,
    "kryo-470-gold": _A76,
    "kryo-485-silver": _A55,
    "kryo-485-gold": _A76,
    "kryo-585-silver": _A55,
    "kryo-585-gold": _A76,
}


# Core → the one whose figures it takes: in-order, of two and of four 128-bit pipelines as far as is known.
NEAREST = {
    **dict.fromkeys(("cortex-a510", "cortex-a520"), "cortex-a55"),
    **dict.fromkeys(("cortex-a710", "cortex-a715", "cortex-a720", "cortex-a725"), "cortex-a78"),
    **dict.fromkeys(("cortex-a78ae", "cortex-a78c", "neoverse-n2", "neoverse-n3"), "cortex-a78"),
    **dict.fromkeys(("cortex-a720ae", "c1-pro"), "cortex-a78"),
    **dict.fromkeys(("cortex-a76ae", "neoverse-n1"), "cortex-a76"),
    **dict.fromkeys(("cortex-x1c", "cortex-x2", "cortex-x3", "cortex-x4", "cortex-x925"), "cortex-x1"),
    **dict.fromkeys(("neoverse-v1", "neoverse-v2", "neoverse-v3", "neoverse-v3ae"), "cortex-x1"),
    **dict.fromkeys(("c1-ultra", "oryon"), "cortex-x1"),
}


def core_notes(clusters: Sequence[Cluster]) -> tuple[str, ...]:
    """Return whose figures each cluster's cores take where they have none of their own."""
    return tuple(
        f"{cluster.name}: {cluster.core} is computed as {NEAREST[cluster.core]}, the nearest known core"
        for cluster in clusters
        if cluster.core in NEAREST
    )


def core_type(cluster: Cluster) -> CoreType:
    """Return what the cores of ``cluster`` can do.

    Raises:
        DeviceStableError: nothing is known of this type of core.
    """
    try:
        return CORES[NEAREST.get(cluster.core, cluster.core)]
    except KeyError as err:
        raise DeviceStableError(
            f"cluster {cluster.name!r} has cores of type {cluster.core!r}, of which no speed is known; "
            f"known: {', '.join((*CORES, *NEAREST))}; bench on the device itself or correct the profile"
        ) from err
