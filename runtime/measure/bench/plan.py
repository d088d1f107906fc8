"""What a bench is going to do: how often, at which pace, how cool, in which order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.bundle import Bundle, Variant
from runtime.device.setting import Setting

MOST_FRAMES = 10_000_000  # a day at 100 FPS
MOST_BLOCKS = 10_000  # their order is drawn beforehand


@dataclass(frozen=True)
class BenchPlan:
    """How each setting is measured.

    Attributes:
        runs, warmup: timed and untimed frames per block; the very first frame is kept apart.
        blocks: times each setting is visited.
        seed: of the order of visits.
        fps: pace of the timed frames; ``None`` runs them back to back.
        max_temp_c: a block starts only below this temperature; ``None``: at any.
        cool_down_s: longest wait for that; a block that starts hotter is unstable.
        retries: times an unstable block is measured again; only the last try is kept.
    """

    runs: int = 30
    warmup: int = 5
    blocks: int = 3
    seed: int = 0
    fps: float | None = None
    max_temp_c: float | None = None
    cool_down_s: float = 120.0
    retries: int = 0

    def __post_init__(self) -> None:
        if min(self.runs, self.blocks) < 1 or min(self.warmup, self.retries) < 0:
            raise ValueError(
                f"runs={self.runs}, blocks={self.blocks}, warmup={self.warmup}, retries={self.retries}; "
                "need runs and blocks >= 1, warmup and retries >= 0"
            )
        if max(self.runs, self.warmup) > MOST_FRAMES or max(self.blocks, self.retries) > MOST_BLOCKS:
            raise ValueError(
                f"runs and warmup may be up to {MOST_FRAMES}, blocks and retries up to {MOST_BLOCKS}; "
                "use fewer, and bench again where they are not enough"
            )
        if self.fps is not None and not 0 < self.fps <= 10_000:
            raise ValueError(f"fps is {self.fps}; give a pace above 0, up to 10000, or none: back to back")
        if self.cool_down_s < 0:
            raise ValueError(f"cool_down_s is {self.cool_down_s}; give seconds >= 0")

    @property
    def mode(self) -> str:
        """``paced`` or ``back-to-back``."""
        return "back-to-back" if self.fps is None else "paced"


@dataclass(frozen=True)
class BenchJob:
    """One block: a variant of a bundle under a setting, for the ``block``-th time."""

    bundle: Bundle
    variant: Variant
    setting: Setting
    block: int


def order(
    bundle: Bundle, variants: Sequence[Variant], settings: Sequence[Setting], blocks: int, seed: int
) -> list[BenchJob]:
    """Return all jobs: every block visits everything once, shuffled, so that drift spreads over all."""
    jobs = []
    for block in range(blocks):
        visit = [BenchJob(bundle, variant, setting, block) for variant in variants for setting in settings]
        random.Random(f"{seed}/{block}").shuffle(visit)
        jobs += visit
    return jobs
