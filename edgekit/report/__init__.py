"""One self-contained HTML file that says what a bundle is, what was chosen for it and what that saves."""

from edgekit.report.render import render_report, write_report

__all__ = ["render_report", "write_report"]
