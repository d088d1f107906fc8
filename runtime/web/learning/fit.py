"""Learn frame rates from records of gestures: predictors for each kind of gesture on each target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from runtime.device.provenance import Provenance, least_certain
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.records import Record
from runtime.web.learning.assess import errors_of, held_out_rows, left_out_folds
from runtime.web.learning.measured import measured
from runtime.web.learning.model import RUN, UNRUN, WayModel, fit_way
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.result import WayFit, WebFit
from runtime.web.learning.storage import save_web_fit
from runtime.web.learning.table import ROLES, GestureTable, gesture_table

FEWEST_FAMILIES = 4  # one left out for the errors, and three to learn from


def fit_web(
    records: Iterable[Record],
    known: Mapping[str, KnownPage],
    folder: Path,
    *,
    learners: Sequence[str] | None = None,
    alpha: float = 0.1,
    seed: int = 0,
    include_unstable: bool = False,
    on_step: Callable[[str], None] = lambda text: None,
) -> list[WebFit]:
    """Fit predictors for every target and kind of gesture in ``records``, and save them below ``folder``.

    Args:
        known: features and families of pages, by name.
        learners: candidates; ``None`` for all.
        alpha: share of pages that may fall outside the bounds.
        include_unstable: learn from records whose verdict is unstable, too; see ``measured``.
        on_step: called with what is fitted.

    Raises:
        DataError: no record is of a gesture, or pages are of too few families for any kind.
        MissingExtra: scikit-learn is not installed.
    """
    require("sklearn", extra="predict")
    require("skops", extra="predict")
    all_records = list(records)
    rows, left_out = measured(all_records, include_unstable)
    if not rows:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise DataError(
            f"none of {len(all_records)} records can be learnt from ({why or 'there are none'}); measure "
            "gestures on pages: edgekit web profile; unstable ones are taken with --include-unstable"
        )
    fits, too_few = [], []
    for target, kind in dict.fromkeys((row.target, row.kind) for row in rows):
        table = gesture_table([row for row in rows if (row.target, row.kind) == (target, kind)], known)
        models, ways = {}, []
        for way, usable in _ways(table):
            on_step(f"{kind} on {target}, {way}: {len(usable.rows)} rows")
            models[way], way_fit = fit_and_assess(way, usable, learners, alpha, seed)
            ways.append(way_fit)
        if not ways:
            too_few.append(f"{kind} on {target}: {len(np.unique(table.family))}")
            continue
        of_target = (record.provenance for record in all_records if record.target == target)
        fit = summarise(kind, table, ways, left_out, least_certain(of_target), alpha, seed)
        save_web_fit(folder, fit, models)
        fits.append(fit)
    if not fits:
        raise DataError(
            f"pages of too few families ({'; '.join(too_few)}), at least {FEWEST_FAMILIES} are needed; "
            "measure more pages, or say which are made alike in a file of pages"
        )
    return fits


def fit_and_assess(
    way: str, table: GestureTable, learners: Sequence[str] | None = None, alpha: float = 0.1, seed: int = 0
) -> tuple[WayModel, WayFit]:
    """Return what predicts one way, and how well that does on families left out."""
    folds = left_out_folds(way, table, learners=learners, alpha=alpha, seed=seed)
    errors = errors_of(held_out_rows(table, folds))
    model = fit_way(way, table, learners=learners, alpha=alpha, seed=seed)
    chosen = {} if model.work is None else dict(zip(ROLES, model.work.chosen_, strict=True))
    scores = {name: 100.0 * float(np.expm1(score)) for name, score in model.frames.scores_.items()}
    return model, WayFit(way, scores, model.frames.chosen_, chosen, errors)


def summarise(
    kind: str,
    table: GestureTable,
    ways: Sequence[WayFit],
    left_out: Mapping[str, int],
    provenance: Provenance,
    alpha: float,
    seed: int,
) -> WebFit:
    """Return what is said of predictors that were fitted to ``table``, which holds one target."""
    rows = table.rows
    unread = len({row.page for row, is_read in zip(rows, table.is_read, strict=True) if not is_read})
    unrun = len(np.unique(table.case[~table.has_work]))
    more = {"pages whose features nobody read": unread, "pages that did not run at full speed": unrun}
    return WebFit(
        target=rows[0].target,
        kind=kind,
        ways=tuple(ways),
        names=table.names,
        clusters=table.clusters,
        speeds=(min(row.speed for row in rows), max(row.speed for row in rows)),
        capacities=(min(row.capacity for row in rows), max(row.capacity for row in rows)),
        refresh_hz=max(row.refresh_hz for row in rows),
        confidence=1.0 - alpha,
        n_records=int(table.runs.sum()),
        n_places=len(rows),
        n_cases=len(np.unique(table.case)),
        n_pages=len({row.page for row in rows}),
        n_families=len(np.unique(table.family)),
        left_out={**left_out, **{reason: count for reason, count in more.items() if count}},
        provenance=provenance,
        seed=seed,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def _ways(table: GestureTable) -> list[tuple[str, GestureTable]]:
    """Return the ways that can be learnt, each with its rows: of enough families, and what it needs known."""
    usable = ((UNRUN, table.select(table.is_read)), (RUN, table.select(table.has_work)))
    return [(way, part) for way, part in usable if len(np.unique(part.family)) >= FEWEST_FAMILIES]
