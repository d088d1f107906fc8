"""Blocks by name: what may stand at a place of a MobileNet in place of the model's own block."""

from __future__ import annotations

import re
from collections.abc import Sequence

OWN, SKIP = "own", "skip"
_BLOCK = re.compile(r"k([3579])e([1-8])")


def block_of(choice: str) -> tuple[int, int] | None:
    """Return the kernel's side and the factor on channels inside; ``None`` of ``own`` and ``skip``.

    Example:
        >>> block_of("k5e3")
        (5, 3)
    """
    found = _BLOCK.fullmatch(choice)
    return (int(found[1]), int(found[2])) if found else None


def check_choices(choices: Sequence[str], model: str, places: int, block: str) -> None:
    """Refuse choices that are no blocks, or not one for each of the model's ``places``.

    Args:
        block: the spec's; a selective kernel has no kernel to choose.

    Raises:
        ValueError: one is refused.
    """
    if not places:
        raise ValueError(
            f"the blocks of {model!r} cannot be chosen; take a MobileNet or an EfficientNet-Lite, or leave "
            "choices out"
        )
    if len(choices) != places:
        raise ValueError(
            f"model spec: {len(choices)} choices for {model!r}, which has {places} blocks; give one for each"
        )
    for place, choice in enumerate(choices):
        if choice not in (OWN, SKIP) and block_of(choice) is None:
            raise ValueError(
                f"model spec: choice {choice!r} at place {place}; write own, skip, or kernel and expansion "
                "as k3e6: k is 3, 5, 7 or 9, e from 1 to 8"
            )
    if block == "sk":
        raise ValueError(
            "model spec: choices and block='sk', whose kernels are 3x3 everywhere; leave one of them out"
        )
