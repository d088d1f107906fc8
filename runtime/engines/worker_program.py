"""Which program runs a model: the Python worker, or for ExecuTorch the native runner."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from runtime.device.child import module_command
from runtime.device.marker import find_marker
from runtime.engines.json_wire import read_json, write_json
from runtime.engines.messages import Message, read_message, write_message
from runtime.errors import DeviceStableError, MissingExtra
from runtime.extras import install_line

VARIABLE = "EDGEKIT_EXECUTORCH"
KINDS = ("native", "python")


@dataclass(frozen=True)
class WorkerProgram:
    """How to start a worker and to talk to it.

    Attributes:
        kind: ``native`` or ``python``.
        reason: why it was chosen, for people.
        is_pinned: the command pins itself; the worker need not.
    """

    kind: str
    reason: str
    command: tuple[str, ...]
    write: Callable[[IO[bytes], Message], None]
    read: Callable[[IO[bytes], int], Message | None]
    is_pinned: bool = False


def choose_worker(
    engine: str, wanted: str | None = None, cpus: Sequence[int] | None = None, *, build: bool = True
) -> WorkerProgram:
    """Return the program that runs ``engine``'s models on this machine.

    ExecuTorch: what ``wanted`` or ``$EDGEKIT_EXECUTORCH`` says; else Python's binding where torch is
    installed, which it needs, else the native runner.

    Args:
        wanted: ``native`` or ``python``.
        cpus: the worker will be pinned to these.
        build: build the native runner if it has to be.

    Raises:
        ValueError: ``wanted`` or the variable is neither.
        MissingExtra: there is neither torch nor a native runner, and why.
        DeviceStableError: the native runner was asked for, and there is none.
    """
    python = WorkerProgram(
        "python", "", tuple(module_command("runtime.engines.worker")), write_message, read_message
    )
    if engine != "executorch":
        return python
    wanted = wanted or os.environ.get(VARIABLE) or None
    if wanted not in (None, *KINDS):
        raise ValueError(f"ExecuTorch through {wanted!r} is not possible; {VARIABLE} is {' or '.join(KINDS)}")
    lacking = [name for name in ("torch", "executorch") if importlib.util.find_spec(name) is None]
    if wanted == "python" or (wanted is None and not lacking):
        return _because(python, f"{VARIABLE} or the caller asks for it" if wanted else "torch is installed")
    why = f"{VARIABLE} or the caller asks for it" if wanted else f"{' and '.join(lacking)} not installed"
    return _native(why, wanted is not None, cpus, build)


def _because(program: WorkerProgram, reason: str) -> WorkerProgram:
    return WorkerProgram(program.kind, reason, program.command, program.write, program.read)


def _native(why: str, is_wanted: bool, cpus: Sequence[int] | None, build: bool) -> WorkerProgram:
    from runtime.engines.native import find_runner

    found = find_runner(build=build)
    if found.runner is None and not found.can_build:
        if is_wanted:
            raise DeviceStableError(f"there is no native ExecuTorch runner: {found.reason}")
        raise MissingExtra(
            f"ExecuTorch needs torch or the native runner: {why}, and {found.reason}; "
            f"run: {install_line('executorch')}, or where there is a compiler: edgekit runner"
        )
    command = (str(found.runner.program),) if found.runner else ()
    # The runner knows only the host's CPU numbers.
    is_pinned = cpus is not None and find_marker() is not None
    if is_pinned and cpus is not None:
        cpu_list = ",".join(map(str, cpus))
        command = (*module_command("runtime.engines.pinned", cpu_list), *command)
    return WorkerProgram("native", f"{why}; {found.reason}", command, write_json, read_json, is_pinned)
