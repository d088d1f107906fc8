"""Frames of this program, reported to a governor that runs in a thread beside them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.errors import DeviceTransientError
from runtime.govern.governor.beside import PATIENCE_S, serving_beside
from runtime.govern.governor.client import Session
from runtime.govern.governor.plan import plan_for
from runtime.targets import open_target

if TYPE_CHECKING:
    from runtime.choose.policy.policy import Policy
    from runtime.targets import Target


@contextlib.contextmanager
def govern(
    policy: Policy | None = None,
    *,
    fps: float | None = None,
    late: float = 0.01,
    max_temp_c: float | None = None,
    tids: Sequence[int] | None = None,
    name: str = "",
    log: str | os.PathLike[str] | None = None,
    target: str | Target = "local",
    on_message: Callable[[str], None] = lambda message: None,
) -> Iterator[Session]:
    """Govern the frames of the block: each runs at the cheapest setting that is in time.

    Yields a ``Session``: put each frame into ``with frames.frame():``, or call ``frames.begin()`` and
    ``frames.report(actual_ms)`` yourself. Clocks and the threads' cores change meanwhile, and are
    restored after the block, whatever ends it. To govern another program: ``edgekit govern``.

    Args:
        policy: of ``tune``, for this machine; ``None`` governs any work, by the SoC's capacities.
        fps: pace of the frames; default: the policy's, or 30.
        late: share of frames that may be late.
        max_temp_c: that the hottest CPU zone should not pass.
        tids: threads that work on frames; default: all that this process has now.
        name: for messages.
        log: file to write each frame to, as JSON Lines.
        target: this machine, as ``open_target`` gives it.
        on_message: called with each remark of the governor; ``print`` shows them.

    Raises:
        BundleError: the policy is for another device.
        DeviceError: clocks cannot be set here, or another governor runs.
        ValueError: an argument out of range.

    Example:
        >>> with govern(fps=50) as frames:  # or govern(tune(bundle, fps=50))
        ...     for _ in range(3):
        ...         with frames.frame():
        ...             _ = sum(range(10_000))
        >>> frames.answer["ok"]
        True
    """
    if tids is None:  # before the governor's own thread is there: that one stays where it is
        tids = [int(tid) for tid in os.listdir("/proc/self/task")]
    machine = open_target(target) if isinstance(target, str) else target
    plan = plan_for(machine, policy, fps, late_share=late, max_temp_c=max_temp_c)
    with serving_beside(plan, log=None if log is None else Path(log), on_message=on_message) as server:
        path, period_ms = str(server.path), plan.period_ms
        with Session(plan.latency_limit_ms, tids, name, path, period_ms, PATIENCE_S) as session:
            if not session.is_governed:
                raise DeviceTransientError(f"the frames are not governed: {session.problem}; try again")
            yield session
