"""Run a program under a governor: it reports its frames, or runs at the policy's setting."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.choose.decision.margin import Margin
from runtime.device.child import wait_or_kill
from runtime.device.meters import EnergyReading, MeterInUse
from runtime.device.setting import Setting
from runtime.errors import DeviceStableError
from runtime.govern.governor.client import VARIABLE
from runtime.govern.governor.server import Server
from runtime.govern.governor.serving import SOCKET, Plan, serving

_GRACE_S = 5.0  # from SIGTERM to SIGKILL
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
        energy_mj: of all that hangs on the meter, the program's start included; ``None``: not known.
        energy_source: which meter, or why there is none.
        notes: what the governor remarked, the last ones.
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
    plan: Plan,
    command: Sequence[str],
    *,
    reports: bool = False,
    log: Path | None = None,
    margin: Margin | None = None,
    max_temp_c: float | None = None,
    meter: str = "auto",
    tell: Callable[[str], None] = lambda remark: None,
) -> GovernedRun:
    """Run ``command`` under the governor that ``plan`` describes, and return what came of it.

    stdin, stdout and stderr are the command's. It finds the governor by ``EDGEKIT_GOVERNOR``; see
    ``runtime.govern.governor.client``. Clocks are back as they were when this returns or raises.

    Args:
        reports: the command is known to report its frames: until it does, leave it where it is.
        log: file to write each frame to.
        margin: how late frames are answered.
        max_temp_c: as ``serving`` takes it.
        meter: as ``runtime.device.meters.find_meter`` takes it.
        tell: called with each remark.

    Raises:
        DeviceStableError: there is no such program.
        DeviceError, DataError: as ``serving``.
    """
    notes: list[str] = []

    def remark(text: str) -> None:
        notes.append(text)
        tell(text)

    energy_meter = MeterInUse(plan.target.root, meter)
    with (
        tempfile.TemporaryDirectory(prefix="edgekit-") as folder,
        serving(
            plan,
            socket=Path(folder) / SOCKET,
            log=log,
            margin=margin,
            max_temp_c=max_temp_c,
            tell=remark,
        ) as server,
    ):
        begin_s = server.governor.elapsed_s
        status, energy = energy_meter.measure(0, lambda: _run(server, command, None if reports else plan))
        governor = server.governor
        return GovernedRun(
            target=plan.name,
            provenance=plan.target.provenance,
            command=tuple(command),
            status=status,
            duration_s=governor.elapsed_s - begin_s,
            fps_target=round(1e3 / plan.period_ms, 6),
            setting=None if plan.policy is None or reports else plan.policy.setting,
            sessions=server.served,
            frames=governor.frames,
            late_frames=governor.late,
            untrusted_frames=governor.untrusted,
            frames_at=dict(governor.frames_at.most_common()),
            changes=governor.machine.changes,
            energy_mj=None if energy is None else energy.energy_mj,
            energy_source=_source(energy, energy_meter),
            notes=tuple(notes[-_MOST_NOTES:]),
        )


def _run(server: Server, command: Sequence[str], fixed: Plan | None) -> int:
    try:
        child = subprocess.Popen(command, env=os.environ | {VARIABLE: str(server.path)})
    except OSError as err:
        raise DeviceStableError(
            f"cannot run {command[0]!r} ({err.strerror}); give a program after --"
        ) from err
    try:
        if fixed is not None and fixed.policy is not None:
            server.governor.fix(child.pid, fixed.policy.setting)
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
