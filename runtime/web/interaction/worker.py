"""``python -m runtime.web.interaction.worker``: do a job on this machine; stdin has it, in a line of JSON.

What it tells goes to stdout, a line each. It runs inside an emulated machine, where a parent outside cannot
set clocks or see processes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import msgspec

from runtime.bundle.decoding import decode_json
from runtime.device.actuators.signals import ASKS_TO_LEAVE
from runtime.errors import EdgekitError
from runtime.targets.failed import failure
from runtime.targets.local import LocalTarget
from runtime.web.interaction.job import Message, WebJob
from runtime.web.interaction.local_machine import LocalMachine
from runtime.web.interaction.machine import Machine
from runtime.web.interaction.series import run_job


def main(machine: Callable[[], Machine]) -> int:
    """Do the job that stdin has on ``machine``, and return an exit status."""
    for signum in ASKS_TO_LEAVE:
        signal.signal(signum, _leave)
    line = sys.stdin.buffer.readline()
    job: WebJob = decode_json(line, WebJob, where="the job", advice="start it by edgekit web")
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        run_job(machine(), job, _send)
    except (EdgekitError, ValueError) as err:
        _send(failure(err))
        return 1
    return 0


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(128 + signum)


def _send(message: Message) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _leave_with_parent() -> None:
    """Stop when stdin closes: whoever asked is gone, and the machine is to be as it was."""
    while os.read(sys.stdin.fileno(), 1):  # a buffered read holds a lock that ending needs
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(lambda: LocalMachine(LocalTarget())))
