"""What a phone shows of itself: one adb call brings its CPU tree and properties to the host."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from runtime.bundle.staging import staging_folder
from runtime.device.actuators import CpuFreq, FreqDomain
from runtime.device.core_kinds import parse_core_names
from runtime.device.soc import SocProfile
from runtime.errors import DeviceStableError
from runtime.targets.adb.shell import AdbShell
from runtime.targets.local import read_profile

_CPU = "/sys/devices/system/cpu"
_FILES = (
    f"{_CPU}/online {_CPU}/cpu[0-9]*/cpu_capacity {_CPU}/cpufreq/policy[0-9]*/related_cpus "
    f"{_CPU}/cpufreq/policy[0-9]*/scaling_* {_CPU}/cpufreq/policy[0-9]*/cpuinfo_* "
    f"{_CPU}/cpufreq/policy[0-9]*/stats/time_in_state "
    "/proc/sys/kernel/random/boot_id /proc/cpuinfo /proc/self/status"
)
_ASK = (
    'echo "@@ getprop"; getprop; echo "@@ uname"; uname -m; uname -r; echo "@@ taskset"; command -v taskset'
)
_ASKED = re.compile(r'echo "@@ ([^"]+)"')
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._:-]{1,100}){1,12}")
_PROPERTY = re.compile(r"^\[([^\]]+)\]: \[(.*)\]$", re.MULTILINE)


@dataclass(frozen=True)
class PhoneFacts:
    """A phone as it is while it runs.

    Attributes:
        profile: clusters and clocks that a shell on it may use.
        policies: its clock domains; their paths are gone, only the names hold.
        device: name, soc, arch, kernel and os, for records.
        boot_id: changes whenever the phone starts; clocks do not survive that.
        has_taskset: whether programs can be pinned to CPUs.
    """

    profile: SocProfile
    policies: tuple[FreqDomain, ...]
    device: dict[str, str]
    boot_id: str
    has_taskset: bool


def read_facts(shell: AdbShell) -> PhoneFacts:
    """Return the facts of the phone behind ``shell``; changes nothing.

    Raises:
        DeviceStableError: it shows no CPUs.
        DeviceTransientError: it is gone.
    """
    sections = pull(shell, _FILES, _ASK)
    properties = dict(_PROPERTY.findall(sections.get("getprop", "")))
    machine, kernel = [*sections.get("uname", "").split(), "unknown", "unknown"][:2]
    allowed = parse_cpu_list(field_of(sections.get("/proc/self/status", ""), "Cpus_allowed_list"))
    online = parse_cpu_list(sections.get(f"{_CPU}/online", ""))
    cpus = allowed & online if allowed and online else allowed or online
    if not cpus:
        raise DeviceStableError(f"adb:{shell.serial} shows neither {_CPU}/online nor its allowed CPUs")
    with staging_folder() as root:
        write_tree(root, {path: text for path, text in sections.items() if path.startswith(f"{_CPU}/")})
        for cpu in cpus:  # so that a phone that shows no capacities still has its CPUs
            (root / f"{_CPU.lstrip('/')}/cpu{cpu}").mkdir(parents=True, exist_ok=True)
        profile, policies = read_profile(root, cpus), CpuFreq(root).domains()
    maker, model, device = (
        properties.get(f"ro.product.{key}", "") for key in ("manufacturer", "model", "device")
    )
    board = properties.get("ro.soc.model") or properties.get("ro.board.platform") or "unknown"
    cores = parse_core_names(sections.get("/proc/cpuinfo", ""))
    clusters = tuple(replace(c, core=cores.get(c.cpus[0], machine)) for c in profile.clusters)
    title = " ".join(filter(None, (maker, model, f"({device})" if device else ""))) or "Android phone"
    build = properties.get("ro.build.fingerprint", "unknown")
    return PhoneFacts(
        profile=replace(
            profile,
            name=f"adb:{shell.serial}",
            title=title,
            board=board,
            clusters=clusters,
            sources=(f"{_CPU} of the phone",),
        ),
        policies=policies,
        device={
            "name": title,
            "soc": board,
            "arch": machine,
            "kernel": f"Linux {kernel}",
            "os": f"Android {properties.get('ro.build.version.release', 'unknown')} ({build})",
        },
        boot_id=sections.get("/proc/sys/kernel/random/boot_id", "").strip() or "unknown",
        has_taskset=bool(sections.get("taskset", "").strip()),
    )


def pull(shell: AdbShell, patterns: str, ask: str = "true", *, as_root: bool = False) -> dict[str, str]:
    """Return the text of all files that match, by path, read in one adb call.

    A file that may not be read is left out, as if it were not there. What the phone sends besides
    what it was asked for is left out too: its paths become paths of this machine.

    Args:
        patterns: of the phone's shell, apart by blanks; ``*`` stands for no ``/``.
        ask: commands that print further sections under lines ``@@ NAME``.
    """
    each = 'if v=$(cat "$f" 2>/dev/null); then echo "@@ $f"; echo "$v"; fi'
    text = shell.run(f"for f in {patterns}; do {each}; done; {ask}; true", as_root=as_root)
    names = set(_ASKED.findall(ask))
    sections = split_sections(text)
    return {name: body for name, body in sections.items() if name in names or is_asked(name, patterns)}


def is_asked(path: str, patterns: str) -> bool:
    """Return whether ``path`` is a plain one that these patterns stand for.

    Example:
        >>> is_asked("/sys/power_supply/bms/type", "/sys/power_supply/*/type /proc/stat")
        True
        >>> is_asked("/sys/power_supply/../type", "/sys/power_supply/*/type /proc/stat")
        False
    """
    if not _PLAIN_PATH.fullmatch(path) or ".." in path.split("/"):
        return False
    return any(PurePosixPath(path).match(pattern) for pattern in patterns.split())


def write_tree(root: Path, files: dict[str, str]) -> None:
    """Write a phone's files below ``root``, for readers of this machine's /sys."""
    for path, text in files.items():
        copy = root / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(f"{text}\n")


def split_sections(text: str) -> dict[str, str]:
    """Return what stands under each line ``@@ NAME``."""
    parts = re.split(r"^@@ (.+)\n", text + "\n", flags=re.MULTILINE)
    return {name.strip(): body.strip("\n") for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def parse_cpu_list(text: str) -> set[int]:
    """Return the CPUs of a kernel list such as ``0-3,6``; empty where it is none."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        low, _, high = part.partition("-")
        if not (low.isdecimal() and (high or low).isdecimal() and int(high or low) < 4096):
            return set()
        found.update(range(int(low), int(high or low) + 1))
    return found


def field_of(status: str, name: str) -> str:
    """Return a field of a /proc/PID/status, empty without."""
    match = re.search(rf"^{re.escape(name)}:[ \t]*(.*)$", status, re.MULTILINE)
    return match.group(1).strip() if match else ""
