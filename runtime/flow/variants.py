"""Which file runs each graph of a flow: one engine and precision for all, or others by name."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.bundle import Flow, Manifest, Variant


def choose_variants(manifest: Manifest, flow: Flow, names: Sequence[str] = ()) -> dict[str, Variant]:
    """Return a variant per graph of the flow.

    Args:
        names: of variants: the first also says engine and precision of the graphs that none is named for;
            without any, those of the bundle's first variant that belongs to the flow.

    Raises:
        ValueError: no such variant, two for one graph, or a graph has none of that engine and precision.
    """
    graphs = [use.name for use in flow.graphs]
    chosen: dict[str, Variant] = {}
    for variant in map(manifest.variant, names):
        if variant.graph not in graphs:
            raise ValueError(
                f"variant {variant.name!r} is of graph {variant.graph!r}, which the flow does not run; name "
                f"one of: {', '.join(_of(manifest, graphs))}"
            )
        if chosen.setdefault(variant.graph, variant) != variant:
            raise ValueError(
                f"variants {chosen[variant.graph].name} and {variant.name} are both of graph "
                f"{variant.graph!r}; name one"
            )
    kind = next(iter(chosen.values()), None) or next(v for v in manifest.variants if v.graph in graphs)
    for graph in graphs:
        fitting = [
            v
            for v in manifest.variants
            if (v.graph, v.engine, v.precision) == (graph, kind.engine, kind.precision)
        ]
        if graph not in chosen and not fitting:
            raise ValueError(
                f"graph {graph!r} has no file of {kind.engine} {kind.precision}; name one for it too: "
                f"{', '.join(_of(manifest, [graph]))}"
            )
        chosen.setdefault(graph, fitting[0] if fitting else kind)
    return chosen


def _of(manifest: Manifest, graphs: Sequence[str]) -> list[str]:
    return [variant.name for variant in manifest.variants if variant.graph in graphs]
