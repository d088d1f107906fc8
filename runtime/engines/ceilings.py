"""How much an engine's process may answer to a request: it runs a file that nobody vouches for."""

from __future__ import annotations

from runtime.engines.framing import MOST_BYTES
from runtime.engines.messages import Message, ProfileFrames, ReadPlan, Run, Sample

_SMALL_BYTES = 4 << 20  # names and shapes of inputs and outputs: some kB
_PLAN_BYTES = 64 << 20  # the names of ten thousand ops and of their tensors: some MB
_SAMPLE_BYTES = 32  # a number of ns, in JSON with its comma


def most_bytes(request: Message) -> int:
    """Return how long the answer to ``request`` may be."""
    match request:
        case Run() | ProfileFrames():
            return MOST_BYTES
        case Sample(_, _, runs):
            return min(_SMALL_BYTES + _SAMPLE_BYTES * runs, MOST_BYTES)
        case ReadPlan():
            return _PLAN_BYTES
    return _SMALL_BYTES
