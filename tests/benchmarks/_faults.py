"""Faults that are done to a run, and whether the machine was as before afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from runtime.device.actuators import CpuFreq, Journal, restore
from runtime.device.actuators.domains import POLICY_DIR, FreqDomain
from runtime.errors import DeviceError, DeviceTransientError, EdgekitError, PermissionNeeded
from runtime.measure.records import RecordLog
from tests.places import ROOT

_SPAN_S = 2.5  # of a host's bench, in which the fault comes: some blocks on each cluster
# The kernel moves these by itself, from moment to moment.
_MOVING = {"scaling_cur_freq", "cpuinfo_cur_freq", "time_in_state", "total_trans", "trans_table"}


@dataclass(frozen=True)
class Place:
    """The machine that faults are done to.

    Attributes:
        root: above its ``sys``: ``/`` inside an emulated machine, else a tree of files.
        work: a folder for models, records and state.
        model: a model file to bench.
    """

    root: Path
    work: Path
    model: Path

    @property
    def env(self) -> dict[str, str]:
        return os.environ | {"XDG_STATE_HOME": str(self.work / "state"), "PYTHONPATH": str(ROOT)}

    def files(self) -> dict[str, str]:
        """Return every cpufreq file that holds what was asked of the machine."""
        moving = _MOVING if self.root == Path("/") else _MOVING | {"scaling_setspeed"}  # no kernel resets it
        paths = (path for path in (self.root / POLICY_DIR).rglob("*") if path.name not in moving)
        return {str(path): path.read_text().strip() for path in paths if path.is_file()}

    def restore(self) -> subprocess.CompletedProcess[str]:
        """Run ``edgekit restore``."""
        command = [sys.executable, "-m", "edgekit", "restore"]
        return subprocess.run(
            command, env=self.env, capture_output=True, text=True, check=False, cwd=self.work
        )


@dataclass(frozen=True)
class Outcome:
    """One case: whether the machine was as before, and whether a clock was held when the fault came."""

    is_ok: bool
    was_held: bool


@dataclass
class Host:
    """A host that benches, and its agent where it has one."""

    process: subprocess.Popen[str]
    agent_pid: int | None

    def kill(self, *signals: int, agent: bool = False, host: bool = True) -> None:
        for signum in signals:
            with contextlib.suppress(ProcessLookupError):
                if agent and self.agent_pid is not None:
                    os.kill(self.agent_pid, signum)
            if host:
                self.process.send_signal(signum)
            time.sleep(0.01 if len(signals) > 1 else 0)


@contextlib.contextmanager
def host(place: Place, where: str) -> Iterator[Host]:
    """Start a host that benches on ``place``; it is killed at the end."""
    command = [sys.executable, "-m", "tests.benchmarks._fault_host", where]
    command += [str(place.model), str(place.work / "records.jsonl"), str(place.root)]
    with subprocess.Popen(
        command, env=place.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        agent_pid = None
        for line in process.stdout:
            if line.startswith("agent "):
                agent_pid = int(line.split()[1])
            if line == "ready\n":
                break
        try:
            yield Host(process, agent_pid)
        finally:
            process.kill()
            process.wait()
            if agent_pid is not None:
                _wait(lambda: not _is_running(agent_pid))


def killed(
    place: Place, where: str, moment_s: float, do: Callable[[Host], None], *, repairs: bool
) -> Outcome:
    """Do something to a host after ``moment_s`` of its bench.

    Args:
        repairs: run ``edgekit restore`` after it.
    """
    before = place.files()
    with host(place, where) as victim:
        time.sleep(moment_s)
        was_held = place.files() != before
        do(victim)
        has_ended = repairs or _wait(lambda: victim.process.poll() is not None, seconds=60.0)
    if repairs:
        if place.restore().returncode != 0:
            return Outcome(False, was_held)
    else:
        _wait(lambda: place.files() == before)
    records = list(RecordLog(place.work / "records.jsonl"))  # raises if one is neither whole nor cut off
    is_ok = has_ended and place.files() == before and not Journal(_journal_folder(place)).entries()
    return Outcome(is_ok and all(record.samples_ms for record in records), was_held)


def moments(count: int, seed: int) -> list[float]:
    """Return random moments of a bench, in s."""
    rng = random.Random(seed)
    return [rng.uniform(0.0, _SPAN_S) for _ in range(count)]


def restore_killed(place: Place, moment_s: float) -> Outcome:
    """Kill a bench, then the restore that repairs it, then restore again."""
    before = place.files()
    with host(place, "local") as victim:
        _wait(lambda: place.files() != before, seconds=5.0)
        victim.kill(signal.SIGKILL)
    was_held = place.files() != before
    command = [sys.executable, "-m", "edgekit", "restore"]
    with subprocess.Popen(
        command, env=place.env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as first:
        time.sleep(moment_s)
        first.kill()
    return Outcome(place.restore().returncode == 0 and place.files() == before, was_held)


def two_holders(place: Place, policy: FreqDomain, freq_khz: int) -> Outcome:
    """Hold a clock twice; the second is refused, and after a kill of the first puts its state back."""
    before = place.files()
    journal = Journal(_journal_folder(place))
    freq = CpuFreq(place.root, journal=journal)
    with host(place, "local") as victim:
        held = _wait(lambda: _stops_holding(victim, journal, policy), seconds=30.0)
        is_refused = False
        if held:
            try:
                with freq.hold(policy, freq_khz):
                    pass
            except DeviceTransientError as err:
                is_refused = "held by another run" in str(err)
        victim.kill(signal.SIGKILL)
    with contextlib.suppress(DeviceTransientError), freq.hold(policy, freq_khz):
        pass  # the tree of files has no kernel that would move its clock: it is put back all the same
    restore(journal)
    return Outcome(is_refused and place.files() == before, held)


def _stops_holding(victim: Host, journal: Journal, policy: FreqDomain) -> bool:
    """Stop a host, unless it does not hold ``policy``: it may have given it back before the stop came."""

    def holds() -> bool:
        return any(entry.state.policy == str(policy.path) for _, entry in journal.entries())

    if not holds():
        return False
    victim.kill(signal.SIGSTOP)
    _wait(lambda: bool(psutil.Process(victim.process.pid).status() == psutil.STATUS_STOPPED))
    if not holds():
        victim.kill(signal.SIGCONT)
        return False
    return True


def vanished(place: Place, policy: FreqDomain, freq_khz: int, name: str) -> Outcome:
    """Take a file away while its clock is held; the rest is put back, and it too once it is there again."""
    before = place.files()
    freq = CpuFreq(place.root, journal=Journal(place.work / "vanished"))
    kept = place.work / "kept"
    path = policy.path / name
    is_told = False
    try:
        with freq.hold(policy, freq_khz):
            path.rename(kept)
    except DeviceError as err:
        is_told = name in str(err)
    kept.rename(path)
    _disown(freq)
    restore(Journal(place.work / "vanished"))
    return Outcome(is_told and place.files() == before, True)


def refused(place: Place, policy: FreqDomain, freq_khz: int) -> Outcome:
    """Ask for a clock that may not be written; a clear error, and nothing is changed."""
    before = place.files()
    is_told = False
    try:
        with CpuFreq(place.root, journal=Journal(place.work / "refused")).hold(policy, freq_khz):
            pass
    except (DeviceError, PermissionNeeded) as err:
        is_told = any(word in str(err) for word in ("run as root", "does not take"))
    return Outcome(
        is_told and place.files() == before and not Journal(place.work / "refused").entries(), False
    )


def full_journal(place: Place, policy: FreqDomain, freq_khz: int, folder: Path) -> Outcome:
    """Hold a clock with no room to note how it was; nothing is changed, nothing half-written is left."""
    before = place.files()
    is_told = False
    try:
        with CpuFreq(place.root, journal=Journal(folder)).hold(policy, freq_khz):
            pass
    except EdgekitError as err:
        is_told = "cannot note" in str(err) and "No space left" in str(err)
    left = [path for path in folder.glob("*") if path.suffix != ".lock" and path.name != "filler"]
    return Outcome(is_told and not left and place.files() == before, False)


def _disown(freq: CpuFreq) -> None:
    """Make this process's entries look like those of one that was killed."""
    for path, entry in freq._journal.entries():
        path.write_text(path.read_text().replace(f'"pid":{entry.pid}', '"pid":4194305'))


def _journal_folder(place: Place) -> Path | None:
    return None if place.root == Path("/") else place.work / "state/edgekit"


def _is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _wait(claim: Callable[[], bool], seconds: float = 10.0) -> bool:
    until_s = time.monotonic() + seconds
    while not claim() and time.monotonic() < until_s:
        time.sleep(0.01)
    return claim()
