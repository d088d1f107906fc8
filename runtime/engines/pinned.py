"""Pin this process, then become another program: ``python -m runtime.engines.pinned CPUS PROGRAM ...``.

For programs that do not know an emulated machine's CPU numbers. What goes wrong is said as the
native runner would answer.
"""

from __future__ import annotations

import os
import sys

import msgspec

from runtime.device.actuators.affinity import pin
from runtime.engines.messages import WorkerFailed
from runtime.errors import EdgekitError


def main() -> None:
    """Pin, then exec."""
    cpus, *command = sys.argv[1:]
    try:
        pin([int(cpu) for cpu in cpus.split(",")])
        os.execv(command[0], command)
    except (EdgekitError, OSError) as err:
        sys.stdout.write(msgspec.json.encode(WorkerFailed(str(err))).decode() + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
