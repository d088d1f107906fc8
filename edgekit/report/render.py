"""Content in, HTML out: one file, nothing loaded from anywhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgekit.report import units
from edgekit.report.commands import commands_of
from edgekit.report.content import Content, TargetView, collect
from edgekit.report.page import render_page, write_page
from edgekit.report.plots import clocks_of
from edgekit.report.result_picture import result_picture
from edgekit.report.section import FEW, NARROW, WIDE, section_of
from edgekit.report.svg import trusted
from edgekit.report.timeline import clusters_of, draw_timeline, since_first
from edgekit.report.timeline_figure import summary
from runtime.bundle import Bundle
from runtime.choose.policy.goal import OBJECTIVES
from runtime.choose.tuning.savings import explain_savings
from runtime.measure.frame_log import read_log

_FIGURE_NAMES = {
    "macs": "MACs per frame (counted)",
    "params": "parameters (counted)",
    "latency_ms": "latency, eager, one thread (measured)",
    "test_top1": "top-1 accuracy (measured)",
}


def write_report(
    bundle: Bundle,
    out: str | os.PathLike[str],
    target: str | None = None,
    timelines: Sequence[str | os.PathLike[str]] = (),
    pictures: Sequence[str | os.PathLike[str]] = (),
) -> Path:
    """Write the report on ``bundle`` to ``out`` and return its path.

    Args:
        out: the HTML file; its folder must be there.
        target: report on this target only.
        timelines: logs of governed runs to draw over time.
        pictures: of results, as ``edgekit run -o`` saves them.

    Raises:
        DataError: ``out`` cannot be written, or a log or a picture not be read.

    Example:
        >>> write_report(Bundle.open("digits.edgekit"), "report.html")   # doctest: +SKIP
    """
    return write_page(out, render_report(bundle, target, timelines, pictures))


def render_report(
    bundle: Bundle,
    target: str | None = None,
    timelines: Sequence[str | os.PathLike[str]] = (),
    pictures: Sequence[str | os.PathLike[str]] = (),
) -> str:
    """Return the report on ``bundle`` as HTML; every text of the bundle is escaped."""
    content = collect(bundle, target)
    headline = _headline(content)
    sections = [section_of(content, view) for view in content.targets]
    return render_page(
        "report.html",
        content=content,
        manifest=bundle.manifest,
        headline=headline,
        sections=sorted(sections, key=lambda section: section.view is not headline),
        commands=commands_of(content),
        timelines=[_timeline(Path(log)) for log in timelines],
        pictures=[result_picture(path) for path in pictures],
        all_in_one=all(v.variant.delegation and v.variant.delegation.is_in_one for v in content.variants),
        objectives=OBJECTIVES,
        clocks_of=clocks_of,
        few=FEW,
        explain_savings=explain_savings,
        figure=figure,
        figure_names=_FIGURE_NAMES,
        pruned=lambda name: _pruned(content, name),
    )


def figure(name: str, value: float) -> str:
    """Return a figure in the unit its name ends with."""
    if name.endswith("_ms"):
        return units.milliseconds(value)
    if name.endswith(("top1", "accuracy")):
        return units.percent(100 * value if value <= 1 else value)
    if name.endswith("_bytes"):
        return units.size(value)
    return units.quantity(value)


def _pruned(content: Content, name: str) -> str:
    for change in content.changes:
        if change.name == name and change.change_pct is not None:
            less = f"−{change.change_pct:.0f}\N{NO-BREAK SPACE}%"
            return f"pruned from {units.quantity(change.before)} ({less})"
    return ""


def _headline(content: Content) -> TargetView | None:
    """Return the target whose policy stands at the head of the report: the first with an energy to tell."""
    tuned = [view for view in content.targets if view.policy is not None]
    return min(tuned, key=lambda view: view.policy.energy_mj is None, default=None)


def _timeline(log: Path) -> dict[str, Any]:
    header, lines = read_log(log)
    frames = since_first(lines)
    return {
        "header": header,
        "summary": summary(header, frames),
        "clusters": clusters_of(frames),
        "wide": trusted(draw_timeline(header, frames, WIDE)),
        "narrow": trusted(draw_timeline(header, frames, NARROW)),
    }
