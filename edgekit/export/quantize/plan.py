"""What is quantised and what stays float."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from torch import nn
from torch.export import ExportedProgram
from torch.fx import Node

from edgekit.export.quantize.calibration import Calibration
from edgekit.export.workload import aten_name, module_path_of

WEIGHTED = {"conv1d", "conv2d", "convolution", "linear", "addmm"}


@dataclass(frozen=True)
class QuantizationPlan:
    """How one graph is quantised; module paths are those of the lowered model.

    Attributes:
        precision: ``static_wi8_ai8`` or ``dynamic_wi8_afp32``.
        calibration: frames that show the range of each activation; ``None`` for dynamic.
        kept_float: modules whose ops stay float, with everything below them.
        heads: layers that make the outputs. Their scores stay float and only their weights are
            integers, so a score beyond the calibrated range is not cut off: on MobileNetV2, with a
            static last layer, the highest scores of a photograph saturate and tie.
        int8_io: inputs and outputs are int8, which makes the heads static too.
    """

    precision: str
    calibration: Calibration | None
    kept_float: tuple[str, ...]
    heads: tuple[str, ...] = ()
    int8_io: bool = False

    @property
    def is_static(self) -> bool:
        """Whether activations have fixed ranges."""
        return self.precision == "static_wi8_ai8"

    def is_float(self, path: str) -> bool:
        """Return whether the ops of the module at ``path`` stay float."""
        return is_below(path, self.kept_float)


def is_below(path: str, prefixes: Iterable[str]) -> bool:
    """Return whether ``path`` is one of ``prefixes`` or a module below one."""
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes)


def float_modules(model: nn.Module, also: Collection[str] = ()) -> tuple[str, ...]:
    """Return the paths of the modules of ``model`` that stay float, outermost ones only.

    These are the modules whose class says ``keeps_float``: dynamic blocks and squeeze-and-excitation.
    What they compute at run time (attention, coefficients, gates, mixed kernels) scales whole
    channels, so an error there is not noise but a wrong gain, and integer kernels need weights that
    are known beforehand.

    Args:
        also: more paths, by the user's choice.

    Raises:
        ValueError: a path of ``also`` is no module of the model.
    """
    known = dict(model.named_modules())
    for path in also:
        if path not in known or not path:
            near = [name for name in known if path.rpartition(".")[2] in name.split(".")] or list(known)[1:]
            raise ValueError(
                f"there is no module {path!r} to keep float; there are {', '.join(near[:8])}"
                f"{', ...' if len(near) > 8 else ''}"
            )
    own = [path for path, module in known.items() if getattr(module, "keeps_float", False)]
    kept: list[str] = []
    for path in sorted({*own, *also}):
        if not is_below(path, kept):
            kept.append(path)
    return tuple(kept)


def find_heads(program: ExportedProgram) -> tuple[str, ...]:
    """Return the paths of the layers that no other weighted layer follows on the way to an output."""
    (output,) = (node for node in program.graph.nodes if node.op == "output")
    return tuple(dict.fromkeys(module_path_of(node) for node in _weighted_before(output)))


def modules_beside(program: ExportedProgram, heads: Collection[str]) -> tuple[str, ...]:
    """Return the paths of the poolings that ``heads`` read, and of what follows the heads.

    A mean over a map is far less noisy than the map; rounded to the map's steps it would lose that.
    What makes scores of scores (a softmax, a mean) is float as they are.
    """
    found: list[str] = []
    (output,) = (node for node in program.graph.nodes if node.op == "output")
    for node in program.graph.nodes:
        if not _is_weighted(node) or module_path_of(node) not in heads:
            continue
        source: Node | None = node.args[0]
        while isinstance(source, Node) and source.op == "call_function" and not _is_weighted(source):
            if "pool" in aten_name(source) or aten_name(source) == "mean":
                found.append(module_path_of(source))
            source = next(iter(source.all_input_nodes), None) if len(source.all_input_nodes) == 1 else None
    found += [module_path_of(node) for node in _before(output)[1]]
    return tuple(path for path in dict.fromkeys(found) if path not in heads)


def weighted_before(program: ExportedProgram) -> dict[str, tuple[str, ...]]:
    """Return for each weighted layer the paths of the layers whose results it reads."""
    return {
        module_path_of(node): tuple(dict.fromkeys(module_path_of(one) for one in _weighted_before(node)))
        for node in program.graph.nodes
        if _is_weighted(node)
    }


def _weighted_before(node: Node) -> list[Node]:
    return _before(node)[0]


def _before(node: Node) -> tuple[list[Node], list[Node]]:
    """Return the nearest weighted ops before ``node``, and the ops between."""
    found: list[Node] = []
    between: list[Node] = []
    waiting, seen = list(node.all_input_nodes), set()
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        if _is_weighted(source):
            found.append(source)
        elif source.op == "call_function":
            between.append(source)
            waiting.extend(source.all_input_nodes)
    return found, between


def _is_weighted(node: Node) -> bool:
    return node.op == "call_function" and aten_name(node) in WEIGHTED
