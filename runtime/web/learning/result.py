"""What is said of predictors of frame rates, and kept beside them."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bundle.figures import check_figures
from runtime.device.provenance import Provenance
from runtime.web.learning.assess import Errors

WEB_FIT_SCHEMA = 1


@dataclass(frozen=True)
class WayFit:
    """What was learnt one way.

    Attributes:
        way: ``unrun``: by a page's features alone; ``run``: and by one run of it at full speed.
        scores: error of each candidate on families it has not seen: mean absolute error of the logarithm of
            the frame rate, as a percentage.
        chosen: name of the candidate used.
        work_chosen: by role of the thread, what predicts its work where pages never ran; empty where it is
            measured.
        errors: of the whole procedure, the choice included, on families left out.
    """

    way: str
    scores: dict[str, float]
    chosen: str
    work_chosen: dict[str, str]
    errors: Errors

    def __post_init__(self) -> None:
        check_figures(self)
        check_figures(self.errors)


@dataclass(frozen=True)
class WebFit:
    """Predictors of one kind of gesture on one target.

    Attributes:
        target, kind: what they are for.
        ways: what was learnt.
        names: of features, in the order of their columns.
        clusters: in the order of their numbers.
        speeds: lowest and highest of the gestures, in px/s.
        capacities: lowest and highest share of the fastest core.
        refresh_hz: of the display.
        confidence: share of pages the bounds are made to hold.
        n_records, n_places, n_cases, n_pages, n_families: what was learnt from: runs, pages under gestures
            under settings, pages under gestures, pages, and what was kept together.
        left_out: records, or pages, that were not used, by reason.
        provenance: of the records.
        made_by: ``fit``, ``transfer`` or ``update``.
        source: target that was transferred from.
        drifts: how often governed gestures contradicted the predictors.
    """

    target: str
    kind: str
    ways: tuple[WayFit, ...]
    names: tuple[str, ...]
    clusters: tuple[str, ...]
    speeds: tuple[float, float]
    capacities: tuple[float, float]
    refresh_hz: float
    confidence: float
    n_records: int
    n_places: int
    n_cases: int
    n_pages: int
    n_families: int
    left_out: dict[str, int]
    provenance: Provenance
    seed: int
    created_utc: str
    made_by: str = "fit"
    source: str | None = None
    drifts: int = 0
    schema_version: int = WEB_FIT_SCHEMA

    def __post_init__(self) -> None:
        check_figures(self)

    def way(self, name: str) -> WayFit | None:
        """Return what was learnt one way; ``None``: nothing."""
        return next((way for way in self.ways if way.way == name), None)
