"""The guardian of a process that holds clocks of phones; see ``runtime.device.actuators.guardian``."""

from __future__ import annotations

import sys

from runtime.device.actuators.guardian import main
from runtime.targets.restoring import restore_noted

if __name__ == "__main__":
    main(sys.argv[1:], restore_noted)
