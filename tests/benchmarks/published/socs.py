"""Cores of SoCs that published tables name: kinds, counts and highest clocks, from their makers' data sheets.

Enough for a generic profile where the project has none: what decides a latency is the kind of core, how many
run, and the clock. Power and voltages are not here.
"""

from __future__ import annotations

from runtime.device.soc import Cluster, Opp, SocProfile

# SoC: cluster: (core, how many, MHz), fastest first; two in a row are one group of unlike cores.
_Group = tuple[tuple[str, int, int], ...]
_A53, _A55, _A72, _A73 = "cortex-a53", "cortex-a55", "cortex-a72", "cortex-a73"
_A76, _A77, _A78, _X1 = "cortex-a76", "cortex-a77", "cortex-a78", "cortex-x1"


def _pair(big: str, count: int, mhz: int, little: str, littles: int, little_mhz: int) -> dict[str, _Group]:
    return {"big": ((big, count, mhz),), "little": ((little, littles, little_mhz),)}


def _one(core: str, count: int, mhz: int) -> dict[str, _Group]:
    return {"big": ((core, count, mhz),)}


SOCS: dict[str, dict[str, _Group]] = {
    # Raspberry Pi
    "bcm2836": _one("cortex-a7", 4, 900),
    "bcm2837": _one(_A53, 4, 1400),
    "bcm2711": _one(_A72, 4, 1800),
    "bcm2712": _one(_A76, 4, 2400),
    # Other boards
    "rk3328": _one(_A53, 4, 1300),
    "rk3399": _pair(_A72, 2, 1800, _A53, 4, 1400),
    "rk3566": _one(_A55, 4, 1800),
    "rk3568": _one(_A55, 4, 2000),
    "rk3562": _one(_A53, 4, 2000),
    "rk3576": _pair(_A72, 4, 2200, _A53, 4, 2000),
    "rk3588": _pair(_A76, 4, 2400, _A55, 4, 1800),
    "rk3588s": _pair(_A76, 4, 2400, _A55, 4, 1800),
    "a311d": _pair(_A73, 4, 2200, _A53, 2, 1800),
    "s922x": _pair(_A73, 4, 1800, _A53, 2, 1900),
    "s905x2": _one(_A53, 4, 1800),
    "s905x3": _one(_A55, 4, 1900),
    "h3": _one("cortex-a7", 4, 1200),
    "h5": _one(_A53, 4, 1300),
    "h6": _one(_A53, 4, 1800),
    "h616": _one(_A53, 4, 1500),
    "h618": _one(_A53, 4, 1500),
    "imx8mq": _one(_A53, 4, 1500),
    "imx8mm": _one(_A53, 4, 1800),
    "imx8mp": _one(_A53, 4, 1800),
    "imx8qm": _pair(_A72, 2, 1600, _A53, 4, 1200),
    "imx93": _one(_A55, 2, 1700),
    "zynqmp": _one(_A53, 4, 1200),
    "am62x": _one(_A53, 4, 1400),
    "tegra210": _one("cortex-a57", 4, 1430),
    "tegra186": _one("cortex-a57", 4, 2000),
    "tegra234": _one("cortex-a78ae", 12, 2200),
    "exynos5422": _pair("cortex-a15", 4, 2000, "cortex-a7", 4, 1400),
    # Qualcomm
    "msm8916": _one(_A53, 4, 1200),
    "msm8953": _one(_A53, 8, 2000),
    "msm8992": _pair("cortex-a57", 2, 1800, _A53, 4, 1440),
    "msm8994": _pair("cortex-a57", 4, 2000, _A53, 4, 1550),
    "msm8996": _pair("kryo", 2, 2150, "kryo", 2, 1590),
    "msm8996pro": _pair("kryo", 2, 2350, "kryo", 2, 2190),
    "msm8998": _pair("kryo-280-gold", 4, 2450, "kryo-280-silver", 4, 1900),
    "sdm636": _pair("kryo-260-gold", 4, 1800, "kryo-260-silver", 4, 1600),
    "sdm632": _pair(_A73, 4, 1800, _A53, 4, 1800),
    "sdm660": _pair("kryo-260-gold", 4, 2200, "kryo-260-silver", 4, 1840),
    "sm6125": _pair("kryo-260-gold", 4, 2000, "kryo-260-silver", 4, 1800),
    "sdm670": _pair("cortex-a75", 2, 2000, _A55, 6, 1700),
    "sdm710": _pair("cortex-a75", 2, 2200, _A55, 6, 1700),
    "sdm845": _pair("kryo-385-gold", 4, 2803, "kryo-385-silver", 4, 1766),
    "sm6115": _pair(_A73, 4, 2000, _A53, 4, 1800),
    "sm6150": _pair("kryo-460-gold", 2, 2000, "kryo-460-silver", 6, 1700),
    "sm7125": _pair(_A76, 2, 2300, _A55, 6, 1800),
    "sm7150": _pair("kryo-470-gold", 2, 2200, "kryo-470-silver", 6, 1800),
    "sm7150ab": _pair("kryo-470-gold", 2, 2200, "kryo-470-silver", 6, 1800),
    "sm6375": _pair(_A78, 2, 2200, _A55, 6, 1800),
    "sc7180": _pair(_A76, 2, 2400, _A55, 6, 1800),
    "sm7225": _pair(_A77, 2, 2200, _A55, 6, 1800),
    "sm7250ab": _pair("kryo-475-gold", 2, 2400, "kryo-475-silver", 6, 1800),
    "sm7250": _pair("kryo-475-gold", 2, 2400, "kryo-475-silver", 6, 1800),
    "sc7280": _pair(_A78, 4, 2400, _A55, 4, 1900),
    "sm7325": _pair(_A78, 4, 2400, _A55, 4, 1800),
    "sm8150": {
        "big": (("kryo-485-gold", 1, 2840), ("kryo-485-gold", 3, 2420)),
        "little": (("kryo-485-silver", 4, 1780),),
    },
    "sm8250": {
        "big": (("kryo-585-gold", 1, 2840), ("kryo-585-gold", 3, 2420)),
        "little": (("kryo-585-silver", 4, 1800),),
    },
    "sm8350": {"big": ((_X1, 1, 2840), (_A78, 3, 2420)), "little": ((_A55, 4, 1800),)},
    "sm8450": {
        "big": (("cortex-x2", 1, 3000), ("cortex-a710", 3, 2500)),
        "little": (("cortex-a510", 4, 1790),),
    },
    "sm8475": {
        "big": (("cortex-x2", 1, 3190), ("cortex-a710", 3, 2750)),
        "little": (("cortex-a510", 4, 2020),),
    },
    "sm8550": {
        "big": (("cortex-x3", 1, 3200), ("cortex-a715", 2, 2800), ("cortex-a710", 2, 2800)),
        "little": (("cortex-a510", 3, 2020),),
    },
    "sm8650": {
        "big": (("cortex-x4", 1, 3300), ("cortex-a720", 5, 3000)),
        "little": (("cortex-a520", 2, 2270),),
    },
    # HiSilicon
    "hi6220": _one(_A53, 8, 1200),
    "kirin659": _pair(_A53, 4, 2360, _A53, 4, 1700),
    "kirin710": _pair(_A73, 4, 2200, _A53, 4, 1700),
    "kirin810": _pair(_A76, 2, 2270, _A55, 6, 1880),
    "kirin950": _pair(_A72, 4, 2300, _A53, 4, 1800),
    "kirin955": _pair(_A72, 4, 2500, _A53, 4, 1800),
    "kirin960": _pair(_A73, 4, 2360, _A53, 4, 1840),
    "kirin970": _pair(_A73, 4, 2360, _A53, 4, 1840),
    "kirin980": {"big": ((_A76, 2, 2600), (_A76, 2, 1920)), "little": ((_A55, 4, 1800),)},
    "kirin990": {"big": ((_A76, 2, 2860), (_A76, 2, 2360)), "little": ((_A55, 4, 1950),)},
    "kirin9000": {"big": ((_A77, 1, 3130), (_A77, 3, 2540)), "little": ((_A55, 4, 2050),)},
    # Samsung, Google
    "exynos7420": _pair("cortex-a57", 4, 2100, _A53, 4, 1500),
    "exynos7870": _one(_A53, 8, 1600),
    "exynos850": _one(_A55, 8, 2000),
    "exynos1280": _pair(_A78, 2, 2400, _A55, 6, 2000),
    "exynos2100": {"big": ((_X1, 1, 2900), (_A78, 3, 2800)), "little": ((_A55, 4, 2200),)},
    "gs101": {"big": ((_X1, 2, 2800),), "mid": ((_A76, 2, 2250),), "little": ((_A55, 4, 1800),)},
    "gs201": {"big": ((_X1, 2, 2850),), "mid": ((_A78, 2, 2350),), "little": ((_A55, 4, 1800),)},
    "zuma": {
        "big": (("cortex-x3", 1, 2910),),
        "mid": (("cortex-a715", 4, 2370),),
        "little": (("cortex-a510", 4, 1700),),
    },
    "zumapro": {
        "big": (("cortex-x4", 1, 3100),),
        "mid": (("cortex-a720", 3, 2600),),
        "little": (("cortex-a520", 4, 1950),),
    },
    # Unisoc
    "t606": _pair("cortex-a75", 2, 1600, _A55, 6, 1600),
    "t610": _pair("cortex-a75", 2, 1800, _A55, 6, 1800),
    "t618": _pair("cortex-a75", 2, 2000, _A55, 6, 2000),
    # MediaTek
    "mt6762": _one(_A53, 8, 2000),
    "mt6765": _one(_A53, 8, 2300),
    "mt6768": _pair("cortex-a75", 2, 2000, _A55, 6, 1800),
    "mt6771": _pair(_A73, 4, 2000, _A53, 4, 2000),
    "mt8173": _pair(_A72, 2, 2000, _A53, 2, 1700),
    "mt8183": _pair(_A73, 4, 2000, _A53, 4, 2000),
    "mt6779": _pair("cortex-a75", 2, 2200, _A55, 6, 2000),
    "mt6785": _pair(_A76, 2, 2050, _A55, 6, 2000),
    "mt6833": _pair(_A76, 2, 2200, _A55, 6, 2000),
    "mt6853": _pair(_A76, 2, 2000, _A55, 6, 2000),
    "mt6873": _pair(_A76, 4, 2000, _A55, 4, 2000),
    "mt6877": _pair(_A78, 2, 2500, _A55, 6, 2000),
    "mt6885": _pair(_A77, 4, 2600, _A55, 4, 2000),
    "mt6889": _pair(_A77, 4, 2600, _A55, 4, 2000),
    "mt6893": {"big": ((_A78, 1, 3000), (_A78, 3, 2600)), "little": ((_A55, 4, 2000),)},
    "mt8186": _pair(_A76, 2, 2000, _A55, 6, 2000),
    "mt8192": _pair(_A76, 4, 2200, _A55, 4, 2000),
    "mt8195": _pair(_A78, 4, 2200, _A55, 4, 2000),
    "mt6983": {
        "big": (("cortex-x2", 1, 3050), ("cortex-a710", 3, 2850)),
        "little": (("cortex-a510", 4, 1800),),
    },
    "mt6985": {
        "big": (("cortex-x3", 1, 3050), ("cortex-a715", 3, 2850)),
        "little": (("cortex-a510", 4, 1800),),
    },
    "mt6989": {
        "big": (("cortex-x4", 1, 3250), ("cortex-x4", 3, 2850)),
        "little": (("cortex-a720", 4, 2000),),
    },
}


def cores_of(soc: str, cluster: str, clock_mhz: str, threads: int) -> _Group | None:
    """Return the cores that a table names, fastest first; ``None`` where it does not tell which ran.

    Args:
        cluster: one of the SoC's, or several joined by ``+``. Of another name it is known where the SoC has
            only one, where there are threads for all cores, or by clocks of several kinds, as in 2860+2360.
        clock_mhz: as the table has it.
    """
    groups = SOCS[soc]
    names = cluster.split("+")
    if not all(name in groups for name in names):
        fastest = clock_mhz.partition("+")
        of_clock = [name for name, group in groups.items() if fastest[1] and str(group[0][2]) == fastest[0]]
        if len(groups) > 1 and not of_clock and threads < sum(n for g in groups.values() for _, n, _ in g):
            return None
        names = of_clock or list(groups)
    return tuple(part for name, group in groups.items() if name in names for part in group)


def profile_of(soc: str, cores: _Group, threads: int, freq_khz: int | None) -> SocProfile:
    """Return a profile of the fastest ``threads`` of these cores, at one clock each: what a latency needs.

    Args:
        freq_khz: of the fastest; the others run at most at that. ``None``: at their highest.
    """
    clusters: list[Cluster] = []
    for place, (core, count, mhz) in enumerate(cores):
        first = sum(len(cluster.cpus) for cluster in clusters)
        cpus = tuple(range(first, min(first + count, threads)))
        highest_khz = mhz * 1000
        khz = min(highest_khz, freq_khz or highest_khz) if clusters else freq_khz or highest_khz
        if cpus:
            clusters.append(Cluster(f"cpus{place}", core, cpus, (Opp(khz),)))
    return SocProfile(soc, soc, "generic, from its cores", tuple(reversed(clusters)))
