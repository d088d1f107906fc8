"""What one core of each type can do per cycle, and which instructions it has.

Peak arithmetic, fp32 multiply-accumulates per cycle (half the FLOP per cycle):

* Cortex-A7: 1, A15: 4, A72: 4. Measured, vfpbench, https://wlog.flatlib.jp/2014/02/14/n1680/ and
  https://wlog.flatlib.jp/2015/10/30/n1787/ (2, 8 and 8 FLOP per cycle).
* Cortex-A53, A55: 4. One 128-bit FMLA per cycle, ncnn's docs/developer-guide/arm-a53-a55-dual-issue.md.
* Cortex-A57, A73, A75 and Qualcomm's own Kryo (2015): 4; Cortex-A76, A77, A78: 8 (two of 128 bits);
  Cortex-X1: 16 (four of 128 bits). General knowledge of these cores: the pipeline tables of Arm's Software
  Optimization Guides were not consulted, so take them as assumptions.
* Cores after 2021 take the figures of the nearest core above, see ``NEAREST``, and whatever is computed with
  them says so: neither Arm's guides nor measurements of them were consulted.
* Kryo 280 to 585 are built on Arm's cores (Qualcomm says which) and take their figures.

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
    """

    fp32_macs_per_cycle: float
    int8_gain: float = 1.5
    fp16_gain: float = 1.0
    is_in_order: bool = False


_DOT, _I8MM = 4.0, 8.0
_A53 = CoreType(4, is_in_order=True)
_KRYO_385_SILVER = replace(_A53, fp16_gain=2)
_A55 = replace(_KRYO_385_SILVER, int8_gain=_DOT)
_A72 = CoreType(4)
_KRYO_385_GOLD = replace(_A72, fp16_gain=2)
_A75 = _KRYO_385_GOLD
_A76 = CoreType(8, _DOT, 2)
_X1 = CoreType(16, _DOT, 2)

CORES = {
    "cortex-a7": CoreType(1),
    "cortex-a15": CoreType(4),
    "cortex-a53": _A53,
    "cortex-a55": _A55,
    "cortex-a57": _A72,
    "cortex-a72": _A72,
    "cortex-a73": _A72,
    "cortex-a75": _A75,
    "cortex-a76": _A76,
    "cortex-a77": _A76,
    "cortex-a78": _A76,
    "cortex-x1": _X1,
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
# int8 matrix products came with Armv9 (and Neoverse V1, N2, Oryon), so all newer cores but these have them.
_NO_I8MM = ("cortex-a76ae", "cortex-a78ae", "cortex-a78c", "cortex-x1c", "neoverse-n1")
CORES |= {
    core: CORES[nearest] if core in _NO_I8MM else replace(CORES[nearest], int8_gain=_I8MM)
    for core, nearest in NEAREST.items()
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
        return CORES[cluster.core]
    except KeyError as err:
        raise DeviceStableError(
            f"cluster {cluster.name!r} has cores of type {cluster.core!r}, of which no speed is known; "
            f"known: {', '.join(CORES)}; bench on the device itself or correct the profile"
        ) from err
