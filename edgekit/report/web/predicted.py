"""Predicted against measured: pages of the records through the predictors of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.report.axes import axis_from_zero
from edgekit.report.grid import grid
from edgekit.report.labels import Box
from edgekit.report.svg import HEAD, LINE, VERTICAL, path, px, svg, symbol, trusted
from edgekit.report.web.content import WebContent
from runtime.device.provenance import Provenance
from runtime.errors import NotFittedError
from runtime.web.learning.measured import measured
from runtime.web.learning.model import RUN, WayModel
from runtime.web.learning.result import WebFit
from runtime.web.learning.storage import load_web_fit
from runtime.web.learning.table import GestureTable, gesture_table

WAYS = {"unrun": "by what the page is made of", "run": "after one run at full speed"}
_SIDE = 400.0


@dataclass(frozen=True)
class Fitted:
    """Predictors of one kind of gesture on a target, and what was measured of it."""

    fit: WebFit
    models: dict[str, WayModel]
    table: GestureTable

    def usable(self, way: str) -> GestureTable:
        """Return the rows of pages that are known well enough for ``way``."""
        return self.table.select(self.table.has_work if way == RUN else self.table.is_read)


@dataclass(frozen=True)
class Prediction:
    """How far predictions are off on the pages of the records, one way of predicting.

    Attributes:
        rows, pages: that were predicted; ``refused``: rows that are unlike all that was learnt from.
        covered_pct: of rows inside the bounds.
        drawing: the scatter as an SVG element.
    """

    fit: WebFit
    way: str
    rows: int
    pages: int
    refused: int
    mae_fps: float
    mape_pct: float
    covered_pct: float
    drawing: str

    @property
    def name(self) -> str:
        return WAYS[self.way]

    @property
    def provenance(self) -> Provenance:
        return self.fit.provenance


def fitted(content: WebContent, folder: Path) -> tuple[list[Fitted], list[str]]:
    """Return the predictors below ``folder`` for what was measured, and what there are none for.

    Raises:
        DataError, VersionConflict: a predictor cannot be used.
    """
    rows, _ = measured(content.records)
    found, notes = [], []
    for target, kind in dict.fromkeys((row.target, row.kind) for row in rows):
        try:
            fit, models = load_web_fit(folder, target, kind)
        except NotFittedError as err:
            notes.append(str(err))
            continue
        mine = [r for r in rows if (r.target, r.kind) == (target, kind) and r.setting.cluster in fit.clusters]
        full_speed = fit.capacities[1]
        table = gesture_table(mine, content.known, fit.clusters, fit.names, full_speed=full_speed)
        found.append(Fitted(fit, models, table))
    return found, notes


def predictions_of(each: Fitted) -> list[Prediction]:
    """Return what is predicted of the rows, in each way that was learnt and that the pages are known for."""
    found = []
    for way, model in each.models.items():
        table = each.usable(way)
        if not table.rows:
            continue
        X = model.of_table(table)
        inside = model.rate.is_inside(X)
        if not inside.any():
            continue
        shown, truth = table.select(inside), table.fps[inside]
        fps, bounds = model.rate.predict(X[inside]), model.rate.predict_interval(X[inside])
        off = np.abs(fps - truth)
        tips = [
            f"{row.page}\n{row.gesture}\n{row.setting}\n{row.fps:.1f} FPS measured, {guess:.1f} predicted"
            for row, guess in zip(shown.rows, fps, strict=True)
        ]
        found.append(
            Prediction(
                fit=each.fit,
                way=way,
                rows=len(truth),
                pages=len({row.page for row in shown.rows}),
                refused=int((~inside).sum()),
                mae_fps=float(off.mean()),
                mape_pct=100 * float((off / truth).mean()),
                covered_pct=100 * float(((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).mean()),
                drawing=trusted(_scatter(truth, fps, bounds, tips)),
            )
        )
    return found


def _scatter(truth: np.ndarray, fps: np.ndarray, bounds: np.ndarray, tips: Sequence[str]) -> str:
    """Return predicted over measured frame rates, shape (n_rows,), bounds (n_rows, 2)."""
    box = Box(58, 14, _SIDE - 14, _SIDE - 44)
    most = float(max(truth.max(), fps.max(), 1.0))
    x, y = axis_from_zero(most, box.left, box.right, 6), axis_from_zero(most, box.bottom, box.top, 6)
    parts = grid(x, y, box, "measured FPS", "predicted FPS")
    parts.append(svg(LINE, "equal", path([(x.place(value), y.place(value)) for value in (0, most)])))
    for measured_fps, (low, high) in zip(truth, bounds, strict=True):
        ends = px(y.place(low)), px(y.place(high))
        parts.append(svg(VERTICAL, "interval g0", px(x.place(measured_fps)), *ends))
    for measured_fps, predicted_fps, tip in zip(truth, fps, tips, strict=True):
        attributes = svg('class="point g0" data-tip="{}"', tip)
        parts.append(symbol(0, x.place(measured_fps), y.place(predicted_fps), 3.4, attributes))
    title = f"predicted over measured frame rates of {len(truth)} pages and settings"
    return svg(HEAD, px(_SIDE), px(_SIDE), title) + svg("\n").join(parts) + svg("</svg>")
