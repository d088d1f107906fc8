"""What a dynamic block at a site is worth, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgekit.models import Site


def benefit_of(sites: Sequence[Site]) -> list[float]:
    """Return each site's benefit: 1 + log2(1 + its added parameters / the median site's).

    Each layer that is reached counts one, and its parameters count with diminishing returns: the
    median site is worth 2, one with seven times its parameters 4.

    Example:
        >>> benefit_of([Site("a", "act", 8, 8, 4, 4, added_params=100)])
        [2.0]
    """
    if not sites:
        return []
    typical = sorted(site.added_params for site in sites)[len(sites) // 2]
    return [1 + math.log2(1 + site.added_params / typical) for site in sites]
