"""What a machine can be brought back to: the states that a journal holds.

A journal is replayed as root, so each kind names by pattern the only files it may ever write, and the
only form that their values may have.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

_POLICY_DIR = re.compile(r"/.*/devices/system/cpu/cpufreq/policy[0-9]+")
_GROUP_DIR = re.compile(r"(/.*)?/(sys/fs/cgroup|dev/cpuset|dev/cpuctl)(/[^/\0]+)*")
_GROUP_VALUE = {
    "cpu.uclamp.min": re.compile(r"max|[0-9]{1,3}(\.[0-9]{1,2})?"),
    "cpu.uclamp.max": re.compile(r"max|[0-9]{1,3}(\.[0-9]{1,2})?"),
    # Earlier versions could hold a cpuset, too: what they noted is still restored.
    "cpuset.cpus": re.compile(r"[0-9,-]{0,4096}"),
    "cpus": re.compile(r"[0-9,-]{0,4096}"),  # Android's cpuset, mounted without prefix
}
_MOST_CPUS = 8192  # CONFIG_NR_CPUS of the largest kernels
_PINNED = re.compile(r"[0-9]{1,10}(:[0-9]{1,10})?")
GROUP_FILES = tuple(_GROUP_VALUE)


class PolicyState(msgspec.Struct, frozen=True, tag="clock"):
    """How a clock domain was before it was changed; clocks in kHz."""

    policy: str
    governor: str
    min_khz: int
    max_khz: int
    setspeed_khz: int | None = None

    def __post_init__(self) -> None:
        if not _POLICY_DIR.fullmatch(self.policy) or ".." in self.policy:
            raise ValueError(f"policy is {self.policy!r}; it must be .../devices/system/cpu/cpufreq/policyN")

    @property
    def thing(self) -> str:
        """The folder it is about."""
        return self.policy

    @property
    def text(self) -> str:
        """The state in words."""
        return f"{self.governor}, {self.min_khz} to {self.max_khz} kHz"


class GroupState(msgspec.Struct, frozen=True, tag="group"):
    """What files of a control group held; values as the kernel showed them."""

    group: str
    values: dict[str, str]

    def __post_init__(self) -> None:
        if not _GROUP_DIR.fullmatch(self.group) or ".." in Path(self.group).parts:
            raise ValueError(
                f"group is {self.group!r}; it must be below .../sys/fs/cgroup, /dev/cpuset or /dev/cpuctl"
            )
        for name, value in self.values.items():
            if name not in _GROUP_VALUE or not _GROUP_VALUE[name].fullmatch(value):
                known = ", ".join(GROUP_FILES)
                raise ValueError(f"{name} is {value!r}; it must be as the kernel shows one of: {known}")

    @property
    def thing(self) -> str:
        """The folder it is about."""
        return self.group

    @property
    def text(self) -> str:
        """The state in words."""
        return ", ".join(f"{name} {value!r}" for name, value in self.values.items())


class ThreadsState(msgspec.Struct, frozen=True, tag="threads"):
    """Where threads could run before they were moved.

    Attributes:
        started_s: of each of their processes, by pid: what has that pid later is another one.
        cpus: by thread; on an emulated machine the host's.
        pins: on an emulated machine, as ``Places`` has them.
    """

    started_s: dict[int, float]
    cpus: dict[int, tuple[int, ...]]
    pins: dict[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        numbers = [cpu for cpus in (*self.cpus.values(), *self.pins.values()) for cpu in cpus]
        if not all(tid > 0 for tid in (*self.cpus, *self.started_s)) or not all(
            0 <= cpu < _MOST_CPUS for cpu in numbers
        ):
            raise ValueError("threads and processes must be above 0, and CPUs such as a kernel has")
        if not all(_PINNED.fullmatch(name) for name in self.pins):
            raise ValueError(f"{list(self.pins)[:3]} must be processes PID, or threads PID:TID")

    @property
    def thing(self) -> str:
        """What it is about: any threads, of which nobody is kept from moving others."""
        return "threads"

    @property
    def text(self) -> str:
        """The state in words."""
        cpus = sorted({cpu for cpus in self.cpus.values() for cpu in cpus})
        return f"{len(self.cpus)} of process {', '.join(map(str, self.started_s))} on CPUs {cpus}"


State = PolicyState | GroupState | ThreadsState
