"""What a bundle is, what was chosen for it and what that saves: one HTML file, and plots as files."""

from edgekit.report.frontier_figure import write_frontier
from edgekit.report.picture import write_picture
from edgekit.report.render import render_report, write_report
from edgekit.report.scan_figure import write_scan
from edgekit.report.timeline_figure import write_timeline

__all__ = ["render_report", "write_frontier", "write_picture", "write_report", "write_scan", "write_timeline"]
