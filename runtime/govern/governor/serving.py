"""Put a governor together for a plan, serve until it is over, restore everything."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime.choose.decision import DecisionTable, SlowdownRule
from runtime.choose.decision.controller import Controller
from runtime.choose.decision.outlook import ChangeCost
from runtime.device.actuators import CpuFreq, Journal
from runtime.device.actuators.signals import orderly_signals
from runtime.device.meters import read_temp_c
from runtime.govern.governor.clocks import Clocks
from runtime.govern.governor.gestures import HeldStrategy
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.heat import HeatCap
from runtime.govern.governor.lock import only_one
from runtime.govern.governor.machine import GovernedMachine
from runtime.govern.governor.plan import GovernPlan
from runtime.govern.governor.server import Server
from runtime.govern.governor.session import Strategy
from runtime.govern.governor.tables import capacity_rows
from runtime.measure.frame_log import FrameLine, GovernedLog, Header
from runtime.targets import LocalTarget

SOCKET = "governor.sock"
LOCK = "governor.lock"


@contextlib.contextmanager
def serving(
    plan: GovernPlan,
    *,
    socket: Path | None = None,
    log: Path | None = None,
    on_message: Callable[[str], None] = lambda message: None,
) -> Iterator[Server]:
    """Give a server on ``plan``'s machine; whatever it changed is restored after the block.

    SIGINT, SIGTERM and SIGHUP leave the block like an exception; everything is restored first.

    Args:
        socket: path; default: beside the journal.
        log: file to write each frame to.
        on_message: called with each message.

    Raises:
        DeviceTransientError: a governor runs already; it is named.
        DeviceError: the socket or the clocks cannot be had.
        DataError: the log cannot be written.
        ValueError: the plan's highest temperature cannot be kept.

    Example:
        >>> with serving(plan_for(open_target("local"), None, 30.0)) as server:    # doctest: +SKIP
        ...     server.serve()
    """
    target = plan.target
    heat = None
    if plan.max_temp_c is not None:
        heat = HeatCap(plan.max_temp_c, [row.power_mw for row in plan.table.rows])
    journal = Journal()
    folder = journal.folder
    path = socket or folder / SOCKET
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_one(folder / LOCK, f"socket {path}"))
        signals = stack.enter_context(orderly_signals())
        frames = None if log is None else stack.enter_context(GovernedLog(log, _header(plan)))
        clocks = Clocks(CpuFreq(target.root), target.profile, on_message=on_message)
        stack.enter_context(clocks)
        machine = GovernedMachine(target.profile, clocks, journal=journal, on_message=on_message)
        governor = Governor(
            machine,
            strategies(plan, machine.change_times.read_cost),
            hold=lambda cluster, freq_khz: HeldStrategy(_every_row(target), cluster, freq_khz),
            heat=heat,
            read_temp_c=lambda: read_temp_c(target.root),
            write=_ignore if frames is None else frames.write,
            on_message=on_message,
        )
        stack.callback(governor.end)
        server = stack.enter_context(Server(governor, path, on_message=on_message))
        try:
            yield server
        finally:
            signals.hold_back = True  # until all clusters are as they were


def strategies(
    plan: GovernPlan, change_cost: Callable[[], ChangeCost] = ChangeCost
) -> Callable[[float, float], Strategy]:
    """Return what makes a session's strategy of its deadline and period in ms."""
    load = plan.variable_load
    if load is None:
        is_relative = plan.policy is None
        return lambda deadline_ms, period_ms: Controller(
            plan.table,
            deadline_ms,
            is_relative=is_relative,
            rule=SlowdownRule(plan.late_share),
            change_cost=change_cost,
        )
    # With numpy, which a board need not have.
    from runtime.choose.frame_policy.controller import FrameController

    return lambda deadline_ms, period_ms: FrameController(
        plan.table,
        deadline_ms,
        period_ms=period_ms,
        late_share=plan.late_share,
        miss_penalty=load.miss_penalty,
        run=_in_background,
    )


def _every_row(target: LocalTarget) -> DecisionTable:
    return capacity_rows(target.profile, target.power, target.settings())


def _in_background(job: Callable[[], None]) -> None:
    """Run ``job`` in a thread that no frame waits for."""
    threading.Thread(target=job, daemon=True).start()


def _header(plan: GovernPlan) -> Header:
    return Header(
        plan.name,
        plan.target.provenance,
        round(1e3 / plan.period_ms, 6),
        plan.period_ms,
        deadline_ms=plan.deadline_ms,
        energy_source=plan.energy_source,
    )


def _ignore(line: FrameLine) -> None:
    return None
