"""How adb calls a phone."""

from __future__ import annotations

import re

# Of a cable ("R5CT1234", "emulator-5554"), of a network ("10.0.0.7:5555", "adb-R5-x._adb-tls-connect._tcp")
_SERIAL = re.compile(r"[A-Za-z0-9._:][A-Za-z0-9._:-]{0,127}")


def check_serial(serial: str) -> None:
    """Refuse what no phone is called: a serial is put into lines of sh, here and in devlib.

    Raises:
        ValueError: it has other characters than a serial, or begins like an option.
    """
    if not _SERIAL.fullmatch(serial):
        raise ValueError(
            f"serial {serial!r} cannot be a phone's; allowed: letters, digits, '.', '_', ':' and '-', not "
            "'-' first; take it from: adb devices"
        )
