"""Draw, export and time graphs of kernels until there are enough: first anywhere, then where errors are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.search.kernels.build import add_graph, find_unbuildable
from edgekit.search.kernels.draw import draw_graph, hardest, kernels_per_graph
from edgekit.search.kernels.turns import turns_of
from runtime.bundle import Bundle, Variant
from runtime.bundle.workload import Op, Workload
from runtime.choose.fitting.kernels.learn import CANDIDATES, Source, learn_kernels
from runtime.choose.fitting.kernels.result import PRECISION, KernelFit
from runtime.choose.fitting.kernels.storage import save_kernel_fit
from runtime.choose.fitting.kernels.timing import GraphTimes, KernelTimer, TimedGraph
from runtime.errors import DataError, ExportError

if TYPE_CHECKING:
    import numpy as np

    from predictors import OpLatency

# Shares of the kernels after which the rest is drawn near those that are predicted worst so far.
_WAVES = (0.6, 0.8, 1.0)
_HARDEST = 40
_QUICK = ("smooth_svr",)  # learns where errors are in a fraction of the time
_TRIES = 5  # of a graph that an engine cannot build: then it is not the kernels' fault


@dataclass
class KernelSample:
    """A bundle of kernels for one engine, grown and timed on one target.

    Args:
        path: the bundle's folder; made where it is missing. What is in it is used, not drawn again.
        most: kernels in all.
        seed: of what is drawn.

    Example:
        >>> sample = KernelSample(Path("kernels.edgekit"), "litert", timer, most=2000)  # doctest: +SKIP
        >>> sample.grow()                                                               # doctest: +SKIP
        >>> bundle, fit = sample.learn()                                                # doctest: +SKIP
    """

    path: Path
    engine: str
    timer: KernelTimer
    most: int = 2000
    seed: int = 0
    on_step: Callable[[str], None] = lambda text: None
    on_message: Callable[[str], None] = lambda text: None
    left_out: dict[str, str] = field(default_factory=dict)  # kinds of steps that cannot be built, and why

    def __post_init__(self) -> None:
        self.bundle = Bundle.open(self.path) if self.path.exists() else None
        self._sizes: dict[str, int] = {}

    def grow(self) -> None:
        """Draw and export graphs up to ``most`` kernels, and time each of them once.

        Raises:
            ExportError: the engine builds none of them.
            DeviceError: the target is gone; what was exported and timed is kept.
        """
        for wave, share in enumerate(_WAVES):
            is_enough = self._is_enough(share * self.most)
            near = () if wave == 0 or is_enough else self._hardest()
            while not self._is_enough(share * self.most):
                self._add_graph(near)
            self.time_round(0)

    def time_round(self, number: int) -> None:
        """Time every graph once more, in an order of this round's own."""
        self.timer.time_round(self._opened(), [v.name for v in self.variants()], number)

    def learn(self) -> tuple[Bundle, KernelFit]:
        """Learn from what was timed, and return the bundle with the predictor in it.

        Raises:
            DataError: too little was timed.
        """
        fit, estimator, _ = self._learn()
        self.bundle = save_kernel_fit(self._opened(), fit, estimator)
        return self.bundle, fit

    def variants(self) -> list[Variant]:
        """Return the graphs of this engine in the bundle, up to ``most`` kernels."""
        found, count = [], 0
        for variant in self._all():
            count += self._size(variant)
            if found and count > self.most:
                break
            found.append(variant)
        return found

    def _add_graph(self, near: Sequence[Op]) -> None:
        """Draw and export one more graph; without the kinds that turn out not to be buildable."""
        number, kernels = len(self._all()), kernels_per_graph(self.most)
        name = f"{self.engine}-{number:03d}"
        for attempt in range(_TRIES):
            rng = random.Random(f"{self.seed}/{number}/{attempt}")
            turns = turns_of(number, kernels, self.most)
            chains = draw_graph(rng, kernels, turns, self.left_out, near)
            self.on_step(f"exporting {name}: {self._count()} of {self.most} kernels")
            try:
                self.bundle = add_graph(self.path, self.bundle, self.engine, name, chains, self.seed)
            except ExportError as err:
                found = find_unbuildable(self.engine, chains, self.seed)
                self.left_out |= found
                for kind, reason in (found or {name: str(err)}).items():
                    self.on_message(f"{kind} is left out: {reason}")
                if attempt + 1 == _TRIES:
                    raise
            else:
                return

    def _hardest(self) -> list[Op]:
        try:
            _, _, said_ms = self._learn(_QUICK)
        except DataError:
            return []  # too few so far to say where the error is
        off = [
            (op, float(abs(said - true) / graph.latency_ms))
            for graph, ops_ms in zip(self.timed(), said_ms, strict=True)
            for op, said, true in zip(graph.workload.ops, ops_ms, graph.ops_ms, strict=True)
        ]
        return hardest(off, _HARDEST)

    def timed(self) -> list[TimedGraph]:
        """Return the graphs that ran, each with its quietest times."""
        return [times.quietest(workload) for workload, times in self._times()]

    def source(self) -> Source:
        """Return whose kernels these are.

        Raises:
            DataError: none ran.
        """
        every = [times for _, times in self._times()]
        if not every or every[-1].origin is None:
            raise DataError(
                f"no graph of {self.path.name} ran on {self.timer.target.name}; see why above, and try again"
            )
        return Source(
            self.timer.target.name,
            self.engine,
            PRECISION,
            self.timer.setting,
            self.timer.target.provenance,
            every[-1].origin,
            max(len(times.rounds) for times in every),
            sum(one.took_s for times in every for one in times.rounds),
        )

    def _learn(self, candidates: Sequence[str] = CANDIDATES) -> tuple[KernelFit, OpLatency, list[np.ndarray]]:
        left_out = self.left_out | self._failed()
        return learn_kernels(self.timed(), self.source(), left_out, self.seed, candidates)

    def _times(self) -> Iterator[tuple[Workload, GraphTimes]]:
        for variant in self.variants():
            times = self.timer.kept(self._opened(), variant)
            workload = self._opened().workload(variant)
            if times.rounds and workload is not None:
                yield workload, times

    def _failed(self) -> dict[str, str]:
        kept = {v.name: self.timer.kept(self._opened(), v).failure for v in self.variants()}
        return {name: failure for name, failure in kept.items() if failure is not None}

    def _is_enough(self, count: float) -> bool:
        """Whether another graph would lead further from ``count`` kernels than to it."""
        have, graphs = self._count(), len(self.variants())
        return graphs < len(self._all()) or (graphs > 0 and have + have / graphs / 2 >= count)

    def _count(self) -> int:
        return sum(map(self._size, self.variants()))

    def _size(self, variant: Variant) -> int:
        if variant.name not in self._sizes:
            workload = self._opened().workload(variant)
            self._sizes[variant.name] = 0 if workload is None else len(workload.ops)
        return self._sizes[variant.name]

    def _all(self) -> list[Variant]:
        variants = () if self.bundle is None else self.bundle.manifest.variants
        return [variant for variant in variants if variant.engine == self.engine]

    def _opened(self) -> Bundle:
        if self.bundle is None:
            raise DataError(f"there are no kernels at {self.path}; allow more than {self.most}")
        return self.bundle
