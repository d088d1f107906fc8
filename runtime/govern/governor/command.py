"""Run a program under a governor: it reports its frames, or runs at the policy's setting."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.bundle.staging import staging_folder
from runtime.device.child import wait_or_kill
from runtime.device.meters import EnergyReading, MeterInUse
from runtime.device.setting import Setting
from runtime.errors import DeviceStableError
from runtime.govern.governor.client import VARIABLE
from runtime.govern.governor.plan import GovernPlan
from runtime.govern.governor.server import Server
from runtime.govern.governor.serving import SOCKET, serving

_GRACE_S = 5.0  # from SIGTERM to SIGKILL: to save what it has; longer keeps a user who pressed Ctrl-C waiting
_MOST_NOTES = 20


@dataclass(frozen=True)
class GovernedRun:
    """What came of a program under a governor.

    Attributes:
        provenance: of latency: ``measured`` or ``emulated``.
        status: the program's exit status, 128 + signal if one ended it.
        fps_target: that the plan is for; a program may have asked for another.
        setting: of a program that reports nothing, as this one if ``sessions`` is 0; ``None``: the kernel's.
        sessions: that it opened.
        untrusted_frames: that ran at the kernel's clock, or at another than was decided.
        frames_at: how many frames ran at each setting.
        changes: of clocks.
        energy_mj: of all that the meter measures, the program's start included; ``None``: not known.
        energy_source: which meter, or why there is none.
        notes: the governor's last messages.
    """

    target: str
    provenance: str
    command: tuple[str, ...]
    status: int
    duration_s: float
    fps_target: float
    setting: Setting | None
    sessions: int
    frames: int
    late_frames: int
    untrusted_frames: int
    frames_at: dict[str, int]
    changes: int
    energy_mj: float | None
    energy_source: str
    notes: tuple[str, ...]


def govern_command(
    plan: GovernPlan,
    command: Sequence[str],
    *,
    reports_frames: bool = False,
    socket: Path | None = None,
    log: Path | None = None,
    meter: str = "auto",
    on_message: Callable[[str], None] = lambda message: None,
) -> GovernedRun:
    """Run ``command`` under the governor that ``plan`` describes, and return what came of it.

    stdin, stdout and stderr are the command's. It finds the governor by ``EDGEKIT_GOVERNOR``; see
    ``runtime.govern.governor.client``. Clocks are as they were when this returns or raises.

    Args:
        reports_frames: the command is known to report its frames: until it does, leave it where it is. Else
            it runs at the policy's setting until it opens a session.
        socket: path; default: in a folder that lives as long as the command.
        log: file to write each frame to.
        meter: as ``runtime.device.meters.find_meter`` takes it.
        on_message: called with each message of the governor.

    Raises:
        DeviceStableError: there is no such program.
        DeviceError, DataError: as ``serving``.
    """
    notes: list[str] = []

    def note(message: str) -> None:
        notes.append(message)
        on_message(message)

    fixed = None if plan.policy is None or reports_frames else plan.policy.setting
    energy_meter = MeterInUse(plan.target.root, meter)
    with (
        staging_folder() as folder,
        serving(plan, socket=socket or folder / SOCKET, log=log, on_message=note) as server,
    ):
        begin_s = server.governor.elapsed_s
        status, energy = energy_meter.measure(0, functools.partial(_run, server, command, fixed))
        governor = server.governor
        return GovernedRun(
            target=plan.name,
            provenance=plan.target.provenance,
            command=tuple(command),
            status=status,
            duration_s=governor.elapsed_s - begin_s,
            fps_target=round(1e3 / plan.period_ms, 6),
            setting=fixed,
            sessions=server.opened,
            frames=governor.frames,
            late_frames=governor.late,
            untrusted_frames=governor.untrusted,
            frames_at=dict(governor.frames_at.most_common()),
            changes=governor.machine.clocks.changes,
            energy_mj=None if energy is None else energy.energy_mj,
            energy_source=_source(energy, energy_meter),
            notes=tuple(notes[-_MOST_NOTES:]),
        )


def _run(server: Server, command: Sequence[str], fixed: Setting | None) -> int:
    try:
        child = subprocess.Popen(command, env=os.environ | {VARIABLE: str(server.path)})
    except OSError as err:
        raise DeviceStableError(
            f"cannot run {command[0]!r} ({err.strerror}); give a program after --"
        ) from err
    try:
        if fixed is not None:
            server.governor.fix(child.pid, fixed)
        server.serve(until=lambda: child.poll() is not None)
    finally:
        _end(child)
    status = child.returncode
    return 128 - status if status < 0 else status


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGTERM)
    wait_or_kill(child, _GRACE_S)


def _source(energy: EnergyReading | None, meter: MeterInUse) -> str:
    return meter.found.text if energy is None else energy.text
