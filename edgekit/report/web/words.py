"""Figures of gestures as people read them."""

from __future__ import annotations

from edgekit.report.units import joules, milliwatts, short
from edgekit.report.web.content import Case, Choice
from runtime.web.interaction.rows import GestureRow


def setting_of(row: GestureRow) -> str:
    """Return the cluster and its clock; a page's threads always share one core.

    Example:
        >>> setting_of(row)    # doctest: +SKIP
        'big at 1100 MHz'
    """
    khz = row.setting.freq_khz
    return row.setting.cluster + (", the kernel's clock" if khz is None else f" at {khz / 1000:g} MHz")


def tip_of(case: Case, row: GestureRow) -> str:
    """Return what is shown when the row's point is touched."""
    lines = [setting_of(row), _fps_of(case, row)]
    if row.power_mw is not None:
        lines.append(milliwatts(row.power_mw))
    if row.energy_mj is not None:
        lines.append(f"{joules(row.energy_mj)} a gesture")
    return "\n".join(lines)


def _fps_of(case: Case, row: GestureRow) -> str:
    if row.runs < 2:
        return f"{row.fps:.1f} FPS, one run"
    low, high = case.bounds_fps(row)
    return f"{row.fps:.1f} FPS ({low:.1f} to {high:.1f}, {row.runs} runs)"


def names_of(choices: list[Choice]) -> str:
    """Return the rates that one setting was chosen for."""
    return "cheapest at " + " and ".join(short(choice.fps) for choice in choices) + " FPS"
