"""What a search chooses from: the blocks that may stand at each place of a MobileNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from edgekit.models import MODELS, ModelSpec, build_model
from edgekit.models.choices import OWN, SKIP

CANDIDATES = ("k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6")


@dataclass(frozen=True)
class Space:
    """A network whose blocks are open.

    Attributes:
        spec: the network with its own blocks.
        candidates: at each place, front to back; one where nothing is open.
    """

    spec: ModelSpec
    candidates: tuple[tuple[str, ...], ...]

    def spec_of(self, choices: Sequence[str]) -> ModelSpec:
        """Return the network with these blocks."""
        return replace(self.spec, choices=tuple(choices))


def space_of(spec: ModelSpec, candidates: Sequence[str] = CANDIDATES) -> Space:
    """Return the space around ``spec``: each of its blocks that widens may be one of ``candidates`` or go.

    A block goes where its input could be its output. One that does not widen stays as it is: it is the
    first of its network.

    Raises:
        ValueError: the blocks of ``spec`` cannot be chosen, or are chosen already.

    Example:
        >>> space_of(ModelSpec("mobilenet_v2")).candidates[:2]
        (('own',), ('k3e3', 'k3e6', 'k5e3', 'k5e6', 'k7e3', 'k7e6'))
    """
    if spec.choices is not None:
        raise ValueError(
            f"the blocks of this {spec.name} are chosen already; search from one without choices"
        )
    places = MODELS.get(spec.name).places
    replace(spec, choices=(OWN,) * places)  # says why, if they cannot be
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
        blocks = list(build_model(spec).blocks)
    found = []
    for block in blocks:
        skip = (SKIP,) if block.has_shortcut else ()
        found.append((OWN,) if block.expand is None else (*candidates, *skip))
    return Space(spec, tuple(found))
