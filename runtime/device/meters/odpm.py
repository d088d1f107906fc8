"""A Pixel's on-device power monitors (ODPM), one for the main power chip and one for the sub one.

Root or SELinux may refuse the files; then only Perfetto or Android's ``PowerMonitor`` can read them.
Only the CPU clusters' rails are added up (Pixel 6: CPUCL0 little, CPUCL1 mid, CPUCL2 big): some of the
others feed each other.
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.device.meters.finding import METERS
from runtime.device.meters.meter import About, Count, CounterMeter
from runtime.device.meters.odpm_text import OdpmText, parse_odpm
from runtime.device.meters.rails import pick
from runtime.device.sysfs import read_text
from runtime.errors import DeviceStableError, DeviceTransientError, PermissionNeeded

FOLDER = Path("sys/bus/iio/devices")
_CPU = re.compile(r".*VDD_CPU(CL)?\d*(_M)?", re.IGNORECASE)
_MAX_HZ = 20.0  # as of meters that are sampled


@METERS.register("odpm")
def find_odpm(root: Path, only: str | None = None) -> CounterMeter:
    """Return the meter of the CPU rails, or of the rails that are named.

    Args:
        only: rails by name with shell wildcards, such as ``*CPUCL2*,*MIF*``.

    Raises:
        DeviceStableError: there is no such monitor or rail, or its text is of an unknown format.
        PermissionNeeded: it may not be read.
    """
    files = sorted((root / FOLDER).glob("iio:device*/energy_value"))
    if not files:
        raise DeviceStableError(f"no energy_value below {root / FOLDER} (only Pixel phones have it)")
    try:
        names = [rail for file in files for rail in _look(file).rails_uj]
    except DeviceTransientError as err:
        raise DeviceStableError(str(err)) from err
    if len(set(names)) != len(names):
        raise DeviceStableError(f"two devices name the same rail: {names}")
    taken = [n for n in names if _CPU.fullmatch(n)] if only is None else pick({n: n for n in names}, only)
    if not taken:
        wanted = "of a CPU" if only is None else repr(only)
        raise DeviceStableError(f"no rail {wanted} among {', '.join(names)}; name some: odpm=RAIL")
    left_out = ", ".join(name for name in names if name not in taken)

    def read() -> Count:
        looks = [_look(file) for file in files]
        rails_uj = {rail: uj for look in looks for rail, uj in look.rails_uj.items()}
        if missing := [rail for rail in taken if rail not in rails_uj]:
            raise DeviceTransientError(f"{files[0]}: rail {missing[0]} is gone; start again")
        time_s = sum(look.time_ms for look in looks) / len(looks) / 1000
        return Count({rail: rails_uj[rail] for rail in taken}, time_s)

    about = About(
        name="odpm",
        basis="rail",
        source=f"ODPM ({' + '.join(taken)})",
        sample_rate_hz=min(_MAX_HZ, _rate_hz(files[0].parent)),
        max_mw=1e5,
        notes=(
            "uWs since boot, of the phone and not of one process",
            f"left out: {left_out or 'none'}",
        ),
    )
    return CounterMeter(about, read)


def _rate_hz(device: Path) -> float:
    text = read_text(device / "sampling_rate") or ""
    match = re.match(r"\d{1,5}(\.\d{1,6})?", text)
    return max(float(match[0]), 1.0) if match else _MAX_HZ


def _look(file: Path) -> OdpmText:
    try:
        text = file.read_bytes().decode(errors="replace").strip("\0")
    except PermissionError as err:
        raise PermissionNeeded(f"{file} may not be read; run as root (adb root), or use Perfetto") from err
    except OSError as err:
        raise DeviceTransientError(f"{file} is gone ({err.strerror}); start again") from err
    try:
        return parse_odpm(text)
    except ValueError as err:
        raise DeviceTransientError(f"{file} {err}") from err
