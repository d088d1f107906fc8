"""Tunes that stand twice in a collection: under another name, in another key, with another ending."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from edgekit.data.tunes.grid import onsets_of

_NOTES = 8  # in a row: of unrelated Essen tunes, one in a thousand pairs shares as many
_SHARE = 0.5

Passage = tuple[int, ...]


def without_copies(train: Sequence[np.ndarray], test: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the tunes of ``train`` that are no copies of one in ``test``.

    A copy shares half of its passages, or of the other's, where a passage is eight notes in a row with their
    intervals and distances: the key, the octave and rests do not matter.

    Args:
        train, test: events of each tune, as ``events_of`` gives them.
    """
    holders: dict[Passage, list[int]] = defaultdict(list)
    n_passages = []
    for number, events in enumerate(test):
        passages = _passages(events)
        n_passages.append(len(passages))
        for passage in passages:
            holders[passage].append(number)
    kept = []
    for events in train:
        passages = _passages(events)
        shared = Counter(number for passage in passages for number in holders.get(passage, ()))
        if not any(
            count >= _SHARE * min(len(passages), n_passages[number]) for number, count in shared.items()
        ):
            kept.append(events)
    return kept


def _passages(events: np.ndarray) -> set[Passage]:
    places = np.flatnonzero(onsets_of(events))
    moves = np.stack([np.diff(places), np.diff(events[places].astype(int))], axis=1)
    n_moves = min(_NOTES - 1, len(moves))
    return {tuple(moves[i : i + n_moves].ravel().tolist()) for i in range(len(moves) - n_moves + 1)}
