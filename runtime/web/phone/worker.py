"""``python -m runtime.web.phone.worker SERIAL``: do a job on a phone; see ``interaction.worker``."""

from __future__ import annotations

import sys

from runtime.targets.adb.target import AdbTarget
from runtime.web.interaction.worker import main
from runtime.web.phone.machine import PhoneMachine

if __name__ == "__main__":
    sys.exit(main(lambda: PhoneMachine(AdbTarget(sys.argv[1]))))
