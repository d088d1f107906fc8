"""``python -m runtime.device.emulation SOC [-- CMD...]``."""

from __future__ import annotations

import argparse
import os
import sys

from runtime.device.emulation.launcher import emulate
from runtime.errors import EdgekitError
from runtime.visible import visible


def main() -> int:
    """Run a command, by default a shell, on an emulated SoC; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m runtime.device.emulation", description=main.__doc__)
    parser.add_argument("soc", help="name of a SoC profile, or a TOML file")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="after --; default: $SHELL")
    given = parser.parse_args()
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    try:
        return emulate(given.soc, command or [os.environ.get("SHELL", "/bin/sh")])
    except EdgekitError as err:
        print(f"Error: {visible(str(err))}", file=sys.stderr)
        return err.exit_code
    except ValueError as err:
        parser.error(str(err))


if __name__ == "__main__":
    sys.exit(main())
