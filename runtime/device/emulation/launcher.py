"""The outside of an emulated machine: start it, hand on signals, return the command's status."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from runtime.device.actuators.affinity import allowed_cpus
from runtime.device.child import module_command, module_environment
from runtime.device.emulation.init import Boot
from runtime.device.emulation.namespace import probe, process_namespace
from runtime.device.emulation.steal import build, least_share
from runtime.device.soc import load_profile
from runtime.device.soc.loader import PROFILE_SUFFIXES
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.device.soc.span import most_threads
from runtime.errors import DeviceStableError

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_SI_KERNEL = 0x80  # a key of the terminal: the command, in the same process group, got it too


def emulate(soc: str, command: Sequence[str]) -> int:
    """Run ``command`` on an emulated ``soc`` and return its exit status, 128 + signal if one ended it.

    stdin, stdout, stderr and signals are the command's. When it ends, everything it started ends; when
    this process is killed, so does the whole machine. Nothing of this machine is changed. Call it from
    the main thread of a process that starts no other processes meanwhile.

    Args:
        soc: name of a SoC profile, or the path of a TOML file.

    Raises:
        ValueError: no such SoC, or no command.
        DataError: the TOML file cannot be read as a SoC profile.
        DeviceStableError: this machine cannot emulate another; says what it lacks.

    Example:
        >>> emulate("gs101", ["cat", "/sys/devices/system/cpu/possible"])      # doctest: +SKIP
        0-7
        0
    """
    if not command:
        raise ValueError("there is no command to run on the emulated machine; give one after --")
    profile = load_profile(soc)
    ok, reason = probe()
    if not ok:
        raise DeviceStableError(reason)
    others, hosts = split_cores(allowed_cpus() or (0,), most_threads(profile))
    name = str(Path(soc).resolve()) if soc.endswith(PROFILE_SUFFIXES) else soc
    life, alive = os.pipe()
    boot = Boot(name, tuple(command), str(build()), others, hosts, least_share() * FULL_CAPACITY, life)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*FORWARDED, signal.SIGCHLD})
    try:
        with process_namespace():
            machine = _start(boot)
        os.close(life)
        return _attend(machine, alive)
    finally:
        os.close(alive)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start(boot: Boot) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        module_command("runtime.device.emulation.init", msgspec.json.encode(boot).decode()),
        env=module_environment(),
        pass_fds=[boot.life],
    )


def split_cores(cores: Sequence[int], most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the host's cores for everything else, and those that play the phone's, last one first.

    The first core is left to the host where it has another.

    Args:
        cores: that may be used.
        most: how many the phone can use at a time.
    """
    ordered = sorted(cores)
    hosts = ordered[1:] or ordered
    hosts = hosts[-most:]
    others = [cpu for cpu in ordered if cpu not in hosts] or ordered
    return tuple(others), tuple(reversed(hosts))


def _attend(machine: subprocess.Popen[bytes], alive: int) -> int:
    while machine.poll() is None:
        got = signal.sigwaitinfo({*FORWARDED, signal.SIGCHLD})
        if got.si_signo != signal.SIGCHLD and got.si_code != _SI_KERNEL:
            os.write(alive, bytes([got.si_signo]))
    status = machine.returncode
    return 128 - status if status < 0 else status
