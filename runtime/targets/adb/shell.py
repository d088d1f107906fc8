"""A shell on an Android phone, through devlib's connection over adb, with our errors."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.errors import DeviceStableError, DeviceTransientError
from runtime.extras import require
from runtime.targets.adb.bounded import bounded_connection
from runtime.targets.adb.devices import check_ready
from runtime.targets.adb.leftovers import FORWARD, keep, left_behind
from runtime.targets.adb.serial import check_serial

_ADB_S = 10.0  # of what the adb program does by itself


class CommandFailed(DeviceStableError):
    """A command ended with another status than 0 on the phone.

    Attributes:
        status: its exit status.
        output: what it printed on both streams.
    """

    def __init__(self, message: str, status: int, output: str):
        super().__init__(message)
        self.status = status
        self.output = output


class AdbShell:
    """Runs commands on the phone called ``serial``.

    Raises:
        ValueError: no phone has such a serial.
        MissingExtra: devlib is not installed.
        DeviceStableError: there is no adb program, or the phone runs no Android now.
        DeviceTransientError: the phone is not there, offline, or waits for its user.

    Example:
        >>> AdbShell("R5CT1234").run("getprop ro.product.model")       # doctest: +SKIP
        'SM-S901U1'
    """

    def __init__(self, serial: str):
        check_serial(serial)
        self.serial = serial
        self._kept: dict[int, Path] = {}  # notes on ports that are forwarded
        self._android: Any = require("devlib.utils.android", "lab")
        self._errors: Any = require("devlib.exception", "lab")
        logging.getLogger("android").setLevel(logging.ERROR)
        _find_adb(self._android)
        check_ready(self.serial)
        try:
            # Forget what an earlier connection knew: the phone may have been restarted as root since.
            self._android.AdbConnection._connected_as_root[serial] = None
            connection = bounded_connection(self._android, self._errors)
            self._connection = connection(device=serial, connection_attempts=0)
        except (self._errors.DevlibError, OSError, ValueError, IndexError) as err:
            raise self._lost(err) from err

    def run(self, command: str, *, as_root: bool = False, timeout_s: float = 30.0) -> str:
        """Return what ``command``, a line of sh, prints on both streams.

        Raises:
            CommandFailed: it ended with another status than 0.
            DeviceTransientError: the phone vanished, or did not answer within ``timeout_s``.
        """
        try:
            output = self._connection.execute(
                command, timeout=timeout_s, check_exit_code=True, as_root=as_root
            )
        except self._errors.TargetCalledProcessError as err:
            said = "\n".join(text for text in (err.output, err.stderr) if text).strip()
            raise CommandFailed(
                f"adb:{self.serial}: {_short(command)} failed with status {err.returncode}: "
                f"{said[-300:] or 'nothing printed'}",
                err.returncode,
                said,
            ) from err
        except self._errors.TimeoutError as err:
            raise DeviceTransientError(
                f"adb:{self.serial}: no answer to {_short(command)} within {timeout_s:g} s; wake the phone "
                "and try again"
            ) from err
        except (self._errors.DevlibError, OSError) as err:
            raise self._lost(err) from err
        except DeviceStableError as err:
            raise DeviceStableError(f"adb:{self.serial}: {_short(command)}: {err}") from err
        return str(output)

    def push(self, source: Path, destination: str, *, timeout_s: float = 600.0) -> None:
        """Copy a file of this machine to the phone; raises as ``run``."""
        try:
            self._connection.push([str(source)], destination, timeout=timeout_s)
        except self._errors.TimeoutError as err:
            raise DeviceTransientError(
                f"adb:{self.serial}: {source.name} was not copied within {timeout_s:g} s; try again"
            ) from err
        except (self._errors.DevlibError, OSError) as err:
            raise self._lost(err) from err
        except subprocess.CalledProcessError as err:
            check_ready(self.serial)  # the phone may be gone: then that is the error
            said = " ".join(f"{err.output or ''} {err.stderr or ''}".split())
            raise DeviceStableError(
                f"adb:{self.serial}: cannot copy {source} to {destination}: {said[-300:]}; make room on the "
                "phone or choose another file"
            ) from err

    def forward(self, remote: str) -> int:
        """Forward a free port of this machine to ``remote`` of the phone, and return it.

        Ports that a killed process of ours forwarded are let go first.

        Args:
            remote: as adb names it: ``localabstract:NAME``, ``tcp:PORT``.

        Raises:
            DeviceTransientError: the phone vanished.
        """
        for what in left_behind(self.serial, FORWARD):
            # Unless somebody else has the port by now.
            if f"{self.serial} {what}" in self._adb("forward --list").splitlines():
                self._adb(f"forward --remove {what.split()[0]}")
        said = self._adb(f"forward tcp:0 {shlex.quote(remote)}").strip()
        if not said.isdecimal():
            raise DeviceTransientError(
                f"adb:{self.serial}: forward answered {_short(said)!r}, not a port; try again"
            )
        self._kept[int(said)] = keep(self.serial, FORWARD, f"tcp:{said} {remote}")
        return int(said)

    def stop_forwarding(self, port: int) -> None:
        """End a forwarding; of a phone that is gone it has ended."""
        if (kept := self._kept.pop(port, None)) is not None:
            kept.unlink(missing_ok=True)
        with contextlib.suppress(DeviceTransientError):
            self._adb(f"forward --remove tcp:{port}")

    def reverse(self, port: int) -> None:
        """Have ``port`` of the phone's own 127.0.0.1 lead to the same port of this machine's.

        Raises:
            DeviceTransientError: the phone vanished, or a program on it has that port.
        """
        self._adb(f"reverse tcp:{port} tcp:{port}")

    def stop_reversing(self, port: int) -> None:
        """End what ``reverse`` began; of a phone that is gone it has ended."""
        with contextlib.suppress(DeviceTransientError):
            self._adb(f"reverse --remove tcp:{port}")

    def _adb(self, command: str) -> str:
        try:
            return str(self._android.adb_command(self.serial, command, timeout=_ADB_S))
        except (self._errors.DevlibError, subprocess.SubprocessError, OSError) as err:
            raise self._lost(err) from err

    @property
    def is_root(self) -> bool:
        """Whether commands can run as root: adbd does, or ``su`` lets them."""
        plain = self.run("id; command -v su || true")
        if "uid=0" in plain or "su" not in plain.splitlines()[-1]:
            return "uid=0" in plain
        try:
            return "uid=0" in self.run("id", as_root=True)
        except CommandFailed:
            return False
        except DeviceTransientError:
            check_ready(
                self.serial
            )  # su that refuses gives no exit status back, just like a phone that is gone
            return False

    def _lost(self, err: Exception) -> DeviceTransientError:
        try:
            check_ready(self.serial)
        except DeviceTransientError as gone:
            return gone
        return DeviceTransientError(f"adb:{self.serial} broke off ({_short(str(err))}); try again")


def _find_adb(android: Any) -> None:
    """Tell devlib where adb is. Left alone it also wants ``aapt`` of the SDK, which only APKs need.

    Raises:
        DeviceStableError: there is none.
    """
    home = os.environ.get("ANDROID_HOME", "")
    found = shutil.which("adb") or shutil.which("adb", path=f"{home}/platform-tools" if home else "")
    if found is None:
        raise DeviceStableError(
            "there is no adb program on the PATH; install it (Debian: apt install adb) or set ANDROID_HOME"
        )
    folder = os.path.dirname(found)
    if shutil.which("adb") is None:
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    android.android_home = android.android_home or os.path.dirname(folder) or "/"


def quote(words: Sequence[str]) -> str:
    """Return ``words`` as one line of sh."""
    return " ".join(shlex.quote(word) for word in words)


def _short(text: str, length: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]}..."
