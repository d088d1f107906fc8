"""Frames per second over the speed of a core: physics with few parameters, the same for all pages.

What a core has left after a fixed overhead (input events and BeginFrame come 60 times a second whatever is
shown), over what a frame takes, bent into the refresh rate that no page exceeds. The bend is smooth: frames
differ, so the slower ones miss the display before the mean one does.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares
from sklearn.base import BaseEstimator

from predictors.frames.rows import FrameRows

# Parameters before those of the roles and cores: what is believed before any row, how far that may be off
# (standard deviations), and the bounds. Without work, a frame of 4 ms is the belief, and it is a weak one.
_PRIOR = np.array([0.0, 1.0, 0.04, 4.0, 0.98])
_SPREAD = np.array([0.5, 0.2, 0.02, 2.0, 0.02])
_LOW = np.array([-8.0, 0.3, 0.0, 1.0, 0.7])
_HIGH = np.array([8.0, 1.6, 0.2, 30.0, 1.0])
_FRAME_MS, _UNKNOWN_WORK = 4.0, 2.0
_ROLE_SPREAD, _CORE_SPREAD = 0.3, 0.1
_NOISE = 0.1  # log error of a row: what the spreads are weighed against
_LEFT = 0.1  # of a core's speed, at least, is left after the overhead
_EVALUATIONS = 60


class FrameCurve(BaseEstimator):
    """Predict frames per second as ``ceiling * refresh * bend(rate / (ceiling * refresh))``.

    ``rate = 1000 * exp(offset) * (capacity * exp(core) - overhead) ** slope / work``, where the work is the
    sum over roles of ``exp(role) * work_ms``, and ``bend(u) = (1 + u ** -sharpness) ** (-1 / sharpness)``.

    Args:
        uses_work: take the work of the rows; ``False``: all pages have the same.
        n_cores: kinds of core.

    Attributes:
        theta_: offset, slope, overhead, sharpness, ceiling, then one factor per role and per kind of core.
    """

    theta_: np.ndarray

    def __init__(self, uses_work: bool = True, n_cores: int = 1):
        self.uses_work = uses_work
        self.n_cores = n_cores

    def fit(
        self,
        rows: FrameRows,
        fps: np.ndarray,
        effect: np.ndarray | float = 0.0,
        weight: np.ndarray | float = 1.0,
        prior: FrameCurve | None = None,
        free: np.ndarray | None = None,
    ) -> FrameCurve:
        """Fit the parameters to positive ``fps``, shape (n_samples,).

        Args:
            effect: what each page's speed is off by already, logarithm, shape (n_samples,).
            weight: of each row.
            prior: a curve of another machine, from which this one is not far.
            free: which parameters may move, booleans; all by default.
        """
        n_roles = rows.work_ms.shape[1] if self.uses_work else 0
        centre = np.concatenate([_PRIOR, np.zeros(n_roles + self.n_cores)])
        spread = np.concatenate(
            [_SPREAD, np.full(n_roles, _ROLE_SPREAD), np.full(self.n_cores, _CORE_SPREAD)]
        )
        low = np.concatenate([_LOW, np.full(n_roles + self.n_cores, -2.0)])
        high = np.concatenate([_HIGH, np.full(n_roles + self.n_cores, 2.0)])
        high[2] = min(high[2], (1 - _LEFT) * float(np.min(rows.capacity)))
        if not n_roles:
            centre[0], spread[0] = -np.log(_FRAME_MS), _UNKNOWN_WORK
        if prior is not None:
            centre = np.concatenate([prior.theta_[: 5 + n_roles], np.zeros(self.n_cores)])
            known = min(self.n_cores, prior.n_cores)
            centre[5 + n_roles : 5 + n_roles + known] = prior.theta_[5 + n_roles : 5 + n_roles + known]
        centre = np.clip(centre, low, high)
        moves = np.ones(len(centre), bool) if free is None else np.asarray(free)
        root = np.sqrt(np.broadcast_to(np.asarray(weight, float), fps.shape))
        log_fps = np.log(fps)

        def whole(part: np.ndarray) -> np.ndarray:
            theta = centre.copy()
            theta[moves] = part
            return theta

        def residuals(part: np.ndarray) -> np.ndarray:
            theta = whole(part)
            off = self._log_frames(theta, rows, effect) - log_fps
            return np.concatenate([root * off, _NOISE * (part - centre[moves]) / spread[moves]])

        def jacobian(part: np.ndarray) -> np.ndarray:
            slopes = self._slopes(whole(part), rows, effect)[:, moves]
            return np.vstack([root[:, None] * slopes, np.diag(_NOISE / spread[moves])])

        found = least_squares(
            residuals, centre[moves], jac=jacobian, bounds=(low[moves], high[moves] + 1e-9),
            loss="soft_l1", f_scale=2 * _NOISE, max_nfev=_EVALUATIONS,
        )  # fmt: skip
        self.theta_ = whole(found.x)
        return self

    @property
    def sharpness(self) -> float:
        """Of the bend."""
        return float(self.theta_[3])

    @property
    def ceiling(self) -> float:
        """Share of the refresh rate that is displayed at most."""
        return float(self.theta_[4])

    def log_rate(self, rows: FrameRows, effect: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the logarithm of the rate without a display, over the most that the display shows."""
        return self._log_rate(self.theta_, rows, effect)

    def log_frames(self, rows: FrameRows, effect: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the logarithm of the displayed frames per second, shape (n_samples,)."""
        return self._log_frames(self.theta_, rows, effect)

    def sensitivity(self, log_rate: np.ndarray) -> np.ndarray:
        """Return by how much displayed frames follow the rate: 1 on a slow core, 0 at the refresh rate."""
        return _logistic(-self.sharpness * log_rate)

    def log_bend(self, log_rate: np.ndarray) -> np.ndarray:
        """Return the logarithm of the share of what the display shows at most."""
        return _log_bend(log_rate, self.sharpness)

    def busy(self, log_rate: np.ndarray) -> np.ndarray:
        """Return the share of its time that a core is busy with the frames that are displayed."""
        share: np.ndarray = np.exp(self.log_bend(log_rate) - log_rate)
        return share

    def log_ceiling(self, rows: FrameRows) -> np.ndarray:
        """Return the logarithm of the most frames per second that the display shows."""
        ceiling: np.ndarray = np.log(self.ceiling * rows.refresh_hz)
        return ceiling

    def _log_rate(self, theta: np.ndarray, rows: FrameRows, effect: np.ndarray | float) -> np.ndarray:
        left, work, _ = self._parts(theta, rows)
        rate: np.ndarray = theta[0] + theta[1] * np.log(left) - np.log(work) + effect
        return rate + np.log(1000.0) - np.log(theta[4] * rows.refresh_hz)

    def _log_frames(self, theta: np.ndarray, rows: FrameRows, effect: np.ndarray | float) -> np.ndarray:
        bent = _log_bend(self._log_rate(theta, rows, effect), theta[3])
        return np.log(theta[4] * rows.refresh_hz) + bent

    def _parts(self, theta: np.ndarray, rows: FrameRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what is left of each core, the work of a frame, and each role's part of it."""
        roles = self._roles(theta)
        cores = theta[5 + len(roles) :]
        speed = rows.capacity * np.exp(cores[rows.core.astype(int)])
        left = np.maximum(speed - theta[2], _LEFT * speed)
        parts = np.exp(roles) * rows.work_ms if len(roles) else np.empty((len(left), 0))
        return left, parts.sum(axis=1) if len(roles) else np.ones(len(left)), parts

    def _roles(self, theta: np.ndarray) -> np.ndarray:
        return theta[5 : len(theta) - self.n_cores]

    def _slopes(self, theta: np.ndarray, rows: FrameRows, effect: np.ndarray | float) -> np.ndarray:
        """Return the derivative of ``_log_frames`` by each parameter, shape (n_samples, n_parameters)."""
        left, work, parts = self._parts(theta, rows)
        sharpness = theta[3]
        log_rate = self._log_rate(theta, rows, effect)
        follows = _logistic(-sharpness * log_rate)
        cores = theta[5 + parts.shape[1] :]
        speed = rows.capacity * np.exp(cores[rows.core.astype(int)])
        is_free = speed - theta[2] > _LEFT * speed
        by_speed = np.where(is_free, theta[1] * speed / left, theta[1])
        is_core = rows.core[:, None] == np.arange(self.n_cores)
        by_sharpness = _softplus(-sharpness * log_rate) / sharpness**2 + log_rate * follows / sharpness
        return np.column_stack(
            [
                follows,
                follows * np.log(left),
                np.where(is_free, -follows * theta[1] / left, 0.0),
                by_sharpness,
                (1 - follows) / theta[4],
                -follows[:, None] * parts / work[:, None],
                follows[:, None] * is_core * by_speed[:, None],
            ]
        )


def _log_bend(log_rate: np.ndarray, sharpness: float) -> np.ndarray:
    bent: np.ndarray = -_softplus(-sharpness * log_rate) / sharpness
    return bent


def _softplus(value: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, value)


def _logistic(value: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -value))
