"""Child processes: programs of this package, found whatever lies in the user's folder, and their end."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from runtime.extras import HOME

# What ``-P -m`` does, which Python 3.10 lacks.
_SAFE_RUN = (
    "import sys; del sys.path[0], sys.argv[0]; import runpy; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs ``module`` of this package.

    The working directory stays off Python's path: a folder ``runtime/`` or ``numpy/`` of the user's, or a
    file ``queue.py``, would else be imported in place of the real one.
    """
    if sys.version_info >= (3, 11):
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", _SAFE_RUN, module, *arguments]


def module_environment() -> dict[str, str]:
    """Return the variables with which a child finds this very package, installed or not."""
    paths = [str(HOME), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def wait_or_kill(process: subprocess.Popen[Any], patience_s: float) -> int:
    """Return the exit status of ``process``, which is killed unless it ends within ``patience_s``."""
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
