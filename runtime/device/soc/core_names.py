"""Which core a table means: by what it calls it, or by how fast it is.

Device trees name Qualcomm's cores by the family alone, "kryo485" for the fast and for the slow ones, and
tables of measurements often name none.
"""

from __future__ import annotations

import re

from runtime.device.soc.cores import CORES

# CoreMark iterations per second and MHz of one core, by freqbench's build: medians of the rows in
# ``profiles/``. Of one type they lie within 0.6 % from SoC to SoC; types are 2 % apart or more, but for A510
# and A520, X3 and X4, which count alike here.
COREMARKS_PER_MHZ = {
    "cortex-a53": 3.247,
    "cortex-a55": 3.711,
    "cortex-a520": 4.69,
    "cortex-a73": 5.231,
    "cortex-a75": 6.222,
    "cortex-a76": 7.785,
    "cortex-a77": 8.477,
    "cortex-a715": 8.659,
    "cortex-a720": 8.878,
    "cortex-a78": 9.101,
    "cortex-x1": 9.289,
    "cortex-x4": 10.69,
}
_ALIKE = 0.08  # farther from every type than that it is none of them
_KRYO = re.compile(r"kryo-?(\d{3})")
_SILVER = 0.8  # of the fastest core's speed per MHz; slow ones have 0.4 to 0.65


def core_of(said: str | None, coremarks_per_mhz: float | None, speed_share: float | None) -> tuple[str, str]:
    """Return the type of core, ``unknown`` where nothing tells it, and what it was told by.

    Args:
        said: what the file calls it, if anything.
        coremarks_per_mhz: of one core, if known.
        speed_share: speed per MHz over the SoC's fastest cores', if known.

    Returns:
        The core and how it was found out, in words; no words where the file names it.

    Example:
        >>> core_of("arm,cortex-a55", None, None)
        ('cortex-a55', '')
        >>> core_of(None, 9.11, None)
        ('cortex-a78', 'by its 9.11 CoreMarks per MHz')
        >>> core_of("kryo485", None, 0.48)
        ('kryo-485-silver', 'as the slower kind of kryo485')
    """
    name = (said or "unknown").rpartition(",")[2].strip().lower()
    if name in CORES:
        return name, ""
    if coremarks_per_mhz is not None:
        off = {core: abs(coremarks_per_mhz / each - 1.0) for core, each in COREMARKS_PER_MHZ.items()}
        nearest = min(off, key=lambda core: off[core])
        if off[nearest] <= _ALIKE:
            return nearest, f"by its {coremarks_per_mhz:.2f} CoreMarks per MHz"
    family = _KRYO.fullmatch(name)
    if family and speed_share is not None:
        is_slow = speed_share < _SILVER
        core = f"kryo-{family[1]}-{'silver' if is_slow else 'gold'}"
        if core in CORES:
            return core, f"as the {'slower' if is_slow else 'faster'} kind of {name}"
    return said or "unknown", ""
