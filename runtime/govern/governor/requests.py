"""What each request of a program does, and the answer to it."""

from __future__ import annotations

import msgspec

from runtime.govern.governor import messages as m
from runtime.govern.governor.connection import ClientConnection
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.peer import check_own_threads, check_user_threads
from runtime.govern.governor.session import GovernedSession


def carry_out(governor: Governor, client: ClientConnection, request: m.Request) -> m.Answer:
    """Do what a program asks; it has its session from then on, if that is what it asked for.

    Raises:
        ValueError: it cannot be done.
        EdgekitError: threads that are not its own, or the machine refuses.
    """
    if isinstance(request, m.OpenSession | m.OpenGestures):
        if client.session is not None:
            raise ValueError("this connection has a session already; open another connection")
        session = _open(governor, client, request)
        client.session = session.number
        return msgspec.structs.replace(state_of(session), begins=session.within is not None)
    if client.session is None:
        raise ValueError("this connection has no session yet; open one first")
    if isinstance(request, m.Headroom):
        return m.Answer(True, headroom=governor.session(client.session).strategy.headroom())
    return state_of(_act(governor, client, client.session, request))


def refusal(problem: str) -> m.Answer:
    """Return that a request was refused, and why."""
    return m.Answer(False, error=problem)


def state_of(session: GovernedSession) -> m.Answer:
    """Return what a session runs at from now on."""
    row, meets = session.row, session.decision.meets_deadline
    return m.Answer(
        True,
        cluster=session.place.cluster,
        freq_khz=None if row is None else row.setting.freq_khz,
        meets_deadline=meets,
        meets_target=meets,
        trusted=session.is_trusted,
        reason=session.decision.reason or None,
        unmoved=session.unmoved or None,
    )


def _open(
    governor: Governor, client: ClientConnection, request: m.OpenSession | m.OpenGestures
) -> GovernedSession:
    pid = client.peer.pid
    if isinstance(request, m.OpenGestures):
        check_user_threads(client.peer, request.tids)
        return governor.open_gestures(pid, request.tids, request.cluster, request.freq_khz, request.name)
    check_own_threads(client.peer, request.tids)
    return governor.open(pid, request.tids, request.deadline_ms, request.name, request.period_ms)


def _act(
    governor: Governor,
    client: ClientConnection,
    number: int,
    request: m.Begin | m.Report | m.UpdateDeadline | m.Hold | m.ReportGesture | m.UseThreads,
) -> GovernedSession:
    """Do what a program asks of its session."""
    match request:
        case m.Begin():
            return governor.begin(number, request.remaining_ms)
        case m.Report():
            return governor.report(number, request.actual_ms, request.late)
        case m.UpdateDeadline():
            return governor.retarget(number, request.deadline_ms)
        case m.Hold():
            return governor.hold(number, request.cluster, request.freq_khz)
        case m.ReportGesture():
            return governor.report_gesture(number, request.frames, request.late)
    check_user_threads(client.peer, request.tids)
    return governor.use_threads(number, request.tids)
