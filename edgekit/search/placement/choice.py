"""Choose the layers that become dynamic within a latency budget, and check the choice by measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from edgekit.models import ModelSpec, Site, build_model, find_sites, static_of
from edgekit.search.placement.benefit import benefit_of
from edgekit.search.placement.block import Block
from edgekit.search.placement.cost_table import CostTable, default_costs, example_of, load_costs, net_name
from edgekit.search.placement.knapsack import best_subset
from edgekit.search.placement.paired import paired_engine_latencies_ms

ROUNDS = 4


@dataclass(frozen=True)
class SiteChoice:
    """One site: what a dynamic block adds there, what it is worth, and whether it is chosen."""

    path: str
    kind: str
    added_ms: float
    added_params: int
    benefit: float
    chosen: bool


@dataclass(frozen=True)
class Placement:
    """Which layers are dynamic, and why.

    Attributes:
        engine, machine, versions: where the costs were measured.
        budget: share of the static network's latency that may be added.
        base_ms: that latency.
        added_ms: predicted for the chosen sites: the sum of their costs.
        sites: all of them, front to back.
        correction: factor on the costs of single blocks, found by measuring whole networks.
        measured_base_ms, measured_added_ms: of the real networks, exported and run in turns;
            ``None`` where that was left out.
    """

    engine: str
    machine: str
    versions: dict[str, str]
    budget: float
    base_ms: float
    added_ms: float
    sites: tuple[SiteChoice, ...]
    correction: float = 1.0
    measured_base_ms: float | None = None
    measured_added_ms: float | None = None

    @property
    def dynamic_at(self) -> tuple[str, ...]:
        """Paths of the chosen sites, for ``ModelSpec.dynamic_at``."""
        return tuple(site.path for site in self.sites if site.chosen)

    @property
    def measured_share(self) -> float | None:
        """What the chosen blocks add to the latency, measured, as a share of the static network's."""
        if self.measured_added_ms is None or self.measured_base_ms is None:
            return None
        return self.measured_added_ms / self.measured_base_ms

    @property
    def summary(self) -> str:
        """One line: how many layers, what they add, and the budget."""
        chosen = [site for site in self.sites if site.chosen]
        kinds = ", ".join(f"{sum(s.kind == kind for s in chosen)} {kind}" for kind in ("conv", "act"))
        measured = (
            ""
            if self.measured_share is None
            else (f"; measured {self.measured_added_ms:+.3g} ms, {self.measured_share:+.1%}")
        )
        share = self.added_ms / self.base_ms
        return (
            f"{len(chosen)} of {len(self.sites)} layers are dynamic ({kinds}): predicted "
            f"{self.added_ms:+.3g} ms, {share:+.1%} of {self.base_ms:.3g} ms{measured}; "
            f"budget {self.budget:.1%} on {self.engine}"
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before believing in the budget."""
        if not self.dynamic_at:
            return (
                f"no dynamic block fits into {self.budget:.1%} of {self.base_ms:.3g} ms; raise the budget",
            )
        if self.measured_share is None:
            return (f"the costs were measured on {self.machine}; what the blocks add was not measured here",)
        if self.measured_share <= self.budget:
            return ()
        return (
            f"the chosen blocks add {self.measured_share:.1%} to the latency, measured, more than the budget "
            f"of {self.budget:.1%}; ask for less, or measure again on a quiet machine",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return msgspec.json.decode(msgspec.json.encode(self)) | {"dynamic_at": list(self.dynamic_at)}


def dynamic_choices(act: str | None, dynamic_conv: str | None) -> dict[str, str]:
    """Return the options of ``ModelSpec`` for the blocks to place: both kinds when neither is named."""
    if act is None and dynamic_conv is None:
        act, dynamic_conv = "dyrelu-b", "pointwise"
    return {"act": act or "default", "dynamic_conv": dynamic_conv or "none"}


def choose_sites(
    spec: ModelSpec, sites: Sequence[Site], costs: CostTable, budget: float, correction: float = 1.0
) -> Placement:
    """Return the placement of the greatest benefit whose costs sum up to at most the budget.

    Args:
        spec: says which blocks stand at the sites.
        costs: must know all of them and the static network of ``spec``.
        budget: share of the static network's latency.
        correction: factor on all costs.
    """
    # Below zero is noise: no block makes a network faster.
    added_ms = [correction * max(0.0, costs.added_ms(Block.at(site, spec))) for site in sites]
    benefits = benefit_of(sites)
    base_ms = costs.base_ms[net_name(spec)]
    chosen = best_subset(added_ms, benefits, budget * base_ms)
    return Placement(
        engine=costs.engine,
        machine=costs.machine,
        versions=costs.versions,
        budget=budget,
        base_ms=base_ms,
        added_ms=sum(added_ms[i] for i in chosen),
        sites=tuple(
            SiteChoice(site.path, site.kind, cost, site.added_params, benefit, i in chosen)
            for i, (site, cost, benefit) in enumerate(zip(sites, added_ms, benefits, strict=True))
        ),
        correction=correction,
    )


def place(
    spec: ModelSpec,
    budget: float,
    *,
    engine: str = "litert",
    costs: str | Path | None = None,
    verify: bool = True,
    progress: Callable[[str], None] = lambda line: None,
) -> Placement:
    """Measure what dynamic blocks cost at each layer of ``spec`` and choose layers within ``budget``.

    Measured costs are kept in a file: the second time for the same shapes takes no time.

    Args:
        spec: its ``act`` and ``dynamic_conv`` say which blocks; ``dynamic_at`` is left out of account.
        budget: share of the static network's latency, such as 0.1.
        engine: the export backend to measure on, on one thread of this machine.
        costs: file of the table; default: this machine's in the cache. A table of another machine
            is taken as it is, if it knows everything.
        verify: where the costs are of this machine, also export the static and the chosen network and
            measure what the blocks add. If it is more than the budget, the costs are corrected by
            that factor and layers chosen again, three times at most.
        progress: called with each measurement.

    Raises:
        ValueError: nothing in ``spec`` is dynamic, or the engine is unknown or not the table's.
        DataError: ``costs`` is no table, or one of another machine that lacks something.
        ExportError, DeviceError: a network cannot be exported or run.

    Example:
        >>> spec = ModelSpec("mobilenet_v2", act="dyrelu-b", dynamic_conv="pointwise")  # doctest: +SKIP
        >>> replace(spec, dynamic_at=place(spec, 0.1).dynamic_at).build()               # doctest: +SKIP
    """
    if not spec.is_dynamic:
        raise ValueError(
            f"{spec.name} has no dynamic block to place; choose act='dyrelu-b', "
            "dynamic_conv='pointwise' or both"
        )
    table, path = default_costs(engine)
    if costs is not None:
        path = Path(costs)
        table = load_costs(path) if path.is_file() else table
        if table.engine != engine:
            raise ValueError(
                f"{path} holds costs of {table.engine!r}, asked is {engine!r}; choose that engine"
            )
    static, sites = static_of(spec), find_sites(spec)
    blocks = [Block.at(site, spec) for site in sites]
    table = table.complete(blocks, static, save_to=path, progress=progress)
    placement = choose_sites(spec, sites, table, budget)
    # What another machine needs cannot be measured here.
    for turn in range(ROUNDS if verify and table.is_of_here() else 0):
        if turn:
            # In the network blocks add more than alone, all by about the same factor: choose with it.
            factor = placement.measured_share / (placement.added_ms / placement.base_ms)
            placement = choose_sites(spec, sites, table, budget, placement.correction * factor)
        if not placement.dynamic_at:
            break
        placement = _verified(placement, spec)
        progress(f"{len(placement.dynamic_at)} layers add {placement.measured_share:.1%} in the network")
        if not placement.warnings:
            break
    return placement


def _verified(placement: Placement, spec: ModelSpec) -> Placement:
    """Return ``placement`` with what its blocks add to the real network, measured."""
    nets = [build_model(static_of(spec)), build_model(replace(spec, dynamic_at=placement.dynamic_at))]
    base_ms, placed_ms = paired_engine_latencies_ms(nets, example_of(spec), placement.engine, rounds=20)
    return replace(placement, measured_base_ms=base_ms, measured_added_ms=placed_ms - base_ms)
