"""What gestures on web pages showed and cost, as one HTML file."""

from edgekit.report.web.render import render_web_report, write_web_report

__all__ = ["render_web_report", "write_web_report"]
