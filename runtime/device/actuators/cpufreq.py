"""Hold the clock of a cluster through cpufreq, and release it.

Files and units: Documentation/admin-guide/pm/cpufreq.rst of Linux; clocks in kHz.
"""

from __future__ import annotations

import contextlib
import errno
import functools
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from msgspec.structs import replace

from runtime.device.actuators.domains import (
    POLICY_DIR,
    FreqDomain,
    check_clock,
    domain_over,
    is_limited,
    missed_khz,
    nearest_khz,
    read_clock,
    read_domains,
    read_line,
)
from runtime.device.actuators.holding import held
from runtime.device.actuators.journal import Journal
from runtime.device.actuators.states import PolicyState, State
from runtime.device.sysfs import parse_int
from runtime.errors import DeviceStableError, DeviceTransientError, EdgekitError, PermissionNeeded

_ASK_ROOT = "run as root, or leave the clock to the kernel (no --freq-khz)"
READ_ONLY = "/sys is read-only: run as root with it writable (mount -o remount,rw; --privileged)"


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
        """Return every clock domain in use, lowest CPU first; empty where none shows."""
        return read_domains(self.root)[0]

    def domain_of(self, cpus: Collection[int]) -> FreqDomain:
        """Return the clock domain that ``cpus`` belong to, or their domains as one.

        Raises:
            DeviceStableError: the machine shows no clock for one of them.
        """
        if (domain := domain_over(self.domains(), cpus)) is not None:
            return domain
        raise DeviceStableError(
            f"no clock for CPUs {sorted(cpus)} below {self.root / POLICY_DIR}; "
            "leave the clock to the kernel (no --freq-khz)"
        )

    def read_khz(self, domain: FreqDomain) -> int | None:
        """Return the clock in kHz now, of several parts the lowest; ``None`` where the driver does not tell.

        Most drivers give the clock last asked for here, not one measured.
        """
        return read_clock(domain)

    @contextlib.contextmanager
    def hold(self, domain: FreqDomain, freq_khz: int) -> Iterator[None]:
        """Keep ``domain`` at ``freq_khz`` inside the block; restore everything after it, as ``take``.

        A machine too hot for the clock stays below it, as ``scaling_max_freq`` shows, until it is cool.

        Raises:
            ValueError: the clock is not one of the domain's.
            PermissionNeeded: /sys is not writable.
            DeviceTransientError: another clock is read back and no limit explains it, or a run holds it.
        """
        check_clock(domain, freq_khz)
        with self.take(domain) as clock:
            clock.set(freq_khz)
            got_khz = missed_khz(domain, freq_khz, self.read_khz(domain))
            if got_khz is not None and not is_limited(domain, freq_khz):
                raise DeviceTransientError(
                    f"{domain.path.name} was set to {freq_khz} kHz but reads {got_khz} kHz; another program "
                    "holds it, or a limit that does not show: stop that program, or let it cool down"
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
        with contextlib.ExitStack() as stack:
            for part in domain.parts:
                read = functools.partial(clock.read_before, part)
                signals = stack.enter_context(
                    held(self._journal, str(part.path), read, self._back(clock, part))
                )
                if (corrected := clock.look_behind_limit(part)) is not None:
                    self._journal.write(corrected)  # in place of the note that ``held`` made
                signals.deliver()
            yield clock

    def _back(self, clock: TakenClock, domain: FreqDomain) -> Callable[[State], None]:
        def write_back(state: State) -> None:
            assert isinstance(state, PolicyState)
            write_state(clock.before.get(domain.path, state), domain.path)
            self._settle()

        return write_back


class TakenClock:
    """A clock that is this run's to set, until the block of ``CpuFreq.take`` ends.

    Args:
        settle: as ``CpuFreq`` takes it.
    """

    def __init__(self, domain: FreqDomain, settle: Callable[[], None]):
        self.domain, self._settle = domain, settle
        self.before: dict[Path, PolicyState] = {}
        self._limited: set[Path] = set()

    def read_before(self, part: FreqDomain) -> PolicyState:
        """Read, and remember, the state that a part of the domain is to go back to."""
        self.before[part.path] = read_state(part.path)
        return self.before[part.path]

    def look_behind_limit(self, part: FreqDomain) -> PolicyState | None:
        """Return the state to go back to where the limit that was read is the heat's and not the user's.

        Kernels with frequency QoS (5.3 and later) show the lowest of all requests in ``scaling_max_freq``,
        the thermal one's too (Documentation/power/pm_qos_interface.rst). A request for the highest clock
        shows whose it is: the user's own limit moves, another one stays. What the user asked for is then
        unknown, and taken for the highest clock, which is the default.
        """
        before, folder = self.before[part.path], part.path
        top_khz = part.available_khz[-1]
        if before.max_khz >= top_khz:
            return None
        _write(folder / "scaling_max_freq", str(top_khz))
        self._settle()
        if _need_khz(folder / "scaling_max_freq") > before.max_khz:
            _write(folder / "scaling_max_freq", str(before.max_khz))
            self._settle()
            return None
        self._limited.add(folder)
        self.before[folder] = replace(before, max_khz=top_khz)
        return self.before[folder]

    def set(self, freq_khz: int) -> None:
        """Ask for a clock; ``CpuFreq.read_khz`` reads what came of it.

        Raises:
            ValueError: the clock is not one of the domain's.
            PermissionNeeded: /sys is not writable.
            DeviceStableError: the driver refuses, or the domain has vanished.
        """
        check_clock(self.domain, freq_khz)
        for part in self.domain.parts:
            khz = nearest_khz(part, freq_khz)
            if "userspace" in self.domain.governors:
                state = read_state(part.path)
                write_range(part.path, min(state.min_khz, khz), max(state.max_khz, khz))
                _write(part.path / "scaling_governor", "userspace")
                _write(part.path / "scaling_setspeed", str(khz))
            else:
                write_range(part.path, khz, khz)
                if part.path in self._limited:  # what is read may be the heat's limit, and ours unwritten
                    _put(part.path / "scaling_max_freq", str(khz))
        self._settle()

    def is_set(self) -> bool:
        """Return whether the domain still obeys ``set``: another program may choose another governor."""
        if "userspace" not in self.domain.governors:
            return True  # its limits are the request, and the clock shows whether they hold
        return all(read_line(p.path / "scaling_governor") == "userspace" for p in self.domain.parts)

    def release(self) -> None:
        """Leave the clock to the kernel as it was before the block; ``set`` takes it again."""
        assert self.before
        for folder, state in self.before.items():
            write_state(state, folder)
        self._settle()


def read_state(policy_dir: Path) -> PolicyState:
    """Return what must be written to bring a policy back to how it is now."""
    governor = _need(policy_dir / "scaling_governor")
    low, high = (_need_khz(policy_dir / f"scaling_{end}_freq") for end in ("min", "max"))
    speed = read_line(policy_dir / "scaling_setspeed") if governor == "userspace" else None
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
    if not _is_back(state, now := read_state(folder)):
        raise DeviceTransientError(
            f"{folder.name} should be {state} again but reads {now}; run: edgekit restore"
        )


def _is_back(state: PolicyState, now: PolicyState) -> bool:
    """Return whether the kernel has taken ``state``: while hot it shows a lower limit than asked for."""
    high = min(state.max_khz, now.max_khz)
    return replace(state, max_khz=high, min_khz=min(state.min_khz, high)) == now


def write_range(policy_dir: Path, min_khz: int, max_khz: int) -> None:
    """Write both limits, in the order in which the kernel takes them: min may never pass max."""
    if max_khz >= _need_khz(policy_dir / "scaling_min_freq"):
        _write(policy_dir / "scaling_max_freq", str(max_khz))
        _write(policy_dir / "scaling_min_freq", str(min_khz))
    else:
        _write(policy_dir / "scaling_min_freq", str(min_khz))
        _write(policy_dir / "scaling_max_freq", str(max_khz))


def _need(path: Path) -> str:
    text = read_line(path)
    if not text:
        raise DeviceStableError(f"cannot read {path}; this driver does not let its clock be held")
    return text


def _need_khz(path: Path) -> int:
    khz = parse_int(_need(path))
    if khz is None or khz < 0:
        raise DeviceStableError(f"{path} gives no clock: {read_line(path)!r:.60}; it cannot be held")
    return khz


def _write(path: Path, value: str) -> None:
    if read_line(path) == value:
        return  # so that undoing nothing needs no privilege
    _put(path, value)


def _put(path: Path, value: str) -> None:
    if not path.exists():  # writing would make a plain file of it in a tree that is no kernel's
        raise DeviceStableError(f"{path} has vanished; bring its CPUs online, then run: edgekit restore")
    try:
        path.write_text(value)
    except OSError as err:
        if err.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            advice = READ_ONLY if err.errno == errno.EROFS else _ASK_ROOT
            raise PermissionNeeded(f"cannot write {path} ({err.strerror}); {advice}") from err
        raise DeviceStableError(f"{path} does not take {value!r} ({err.strerror}); choose another") from err
