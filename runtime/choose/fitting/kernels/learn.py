"""Learn what each kind of op takes, and what a frame adds to its ops, from timed graphs of kernels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from runtime.bundle.workload import Workload
from runtime.choose.fitting.kernels.features import OP_COSTS, kernel_kinds, op_features
from runtime.choose.fitting.kernels.result import KernelFit, KindFit
from runtime.choose.fitting.kernels.timing import TimedGraph
from runtime.device.provenance import Provenance
from runtime.device.setting import Setting
from runtime.errors import DataError
from runtime.extras import require
from runtime.measure.origin import Origin

if TYPE_CHECKING:
    from predictors import OpLatency

CANDIDATES = ("smooth_svr", "boosted_trees")  # for what corrects a kind's costs
_FEWEST = 5  # kernels of a kind: of its costs, two or three are not 0
_FEWEST_GRAPHS = 10  # of which nine held out bound 90 %
_CONFIDENCE = 0.9
_WEIGHTED = ("conv2d", "depthwise_conv2d", "linear")


@dataclass(frozen=True)
class Source:
    """Whose kernels these are: what a ``KernelFit`` says of them."""

    target: str
    engine: str
    precision: str
    setting: Setting
    provenance: str
    origin: Origin
    rounds: int
    timed_s: float


def learn_kernels(
    graphs: Sequence[TimedGraph],
    source: Source,
    left_out: Mapping[str, str],
    seed: int = 0,
    candidates: Sequence[str] = CANDIDATES,
) -> tuple[KernelFit, OpLatency, list[np.ndarray]]:
    """Return the summary, the fitted estimator, and what it says of each graph's ops without the graph.

    Args:
        left_out: what could not be built or run, and why.
        candidates: see ``predictors.OpLatency``.

    Raises:
        DataError: too few graphs.
        MissingExtra: scikit-learn is not installed.
    """
    require("sklearn", extra="predict")
    from predictors import OpLatency
    from predictors.conformal import conformal_quantile

    if len(graphs) < _FEWEST_GRAPHS:
        raise DataError(
            f"{len(graphs)} graphs of kernels were timed on {source.target}, at least {_FEWEST_GRAPHS} are "
            "needed; allow more kernels (--most)"
        )
    named = [kernel_kinds(graph.workload) for graph in graphs]
    counts = Counter(kind for each in named for kind in each)
    rare = {kind: f"only {n} timed" for kind, n in sorted(counts.items()) if n < _FEWEST}
    kinds = sorted(set(counts) - set(rare))
    known = [np.array([kind in kinds for kind in each], bool) for each in named]
    X = [_features_of_known(graph, is_known, kinds) for graph, is_known in zip(graphs, known, strict=True)]
    y = [graph.ops_ms[is_known] for graph, is_known in zip(graphs, known, strict=True)]
    groups = np.repeat(np.arange(len(graphs)), list(map(len, y)))
    estimator = OpLatency(len(OP_COSTS), candidates, random_state=seed)
    estimator.fit(np.vstack(X), np.concatenate(y), groups)
    held_out = [estimator.held_out_[groups == graph] for graph in range(len(graphs))]
    ops_ms = []
    for graph, is_known, said in zip(graphs, known, held_out, strict=True):
        filled = graph.ops_ms.copy()  # a rare op stands for itself
        filled[is_known] = said
        ops_ms.append(filled)
    frame, off = _fit_frames(graphs, ops_ms, seed)
    summary = KernelFit(
        target=source.target,
        engine=source.engine,
        precision=source.precision,
        setting=source.setting,
        provenance=Provenance(source.provenance),
        version=source.origin.engine,
        machine=source.origin.machine,
        kinds=tuple(_kind_fits(kinds, np.vstack(X)[:, 0], np.concatenate(y), estimator)),
        frame=tuple(frame.tolist()),
        spread=float(np.exp(conformal_quantile(np.abs(off), 1 - _CONFIDENCE))),
        confidence=_CONFIDENCE,
        graph_error_pct=100 * float(np.median(np.abs(np.expm1(off)))),
        within_10pct_pct=100 * float(np.mean(np.abs(np.expm1(off)) <= 0.1)),
        n_kernels=int(sum(counts.values())),
        n_graphs=len(graphs),
        rounds=source.rounds,
        timed_s=source.timed_s,
        left_out=dict(left_out) | rare,
        seed=seed,
        created_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    return summary, estimator, ops_ms


def frame_terms(workload: Workload, ops_ms: np.ndarray) -> np.ndarray:
    """Return what a frame is made of: time in ops with weights, in others, the number of ops, and 1."""
    weighted = np.array([op.kind in _WEIGHTED for op in workload.ops], bool)
    return np.array([ops_ms[weighted].sum(), ops_ms[~weighted].sum(), len(ops_ms), 1.0])


def _features_of_known(graph: TimedGraph, is_known: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
    rare = sorted(set(kernel_kinds(graph.workload)) - set(kinds))
    return op_features(graph.workload, [*kinds, *rare])[is_known]


def _fit_frames(
    graphs: Sequence[TimedGraph], ops_ms: Sequence[np.ndarray], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a frame takes per term, and log(predicted / measured) of each graph left out."""
    from sklearn.model_selection import KFold

    from predictors.nonnegative import fit_nonnegative

    terms = np.stack([frame_terms(graph.workload, ms) for graph, ms in zip(graphs, ops_ms, strict=True)])
    latency_ms = np.array([graph.latency_ms for graph in graphs])
    off = np.empty(len(graphs))
    for train, test in KFold(5, shuffle=True, random_state=seed).split(terms):
        coef = fit_nonnegative(terms[train], latency_ms[train])
        off[test] = np.log(np.maximum(terms[test] @ coef, 1e-6) / latency_ms[test])
    return fit_nonnegative(terms, latency_ms), off


def _kind_fits(
    kinds: Sequence[str], places: np.ndarray, y: np.ndarray, estimator: OpLatency
) -> list[KindFit]:
    fits = []
    for place, kind in enumerate(kinds):
        rows = places == place
        truth = np.maximum(y[rows], estimator.least)
        off = np.abs(np.log(estimator.held_out_[rows] / truth))
        error_pct = 100 * float(np.median(np.expm1(off)))
        fits.append(KindFit(kind, int(rows.sum()), error_pct, float(np.exp(np.quantile(off, _CONFIDENCE)))))
    return fits
