"""One small network as a bundle in every precision of both engines, for all tests that only look at one."""

from dataclasses import dataclass
from pathlib import Path

from edgekit.export import Origin, QuantizeOptions, export_bundle
from runtime.bundle import PRECISIONS, Bundle
from tests.edgekit.export.quantize import nets
from tests.native_runner import native_runner

NAME = "small.edgekit"
FACTS = {"dataset": "smooth noise", "pruning": {"rate": 0.3}, "checkpoint": {"sha256": "ab"}}


@dataclass(frozen=True)
class SmallNet:
    """The network of ``origin`` and its bundle, which is read or copied but not changed."""

    origin: Origin
    bundle: Bundle


def make_origin() -> Origin:
    return nets.origin(nets.build(nets.Dynamic), FACTS)


def write_bundle(folder: Path) -> None:
    """Export the network into ``folder``; it takes half a minute."""
    quantize = QuantizeOptions(calibration=nets.calibration())
    with native_runner():
        export_bundle(make_origin(), folder / NAME, precisions=PRECISIONS, quantize=quantize)


def make():
    """Return the network as ``edgekit parity --model small_net.py:make`` wants it."""
    origin = make_origin()
    (graph,) = origin.graphs.values()
    return graph.model, graph.example()
