"""The diagnosis as aligned text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from edgekit.doctor.check import Check, Diagnosis

COLOURS = {"ok": "green", "warn": "yellow", "missing": "cyan", "broken": "red"}


def render(
    diagnosis: Diagnosis,
    paint: Callable[[str, str], str] = lambda text, _colour: text,
    columns: int = 100,
    show: Callable[[str], str] = str,
) -> str:
    """Return the diagnosis as lines of text, names and findings aligned.

    Args:
        paint: called with a mark and its colour's name; returns the mark coloured.
        columns: of the terminal; longer findings go on below.
        show: called with each finding and hint, which hold what the machine says of itself.
    """
    checks = [check for section in diagnosis.sections for check in section.checks]
    width = max((len(check.name) for check in checks), default=0)
    lines = [f"edgekit {diagnosis.version}"]
    for section in diagnosis.sections:
        lines += ["", section.title]
        for check in section.checks:
            mark = paint(f"{check.state:<7}", COLOURS[check.state])
            first, *more = _wrap(show(check.value), columns - width - 13)
            lines.append(f"  {mark}  {check.name:<{width}}  {first}")
            if check.hint:
                hint, *rest = _wrap(show(check.hint), columns - width - 16)
                more += [f"-> {hint}", *(f"   {text}" for text in rest)]
            lines += [f"{'':>{width + 13}}{text}" for text in more]
    return "\n".join([*lines, "", _summary(checks)])


def _wrap(text: str, width: int) -> list[str]:
    """Return lines of whole words: what is to be typed or looked at stays in one piece."""
    return textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]


def _summary(checks: list[Check]) -> str:
    counts = {state: sum(check.state == state for check in checks) for state in COLOURS}
    text = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    if counts["broken"]:
        return f"{text}. edgekit cannot work here until what is broken is repaired."
    return f"{text}. What is missing only narrows what you can do."
