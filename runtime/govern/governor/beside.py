"""A governor in a thread beside the program that reports to it."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime.bundle.staging import staging_folder
from runtime.govern.governor.plan import GovernPlan
from runtime.govern.governor.server import Server
from runtime.govern.governor.serving import SOCKET, serving

# After which a thread of this interpreter asks the one that runs for its turn. Python's 5 ms, two or three
# times a change of clock, were most of what that took.
_SWITCH_S = 5e-4
PATIENCE_S = 10.0  # of a session for the thread beside it, which may have to wait for the interpreter


@contextlib.contextmanager
def serving_beside(
    plan: GovernPlan, *, log: Path | None = None, on_message: Callable[[str], None] = lambda message: None
) -> Iterator[Server]:
    """Serve a governor in a thread during the block; what it changed is restored after.

    Raises:
        DeviceError, DataError, ValueError: as ``serving``; what ended the thread is raised after the block.
    """
    ended, faults = threading.Event(), list[BaseException]()
    with (
        staging_folder() as folder,
        serving(plan, socket=folder / SOCKET, log=log, on_message=on_message) as server,
    ):
        thread = threading.Thread(target=_serve, args=(server, ended, faults), name="edgekit-governor")
        before_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join()
            sys.setswitchinterval(before_s)
    if faults:
        raise faults[0]


def _serve(server: Server, ended: threading.Event, faults: list[BaseException]) -> None:
    try:
        server.serve(until=ended.is_set)
    except Exception as err:  # noqa: BLE001  raised again in the caller's thread
        faults.append(err)
