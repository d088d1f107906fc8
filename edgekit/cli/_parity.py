"""How commands print a comparison with the eager model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.cli._output import print_table, say
from runtime.visible import one_line

if TYPE_CHECKING:
    from edgekit.export.layers import LayerParity
    from edgekit.export.recheck import Recheck
    from runtime.bundle import OutputParity, Parity


def print_outputs(results: Sequence[Recheck]) -> None:
    """Print a line per variant and output."""
    rows = [
        (
            result.variant,
            output.name,
            f"{output.max_abs:.1e}",
            f"{output.tolerance:.1e}",
            output.sqnr_db,
            output.cosine,
            agreement(output),
        )
        for result in results
        if result.parity is not None
        for output in result.parity.outputs
    ]
    headers = ["variant", "output", "max error", "fp32 limit", "SQNR dB", "cosine", "agreement"]
    print_table(headers, rows, optional=("cosine", "fp32 limit", "agreement"))
    for result in results:
        for output in result.parity.outputs if result.parity is not None else ():
            for part in output.channels:
                noise = "equal" if part.sqnr_db is None else f"{part.sqnr_db:.1f} dB"
                where = f"{result.variant}: {one_line(output.name)}, {part.channels}"
                say(f"{where}: max error {part.max_abs:.1e}, {noise}")


def agreement(parity: Parity | OutputParity) -> str | None:
    """Return how often labels are the same, in words; ``None`` for outputs that have none."""
    shares = {
        "same top-1": parity.top1_agreement,
        "of pixels": parity.pixel_agreement,
        "of values": parity.equal_share,
    }
    found = [f"{share:.1%} {what}" for what, share in shares.items() if share is not None]
    return found[0].replace(".0%", "%") if found else None


def print_layers(results: Sequence[Recheck]) -> None:
    """Print a table of layers per variant that has one, with the verdict below."""
    for result in results:
        report = result.layers
        if report is None:
            if result.layers_problem:
                say(f"\nlayers of {result.variant} cannot be compared: {result.layers_problem}")
            continue
        say(f"\nlayers of {report.variant}:")
        print_table(
            ["layer", "shape", "max error", "SQNR dB", "cosine", ""],
            [_row(layer, report.first_wrong) for layer in report.layers],
            optional=("cosine", "shape"),
        )
        if report.remark:
            say(report.remark)
        elif report.first_wrong is None:
            say(f"no layer goes wrong ({report.threshold})")
        else:
            before = ", or an op before it" if report.is_behind_ops else ""
            say(f"first layer that goes wrong: {report.first_wrong}{before} ({report.threshold})")


def _row(layer: LayerParity, first_wrong: str | None) -> tuple[object, ...]:
    fused = "" if layer.seen_at == layer.module_path else f"after {layer.seen_at}"
    mark = "<- first wrong" if layer.module_path == first_wrong else fused
    shape = "x".join(map(str, layer.shape))
    return layer.module_path, shape, f"{layer.max_abs:.1e}", layer.sqnr_db, layer.cosine, mark
