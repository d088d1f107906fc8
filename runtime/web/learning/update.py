"""Correct predictors of frame rates by gestures that were governed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from runtime.device.provenance import least_certain
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.records import Record
from runtime.web.learning.measured import measured
from runtime.web.learning.model import RUN, WayModel
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.result import WebFit
from runtime.web.learning.storage import load_web_fit, save_web_fit
from runtime.web.learning.table import GestureTable, gesture_table


def update_web(records: Iterable[Record], known: Mapping[str, KnownPage], folder: Path) -> list[WebFit]:
    """Show the predictors below ``folder`` governed gestures, let them correct themselves, and save them.

    Where more gestures fall out of the bounds than chance explains, rates of all pages are shifted by what
    explains those since, and the bounds are widened; else nothing changes. Bounds that then reach further
    than 20 % below a prediction are not trusted.

    Args:
        records: in the order the gestures were made.

    Raises:
        NotFittedError: a target's gesture has no predictors there.
        DataError: no record is of a gesture that the predictors know.
    """
    require("sklearn", extra="predict")
    all_records = list(records)
    rows = [
        row for record in all_records for row in measured([record], include_unstable=True)[0]
    ]  # each gesture by itself
    if not rows:
        raise DataError("no record is of a gesture; give those that edgekit web govern wrote")
    fits = []
    for target, kind in dict.fromkeys((row.target, row.kind) for row in rows):
        before, models = load_web_fit(folder, target, kind)
        mine = [row for row in rows if (row.target, row.kind) == (target, kind)]
        table = gesture_table(mine, known, before.clusters, before.names, full_speed=before.capacities[1])
        if unknown := set(table.clusters) - set(before.clusters):
            raise DataError(
                f"gestures ran on {', '.join(unknown)}, which no predictor of {target} knows; fit with "
                "records of that cluster"
            )
        watched = {way: _watching(model, table) for way, model in models.items()}
        if not any(seen for _, seen in watched.values()):
            raise DataError(
                f"no predictor knows a page of {len(mine)} gestures ({kind} on {target}): features or a run "
                "at full speed are missing; give their file with --pages"
            )
        of_target = (record.provenance for record in all_records if record.target == target)
        fit = replace(
            before,
            n_records=len(mine),
            provenance=least_certain([before.provenance, *of_target]),
            created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            made_by="update",
            drifts=sum(getattr(model.rate, "drifts_", 0) for model, _ in watched.values()),
        )
        save_web_fit(folder, fit, {way: model for way, (model, _) in watched.items()})
        fits.append(fit)
    return fits


def _watching(model: WayModel, table: GestureTable) -> tuple[WayModel, int]:
    """Return ``model`` after it has seen the gestures that it could predict, and how many those are."""
    from predictors import OnlineFrames

    usable = table.select(table.has_work if model.way == RUN else table.is_read)
    if not usable.rows:
        return model, 0
    X = model.of_table(usable)
    inside = model.rate.is_inside(X)
    if not inside.any():
        return model, 0
    online = model.rate if isinstance(model.rate, OnlineFrames) else OnlineFrames(model.rate)
    return replace(model, rate=online.partial_fit(X[inside], usable.fps[inside])), int(inside.sum())
