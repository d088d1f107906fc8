"""What one core of each type can do per cycle, and which instructions it has.

Peak arithmetic, fp32 multiply-accumulates per cycle (half the FLOP per cycle):

* Measured with vfpbench, https://wlog.flatlib.jp/2014/02/14/n1680/, .../2015/10/30/n1787/, .../category/25:
  Cortex-A7 1, A15 4, A57 4, A72 4, Kryo 4 (of four-wide multiplications one a cycle), Kryo 385 4 and 4.
* Measured with cpufp, https://github.com/pigirons/cpufp, benchmark_result/arm64: A53 4 and A72 4
  (RockChip_RK3399), A55 4 and A76 8 (RockChip_RK3588, Broadcom_BCM2712), A520 4 and A720 8 (CIX_P1_CD8180),
  Oryon 16 (Qualcomm_Snapdragon_X_Elite). There, int8 dot products do four times as many, int8 matrix products
  (``i8mm``) of A520 and A720 eight times, of Oryon no more than dot products; fp16 does twice as many.
* From the pipelines of four lanes that LLVM schedules for (llvm/lib/Target/AArch64/AArch64Processors.td):
  Cortex-X1 four (NeoverseV1Model), X2 and X3 four (NeoverseV2Model), X4 four (NeoverseV3Model).
* A73, A75, A77 and A78: general knowledge of these cores, as A72, A72, A76 and A76. Take them as assumptions.
* Cores of which nobody published a figure take those of the nearest core, see ``NEAREST``, and whatever is
  computed with them says so. LLVM schedules A510 as A520, A710, A715 and A720 alike (NeoverseN2Model).
* Kryo 260 to 585 are built on Arm's cores (Qualcomm says which) and take their figures.

int8 relative to fp32: cores with the dot-product instructions (``asimddp`` in /proc/cpuinfo: A55, A76 and
later; Kryo 385 lists none) do four times as many multiply-accumulates, those with ``i8mm`` (Armv9 ones) eight
times; the others widen to 16 bit first and gain about half. fp16 doubles where there is ``asimdhp`` (A55, A75
and later). What kernels reach of these peaks is not here: ``latency_factors.json`` holds it, fitted to
published measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runtime.device.soc.profile import Cluster
from runtime.errors import DeviceStableError


@dataclass(frozen=True)
class CoreType:
    """Per-cycle abilities of one core.

    Attributes:
        fp32_macs_per_cycle: peak multiply-accumulates.
        int8_gain, fp16_gain: how many times as many there are at that precision.
        is_in_order: whether it runs instructions in their order, and so waits for each load.
        is_late: designed after the Cortex-A76: kernels come nearer to its peak.
    """

    fp32_macs_per_cycle: float
    int8_gain: float = 1.5
    fp16_gain: float = 1.0
    is_in_order: bool = False
    is_late: bool = False


_DOT, _I8MM = 4.0, 8.0
_A53 = CoreType(4, is_in_order=True)
_KRYO_385_SILVER = replace(_A53, fp16_gain=2)
_A55 = replace(_KRYO_385_SILVER, int8_gain=_DOT)
_A72 = CoreType(4)
_KRYO_385_GOLD = replace(_A72, fp16_gain=2)
_A75 = _KRYO_385_GOLD
_A76 = CoreType(8, _DOT, 2)
_A77 = replace(_A76, is_late=True)
_X1 = CoreType(16, _DOT, 2, is_late=True)
_A520 = replace(_A55, int8_gain=_I8MM)
_A720 = replace(_A77, int8_gain=_I8MM)
_X2 = replace(_X1, int8_gain=_I8MM)

CORES = {
    "cortex-a7": CoreType(1, is_in_order=True),
    "cortex-a15": CoreType(4),
    "cortex-a53": _A53,
    "cortex-a55": _A55,
    "cortex-a57": _A72,
    "cortex-a72": _A72,
    "cortex-a73": _A72,
    "cortex-a75": _A75,
    "cortex-a76": _A76,
    "cortex-a77": _A77,
    "cortex-a78": _A77,
    "cortex-a520": _A520,
    "cortex-a720": _A720,
    "cortex-x1": _X1,
    "cortex-x2": _X2,
    "cortex-x3": _X2,
    "cortex-x4": _X2,
    "oryon": _X1,
    "kryo": _A72,
    "kryo-260-silver": _A53,
    "kryo-260-gold": _A72,
    "kryo-280-silver": _A53,
    "kryo-280-gold": _A72,
    "kryo-385-silver": _KRYO_385_SILVER,
    "kryo-385-gold": _KRYO_385_GOLD,
    "kryo-460-silver": _A55,
    "kryo-460-gold": _A76,
    "kryo-470-silver": _A55,
    "kryo-470-gold": _A76,
    "kryo-475-silver": _A55,
    "kryo-475-gold": _A76,
    "kryo-485-silver": _A55,
    "kryo-485-gold": _A76,
    "kryo-585-silver": _A55,
    "kryo-585-gold": _A77,
}

# Core → the one whose figures it takes.
NEAREST = {
    "cortex-a510": "cortex-a520",
    **dict.fromkeys(("cortex-a710", "cortex-a715", "cortex-a720ae", "cortex-a725", "c1-pro"), "cortex-a720"),
    **dict.fromkeys(("neoverse-n2", "neoverse-n3"), "cortex-a720"),
    **dict.fromkeys(("cortex-a78ae", "cortex-a78c"), "cortex-a78"),
    **dict.fromkeys(("cortex-a76ae", "neoverse-n1"), "cortex-a76"),
    "cortex-x1c": "cortex-x1",
    **dict.fromkeys(("neoverse-v1", "neoverse-v2"), "cortex-x2"),
    **dict.fromkeys(("cortex-x925", "c1-ultra", "neoverse-v3", "neoverse-v3ae"), "cortex-x4"),
}
CORES |= {core: CORES[nearest] for core, nearest in NEAREST.items()}


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
        return CORES[cluster.core]
    except KeyError as err:
        raise DeviceStableError(
            f"cluster {cluster.name!r} has cores of type {cluster.core!r}, of which no speed is known; "
            f"known: {', '.join(CORES)}; bench on the device itself or correct the profile"
        ) from err
