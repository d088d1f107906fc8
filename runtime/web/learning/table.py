"""What was measured of one kind of gesture on one target, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from runtime.web.learning.measured import Measured
from runtime.web.learning.pages import KnownPage, family_of

GESTURE_FEATURES = ("log_speed", "log_factor", "is_touch")  # before those of the page
ROLES = ("main", "compositor", "raster", "viz", "io", "other")  # of threads, in the order of their columns
_LEAST_FACTOR = 0.1  # browsers zoom out no further
_SPARE = 0.75  # a core that is less busy than that is not what frames wait for
_MISSES = 0.9  # of the display's rate: below, frames are missed, not lost where movements begin and end
_FULL_SPEED = 0.9  # of the highest capacity: a core that counts as at full speed


@dataclass(frozen=True)
class GestureTable:
    """Rows of (page, gesture, setting), arrays of shape (n_rows, ...).

    Attributes:
        rows: what was measured, one each.
        names: of the features.
        features: on scales on which differences count alike; NaN where nobody read one.
        work_ms: of the page's run at full speed under this gesture, by ``ROLES``; NaN where there was none.
        most_fps: that the page shows, however fast its core is: what it showed at full speed where that left
            the core time to spare, else the display's rate.
        core: number of the cluster, the fastest first.
        clusters: in that order.
        case: number of the page under the gesture.
        family: of the page.
    """

    rows: tuple[Measured, ...]
    names: tuple[str, ...]
    features: np.ndarray
    work_ms: np.ndarray
    most_fps: np.ndarray
    core: np.ndarray
    clusters: tuple[str, ...]
    case: np.ndarray
    family: np.ndarray

    @property
    def fps(self) -> np.ndarray:
        """Displayed frames per second, medians of the runs."""
        return np.array([row.fps for row in self.rows])

    @property
    def runs(self) -> np.ndarray:
        """How many runs each row is the median of."""
        return np.array([len(row.runs_fps) for row in self.rows], dtype=float)

    @property
    def has_work(self) -> np.ndarray:
        """Which rows are of pages that ran at full speed."""
        return np.isfinite(self.work_ms).all(axis=1)

    @property
    def is_read(self) -> np.ndarray:
        """Which rows are of pages whose features somebody read; all, where nobody read any page's."""
        if len(self.names) == len(GESTURE_FEATURES):
            return np.ones(len(self.rows), bool)
        return np.isfinite(self.features[:, len(GESTURE_FEATURES) :]).any(axis=1)

    def of_run(self) -> tuple[dict[str, float], float]:
        """Return what the first row's page showed at full speed: its work by role, and ``most_fps``."""
        return dict(zip(ROLES, self.work_ms[0].tolist(), strict=True)), float(self.most_fps[0])

    @property
    def gesture(self) -> np.ndarray:
        """Number of each row's gesture, whatever the page."""
        return np.unique([row.gesture for row in self.rows], return_inverse=True)[1]

    def select(self, places: np.ndarray) -> GestureTable:
        """Return the rows at ``places``, indices or booleans."""
        at = np.arange(len(self.rows))[places]
        return replace(
            self,
            rows=tuple(self.rows[row] for row in at),
            features=self.features[at],
            work_ms=self.work_ms[at],
            most_fps=self.most_fps[at],
            core=self.core[at],
            case=self.case[at],
            family=self.family[at],
        )

    def settings(self, *, with_most: bool = False) -> np.ndarray:
        """Return the columns of ``FrameRate`` before the work: capacity, refresh rate, core.

        Args:
            with_most: the refresh rate is ``most_fps``, as far as that was seen.
        """
        most_fps = self.most_fps if with_most else [row.refresh_hz for row in self.rows]
        return np.column_stack([[row.capacity for row in self.rows], most_fps, self.core])


def gesture_table(
    rows: Sequence[Measured],
    known: Mapping[str, KnownPage],
    clusters: Sequence[str] = (),
    names: Sequence[str] | None = None,
    full_speed: float | None = None,
) -> GestureTable:
    """Return rows of one kind of gesture on one target as arrays.

    Args:
        clusters: in the order of their numbers; by default those of the rows, the fastest first.
        names: features to take; by default all that any page has.
        full_speed: capacity of a core at full speed; by default the highest of the rows.
    """
    if names is None:
        told = (name for row in rows if row.page in known for name in known[row.page].features)
        names = (*GESTURE_FEATURES, *sorted(set(told)))
    fastest: dict[str, float] = {}
    for row in rows:
        cluster = row.setting.cluster
        fastest[cluster] = max(fastest.get(cluster, 0.0), row.capacity)
    order = [*clusters, *sorted(set(fastest) - set(clusters), key=lambda name: -fastest[name])]
    fast = _at_full_speed(rows, full_speed or max((row.capacity for row in rows), default=0.0))
    cases = {case: number for number, case in enumerate(dict.fromkeys(row.case for row in rows))}
    families = [family_of(row.page, known) for row in rows]
    _, family = np.unique(families, return_inverse=True)
    nobody = KnownPage("")
    return GestureTable(
        rows=tuple(rows),
        names=tuple(names),
        features=np.array(
            [
                feature_vector(known.get(row.page, nobody).features, gesture_features(row), names)
                for row in rows
            ]
        ).reshape(len(rows), len(names)),
        work_ms=np.array(
            [work_vector(fast[row.case].work_ms) if row.case in fast else _NO_WORK for row in rows]
        ).reshape(len(rows), len(ROLES)),
        most_fps=np.array([most_fps(fast.get(row.case, row)) for row in rows]),
        core=np.array([order.index(row.setting.cluster) for row in rows]),
        clusters=tuple(order),
        case=np.array([cases[row.case] for row in rows]),
        family=family,
    )


class GestureLike(Protocol):
    """A gesture, or what was measured of one."""

    @property
    def speed(self) -> float: ...

    @property
    def factor(self) -> float: ...

    @property
    def source(self) -> str: ...


def gesture_features(gesture: GestureLike) -> list[float]:
    """Return ``GESTURE_FEATURES`` of a gesture; one of unknown speed counts as the slowest."""
    speed, factor = max(gesture.speed, 1.0), max(gesture.factor, _LEAST_FACTOR)
    return [float(np.log(speed)), float(np.log(factor)), float(gesture.source == "touch")]


def feature_vector(
    features: Mapping[str, float], gesture: Sequence[float], names: Sequence[str]
) -> list[float]:
    """Return features of a page on a logarithmic scale behind those of the gesture; NaN where unknown."""
    values = list(gesture)
    for name in names[len(GESTURE_FEATURES) :]:
        value = features.get(name, np.nan)
        values.append(float(np.sign(value) * np.log1p(abs(value))))
    return values


def work_vector(work_ms: Mapping[str, float]) -> list[float]:
    """Return the work of a frame by ``ROLES``; roles that are none of them count as other."""
    named = [work_ms.get(role, 0.0) for role in ROLES[:-1]]
    return [*named, max(sum(work_ms.values()) - sum(named), 0.0)]


def most_fps(row: Measured) -> float:
    """Return the frames per second that a page shows at most, by one row: the display's rate, if unknown.

    A page that misses frames while its core has time to spare waits for something else: its own timers, the
    browser's other processes. A faster core would change nothing.
    """
    busy = row.fps * sum(row.work_ms.values()) / 1000.0 / row.capacity
    is_held_up = 0 < busy < _SPARE and row.fps < _MISSES * row.refresh_hz
    return row.fps if is_held_up else row.refresh_hz


_NO_WORK = [np.nan] * len(ROLES)


def _at_full_speed(rows: Sequence[Measured], most: float) -> dict[tuple[str, str, str], Measured]:
    """Return the row of each page whose core was as fast as any."""
    return {
        row.case: row
        for row in sorted(rows, key=lambda row: row.capacity)
        if row.capacity >= _FULL_SPEED * most and sum(row.work_ms.values()) > 0
    }
