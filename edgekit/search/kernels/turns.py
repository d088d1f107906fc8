"""The rarer steps take turns from graph to graph, so that chance leaves none of them out.

A network is refused for a single op of a kind that was hardly ever timed. Drawn by chance alone, three of
2,000 kernels were padding, two transposed convolutions, and one a product of two matrices.
"""

from __future__ import annotations

import functools
import math

from edgekit.search.kernels.chain import Step, kernels_of

_CYCLE = 2000  # kernels after which every step has had all its turns
_SHARE = 0.5  # of the kernels, at most, belongs to these steps
_LARGER = 0.85  # graphs grow over their plan by so much: then there are fewer of them
# Turns in a cycle: twelve, fewer where others make the same kinds of ops. The common steps come first: where
# fewer kernels are timed than a cycle has, the last ones are left out: all would be too rare to be known.
_TURNS = {
    "residual": 12, "linear": 20, "squeeze_excite": 6, "pad": 12,  # most networks have these
    "max_pool": 12, "avg_pool": 12, "relu": 12, "relu6": 12, "sigmoid": 12, "mul": 6, "add": 6,
    "upsample": 12, "concat": 6, "softmax": 4, "leaky_relu": 12, "sub": 12, "transposed_conv": 12,
    "slice": 6, "tanh": 12, "gelu": 12, "div": 12, "maximum": 12, "minimum": 12, "silu": 4, "hardsigmoid": 4,
    "elu": 2, "exp": 12, "attention": 6, "depthwise": 12, "linear_softmax": 6, "layer_norm": 6, "sqrt": 12,
    "dynamic_conv": 2, "dynamic_relu": 2, "selective_kernel": 2, "gather": 12,
}  # fmt: skip
_WINDOWS = {"depthwise": 7}  # the one that is rare


def turns_of(number: int, kernels: int, most: int) -> list[Step]:
    """Return the steps whose turn it is in a graph; those that change channels have none yet.

    Args:
        number: of the graph, from 0 on.
        kernels: that a graph has, about.
        most: kernels of all graphs.

    Example:
        >>> [step.kind for step in turns_of(0, 7, 200)]
        ['linear', 'residual', 'pad']
    """
    cycle = _cycle(min(most, _CYCLE))
    per_graph = math.ceil(len(cycle) * kernels / (_LARGER * min(most, _CYCLE)))
    return [cycle[place % len(cycle)] for place in range(number * per_graph, (number + 1) * per_graph)]


@functools.cache
def _cycle(kernels: int) -> tuple[Step, ...]:
    """Return all turns in ``kernels`` kernels, each step's evenly spread over them."""
    left, found = _SHARE * kernels, []
    for order, (kind, turns) in enumerate(_TURNS.items()):
        left -= turns * kernels_of(kind)
        if left < 0 and found:
            break
        step = Step(kind, window=_WINDOWS.get(kind, 1))
        found += [((turn + 0.5) / turns, order, step) for turn in range(turns)]
    return tuple(step for _, _, step in sorted(found, key=lambda one: one[:2]))
