"""Errors on families of pages left out, beside how well the truth repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.web.learning.assess import Fold, HeldOutRows, errors_of, held_out_rows, left_out_folds
from runtime.web.learning.measured import Measured
from runtime.web.learning.model import RUN, TRUTH_RUNS, answering_anywhere
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.table import GestureTable, gesture_table

CURVE_SETTINGS = 5  # of a page, so that a curve through the others says something of each
STRESS = "stress"  # families of pages made up to be expensive
ERROR_COLUMNS = {
    "soc": "SoC", "gesture": "gesture", "way": "way", "part": "of", "pages": "pages", "mape_pct": "off, %",
    "mae_fps": "FPS", "repeat_error_pct": "halves, %", "mean_mae_fps": "mean, FPS", "mae_gain_pct": "gain, %",
    "after_run_mape_pct": "after, %", "covered_pct": "held, %", "refused_pct": "refused, %",
    "curve_mape_pct": "curve, %",
}  # fmt: skip


@dataclass(frozen=True)
class ErrorStudy:
    """A kind of gesture on one target, predicted one way with families left out."""

    way: str
    known: Mapping[str, KnownPage]
    table: GestureTable
    folds: list[Fold]
    held: HeldOutRows

    @classmethod
    def of(
        cls,
        way: str,
        rows: Sequence[Measured],
        known: Mapping[str, KnownPage],
        learners: Sequence[str] | None,
        seed: int,
    ) -> ErrorStudy:
        """Return the study of rows of one kind on one target."""
        table = gesture_table(rows, known)
        table = table.select(table.has_work if way == RUN else table.is_read)
        folds = list(left_out_folds(way, table, learners=learners, seed=seed))
        return cls(way, known, table, folds, held_out_rows(table, folds))

    @property
    def is_stress(self) -> np.ndarray:
        """Which rows are of pages made up to be expensive."""
        return np.array([is_stress(row.page) for row in self.table.rows])

    def rows(self) -> list[dict[str, Any]]:
        """Return rows of the table: all pages, the real ones and those made up."""
        every = np.ones(len(self.table.rows), bool)
        is_truth = self.table.runs >= TRUTH_RUNS
        parts = {"all": every, "real": ~self.is_stress, "stress": self.is_stress, "truth": is_truth}
        told = {
            name: part for name, part in parts.items() if part.any() and (name == "all" or not part.all())
        }
        return [self._row(name, part) for name, part in told.items()]

    def _row(self, part: str, chosen: np.ndarray) -> dict[str, Any]:
        errors = errors_of(self.held.select(chosen))
        rows = [row for row, is_chosen in zip(self.table.rows, chosen, strict=True) if is_chosen]
        return {
            "soc": rows[0].target.rpartition(":")[2],
            "gesture": rows[0].kind,
            "way": self.way,
            "part": part,
            "pages": len({row.page for row in rows}),
            "chosen": [fold.model.frames.chosen_ for fold in self.folds],
            "repeat_error_pct": repeat_error_pct(rows),
            "curve_mape_pct": self._curve_mape_pct(chosen),
            "mae_gain_pct": errors.mae_gain_pct,
            **{name: getattr(errors, name) for name in errors.__dataclass_fields__},
        }

    def _curve_mape_pct(self, chosen: np.ndarray) -> float | None:
        """Return how far off a page's own curve is at a setting that it was not fitted to.

        It stands for the truth between settings; of pages that were measured at enough of them.
        """
        off: list[float] = []
        for fold in self.folds:
            table, model = self.table, fold.model
            for case in np.unique(table.case[fold.test]):
                mine = np.flatnonzero((table.case == case) & chosen)
                if len(mine) < CURVE_SETTINGS:
                    continue
                X, fps = model.of_table(table.select(mine)), table.fps[mine]
                with answering_anywhere(model.frames) as rate:
                    for left in range(len(mine)):
                        others = np.arange(len(mine)) != left
                        said = rate.predict(X[[left]], rate.observe(X[others], fps[others]))
                        off.append(abs(float(said[0]) / fps[left] - 1))
        return 100 * float(np.mean(off)) if off else None


def is_stress(page: str) -> bool:
    """Return whether a page was made up to be expensive."""
    return page.startswith(STRESS) or f"/{STRESS}" in page


def repeat_error_pct(rows: Sequence[Measured]) -> float | None:
    """Return by how much the medians of two halves of the runs differ; ``None`` of single runs."""
    pairs = [row.halves_fps for row in rows if row.halves_fps is not None]
    if not pairs:
        return None
    return 100 * float(np.mean([abs(one - other) / ((one + other) / 2) for one, other in pairs]))


def error_summary(errors: Sequence[dict[str, Any]], rows: Sequence[Measured]) -> dict[str, Any]:
    """Return the figures over all gestures and targets, one way and the other."""
    summary: dict[str, Any] = {
        "pages": len({row.page for row in rows}),
        "runs": sum(len(row.runs_fps) for row in rows),
    }
    for way in dict.fromkeys(row["way"] for row in errors):
        mine = judged(row for row in errors if row["way"] == way)
        names = ("mape_pct", "mae_fps", "mean_mae_fps", "mae_gain_pct", "covered_pct", "after_run_mape_pct")
        summary[way] = {name: _mean([row[name] for row in mine]) for name in (*names, "refused_pct")}
        stress = [row["mae_gain_pct"] for row in errors if row["way"] == way and row["part"] == "stress"]
        summary[way]["stress_mae_gain_pct"] = _mean(stress)
    best = summary.get(RUN) or summary[errors[0]["way"]]
    repeats = [row["repeat_error_pct"] for row in judged(errors)]
    return summary | {
        "fps_mape_pct": best["mape_pct"],
        "fps_mae": best["mae_fps"],
        "mean_baseline_mae": best["mean_mae_fps"],
        "repeat_error_pct": _mean(repeats),
    }


def judged(errors: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that figures come from: of truths where there are some, else of all."""
    chosen: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in errors:
        key = row["soc"], row["gesture"], row["way"]
        if row["part"] == "truth" or (row["part"] == "all" and key not in chosen):
            chosen[key] = row
    return list(chosen.values())


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
