"""Names of Arm cores by the numbers that they show: ``CPU implementer`` and ``CPU part`` of /proc/cpuinfo.

Linux, arch/arm64/include/asm/cputype.h (up to 6.18: C1-Pro and C1-Ultra), which takes them from
each core's Technical Reference Manual; what it leaves out is in util-linux, sys-utils/lscpu-arm.c.
"""

from __future__ import annotations

_ARM = {
    0xC07: "cortex-a7",
    0xC09: "cortex-a9",
    0xC0E: "cortex-a17",
    0xC0F: "cortex-a15",
    0xD03: "cortex-a53",
    0xD04: "cortex-a35",
    0xD05: "cortex-a55",
    0xD06: "cortex-a65",
    0xD07: "cortex-a57",
    0xD08: "cortex-a72",
    0xD09: "cortex-a73",
    0xD0A: "cortex-a75",
    0xD0B: "cortex-a76",
    0xD0C: "neoverse-n1",
    0xD0D: "cortex-a77",
    0xD0E: "cortex-a76ae",
    0xD40: "neoverse-v1",
    0xD41: "cortex-a78",
    0xD42: "cortex-a78ae",
    0xD43: "cortex-a65ae",
    0xD44: "cortex-x1",
    0xD46: "cortex-a510",
    0xD47: "cortex-a710",
    0xD48: "cortex-x2",
    0xD49: "neoverse-n2",
    0xD4A: "neoverse-e1",
    0xD4B: "cortex-a78c",
    0xD4C: "cortex-x1c",
    0xD4D: "cortex-a715",
    0xD4E: "cortex-x3",
    0xD4F: "neoverse-v2",
    0xD80: "cortex-a520",
    0xD81: "cortex-a720",
    0xD82: "cortex-x4",
    0xD83: "neoverse-v3ae",
    0xD84: "neoverse-v3",
    0xD85: "cortex-x925",
    0xD87: "cortex-a725",
    0xD89: "cortex-a720ae",
    0xD8B: "c1-pro",
    0xD8C: "c1-ultra",
    0xD8E: "neoverse-n3",
}
_HISILICON = {0xD01: "tsv110", 0xD40: "cortex-a76"}
_NVIDIA = {0x000: "denver", 0x003: "denver-2", 0x004: "carmel"}
# 0x804 and 0x805 are those of the Kryo 470, too, which is built on the same cores of Arm's.
_QUALCOMM = {
    0x001: "oryon",
    0x200: "kryo",
    0x201: "kryo",
    0x205: "kryo",
    0x211: "kryo",
    0x800: "kryo-280-gold",
    0x801: "kryo-280-silver",
    0x802: "kryo-385-gold",
    0x803: "kryo-385-silver",
    0x804: "kryo-485-gold",
    0x805: "kryo-485-silver",
}
_SAMSUNG = {0x001: "exynos-m1", 0x002: "exynos-m3", 0x003: "exynos-m4", 0x004: "exynos-m5"}
_APPLE = {
    0x022: "m1-icestorm",
    0x023: "m1-firestorm",
    0x024: "m1-pro-icestorm",
    0x025: "m1-pro-firestorm",
    0x028: "m1-max-icestorm",
    0x029: "m1-max-firestorm",
    0x032: "m2-blizzard",
    0x033: "m2-avalanche",
}
_AMPERE = {0xAC3: "ampere-1", 0xAC4: "ampere-1a"}
_BY_IMPLEMENTER = {
    0x41: _ARM,
    0x48: _HISILICON,
    0x4E: _NVIDIA,
    0x51: _QUALCOMM,
    0x53: _SAMSUNG,
    0x61: _APPLE,
    0xC0: _AMPERE,
}


def core_name(implementer: int, part: int) -> str | None:
    """Return the name of a core as profiles spell it, ``None`` of one that is not known.

    Example:
        >>> core_name(0x41, 0xD81), core_name(0x51, 0x001), core_name(0x41, 0xFFF)
        ('cortex-a720', 'oryon', None)
    """
    return _BY_IMPLEMENTER.get(implementer, {}).get(part)
