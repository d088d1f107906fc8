"""Which kind of core each CPU is, as far as the machine tells: unlike cores are never one cluster."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.device.soc.parts import core_name
from runtime.device.sysfs import parse_cpu_list, parse_int, read_text

_CPU_DIR = Path("sys/devices/system/cpu")
_MIDR = "regs/identification/midr_el1"
_MIDR_CORE = 0xFF00FFF0  # implementer and part, without variant and revision
# PMUs of Intel's hybrids, slowest first (Documentation/admin-guide/perf of Linux): sys/devices/NAME/cpus.
_X86_KINDS = ("cpu_lowpower", "cpu_atom", "cpu_core")


def read_core_kinds(root: Path) -> dict[int, tuple[int, str]]:
    """Return CPU → (rank, kind); the rank grows with speed where kinds tell it, and is 0 elsewhere."""
    kinds: dict[int, tuple[int, str]] = _of_cpuinfo(root)
    for folder in (root / _CPU_DIR).glob("cpu[0-9]*"):
        cpu, text = parse_int(folder.name[3:]), read_text(folder / _MIDR)
        try:
            midr = int(text, 16) if text else None
        except ValueError:
            midr = None
        if cpu is not None and midr is not None:
            kinds[cpu] = 0, f"{midr & _MIDR_CORE:#010x}"
    for rank, name in enumerate(_X86_KINDS):
        for cpu in parse_cpu_list(read_text(root / f"sys/devices/{name}/cpus") or "") or ():
            kinds[cpu] = rank, name
    return kinds


def _of_cpuinfo(root: Path) -> dict[int, tuple[int, str]]:
    """Return the kinds by ``CPU implementer`` and ``CPU part`` of ARM's /proc/cpuinfo."""
    kinds = {}
    for block in (read_text(root / "proc/cpuinfo") or "").split("\n\n"):
        lines = (line.partition(":") for line in block.splitlines())
        facts = {key.strip(): value.strip() for key, _, value in lines}
        cpu = parse_int(facts.get("processor", ""))
        if cpu is not None and "CPU part" in facts:
            kinds[cpu] = 0, f"{facts.get('CPU implementer', '')} {facts['CPU part']}"
    return kinds


def read_core_names(root: Path) -> dict[int, str]:
    """Return the name of each CPU's core as profiles spell it, of those that ARM's /proc/cpuinfo names."""
    return parse_core_names(read_text(root / "proc/cpuinfo") or "")


def parse_core_names(cpuinfo: str) -> dict[int, str]:
    """Return what ``read_core_names`` does, of the text of a /proc/cpuinfo.

    Example:
        >>> parse_core_names("processor : 4\\nCPU implementer : 0x41\\nCPU part : 0xd0b\\n")
        {4: 'cortex-a76'}
    """
    found = {}
    for block in re.split(r"^processor[ \t]*:", cpuinfo, flags=re.MULTILINE)[1:]:
        number = block.split(maxsplit=1)[0] if block.split() else ""
        implementer, part = (
            re.search(rf"^CPU {name}[ \t]*: (0x[0-9a-fA-F]+)", block, re.MULTILINE)
            for name in ("implementer", "part")
        )
        if number.isdecimal() and implementer and part:
            core = core_name(int(implementer[1], 16), int(part[1], 16))
            if core is not None:
                found[int(number)] = core
    return found
