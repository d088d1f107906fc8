"""The browser that tests measure: installed by ``python -m tests.browser`` where this machine lets us."""

import os
import shutil
import subprocess
import sys

from runtime.errors import WebError
from runtime.web.browser.chromium import INSTALL, find_browser

_INSTALL_S = 900


def why_missing() -> str | None:
    """Return why tests have no browser, ``None`` where there is one."""
    try:
        find_browser()
    except WebError as err:
        return str(err)
    return None


def main() -> int:
    """Install Debian's Chromium if there is no browser and this is root; else say what to do."""
    if why_missing() is None:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            command = ["apt-get", "-qq", *arguments]
            print(f"no browser yet; running {' '.join(command)}", file=sys.stderr)
            done = subprocess.run(
                command, env=environment, timeout=_INSTALL_S, check=False, stdout=subprocess.DEVNULL
            )
            if done.returncode:
                break
    if (reason := why_missing()) is not None:
        print(f"tests of web pages will not run: {reason}; {INSTALL}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
