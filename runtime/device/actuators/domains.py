"""The clock domains that a machine shows, and which of them count as one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.device.sysfs import parse_cpu_list, parse_int
from runtime.errors import DeviceStableError

POLICY_DIR = Path("sys/devices/system/cpu/cpufreq")
# By which a clock may be read back off what was asked: measured ones (x86's APERF and MPERF) never equal it.
MAX_CLOCK_SHARE = 0.01
# Equal cores of one machine end at most so far apart; unlike clusters of one core begin at 8 % (SD 765G).
_SORTED_SHARE = 0.05
_BOUNDING = re.compile(r"intel_pstate|amd[-_]pstate.*")
_ONLINE = Path("sys/devices/system/cpu/online")


@dataclass(frozen=True)
class FreqDomain:
    """One clock domain, which the kernel calls a policy; or several held together.

    Several may be of unlike clocks: those of the fastest are asked for, and each other one keeps nearest.

    Attributes:
        path: its folder in /sys; of several, that of the fastest, and of equal ones the first.
        cpus: that share the clock, online or not.
        governors: it can run.
        available_khz: clocks, ascending; where the driver lists none, its lowest and highest.
        driver: that moves the clock, where it tells.
        members: the domains that this one stands for, where it stands for several.
    """

    path: Path
    cpus: tuple[int, ...]
    governors: tuple[str, ...]
    available_khz: tuple[int, ...]
    driver: str | None = None
    members: tuple[FreqDomain, ...] = ()

    @property
    def parts(self) -> tuple[FreqDomain, ...]:
        """Every kernel policy of it."""
        return self.members or (self,)


def domain_over(domains: Sequence[FreqDomain], cpus: Collection[int]) -> FreqDomain | None:
    """Return the domain of ``cpus``: one, or several as one; ``None`` where there is none.

    x86 and ARM's cppc have a policy for each CPU, SoCs such as Jetson Orin Nano several for equal cores, and
    threads may run on clusters of unlike clocks.
    """
    over = [domain for domain in domains if set(cpus) & set(domain.cpus)]
    if not over or not set(cpus) <= {cpu for domain in over for cpu in domain.cpus}:
        return None
    if len(over) == 1:
        return over[0]
    fastest = max(over, key=lambda domain: domain.available_khz[-1:])
    clocks = common_clocks(over) or fastest.available_khz
    governors = tuple(g for g in fastest.governors if all(g in domain.governors for domain in over))
    every = tuple(sorted(cpu for domain in over for cpu in domain.cpus))
    return replace(fastest, cpus=every, governors=governors, available_khz=clocks, members=tuple(over))


def common_clocks(domains: Sequence[FreqDomain]) -> tuple[int, ...] | None:
    """Return the clocks of domains that count as one, ascending; ``None`` where they are too unlike.

    Equal cores end at unlike clocks where the maker sorts them: Intel's Turbo Boost Max, AMD's preferred
    cores, the two big domains of an RK3588.
    """
    first, tops = domains[0], [domain.available_khz[-1:] for domain in domains]
    if any(domain.driver != first.driver for domain in domains):
        return None
    if all(domain.available_khz == first.available_khz for domain in domains):
        return first.available_khz
    top_khz = min(tops)
    if () in tops or top_khz[0] < max(tops)[0] * (1 - _SORTED_SHARE):
        return None
    if all(len(domain.available_khz) <= 2 for domain in domains):  # any clock between can be asked for
        lows = {domain.available_khz[0] for domain in domains}
        return (*lows, *top_khz) if len(lows) == 1 else None
    common = {tuple(khz for khz in domain.available_khz if khz <= top_khz[0]) for domain in domains}
    return next(iter(common)) if len(common) == 1 else None


def nearest_khz(domain: FreqDomain, freq_khz: int) -> int:
    """Return the clock of ``domain`` that is nearest to ``freq_khz``, which may be another domain's."""
    known = domain.available_khz
    if not known or freq_khz in known:
        return freq_khz
    if len(known) <= 2:  # a driver that lists none takes any between its ends
        return min(max(freq_khz, known[0]), known[-1])
    return min(known, key=lambda khz: (abs(khz - freq_khz), khz))


def check_clock(domain: FreqDomain, freq_khz: int) -> None:
    """Raise where ``domain`` does not have the clock."""
    known = domain.available_khz
    if not known:
        raise DeviceStableError(f"{domain.path} shows no clocks; leave the clock to the kernel")
    if not known[0] <= freq_khz <= known[-1] or (len(known) > 2 and freq_khz not in known):
        clocks = ", ".join(str(khz) for khz in known)
        raise ValueError(f"{domain.path.name} has no clock of {freq_khz} kHz; choose one of: {clocks}")


def read_clock(domain: FreqDomain) -> int | None:
    """Return the clock in kHz now; ``None`` where the driver does not tell.

    Of several parts it is the lowest; one that is nearest to the fastest part's clock counts as that.
    """
    clocks = _read_clocks(domain, "cur")
    leading_khz = next((khz for part, khz in clocks if part.path == domain.path), None)
    if leading_khz is not None:
        clocks = [(p, leading_khz if khz == nearest_khz(p, leading_khz) else khz) for p, khz in clocks]
    return min((khz for _, khz in clocks), default=None)


def missed_khz(domain: FreqDomain, freq_khz: int, read_khz: int | None) -> int | None:
    """Return the clock that is there instead of ``freq_khz``, ``None`` where that one is held.

    Args:
        read_khz: the clock as the domain shows it.

    A driver that only bounds the clock chooses one by load and shows what it measured, far off on an idle
    CPU: its bounds are what can be held, and records tell what was read.
    """
    is_bounded = _BOUNDING.fullmatch(domain.driver or "") and "userspace" not in domain.governors
    found: list[tuple[int, int]] = [] if read_khz is None else [(read_khz, freq_khz)]
    if is_bounded:
        ends = (*_read_clocks(domain, "min"), *_read_clocks(domain, "max"))
        found = [(khz, nearest_khz(part, freq_khz)) for part, khz in ends]
    return next((khz for khz, asked_khz in found if abs(khz / asked_khz - 1) > MAX_CLOCK_SHARE), None)


def is_limited(domain: FreqDomain, freq_khz: int) -> bool:
    """Return whether the kernel lets no such clock be now: heat has lowered the limit (frequency QoS)."""
    return any(khz < nearest_khz(part, freq_khz) for part, khz in _read_clocks(domain, "max"))


def _read_clocks(domain: FreqDomain, word: str) -> list[tuple[FreqDomain, int]]:
    texts = [(part, read_line(part.path / f"scaling_{word}_freq")) for part in domain.parts]
    return [(p, khz) for p, text in texts if text is not None and (khz := parse_int(text)) is not None]


def read_domains(root: Path) -> tuple[tuple[FreqDomain, ...], tuple[str, ...]]:
    """Return every clock domain that is in use, lowest CPU first, and why the others are passed over.

    The policy of CPUs that are off line stays in /sys and answers EBUSY, EIO or with an empty list
    (ThomasKaiser/sbc-bench#139).
    """
    found, passed_over = [], []
    for folder in sorted((root / POLICY_DIR).glob("policy[0-9]*")):
        if not (folder / "related_cpus").exists():
            continue
        reason = _why_not(folder)
        if reason is None:
            found.append(_read_domain(folder))
        else:
            passed_over.append(f"{folder.name}: {reason}")
    return tuple(sorted((d for d in found if d.cpus), key=lambda domain: domain.cpus)), tuple(passed_over)


def read_online(root: Path) -> frozenset[int] | None:
    """Return the CPUs that are on line, ``None`` where the machine does not tell."""
    cpus = parse_cpu_list(read_line(root / _ONLINE) or "")
    return frozenset(cpus) if cpus else None


def read_line(path: Path) -> str | None:
    """Return what ``path`` holds, ``None`` where its driver leaves it out or refuses."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None


def _why_not(folder: Path) -> str | None:
    """Return why a policy is of no use now, ``None`` where it is."""
    for name in ("related_cpus", "affected_cpus", "scaling_min_freq", "scaling_max_freq"):
        try:
            text = (folder / name).read_text().strip()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as err:
            why = err.strerror if isinstance(err, OSError) else "no text"
            return f"{name} cannot be read ({why}); its CPUs may be off line"
        if not text:
            return f"{name} is empty: its CPUs are off line"
        if name == "related_cpus" and not _numbers(text):
            return f"{name} names no CPU: {text[:40]!r}"
    return None


def _read_domain(folder: Path) -> FreqDomain:
    """Read a domain as its driver shows it.

    intel_pstate, amd-pstate and some phones list no clocks: those with time statistics are known from
    there; of the rest only the ends, and any clock between can be asked for. Clocks of a boost stand in a
    file of their own; while it is off they lie above ``cpuinfo_max_freq`` and cannot be asked for.
    """
    listed = _numbers(read_line(folder / "scaling_available_frequencies") or "")
    ends = _numbers(" ".join(read_line(folder / f"cpuinfo_{end}_freq") or "" for end in ("min", "max")))
    more = _numbers(read_line(folder / "scaling_boost_frequencies") or "")
    if not listed:
        stats = (read_line(folder / "stats" / "time_in_state") or "").splitlines()
        more += _numbers(" ".join(line.split()[0] for line in stats if line.strip()))
    listed += [khz for khz in more if not ends or khz <= ends[-1]]
    governors = (read_line(folder / "scaling_available_governors") or "").split()
    cpus = _numbers(read_line(folder / "related_cpus") or "")
    clocks = tuple(sorted({*listed, *ends}))
    return FreqDomain(folder, tuple(cpus), tuple(governors), clocks, read_line(folder / "scaling_driver"))


def _numbers(text: str) -> list[int]:
    """Return the numbers in ``text``; words such as ``<unsupported>`` are none."""
    return sorted(number for word in text.split() if (number := parse_int(word)) is not None and number >= 0)
