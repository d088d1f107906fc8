"""What is said of a predictor of kernels, and kept beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.bundle.figures import check_figures
from runtime.choose.fitting.kernels.features import OP_COLUMNS
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting

KERNEL_FIT_SCHEMA = 2  # 2: convolutions of all windows are one kind
PRECISION = "fp32"  # of the kernels that are drawn
FRAME_TERMS = ("ops with weights", "other ops", "number of ops", "frame")


@dataclass(frozen=True)
class KindFit:
    """What was learnt of one kind of op.

    Attributes:
        name: see ``kernel_kinds``.
        count: kernels of it that were timed.
        error_pct: median error of kernels held out.
        spread: factor that 90 % of the kernels held out lie within, up or down.
    """

    name: str
    count: int
    error_pct: float
    spread: float


@dataclass(frozen=True)
class KernelFit:
    """What kernels were timed on a target, how well they predict each other, and what a frame adds to them.

    Attributes:
        setting: that they ran under: predictions are for it.
        version: of the engine; machine: name, SoC and architecture.
        kinds: of ops, in the order of their numbers in the estimator.
        frame: ms of a frame per ms of ops with weights, per ms of others, per op, and at all.
        spread: factor that ``confidence`` of whole graphs held out lie within, up or down.
        graph_error_pct: median error of whole graphs, each predicted from the others.
        within_10pct_pct: share of them that is at most 10 % off.
        n_kernels, n_graphs, rounds: what was timed, and ``timed_s`` how long that took in all.
        left_out: graphs, or kinds of op, and why.
    """

    target: str
    engine: str
    precision: str
    setting: Setting
    provenance: Provenance
    version: str
    machine: tuple[str, ...]
    kinds: tuple[KindFit, ...]
    frame: tuple[float, ...]
    spread: float
    confidence: float
    graph_error_pct: float
    within_10pct_pct: float
    n_kernels: int
    n_graphs: int
    rounds: int
    timed_s: float
    left_out: dict[str, str]
    seed: int
    created_utc: str
    columns: tuple[str, ...] = OP_COLUMNS
    schema_version: int = KERNEL_FIT_SCHEMA

    def __post_init__(self) -> None:
        for part in (self, *self.kinds):
            check_figures(part)
        for spread in (self.spread, *(kind.spread for kind in self.kinds)):
            if spread < 1:
                raise ValueError(f"spread is {spread:g}, not 1 or more; fit again")
        if len(self.frame) != len(FRAME_TERMS) or not all(0 <= c < math.inf for c in self.frame):
            raise ValueError(f"frame is {self.frame}, not {len(FRAME_TERMS)} numbers from 0 on; fit again")

    @property
    def kind_names(self) -> list[str]:
        """Names of the kinds, in order."""
        return [kind.name for kind in self.kinds]
