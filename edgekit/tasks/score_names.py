"""Scores in files are called by their metric: ``removed_score`` of a classifier is ``removed_top1``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SCORE = "score"


def with_metric(plain: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return ``plain`` with its keys ``score`` and ``..._score`` called by ``metric``, in the same order.

    Example:
        >>> with_metric({"macs": 3, "test_score": 0.4}, "top1")
        {'macs': 3, 'test_top1': 0.4}
    """
    return _renamed(plain, _SCORE, metric)


def with_scores(plain: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return ``plain`` as it was before ``with_metric``."""
    return _renamed(plain, metric, _SCORE)


def _renamed(plain: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    is_one = [name == old or name.endswith(f"_{old}") for name in plain]
    names = [
        name.removesuffix(old) + new if found else name for name, found in zip(plain, is_one, strict=True)
    ]
    return dict(zip(names, plain.values(), strict=True))
