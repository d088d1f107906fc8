"""Rhythm profiles: which sixteenths of a bar, and of a beat, begin a note; similar ones in one cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgekit.data.tunes import FIRST_PITCH, STEPS_PER_BAR, STEPS_PER_BEAT, onsets_of
from runtime.extras import require

N_BARS, N_BEATS = 16, 8
Centroids = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Profiles:
    """Centroids of clusters of onsets, each value the share of members with an onset there.

    Attributes:
        bars: of bars, 16 values each.
        beats: of beats, 4 values each.
    """

    bars: Centroids
    beats: Centroids


def fit_profiles(tunes: Sequence[np.ndarray], seed: int = 0) -> Profiles:
    """Return the profiles of ``tunes`` by k-means.

    Args:
        tunes: events on sixteenths, whole bars each.

    Raises:
        ValueError: the tunes have no bar.

    Example:
        >>> len(fit_profiles(draw_tunes(20)).beats)                       # doctest: +SKIP
        5
    """
    if not tunes or not sum(len(events) for events in tunes):
        raise ValueError("no tune has a bar to learn rhythms from; give tunes of at least one bar")
    onsets = onsets_of(np.concatenate(tunes))
    return Profiles(
        _centroids(onsets, STEPS_PER_BAR, N_BARS, seed), _centroids(onsets, STEPS_PER_BEAT, N_BEATS, seed)
    )


def level_numbers(events: Tensor, profiles: Profiles | None) -> dict[str, Tensor]:
    """Return what the levels of bars, beats and notes should draw: the nearest centroids, and the events.

    Args:
        events: int64, shape (B, T), T whole bars; -1 after a tune's end.
        profiles: ``None``: of notes alone.

    Returns:
        int64 of shapes (B, T / 16), (B, T / 4) and (B, T), -1 after a tune's end.
    """
    if profiles is None:
        return {"note": events}
    return {
        "bar": _nearest(events, profiles.bars),
        "beat": _nearest(events, profiles.beats),
        "note": events,
    }


def _nearest(events: Tensor, centroids: Centroids) -> Tensor:
    groups = events.reshape(len(events), -1, len(centroids[0]))  # (B, n, steps)
    means = torch.tensor(centroids, device=events.device)
    distances = torch.cdist((groups >= FIRST_PITCH).float(), means.expand(len(events), -1, -1))
    return torch.where(groups[..., 0] < 0, -1, distances.argmin(-1))


def _centroids(onsets: np.ndarray, steps: int, n_clusters: int, seed: int) -> Centroids:
    patterns, counts = np.unique(onsets.reshape(-1, steps), axis=0, return_counts=True)
    means = require("sklearn.cluster", extra="train").KMeans(
        min(n_clusters, len(patterns)), n_init=10, random_state=seed
    )
    means.fit(patterns.astype(np.float64), sample_weight=counts)
    order = np.lexsort(means.cluster_centers_.T[::-1])  # k-means numbers clusters as it likes
    return tuple(tuple(round(float(share), 6) for share in row) for row in means.cluster_centers_[order])
