"""Choices followed from a frame's start: which point until when."""

from __future__ import annotations

import numpy as np

from runtime.choose.frame_policy.frontier import Frontier
from runtime.choose.frame_policy.program import STEPS_PER_PERIOD, Choices

STEPS = 8  # of a plan, the last for frames longer than any expected; a plan of more keeps its last but one


def follow(
    choices: Choices, points: Frontier, levels: np.ndarray, transition: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ranks (places on the frontier) of each plan, and the end of each in periods after the start.

    Args:
        choices: of the dynamic program.
        levels: that it was solved for.
        transition: periods that a change of point stops the work.

    Returns:
        Two arrays of shape (n_levels, A, STEPS); the last step has no end.
    """
    rows, count = choices.first.shape
    level = np.arange(rows)[:, None]
    moment = np.broadcast_to(np.arange(count), (rows, count))
    time = points.time / points.time[-1]
    width = np.diff(choices.edges, prepend=0.0)
    rank = choices.first.astype(int)
    ranks = np.repeat(rank[..., None], STEPS, axis=2).astype(np.int8)
    until = np.full((rows, count, STEPS), np.inf, np.float32)
    passed = np.zeros((rows, count))
    used = np.zeros((rows, count), dtype=int)
    for number, work in enumerate(width):
        if number:
            at = np.minimum((moment + passed * STEPS_PER_PERIOD + 0.5).astype(int), count - 1)
            other = choices.change[number][level, at]
            change = ~choices.keep[number][level, at, rank] & (other != rank) & (used < STEPS - 2)
            i, k = np.nonzero(change)
            until[i, k, used[i, k]] = passed[i, k]
            used[i, k] += 1
            rank = np.where(change, other, rank)
            ranks[i, k, used[i, k]] = rank[i, k]
            passed = passed + change * transition
        passed = passed + levels[:, None] * work * time[rank]
    i, k = np.nonzero(rank != len(time) - 1)
    until[i, k, used[i, k]] = passed[i, k]
    for step in range(STEPS):
        ranks[..., step] = np.where(step > used, len(time) - 1, ranks[..., step])
    return ranks, until
