"""Frame rates learnt on one target, made to fit another from a few pages that ran there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from runtime.device.provenance import least_certain
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.records import Record
from runtime.web.learning.assess import HeldOutRows, errors_of
from runtime.web.learning.measured import measured
from runtime.web.learning.model import RUN, WayModel, answering_anywhere
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.result import WayFit, WebFit
from runtime.web.learning.storage import load_web_fit, save_web_fit
from runtime.web.learning.table import GESTURE_FEATURES, GestureTable, feature_vector, gesture_table

PAGES = 18  # Camel: nine clusters, two pages of each
_FEWEST_PAGES = 3


def choose_pages(
    known: Mapping[str, KnownPage], names: Sequence[str], pages: int = PAGES, seed: int = 0
) -> list[str]:
    """Return the pages to measure on a new target: of each cluster of pages two unlike ones.

    Args:
        known: pages with features; those without are not chosen.
        names: features that predictors look at, as a fit has them.
        pages: how many; all where there are no more.

    Raises:
        DataError: no page has features.
    """
    require("sklearn", extra="predict")
    from predictors import choose_samples

    read = sorted(name for name, page in known.items() if page.features)
    if not read:
        raise DataError("no page has features to choose by; read them first: edgekit web profile")
    X = np.array(
        [feature_vector(known[name].features, [0.0] * len(GESTURE_FEATURES), names) for name in read]
    )
    X = np.where(np.isnan(X), np.nan_to_num(np.nanmean(X, axis=0)), X)
    if len(read) <= pages:
        return read
    chosen = choose_samples(X, n_clusters=-(-pages // 2), random_state=seed)[:pages]
    rest = np.setdiff1d(np.arange(len(read)), chosen)  # a cluster of one page gives one
    more = rest[np.linspace(0, len(rest) - 1, pages - len(chosen)).astype(int)]
    return [read[place] for place in np.union1d(chosen, more)]


def transfer_web(
    records: Iterable[Record],
    known: Mapping[str, KnownPage],
    folder: Path,
    source: str,
    *,
    include_unstable: bool = False,
) -> list[WebFit]:
    """Make the predictors of ``source`` below ``folder`` fit the target of ``records``, and save them.

    Args:
        records: of one other target; a few pages (``choose_pages``) at a few settings are enough.
        source: target that predictors are there for.

    Raises:
        NotFittedError: there are none.
        DataError: the records are of several targets, of ``source`` itself, or of too few pages.
    """
    require("sklearn", extra="predict")
    all_records = list(records)
    rows, left_out = measured(all_records, include_unstable)
    targets = sorted({row.target for row in rows})
    if len(targets) != 1 or targets == [source]:
        raise DataError(
            f"the records are of {', '.join(targets) or 'no gesture'}; give those of one target other than "
            f"{source}"
        )
    fits = []
    for kind in dict.fromkeys(row.kind for row in rows):
        before, models = load_web_fit(folder, source, kind)
        table = gesture_table([row for row in rows if row.kind == kind], known, names=before.names)
        moved, ways = {}, []
        for way, model in models.items():
            usable = table.select(table.has_work if way == RUN else table.is_read)
            if len(np.unique(usable.case)) >= _FEWEST_PAGES:
                moved[way], way_fit = _moved(way, model, usable)
                ways.append(way_fit)
        if not ways:
            raise DataError(
                f"{kind} was measured on {len(np.unique(table.case))} pages on {targets[0]} that are known "
                f"as well as those of {source}; at least {_FEWEST_PAGES} are needed"
            )
        fit = replace(
            before,
            target=targets[0],
            ways=tuple(ways),
            clusters=table.clusters,
            capacities=(min(row.capacity for row in table.rows), max(row.capacity for row in table.rows)),
            n_records=int(table.runs.sum()),
            n_places=len(table.rows),
            n_cases=len(np.unique(table.case)),
            n_pages=len({row.page for row in table.rows}),
            n_families=len(np.unique(table.family)),
            left_out=left_out,
            provenance=least_certain(record.provenance for record in all_records),
            created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            made_by="transfer",
            source=source,
        )
        save_web_fit(folder, fit, moved)
        fits.append(fit)
    return fits


def _moved(way: str, model: WayModel, table: GestureTable) -> tuple[WayModel, WayFit]:
    from predictors import MeanFrames, transfer_frames

    X = model.of_table(table)
    rate, scores, chosen = transfer_frames(model.frames, X, table.fps, table.case)
    by_gesture = np.column_stack([X[:, 0], table.gesture])
    mean = np.empty(len(X))
    for case in np.unique(table.case):
        others, mine = table.case != case, table.case == case
        mean[mine] = MeanFrames().fit(by_gesture[others], table.fps[others]).predict(by_gesture[mine])
    unknown = np.full(len(X), np.nan)
    with answering_anywhere(rate):
        low, high = rate.predict_interval(X).T
    width = np.sqrt(high / low)
    held = HeldOutRows(
        truth=table.fps, fps=rate.held_out_, low=rate.held_out_ / width, high=rate.held_out_ * width,
        inside=np.ones(len(X), bool), after_run=unknown, after_low=unknown, after_high=unknown, mean_fps=mean,
        case=table.case,
    )  # fmt: skip
    percent = {name: 100.0 * float(np.expm1(score)) for name, score in scores.items()}
    return replace(model, rate=rate, clusters=table.clusters), WayFit(
        way, percent, chosen, {}, errors_of(held)
    )
