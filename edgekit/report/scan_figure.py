"""The picture of a sensitivity scan: a cell per group and share, the darker the more it costs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.report.figure import Figure, write_figure
from edgekit.report.svg import HEAD, TEXT, px, svg
from runtime.bundle.metric_words import word_for

if TYPE_CHECKING:
    from edgekit.pruning.sensitivity import Scan

_CELL, _ROW, _NAMES = 110.0, 24.0, 330.0  # width and height of a cell; room for the groups' names
_HEAD_ROWS = 46.0
_SHADE = '<rect class="g1" x="{}" y="{}" width="{}" height="{}" fill-opacity="{:.2f}" stroke-opacity="0.15"/>'


def write_scan(scan: Scan, out: str | os.PathLike[str]) -> Path:
    """Draw ``scan`` into ``out``, a ``.png`` or ``.svg`` file, and return its path.

    Raises:
        ValueError: ``out`` has another ending.
        DataError: it cannot be written.
        MissingExtra: a PNG needs the extra ``report``.

    Example:
        >>> write_scan(scan(checkpoint, digits, "runs/scan"), "scan.png")   # doctest: +SKIP
    """
    width = _NAMES + _CELL * len(scan.ratios)
    height = _HEAD_ROWS + _ROW * len(scan.channels) + 8
    anew = (scan.identity or {}).get("reestimate")
    statistics = "batch norm estimated anew" if anew else "batch norm as it was"
    figure = Figure(
        title=f"{scan.model} on {scan.dataset}: what each group's channels are worth",
        lines=(
            f"Test {word_for(scan.metric)} right after the removal of a share of one group's channels, "
            f"{statistics}; whole network {scan.score:.1%}. The darker a cell, the more is lost.",
        ),
        keys=(),
        drawing=_draw(scan, width, height),
        width=width,
        height=height,
        remarks=("The channels of least L1 norm go; nothing is trained back.", *scan.warnings),
    )
    return write_figure(figure, out)


def _draw(scan: Scan, width: float, height: float) -> str:
    parts = [svg(HEAD, px(width), px(height), "score by group and share removed")]
    for column, ratio in enumerate(scan.ratios):
        parts.append(
            svg(TEXT, "axis mid", px(_NAMES + _CELL * (column + 0.5)), "30.0", f"{ratio:.0%} removed")
        )
    for row, (group, channels) in enumerate(scan.channels.items()):
        top = _HEAD_ROWS + _ROW * row
        middle = px(top + 0.66 * _ROW)
        parts.append(svg(TEXT, "axis end", px(_NAMES - 12), middle, f"{group} ({channels})"))
        for column, ratio in enumerate(scan.ratios):
            cell = scan.at(group, ratio)
            left = _NAMES + _CELL * column
            if cell is not None:
                lost = max(0.0, 1 - cell.score / scan.score) if scan.score else 0.0
                parts.append(
                    svg(_SHADE, px(left + 1), px(top + 1), px(_CELL - 2), px(_ROW - 2), 0.75 * min(1.0, lost))
                )
            shown = "-" if cell is None else f"{cell.score:.1%}"
            parts.append(svg(TEXT, "key mid", px(left + _CELL / 2), middle, shown))
    return "\n".join([*parts, "</svg>"])
