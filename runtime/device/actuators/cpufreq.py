"""Hold the clock of a cluster through cpufreq, and release it.

Files and units: Documentation/admin-guide/pm/cpufreq.rst of Linux; clocks in kHz.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.device.actuators.holding import held
from runtime.device.actuators.journal import Journal
from runtime.device.actuators.states import PolicyState, State
from runtime.device.sysfs import parse_int
from runtime.errors import DeviceStableError, DeviceTransientError, EdgekitError, PermissionNeeded

POLICY_DIR = Path("sys/devices/system/cpu/cpufreq")
_ASK_ROOT = "run as root, or leave the clock to the kernel (no --freq-khz)"


@dataclass(frozen=True)
class FreqDomain:
    """One clock domain, which the kernel calls a policy.

    Attributes:
        path: its folder in /sys.
        cpus: that share the clock, online or not.
        governors: it can run.
        available_khz: clocks, ascending; where the driver lists none, its lowest and highest.
    """

    path: Path
    cpus: tuple[int, ...]
    governors: tuple[str, ...]
    available_khz: tuple[int, ...]


class CpuFreq:
    """Reads and holds the clocks of a machine.

    Args:
        root: above ``sys``; tests and virtual targets give a tree of their own.
        settle: called after each write, where no kernel is there to react to it.
        journal: where the state to go back to is kept while a clock is held.

    Example:
        >>> freq = CpuFreq()                                          # doctest: +SKIP
        >>> with freq.hold(freq.domain_of([4]), 1804800):             # doctest: +SKIP
        ...     work()
    """

    def __init__(
        self,
        root: Path = Path("/"),
        settle: Callable[[], None] | None = None,
        journal: Journal | None = None,
    ):
        self.root = root
        self._settle = settle or (lambda: None)
        self._journal = journal or Journal()

    def domains(self) -> tuple[FreqDomain, ...]:
        """Return every clock domain, lowest CPU first; empty where the machine shows none."""
        folders = (self.root / POLICY_DIR).glob("policy[0-9]*")
        found = [_read_domain(folder) for folder in folders if (folder / "related_cpus").is_file()]
        return tuple(sorted((p for p in found if p.cpus), key=lambda domain: domain.cpus))

    def domain_of(self, cpus: Collection[int]) -> FreqDomain:
        """Return the clock domain that ``cpus`` belong to.

        Raises:
            DeviceStableError: the machine shows no clock for them, or they have several.
        """
        for domain in self.domains():
            if set(cpus) <= set(domain.cpus):
                return domain
        raise DeviceStableError(
            f"no single clock for CPUs {sorted(cpus)} below {self.root / POLICY_DIR}; "
            "leave the clock to the kernel (no --freq-khz)"
        )

    def read_khz(self, domain: FreqDomain) -> int | None:
        """Return the clock in kHz now, ``None`` where the driver does not show it.

        Most drivers give the clock last asked for here, not one measured.
        """
        text = _read(domain.path / "scaling_cur_freq")
        return None if text is None else parse_int(text)

    @contextlib.contextmanager
    def hold(self, domain: FreqDomain, freq_khz: int) -> Iterator[None]:
        """Keep ``domain`` at ``freq_khz`` inside the block; restore everything after it, as ``take``.

        Raises:
            ValueError: the clock is not one of the domain's.
            PermissionNeeded: /sys is not writable.
            DeviceTransientError: the clock was written, but another one is read back; or another
                run holds it.
        """
        check_clock(domain, freq_khz)
        with self.take(domain) as clock:
            clock.set(freq_khz)
            got_khz = self.read_khz(domain)
            if got_khz is not None and got_khz != freq_khz:
                raise DeviceTransientError(
                    f"{domain.path.name} was set to {freq_khz} kHz but reads {got_khz} kHz; a thermal limit "
                    "or another program holds it: let it cool down or stop that program"
                )
            yield

    @contextlib.contextmanager
    def take(self, domain: FreqDomain) -> Iterator[TakenClock]:
        """Make ``domain``'s clock this block's to set, as often as it likes; restore everything after it.

        The state to go back to is on the disk before anything is changed, so ``edgekit restore``
        can do it when this process was killed. SIGINT, SIGTERM and SIGHUP leave the block like an
        exception. What a killed run left here is restored first.

        Raises:
            PermissionNeeded: /sys is not writable.
            DeviceTransientError: another run holds the clock.
        """
        if not domain.available_khz:
            raise DeviceStableError(f"{domain.path} shows no clocks; leave the clock to the kernel")
        clock = TakenClock(domain, self._settle)
        with held(self._journal, str(domain.path), clock.read_before, self._back(domain)) as signals:
            signals.deliver()
            yield clock

    def _back(self, domain: FreqDomain) -> Callable[[State], None]:
        def write_back(state: State) -> None:
            assert isinstance(state, PolicyState)
            write_state(state, domain.path)
            self._settle()

        return write_back


class TakenClock:
    """A clock that is this run's to set, until the block of ``CpuFreq.take`` ends.

    Args:
        settle: as ``CpuFreq`` takes it.
    """

    def __init__(self, domain: FreqDomain, settle: Callable[[], None]):
        self.domain, self._settle = domain, settle
        self._before: PolicyState | None = None

    def read_before(self) -> PolicyState:
        """Read, and remember, the state to go back to."""
        self._before = read_state(self.domain.path)
        return self._before

    def set(self, freq_khz: int) -> None:
        """Ask for a clock; ``CpuFreq.read_khz`` reads what came of it.

        Raises:
            ValueError: the clock is not one of the domain's.
            PermissionNeeded: /sys is not writable.
            DeviceStableError: the driver refuses, or the domain has vanished.
        """
        check_clock(self.domain, freq_khz)
        folder = self.domain.path
        if "userspace" in self.domain.governors:
            state = read_state(folder)
            write_range(folder, min(state.min_khz, freq_khz), max(state.max_khz, freq_khz))
            _write(folder / "scaling_governor", "userspace")
            _write(folder / "scaling_setspeed", str(freq_khz))
        else:
            write_range(folder, freq_khz, freq_khz)
        self._settle()

    def is_set(self) -> bool:
        """Return whether the domain still obeys ``set``: another program may choose another governor."""
        if "userspace" not in self.domain.governors:
            return True  # its limits are the request, and the clock shows whether they hold
        return _read(self.domain.path / "scaling_governor") == "userspace"

    def release(self) -> None:
        """Leave the clock to the kernel as it was before the block; ``set`` takes it again."""
        assert self._before is not None
        write_state(self._before, self.domain.path)
        self._settle()


def check_clock(domain: FreqDomain, freq_khz: int) -> None:
    """Raise where ``domain`` does not have the clock."""
    known = domain.available_khz
    if not known:
        raise DeviceStableError(f"{domain.path} shows no clocks; leave the clock to the kernel")
    if not known[0] <= freq_khz <= known[-1] or (len(known) > 2 and freq_khz not in known):
        clocks = ", ".join(str(khz) for khz in known)
        raise ValueError(f"{domain.path.name} has no clock of {freq_khz} kHz; choose one of: {clocks}")


def read_state(policy_dir: Path) -> PolicyState:
    """Return what must be written to bring a policy back to how it is now."""
    governor = _need(policy_dir / "scaling_governor")
    low, high = (_need_khz(policy_dir / f"scaling_{end}_freq") for end in ("min", "max"))
    speed = _read(policy_dir / "scaling_setspeed") if governor == "userspace" else None
    setspeed_khz = None if speed is None else parse_int(speed)  # None of <unsupported>
    return PolicyState(str(policy_dir), governor, low, high, setspeed_khz)


def write_state(state: PolicyState, policy_dir: Path | None = None) -> None:
    """Bring a policy back to ``state``, as far as it can be; then raises as ``CpuFreq.hold``.

    Args:
        policy_dir: its folder; default: where ``state`` says, on this machine.
    """
    folder = policy_dir or Path(state.policy)
    steps: list[Callable[[], None]] = [
        lambda: write_range(folder, state.min_khz, state.max_khz),
        lambda: _write(folder / "scaling_governor", state.governor),
    ]
    if state.setspeed_khz is not None:
        steps.append(lambda: _write(folder / "scaling_setspeed", str(state.setspeed_khz)))
    failures = []
    for step in steps:
        try:
            step()
        except EdgekitError as err:
            failures.append(err)  # one file that vanished must not keep the others from being restored
    if failures:
        raise failures[0]
    if (now := read_state(folder)) != state:
        raise DeviceTransientError(
            f"{folder.name} should be {state} again but reads {now}; run: edgekit restore"
        )


def write_range(policy_dir: Path, min_khz: int, max_khz: int) -> None:
    """Write both limits, in the order in which the kernel takes them: min may never pass max."""
    if max_khz >= _need_khz(policy_dir / "scaling_min_freq"):
        _write(policy_dir / "scaling_max_freq", str(max_khz))
        _write(policy_dir / "scaling_min_freq", str(min_khz))
    else:
        _write(policy_dir / "scaling_min_freq", str(min_khz))
        _write(policy_dir / "scaling_max_freq", str(max_khz))


def _read_domain(folder: Path) -> FreqDomain:
    """Read a domain as its driver shows it.

    intel_pstate, amd-pstate and some phones list no clocks: those with time statistics are known from
    there; of the rest only the ends, and any clock between can be asked for.
    """
    listed = _clocks(_read(folder / "scaling_available_frequencies") or "")
    if not listed:
        stats = (_read(folder / "stats" / "time_in_state") or "").splitlines()
        listed = _clocks(" ".join(line.split()[0] for line in stats if line.strip()))
    ends = _clocks(" ".join(_read(folder / f"cpuinfo_{end}_freq") or "" for end in ("min", "max")))
    governors = (_read(folder / "scaling_available_governors") or "").split()
    cpus = _clocks(_need(folder / "related_cpus"))
    return FreqDomain(folder, tuple(cpus), tuple(governors), tuple(sorted({*listed, *ends})))


def _clocks(text: str) -> list[int]:
    """Return the numbers in ``text``; words such as ``<unsupported>`` are none."""
    return sorted(number for word in text.split() if (number := parse_int(word)) is not None and number >= 0)


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None  # drivers leave files out, or refuse to read some


def _need(path: Path) -> str:
    text = _read(path)
    if not text:
        raise DeviceStableError(f"cannot read {path}; this driver does not let its clock be held")
    return text


def _need_khz(path: Path) -> int:
    khz = parse_int(_need(path))
    if khz is None or khz < 0:
        raise DeviceStableError(f"{path} gives no clock: {_read(path)!r:.60}; it cannot be held")
    return khz


def _write(path: Path, value: str) -> None:
    if _read(path) == value:
        return  # so that undoing nothing needs no privilege
    if not path.exists():  # writing would make a plain file of it in a tree that is no kernel's
        raise DeviceStableError(f"{path} has vanished; bring its CPUs online, then run: edgekit restore")
    try:
        path.write_text(value)
    except OSError as err:
        if err.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise PermissionNeeded(f"cannot write {path} ({err.strerror}); {_ASK_ROOT}") from err
        raise DeviceStableError(f"{path} does not take {value!r} ({err.strerror}); choose another") from err
