"""What it costs to bring predictors to another SoC by 18 pages instead of learning there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from runtime.web.learning.measured import Measured
from runtime.web.learning.model import RUN, answering_anywhere, fit_way
from runtime.web.learning.pages import KnownPage, family_of
from runtime.web.learning.table import GestureTable, gesture_table
from runtime.web.learning.transfer import PAGES, choose_pages

_FOLDS = 5
PORT_COLUMNS = {
    "gesture": "gesture", "way": "way", "source": "from", "soc": "to", "corrections": "corrections",
    "untuned_mape_pct": "as it is, %", "mape_pct": "18 pages, %", "own_mape_pct": "learnt there, %",
    "added_pct": "added, points",
}  # fmt: skip


def port_row(
    way: str,
    source_rows: Sequence[Measured],
    target_rows: Sequence[Measured],
    known: Mapping[str, KnownPage],
    learners: Sequence[str] | None,
    seed: int,
) -> dict[str, Any] | None:
    """Return errors on families that neither SoC's predictors have seen; ``None`` of too few pages.

    Of each fold the predictors of the source are fitted without its families, 18 pages of the others are
    taken on the target, and the fold's pages there are predicted: by these, and by predictors of its own.
    """
    from predictors import transfer_frames

    source, target = (_usable(way, rows, known) for rows in (source_rows, target_rows))
    if min(len(np.unique(source.family)), len(np.unique(target.family))) < _FOLDS:
        return None
    target = gesture_table(target.rows, known, names=source.names)
    ported, own, untuned = (np.full(len(target.rows), np.nan) for _ in range(3))
    corrections: list[str] = []
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(target.fps, groups=target.family):
        there, mine = target.select(train), target.select(test)
        is_seen = ~np.isin(_families(source, known), _families(mine, known))
        model = fit_way(way, source.select(is_seen), learners=learners, seed=seed)
        chosen = choose_pages({page: known[page] for page in _pages(there) if page in known}, source.names)
        some = there.select(np.isin(_pages(there), chosen))
        with answering_anywhere(model.frames):
            moved, _, name = transfer_frames(model.frames, model.of_table(some), some.fps, some.case)
        corrections.append(name)
        X = model.of_table(mine)
        with answering_anywhere(moved):
            ported[test] = moved.predict(X)
        # As it is, a predictor takes a kind of core that the source lacks for its slowest.
        as_source = X.copy()
        as_source[:, 2] = np.minimum(X[:, 2], len(source.clusters) - 1)
        with answering_anywhere(model.frames):
            untuned[test] = model.frames.predict(as_source)
        native = fit_way(way, there, learners=learners, seed=seed)
        with answering_anywhere(native.frames):
            own[test] = native.frames.predict(native.of_table(mine))
    off = {
        name: 100 * float(np.abs(said / target.fps - 1).mean())
        for name, said in (("untuned_mape_pct", untuned), ("mape_pct", ported), ("own_mape_pct", own))
    }
    return {
        "gesture": source.rows[0].kind,
        "way": way,
        "source": source.rows[0].target.rpartition(":")[2],
        "soc": target.rows[0].target.rpartition(":")[2],
        "pages": PAGES,
        "corrections": ", ".join(dict.fromkeys(corrections)),
        **off,
        "added_pct": off["mape_pct"] - off["own_mape_pct"],
    }


def _usable(way: str, rows: Sequence[Measured], known: Mapping[str, KnownPage]) -> GestureTable:
    table = gesture_table(rows, known)
    return table.select(table.has_work & table.is_read if way == RUN else table.is_read)


def _pages(table: GestureTable) -> np.ndarray:
    return np.array([row.page for row in table.rows])


def _families(table: GestureTable, known: Mapping[str, KnownPage]) -> np.ndarray:
    return np.array([family_of(row.page, known) for row in table.rows])
