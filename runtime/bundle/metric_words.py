"""What metrics are called for people."""

from __future__ import annotations

_WORDS = {"top1": "accuracy"}


def word_for(metric: str) -> str:
    """Return how a table or a picture calls ``metric``; its name, where it has no other word.

    Example:
        >>> word_for("top1"), word_for("miou")
        ('accuracy', 'miou')
    """
    return _WORDS.get(metric, metric)
