"""The diagnosis as aligned text."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.doctor.check import Check, Diagnosis

COLOURS = {"ok": "green", "warn": "yellow", "missing": "cyan", "broken": "red"}


def render(diagnosis: Diagnosis, paint: Callable[[str, str], str] = lambda text, _colour: text) -> str:
    """Return the diagnosis as lines of text, names and findings aligned.

    Args:
        paint: called with a mark and its colour's name; returns the mark coloured.
    """
    checks = [check for section in diagnosis.sections for check in section.checks]
    width = max((len(check.name) for check in checks), default=0)
    lines = [f"edgekit {diagnosis.version}"]
    for section in diagnosis.sections:
        lines += ["", section.title]
        for check in section.checks:
            mark = paint(f"{check.state:<7}", COLOURS[check.state])
            lines.append(f"  {mark}  {check.name:<{width}}  {check.value}")
            if check.hint:
                lines.append(f"{'':>{width + 13}}-> {check.hint}")
    return "\n".join([*lines, "", _summary(checks)])


def _summary(checks: list[Check]) -> str:
    counts = {state: sum(check.state == state for check in checks) for state in COLOURS}
    text = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    if counts["broken"]:
        return f"{text}. edgekit cannot work here until what is broken is repaired."
    return f"{text}. What is missing only narrows what you can do."
