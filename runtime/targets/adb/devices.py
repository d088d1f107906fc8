"""The phones that adb lists, and what to do about one that is not ready."""

from __future__ import annotations

import re

from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError
from runtime.targets.adb.bounded import read_bounded

_LINE = re.compile(r"(\S+)\t+(\S.*)")
_LIST_S = 30.0  # starting adb's server takes some seconds
_UDEV = (
    "this user may not open its USB device: install udev rules (Debian: apt install "
    "android-sdk-platform-tools-common), join the group plugdev, then adb kill-server and plug it in again"
)
# The state, as adb begins it → whether a retry may help, and what to do. adb's own words: adb.cpp, to_string.
_ADVICE = {
    "no permissions": (False, _UDEV),
    "offline": (True, "unplug the cable and plug it in again, or: adb reconnect"),
    "unauthorized": (True, "unlock the phone and accept this computer's key"),
    "authorizing": (True, "unlock the phone and accept this computer's key"),
    "connecting": (True, "wait a moment and try again"),
    "recovery": (False, "boot the phone into Android"),
    "rescue": (False, "boot the phone into Android"),
    "sideload": (False, "boot the phone into Android"),
    "bootloader": (False, "boot the phone into Android: fastboot reboot"),
}


def list_phones() -> dict[str, str]:
    """Return the state of each phone that adb lists, by serial.

    Raises:
        DeviceStableError: adb does not answer.
    """
    try:
        status, out, err = read_bounded(["adb", "devices"], _LIST_S)
    except (TimeoutError, OSError) as failed:
        raise DeviceStableError(f"adb devices failed ({failed or 'no answer'}); run it by hand") from failed
    if status != 0:
        said = " ".join(f"{err} {out}".split())[-200:]
        raise DeviceStableError(f"adb devices failed ({said or f'status {status}'}); run it by hand")
    found = (_LINE.fullmatch(line.strip()) for line in out.splitlines())
    return {match[1]: match[2] for match in found if match}


def check_ready(serial: str) -> None:
    """Raise unless adb lists the phone called ``serial`` as ready.

    Raises:
        DeviceError: it does not; the message says what to do.
    """
    listed = list_phones()
    state = listed.get(serial)
    if state == "device":
        return
    if state is None:
        # Of a phone that may not be opened older versions of adb do not know the serial: ????????????
        if any(not name.strip("?") and words.startswith("no perm") for name, words in listed.items()):
            raise DeviceStableError(f"adb:{serial} is not listed by its serial, but a phone is: {_UDEV}")
        others = ", ".join(f"{name} ({other.partition(' (')[0]})" for name, other in listed.items()) or "none"
        raise DeviceTransientError(
            f"adb knows no phone {serial!r} now, it lists: {others}; plug it in and allow USB debugging"
        )
    raise _not_ready(serial, state)


def _not_ready(serial: str, state: str) -> DeviceError:
    for begin, (may_help, advice) in _ADVICE.items():
        if state.startswith(begin):
            kind = DeviceTransientError if may_help else DeviceStableError
            verb = ":" if " " in begin else " is"  # "no permissions" is no state to be in
            return kind(f"adb:{serial}{verb} {begin}; {advice}")
    return DeviceTransientError(f"adb:{serial} is {state!r:.60}; see adb devices")
