"""Put a governor together for a target, serve until it is over, put everything back."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.bundle import Bundle
from runtime.choose.decision.margin import Margin
from runtime.choose.policy.policy import Policy, load_policy
from runtime.device.actuators import CpuFreq, Journal
from runtime.device.actuators.signals import orderly_signals
from runtime.device.marker import find_marker
from runtime.device.meters import read_temp_c
from runtime.errors import DeviceStableError
from runtime.extras import require
from runtime.govern.governor.clocks import Clocks
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.heat import HeatCap
from runtime.govern.governor.lock import only_one
from runtime.govern.governor.machine import Machine
from runtime.govern.governor.scenes import Scenes
from runtime.govern.governor.server import Server
from runtime.govern.governor.session import Session
from runtime.govern.governor.tables import Rows, capacity_rows, policy_rows
from runtime.measure.frame_log import FrameLine, GovernedLog, Header
from runtime.targets import LocalTarget, Target

Tell = Callable[[str], None]
DEFAULT_FPS = 30.0
SOCKET = "governor.sock"
LOCK = "governor.lock"


@dataclass(frozen=True)
class Plan:
    """What a governor serves.

    Attributes:
        rows: that sessions may run at.
        policy: they come from; ``None``: from the SoC's capacities alone.
        period_ms: of the frames.
        deadline_ms: of each, for programs that do not say their own: the policy's, or a period.
        called: how the host that began the run calls this machine; ``None``: it began here.
        scenes: how frames of varying work are governed; ``None``: all frames alike.
    """

    target: LocalTarget
    rows: Rows
    policy: Policy | None
    period_ms: float
    deadline_ms: float
    called: str | None = None
    scenes: Scenes | None = None

    @property
    def name(self) -> str:
        """How logs call the machine."""
        marker = find_marker(self.target.root)
        return self.called or (self.target.name if marker is None else f"emulated:{marker.soc}")

    @property
    def due_ms(self) -> float:
        """When a frame is late, after its release: at the deadline that was asked for, or with its period."""
        own_ms = self.period_ms if self.policy is None else self.policy.goal.deadline_at(self.period_ms)
        return own_ms if self.scenes is None else own_ms + self.scenes.waiting * self.period_ms

    @property
    def energy_source(self) -> str:
        """Where the power of a setting comes from."""
        if self.policy is not None:
            return self.policy.energy_source
        figure = self.target.power(self.rows.table.rows[0].setting)
        return self.target.energy_note if figure is None else figure.source


def plan_for(
    target: Target,
    bundle: Bundle | None,
    fps: float | None,
    *,
    policy_target: str | None = None,
    called: str | None = None,
    scenes: Scenes | None = None,
) -> Plan:
    """Return what to govern ``target`` by.

    Args:
        bundle: whose policy to follow; ``None`` governs any work, by the SoC's capacities.
        fps: of frames; default: the policy's, or 30.
        policy_target: name of the target as the policy was made for it, where that is another one.
        called: name of this machine on the host that began the run; policies and logs go by it.
        scenes: as ``Plan`` has it.

    Raises:
        DeviceStableError: nothing can be governed there, or not with ``scenes``.
        MissingExtra: ``scenes`` without numpy.
        NotFittedError: the bundle has no policy for this target.
        BundleError: its policy is for another device.
        ValueError: ``fps`` is out of range.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise ValueError(f"fps is {fps}; it must be above 0, at most 1000")
    if not isinstance(target, LocalTarget):
        raise DeviceStableError(_why_not(target.name))
    policy = None if bundle is None else load_policy(bundle, policy_target or called or target.name)
    if policy is None:
        rows = capacity_rows(target.profile, target.power, target.settings())
    else:
        rows = policy_rows(policy, target.profile)
    asks_clock = any(row.freq_khz is not None for row in rows.table.rows)
    if asks_clock and target.capability.rung != "sysfs":
        raise DeviceStableError(f"{target.name} does not let clocks be held: {target.capability.reasons[0]}")
    if scenes is not None:
        require("numpy", "images")
        if any(row.power_mw is None for row in rows.table.rows):
            raise DeviceStableError(
                f"the power of {target.name}'s settings is not known; govern without --scenes"
            )
    period_ms = 1e3 / (fps or (DEFAULT_FPS if policy is None else policy.fps_target))
    plan = Plan(target, rows, policy, period_ms, period_ms, called, scenes)
    if policy is not None and fps is None and scenes is None:
        return replace(plan, deadline_ms=policy.goal.latency_limit_ms)
    return replace(plan, deadline_ms=plan.due_ms)


@contextlib.contextmanager
def serving(
    plan: Plan,
    *,
    socket: Path | None = None,
    log: Path | None = None,
    margin: Margin | None = None,
    max_temp_c: float | None = None,
    tell: Tell = lambda remark: None,
) -> Iterator[Server]:
    """Give a server on ``plan``'s machine; whatever it changed is put back after the block.

    SIGINT, SIGTERM and SIGHUP leave the block like an exception; everything is put back first.

    Args:
        socket: path; default: beside the journal.
        log: file to write each frame to.
        max_temp_c: that the hottest CPU zone should not pass: settings of more power are given up.
        tell: called with each remark.

    Raises:
        DeviceTransientError: a governor runs already; it is named.
        DeviceError: the socket or the clocks cannot be had.
        DataError: the log cannot be written.
    """
    target = plan.target
    heat = None
    if max_temp_c is not None:
        heat = HeatCap(max_temp_c, [row.power_mw for row in plan.rows.table.rows])
        if read_temp_c(target.root) is None:
            raise DeviceStableError(f"{target.name} shows no CPU temperature; leave --max-temp-c out")
    cpufreq = CpuFreq(target.root)
    folder = Journal().folder
    path = socket or folder / SOCKET
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_one(folder / LOCK, f"socket {path}"))
        signals = stack.enter_context(orderly_signals())
        frames = None if log is None else stack.enter_context(GovernedLog(log, _header(plan)))
        clocks = None
        if target.capability.rung == "sysfs":
            clocks = stack.enter_context(Clocks(cpufreq, target.profile, tell=tell))
        governor = Governor(
            Machine(target.profile, clocks, tell=tell),
            plan.rows,
            margin=margin,
            session_type=Session if plan.scenes is None else _scene_session(plan.scenes),
            heat=heat,
            read_temp_c=lambda: read_temp_c(target.root),
            write=_ignore if frames is None else frames.write,
            tell=tell,
        )
        server = stack.enter_context(Server(governor, path, tell=tell))
        try:
            yield server
        finally:
            signals.hold_back = True  # until all clusters are as they were


def _scene_session(scenes: Scenes) -> Callable[..., Session]:
    from runtime.govern.governor.scene_session import SceneSession  # with numpy, which a board need not have

    if scenes.late_price is None:
        return SceneSession
    return functools.partial(SceneSession, late_price=scenes.late_price)


def _header(plan: Plan) -> Header:
    return Header(
        plan.name,
        plan.target.provenance,
        round(1e3 / plan.period_ms, 6),
        plan.period_ms,
        deadline_ms=plan.due_ms,
        energy_source=plan.energy_source,
    )


def _ignore(line: FrameLine) -> None:
    return None


def _why_not(name: str) -> str:
    kind, _, rest = name.partition(":")
    hint = {
        "virtual": f"nothing runs on it: play it with emulated:{rest}, or model frames with edgekit run",
        "ssh": f"a governor runs where the frames run: edgekit govern ... --target {name}",
        "emulated": f"run it inside: edgekit emulate {rest} -- edgekit govern ...",
        "adb": "a phone on adb has no Python to run it: write one in C with edgekit tune --emit c",
    }.get(kind, "run it on that machine")
    return f"{name} cannot be governed from here; {hint}"
