"""Pages that were measured at every setting: how far off a curve through a few of them is at the others.

Where a page was measured at a few settings, its own curve through these stands for the truth between them.
Where it was measured at all, the curve through five is held against the others, and the setting that is best
by it against the best by what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from runtime.device.soc import SocProfile
from runtime.web.learning.baselines import best_place, outcome_of
from runtime.web.learning.choice import FrameEstimate
from runtime.web.learning.measured import profile_of
from runtime.web.learning.model import WayModel, fit_way
from runtime.web.learning.table import GestureTable
from runtime.web.learning.truth import page_truth
from tests.benchmarks.web._errors import ErrorStudy

_EVERY = 20  # settings, at least, of a page that was measured at all of them
_FEW = 5
GRID_COLUMNS = {
    "soc": "SoC", "gesture": "gesture", "target_fps": "target", "pages": "pages", "settings": "settings",
    "off_pct": "curve of five off, %", "held_pct": "its best holds, %", "dearer_pct": "and takes more, %",
}  # fmt: skip


@dataclass(frozen=True)
class _Page:
    """What a page showed at every setting, and what the curve through five of them says; places are alike."""

    measured: list[FrameEstimate]
    said: list[FrameEstimate]
    off: np.ndarray  # of the settings that the curve has not seen


def grid_rows(study: ErrorStudy, targets_fps: Sequence[float]) -> list[dict[str, Any]]:
    """Return a row per target frame rate; none where no page was measured at every setting."""
    table = study.table
    profile = profile_of(table.rows[0].target)
    cases, counts = np.unique(table.case, return_counts=True)
    if profile is None or counts.max() < _EVERY:
        return []
    model = fit_way(study.way, table, learners=())
    pages = [
        _page(model, table.select(table.case == case), profile) for case in cases[counts >= _EVERY].tolist()
    ]
    return [
        {
            "soc": table.rows[0].target.rpartition(":")[2],
            "gesture": table.rows[0].kind,
            "target_fps": fps,
            "pages": len(pages),
            "settings": sum(len(page.measured) for page in pages) / len(pages),
            "off_pct": 100 * float(np.mean(np.concatenate([page.off for page in pages]))),
            **_judged(pages, fps),
        }
        for fps in targets_fps
    ]


def _page(model: WayModel, table: GestureTable, profile: SocProfile) -> _Page:
    settings, fps = [row.setting for row in table.rows], table.fps
    by_speed = np.argsort(table.settings()[:, 0])
    seen = np.isin(np.arange(len(fps)), by_speed[np.linspace(0, len(fps) - 1, _FEW).round().astype(int)])
    curve = list(page_truth(model, table.select(seen), settings, profile).estimates)
    measured = [
        replace(each, fps=shown, busy=min(1.0, each.busy * shown / each.fps))
        for each, shown in zip(curve, fps.tolist(), strict=True)
    ]
    off = np.abs(np.array([each.fps for each in curve]) / fps - 1)
    return _Page(measured, curve, off[~seen])


def _judged(pages: Sequence[_Page], fps: float) -> dict[str, float]:
    """Return how often the best by the curve holds what was measured, and what power it takes more."""
    holds, more = [], []
    for page in pages:
        reach_fps = min(fps, max(each.fps for each in page.measured))
        chosen, best = (
            outcome_of(page.measured[best_place(by, fps)], reach_fps) for by in (page.said, page.measured)
        )
        holds.append(not chosen.misses)
        more.append(chosen.mean_mw / best.mean_mw)
    return {
        "held_pct": 100 * float(np.mean(holds)),
        "dearer_pct": 100 * float(np.exp(np.mean(np.log(more))) - 1),
    }
