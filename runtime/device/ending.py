"""The end of a child process: by itself, or killed when it takes too long."""

from __future__ import annotations

import subprocess
from typing import Any


def wait_or_kill(process: subprocess.Popen[Any], patience_s: float) -> int:
    """Return the exit status of ``process``, which is killed unless it ends within ``patience_s``."""
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
