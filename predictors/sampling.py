"""Which few of many workloads to measure on a new device.

Camel (https://arxiv.org/abs/2005.00749), section on portability: k-means with the number of clusters
by BIC, and of each cluster the sample nearest its centre and the one farthest from all other centres.
BIC of k-means as in X-means (Pelleg, Moore, 2000): spherical Gaussians of one variance.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array


def choose_samples(
    X: np.ndarray, n_clusters: int | None = None, max_clusters: int = 12, random_state: int | None = 0
) -> np.ndarray:
    """Return the rows to measure, two per cluster, ascending and without repeats.

    Args:
        X: features of everything that could be measured, shape (n_samples, n_features).
        n_clusters: how many; ``None`` lets BIC choose, which takes few where the rows form no clusters.
        max_clusters: at most; never more than half the distinct rows.
        random_state: seed of k-means.

    Raises:
        ValueError: no rows, values that are no numbers, or a number of clusters below 1.

    Example:
        >>> X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.3]])
        >>> choose_samples(X).tolist()
        [0, 1, 4, 5]
    """
    if min(max_clusters, n_clusters or max_clusters) < 1 or n_clusters == 0:
        raise ValueError(f"max_clusters is {max_clusters}, n_clusters {n_clusters}; at least 1 is needed")
    X = StandardScaler().fit_transform(check_array(X, dtype=np.float64))
    most = min(n_clusters or max_clusters, max(1, len(np.unique(X, axis=0)) // 2))
    counts = range(1, most + 1) if n_clusters is None else (most,)
    fits = [KMeans(k, n_init=5, random_state=random_state).fit(X) for k in counts]
    best = max(fits, key=lambda fit: _bic(X, fit))
    chosen = set()
    for cluster, centre in enumerate(best.cluster_centers_):
        members = np.flatnonzero(best.labels_ == cluster)
        from_own = np.linalg.norm(X[members] - centre, axis=1)
        others = np.delete(best.cluster_centers_, cluster, axis=0)
        away = (
            np.linalg.norm(X[members, None] - others[None], axis=2).min(axis=1) if len(others) else from_own
        )
        nearest = int(members[from_own.argmin()])
        rest = members != nearest
        chosen.add(nearest)
        if rest.any():
            chosen.add(int(members[rest][away[rest].argmax()]))
    return np.array(sorted(chosen))


def _bic(X: np.ndarray, fit: KMeans) -> float:
    n, d = X.shape
    sizes = np.bincount(fit.labels_)
    k = len(sizes)
    if n <= k:
        return -np.inf
    variance = max(fit.inertia_ / (d * (n - k)), 1e-12)
    likelihood = (
        float(np.sum(sizes * np.log(sizes / n))) - n * d / 2 * np.log(2 * np.pi * variance) - d * (n - k) / 2
    )
    return likelihood - 0.5 * (k * (d + 1)) * np.log(n)
