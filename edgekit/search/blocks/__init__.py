"""Which blocks a MobileNet is made of: searched on more and more data, within a latency."""

from edgekit.search.blocks.plan import SEARCH_RECIPE, SearchPlan
from edgekit.search.blocks.result import SearchResult
from edgekit.search.blocks.run import search
from edgekit.search.blocks.space import CANDIDATES, Space, space_of
from edgekit.search.blocks.timing import Timing, timing_on

__all__ = [
    "CANDIDATES",
    "SEARCH_RECIPE",
    "SearchPlan",
    "SearchResult",
    "Space",
    "Timing",
    "search",
    "space_of",
    "timing_on",
]
