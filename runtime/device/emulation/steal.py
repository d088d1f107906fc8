"""The program that takes time away from a host core, built from C where it is first needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
from importlib.resources import files
from pathlib import Path

from runtime.bundle.staging import staging_folder
from runtime.device.child import wait_or_kill
from runtime.errors import DeviceStableError, DeviceTransientError

FULL = 1_000_000  # the program counts in millionths
SPINNER_PRIORITY = (
    2  # of SCHED_FIFO, 1 is for measuring; whoever serves the machine's files needs a higher one
)
_RT_DIR = Path("proc/sys/kernel")
_FAIR_SERVER_SHARE = 0.05  # kernel/sched/deadline.c: 50 ms per second for normal tasks, since Linux 6.12
_COMPILERS = ("cc", "gcc", "clang")
_CLOSE_S = 2.0


def find_compiler() -> str | None:
    """Return the C compiler of this machine, ``None`` without one."""
    return next((found for name in _COMPILERS if (found := shutil.which(name))), None)


def build(cache: Path | None = None) -> Path:
    """Return the program, compiled now or kept from before.

    Args:
        cache: folder to keep it in; default: ``$XDG_CACHE_HOME/edgekit``.

    Raises:
        DeviceStableError: there is no C compiler, or it fails.
    """
    source = (files("runtime.device.emulation") / "steal.c").read_bytes()
    folder = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgekit"
    program = folder / f"steal-{os.uname().machine}-{hashlib.sha256(source).hexdigest()[:12]}"
    if program.is_file():
        return program
    compiler = find_compiler()
    if compiler is None:
        raise DeviceStableError(
            f"no C compiler ({', '.join(_COMPILERS)}) to build the program that slows a core down; "
            "install gcc, such as with: apt install gcc libc6-dev"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with staging_folder(folder) as staging:
        done = subprocess.run(
            [compiler, "-O2", "-x", "c", "-", "-o", str(staging / "steal")],
            input=source,
            capture_output=True,
            env=os.environ | {"TMPDIR": str(staging)},
            check=False,
        )
        if done.returncode != 0:
            words = " ".join(done.stderr.decode(errors="replace").split())[-300:]
            raise DeviceStableError(f"{compiler} cannot build steal.c: {words}; is libc6-dev installed?")
        (staging / "steal").replace(program)  # another process may build it at the same time
    return program


def least_share(root: Path = Path("/")) -> float:
    """Return the smallest share of a core that the kernel lets a real-time task leave to the others.

    sched_rt_runtime_us bounds it (Documentation/scheduler/sched-rt-group.rst), and so does the server
    that protects normal tasks from starving. Neither is changed: both are the whole machine's.
    """
    runtime_us, period_us = (
        int((root / _RT_DIR / f"sched_rt_{which}_us").read_text()) for which in ("runtime", "period")
    )
    limit = 0.0 if runtime_us < 0 else 1 - runtime_us / period_us
    return max(limit, _FAIR_SERVER_SHARE)


class Spinner:
    """Leaves a share of one host core to everything else, from ``keep`` on. Dies with its owner.

    Args:
        program: from ``build``.
        cpu: the host's number.
        overhead_ns: what each period loses; measured where it is ``None``.

    Raises:
        DeviceTransientError: it did not start.
    """

    def __init__(self, program: Path, cpu: int, overhead_ns: int | None = None):
        given = [] if overhead_ns is None else [str(overhead_ns)]
        self._process = subprocess.Popen(
            [str(program), str(cpu), str(SPINNER_PRIORITY), *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._cpu = cpu
        self._share: float = 1.0
        self.overhead_ns: int | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> None:
        """Return once it has measured its overhead and spins as it is told."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        word, _, number = self._process.stdout.readline().decode().partition(" ")
        if word != "ready":
            words = self._process.stderr.read().decode(errors="replace").strip()
            raise DeviceTransientError(
                f"the program that slows core {self._cpu} down did not start: {words or 'no reason given'}; "
                "run as root, outside of a cgroup without real-time time (cpu.rt_runtime_us)"
            )
        self.overhead_ns = int(number)

    def keep(self, share: float) -> None:
        """Leave ``share`` of the core, above 0 to 1, to everything else."""
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; it must be above 0, at most 1")
        if share == self._share:
            return
        assert self._process.stdin is not None
        self._process.stdin.write(struct.pack("=I", max(1, round(share * FULL))))
        self._process.stdin.flush()
        self._share = share

    def close(self) -> None:
        """End it; the core is whole again."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        wait_or_kill(self._process, _CLOSE_S)
