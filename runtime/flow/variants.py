"""Which file runs each graph of a flow: one engine and precision for all, or others by name."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.bundle import Flow, Manifest, Variant


def choose_variants(manifest: Manifest, flow: Flow, names: Sequence[str] = ()) -> dict[str, Variant]:
    """Return a variant per graph of the flow, in the flow's order.

    Args:
        names: ``GRAPH=ENGINE-PRECISION``, or names of variants: the first also says engine and precision of
            the graphs that none is named for; without any, those of the bundle's first variant that belongs
            to the flow.

    Raises:
        ValueError: no such graph or variant, two for one graph, or a graph has none of that engine and
            precision.
    """
    graphs = [use.name for use in flow.graphs]
    chosen: dict[str, Variant] = {}
    for name in names:
        variant = _named(manifest, graphs, name)
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
        fitting = [v for v in manifest.variants if v.graph == graph and kind_of(v) == kind_of(kind)]
        if graph not in chosen and not fitting:
            raise ValueError(
                f"graph {graph!r} has no file of {kind.engine} {kind.precision}; name one for it too: "
                f"{graph}={_kinds(manifest, graph)}"
            )
        chosen.setdefault(graph, fitting[0] if fitting else kind)
    return {graph: chosen[graph] for graph in graphs}


def kind_of(variant: Variant) -> str:
    """Return engine and precision, as ``litert-fp32``."""
    return f"{variant.engine}-{variant.precision}"


def _named(manifest: Manifest, graphs: Sequence[str], name: str) -> Variant:
    graph, is_mix, kind = name.partition("=")
    if not is_mix:
        return manifest.variant(name)
    if graph not in graphs:
        raise ValueError(f"{name!r} names no graph of the flow; its graphs are {', '.join(graphs)}")
    for variant in manifest.variants:
        if variant.graph == graph and kind_of(variant) == kind:
            return variant
    raise ValueError(f"{name!r} names no file of {graph!r}; it has {_kinds(manifest, graph)}")


def _kinds(manifest: Manifest, graph: str) -> str:
    return ", ".join(kind_of(variant) for variant in manifest.variants if variant.graph == graph)


def _of(manifest: Manifest, graphs: Sequence[str]) -> list[str]:
    return [variant.name for variant in manifest.variants if variant.graph in graphs]
