"""Where a benchmark program is on a phone: given by the user, pushed from the host, or in its usual place."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from runtime.bundle.digest import file_sha256
from runtime.engines.programs import ProgramRunner
from runtime.engines.programs.runner import ON_PHONE
from runtime.errors import DeviceStableError
from runtime.targets.adb.shell import AdbShell, CommandFailed

FOLDER = "/data/local/tmp/edgekit"  # the one place a shell may write to and execute from


@dataclass(frozen=True)
class InstalledProgram:
    """A program that is ready on the phone, and what its help says (empty if it was not asked)."""

    path: str
    options: str


def install(shell: AdbShell, runner: ProgramRunner) -> InstalledProgram:
    """Make ``runner``'s program ready and return where.

    ``$EDGEKIT_ADB_...`` (``runner.environment``) is a file of this machine, built with the NDK for the
    phone, or ``device:PATH``. Without it, /data/local/tmp/PROGRAM, where its documentation puts it.

    Raises:
        DeviceStableError: there is none, or the phone cannot execute it.
        DeviceTransientError: the phone is gone.
    """
    given = os.environ.get(runner.environment)
    if given and not given.startswith(ON_PHONE):
        source = Path(given).expanduser()
        if not source.is_file():
            raise DeviceStableError(
                f"{runner.environment} is {given!r}, which is not a file of this machine; give the "
                f"{runner.program} built for the phone, or {ON_PHONE}PATH if it is on the phone already"
            )
        path = push_once(shell, source)
        shell.run(f"chmod 755 {shlex.quote(path)}")
    else:
        path = (given or "").removeprefix(ON_PHONE) or f"/data/local/tmp/{runner.program}"
    try:
        shell.run(f"[ -x {shlex.quote(path)} ]")
    except CommandFailed as err:
        raise DeviceStableError(
            f"adb:{shell.serial} has no {runner.program} to run at {path}; {runner.engine} models need it "
            f"there: build or download it for Android and pass --runner {runner.engine}=FILE, or set "
            f"{runner.environment}"
        ) from err
    return InstalledProgram(
        path, "" if runner.help_flag is None else _read_help(shell, path, runner.help_flag)
    )


def push_once(shell: AdbShell, source: Path) -> str:
    """Copy ``source`` to the phone unless this very file is there; return its path on the phone.

    Files are called by their sha256, and kept: pushing a model again for each setting costs more
    time than measuring it.
    """
    digest = file_sha256(source)
    path = f"{FOLDER}/{digest[:16]}-{_safe(source.name)}"
    if _sha256(shell, path) == digest:
        return path
    shell.run(f"mkdir -p {FOLDER}")
    shell.push(source, f"{path}.part")
    got = _sha256(shell, f"{path}.part")
    if got != digest:
        raise DeviceStableError(
            f"{source.name} arrived on adb:{shell.serial} with sha256 {got or 'unknown'} instead of "
            f"{digest}; is its storage full?"
        )
    shell.run(f"mv {shlex.quote(f'{path}.part')} {shlex.quote(path)}")
    return path


def _sha256(shell: AdbShell, path: str) -> str | None:
    try:
        return shell.run(f"sha256sum {shlex.quote(path)}", timeout_s=120).split()[0]
    except (CommandFailed, IndexError):
        return None


def _read_help(shell: AdbShell, path: str, flag: str) -> str:
    try:
        return shell.run(f"{shlex.quote(path)} {flag} 2>&1")
    except CommandFailed as err:  # gflags ends with 1 after printing its help
        return err.output


def _safe(name: str) -> str:
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in name)
