"""A folder of measured gestures in, HTML out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.report.page import render_page, write_page
from edgekit.report.svg import trusted
from edgekit.report.web.content import Case, WebContent, collect
from edgekit.report.web.expensive import Finding, findings
from edgekit.report.web.governed import GovernedView, governed_views
from edgekit.report.web.governors import Governors, governors_of
from edgekit.report.web.predicted import Prediction, fitted, predictions_of
from edgekit.report.web.section import WebSection, section_of
from edgekit.report.web.words import setting_of
from runtime.web.learning.pages import KnownPage

MOST_CASES = 12  # shown in full: some 100 kB each, and nobody reads more
_STYLE = Path(__file__).parent / "web.css"


@dataclass(frozen=True)
class PageView:
    """One page: what is expensive on it, and its gestures."""

    name: str
    findings: tuple[Finding, ...]
    is_read: bool
    sections: tuple[WebSection, ...]
    governed: tuple[GovernedView, ...]


def write_web_report(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    fit: str | os.PathLike[str] | None = None,
    rates: Sequence[float] = (),
    pages: Sequence[str] = (),
    on_step: Callable[[str], None] = lambda text: None,
) -> Path:
    """Write the report on gestures measured into ``folder`` to ``out`` and return its path.

    Args:
        folder: that ``edgekit web bench`` or ``web profile`` wrote.
        out: the HTML file; its folder must be there.
        fit: folder of predictors, to compare with; ``None``: none.
        rates: frame rates to hold; none: the display's, and half of it.
        pages: names or patterns of pages; all without any.
        on_step: called with what is waited for.

    Raises:
        DataError: there is nothing to report on, a file is damaged, or ``out`` cannot be written.

    Example:
        >>> write_web_report("web-records", "report.html")   # doctest: +SKIP
    """
    return write_page(out, render_web_report(folder, fit=fit, rates=rates, pages=pages, on_step=on_step))


def render_web_report(
    folder: str | os.PathLike[str],
    *,
    fit: str | os.PathLike[str] | None = None,
    rates: Sequence[float] = (),
    pages: Sequence[str] = (),
    on_step: Callable[[str], None] = lambda text: None,
) -> str:
    """Return the report as HTML; arguments and errors as for ``write_web_report``."""
    content = collect(Path(folder), tuple(dict.fromkeys(rates)), pages)
    predictions, governors, notes = _learnt(content, fit, on_step)
    on_step("drawing")
    shown = content.cases[:MOST_CASES]
    return render_page(
        "web/page.html",
        web_style=trusted(_STYLE.read_text(encoding="utf-8")),
        content=content,
        shown=shown,
        views=[
            _view(content, name, shown)
            for name in dict.fromkeys(each.page for each in (*shown, *content.trials))
        ],
        predictions=predictions,
        governors=governors,
        notes=notes,
        setting_of=setting_of,
    )


def _view(content: WebContent, name: str, shown: Sequence[Case]) -> PageView:
    mine = [case for case in shown if case.page == name]
    known = content.known.get(name, KnownPage(name))
    return PageView(
        name,
        findings(known, mine[0].rows[0].work_ms) if mine else (),
        bool(known.features),
        tuple(section_of(case) for case in mine),
        governed_views(trial for trial in content.trials if trial.page == name),
    )


def _learnt(
    content: WebContent, fit: str | os.PathLike[str] | None, on_step: Callable[[str], None]
) -> tuple[list[Prediction], list[Governors], list[str]]:
    if fit is None or not content.cases:
        return [], [], []
    found, notes = fitted(content, Path(fit))
    predictions: list[Prediction] = []
    governors: list[Governors] = []
    for each in found:
        on_step(f"predicting {each.fit.kind} on {each.fit.target}")
        predictions += predictions_of(each)
        there = next(case for case in content.cases if case.target == each.fit.target)
        governors += governors_of(each, content.known, [choice.fps for choice in there.choices])
    return predictions, governors, notes
