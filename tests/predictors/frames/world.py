"""Pages whose frame rates are known: a display, cores, and work that features tell of, but not all."""

from dataclasses import dataclass

import numpy as np

CAPACITIES = np.array([0.08, 0.12, 0.2, 0.3, 0.45, 0.7, 1.0])
_PERIOD_MS, _OVERHEAD = 1000 / 60, 0.04
_FRAMES = 400


@dataclass
class World:
    """Rows of pages under settings; ``X`` as ``FrameRate`` takes it, with three columns of work."""

    X: np.ndarray
    fps: np.ndarray
    truth: np.ndarray
    page: np.ndarray
    family: np.ndarray

    @property
    def unrun(self):
        """X without the work: pages that never ran."""
        return np.delete(self.X, [3, 4, 5], axis=1)

    def where(self, rows):
        return World(self.X[rows], self.fps[rows], self.truth[rows], self.page[rows], self.family[rows])


def pages(n_pages=60, n_families=12, noise=0.05, seed=0, told=1.0, fast=1.0, waits=0.0):
    """Return pages of families, each at seven capacities.

    Frames of a page differ (their work is lognormal), a late one is shown when it is done, and a busy main
    thread skips some of its work: no formula of the predictors.

    Args:
        told: how much of what a page costs its features tell, 0 to 1.
        fast: speed of the machine: of two, pages cost the same on both but for this.
        waits: how much longer frames take than the work of their threads; a feature tells of it.
    """
    rng = np.random.default_rng(seed)
    family = np.arange(n_pages) % n_families
    of_family = rng.normal(0, 0.3, (n_families, 3))
    features = of_family[family] + rng.normal(0, 0.7, (n_pages, 3))
    hidden = rng.normal(0, 1, (n_pages, 3))
    drives = told * features + np.sqrt(1 - told**2) * hidden
    main = 1.0 * np.exp(1.0 * drives[:, 0])
    compositor = 1.2 * np.exp(0.2 * drives[:, 1])
    viz = 1.4 * np.exp(0.5 * drives[:, 2])
    skips = 0.15 + 0.5 / (1 + np.exp(-2 * drives[:, 1]))  # of the main thread's work may be left out
    more = rng.normal(0, 1, (n_pages, 8))  # features that say nothing
    frame = np.exp(0.35 * rng.standard_normal((n_pages, _FRAMES)) - 0.06)
    rows = []
    for page in range(n_pages):
        for capacity in CAPACITIES:
            speed = fast * capacity - _OVERHEAD
            whole_ms = (main[page] + compositor[page] + viz[page]) / speed
            late = np.clip(whole_ms / _PERIOD_MS - 1, 0, 1)
            shown_ms = (main[page] * (1 - skips[page] * late) + compositor[page] + viz[page]) / speed
            shown_ms *= np.exp(waits * drives[page, 1])
            truth = 1000 / np.maximum(_PERIOD_MS, shown_ms * frame[page]).mean()
            work = np.array([main[page], compositor[page], viz[page]]) * np.exp(0.03 * rng.standard_normal(3))
            fps = truth * np.exp(noise * rng.standard_normal() * (1 - truth / 90))
            rows.append([capacity, 60, 0, *work, *features[page], *more[page], min(fps, 60), truth])
    table = np.array(rows)
    work = table[:: len(CAPACITIES), 3:6].repeat(len(CAPACITIES), axis=0)  # of the full-speed run
    table[:, 3:6] = work
    repeated = np.repeat(np.arange(n_pages), len(CAPACITIES))
    return World(table[:, :-2], table[:, -2], table[:, -1], repeated, family[repeated])
