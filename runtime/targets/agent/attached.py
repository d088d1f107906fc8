"""``python -m runtime.targets.agent.attached MODULE ...``: a program that lives as long as its host listens.

stdout and stderr are the program's. What the host writes to stdin is not: each byte is the number of a
signal for the program, or 0, a sign of life. When the host is gone, or silent for too long, the program
gets SIGTERM, which leaves its blocks in order, so that clocks come back.
"""

from __future__ import annotations

import os
import runpy
import select
import signal
import sys
import threading

from runtime.device.actuators.signals import ASKS_TO_LEAVE
from runtime.targets.agent.messages import SILENCE_S

BEAT = 0


def listen(life: int, silence_s: float = SILENCE_S) -> None:
    """Hand on what comes from the file descriptor ``life`` to this process, until its end."""
    is_asked = False
    while select.select([life], [], [], silence_s)[0] and (data := os.read(life, 1)):
        if data[0] in ASKS_TO_LEAVE:
            is_asked = True
            os.kill(os.getpid(), data[0])
    if not is_asked:  # it is leaving already: a second signal would only disturb that
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the module that the first argument names as a program, with the others as its own."""
    life = os.dup(sys.stdin.fileno())
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    threading.Thread(target=listen, args=(life,), daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
