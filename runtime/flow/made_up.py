"""Frames of a flow on a picture of noise or random arrays: what is measured and governed without a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.bundle import Flow, TensorSpec
from runtime.engines import random_inputs
from runtime.extras import require
from runtime.flow.frames import PICTURE_PX, FlowBundle
from runtime.flow.given import Loaded, wanted
from runtime.flow.sessions import GraphSessions
from runtime.flow.times import FrameTimes
from runtime.flow.work import FlowWork

_BOX = (160.0, 120.0, 480.0, 360.0)  # the middle, half as wide and high


class MadeUpFrames:
    """Runs frames of the flow on its loaded graphs, each the same work."""

    def __init__(self, bundle: FlowBundle, sessions: GraphSessions[Any]):
        self._flow, self._graphs = bundle.flow, bundle.manifest.graphs
        self._work = FlowWork(bundle, bundle.task, sessions)
        self._loaded = _made_up(wanted(self._flow, self._graphs), self._flow)

    def refer(self) -> float | None:
        """Run the graphs of the reference, and return what they took in ms; ``None`` where there are none."""
        if not any(use.when == "reference" for use in self._flow.graphs):
            return None
        self._work.refer_to(_made_up(wanted(self._flow, self._graphs, reference=True), self._flow), _BOX)
        return self._work.reference_ms

    def run(self) -> FrameTimes:
        """Run one frame, and return what its parts took."""
        return self._work.frame(self._loaded, _BOX).times


def _made_up(needs: Mapping[str, TensorSpec], flow: Flow) -> Loaded:
    """Return a picture of noise where a picture alone is needed, else random arrays."""
    if flow.pre is not None and [text.partition(":")[0] for text in needs] == ["pre"]:
        np, image = require("numpy", extra="images"), require("PIL.Image", extra="images")
        wide, high = PICTURE_PX
        pixels = np.random.default_rng(0).integers(0, 256, (high, wide, 3), dtype=np.uint8)
        picture: Loaded = image.fromarray(pixels)
        return picture
    return {
        text: array.numpy() for text, array in zip(needs, random_inputs(list(needs.values())), strict=True)
    }
