"""Look at everything; a section that fails says so and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit.doctor.check import Check, Diagnosis, Section
from edgekit.doctor.engines import check_engines
from edgekit.doctor.machine import check_control, check_cores, check_meters
from edgekit.doctor.names import check_names
from edgekit.doctor.packages import check_extras, check_packages
from edgekit.doctor.system import check_platform, check_privileges, check_tools
from runtime._version import __version__

Examination = Callable[[Path], tuple[Check, ...]]
SECTIONS: dict[str, Examination] = {
    "Python and platform": check_platform,
    "Names on Python's path": check_names,
    "Packages against the versions known to work together": check_packages,
    "Extras": check_extras,
    "Engines and accelerator": check_engines,
    "Cores and clocks": check_cores,
    "Energy and temperature": check_meters,
    "Control of this machine": check_control,
    "Privileges": check_privileges,
    "Programs": check_tools,
}


def examine(root: Path = Path("/"), sections: dict[str, Examination] = SECTIONS) -> Diagnosis:
    """Return what this machine has, lacks and may do.

    Args:
        root: where ``sys`` and ``proc`` are found.
        sections: title and examination of each section.

    Example:
        >>> diagnosis = examine()          # doctest: +SKIP
        >>> diagnosis.is_broken            # doctest: +SKIP
        False
    """
    found = (Section(title, _softly(look, root)) for title, look in sections.items())
    return Diagnosis(__version__, tuple(found))


def _softly(look: Examination, root: Path) -> tuple[Check, ...]:
    try:
        return look(root)
    except Exception as err:  # noqa: BLE001 - whatever is wrong with one part, the others are to be shown
        return (Check("this section", "warn", f"could not be examined: {type(err).__name__}: {err}"),)
