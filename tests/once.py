"""What is costly to make is made once per test run, though the run has several processes."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that ``make`` filled in the first process that asked; read it, or copy it.

    Args:
        factory: pytest's ``tmp_path_factory``.
        name: of the folder; one per thing made.
        make: fills the empty folder it is given.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # the workers' folders lie side by side in that of the run
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given up when it is closed, or this process dies
        if not folder.exists():
            unfinished = Path(tempfile.mkdtemp(dir=base))
            make(unfinished)
            unfinished.rename(folder)
    return folder
