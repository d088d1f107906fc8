"""Read a meter's file, or raise with the reason: not there, not allowed, no number."""

from __future__ import annotations

from pathlib import Path

from runtime.device.sysfs import read_int, read_text
from runtime.errors import DeviceStableError, DeviceTransientError, PermissionNeeded


def need_int(file: Path) -> int:
    """Return the integer in ``file``.

    Raises:
        DeviceTransientError: it is gone, or holds something else.
    """
    value = read_int(file)
    if value is None:
        text = read_text(file)
        what = "is gone" if text is None else f"gives no number: {text!r:.60}"
        raise DeviceTransientError(f"{file} {what}; start again")
    return value


def check_readable(file: Path, why: str = "it may not be read") -> None:
    """Read ``file`` once, before anything depends on it.

    Raises:
        PermissionNeeded: with ``why``.
        DeviceStableError: the file is not there, or refuses for another cause.
        DeviceTransientError: it holds no number.
    """
    try:
        file.read_bytes()
    except PermissionError as err:
        raise PermissionNeeded(f"{file}: {why}; run as root, or: sudo chmod a+r {file}") from err
    except OSError as err:
        raise DeviceStableError(f"{file} cannot be read ({err.strerror})") from err
    need_int(file)
