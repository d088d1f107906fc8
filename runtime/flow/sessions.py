"""The graphs of a flow loaded on a target, each in a session of its own, and what each run of them took."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from runtime.bundle import Bundle, Graph, Quantization, Variant
from runtime.device.actuators import pinned
from runtime.device.setting import Setting
from runtime.errors import BundleError
from runtime.processing.int8_io import to_float, to_int8
from runtime.targets.local import LocalTarget

if TYPE_CHECKING:
    import numpy as np

    from runtime.engines import Frame, Tensor
    from runtime.targets import Target
    from runtime.targets.target import Session


class RunsFrames(Protocol):
    """What one graph is loaded in: a session of a target, an engine's process."""

    def run(self, inputs: Sequence[Tensor]) -> Frame: ...


S = TypeVar("S", bound=RunsFrames)


class GraphSessions(Generic[S]):
    """Runs graphs by name; see ``open_graphs``.

    Attributes:
        sessions: graph -> what it is loaded in.
        latencies_ms: graph -> what each run took so far, as the target measured or modelled it.
    """

    def __init__(
        self, sessions: Mapping[str, S], variants: Mapping[str, Variant], graphs: Mapping[str, Graph]
    ):
        self.sessions, self._variants, self._graphs = sessions, variants, graphs
        self.latencies_ms: dict[str, list[float]] = {name: [] for name in sessions}

    def take_times(self) -> dict[str, list[float]]:
        """Return ``latencies_ms`` and forget them."""
        taken, self.latencies_ms = self.latencies_ms, {name: [] for name in self.sessions}
        return taken

    def run(self, graph: str, inputs: list[np.ndarray]) -> Sequence[np.ndarray]:
        """Run ``graph`` once, floats in and floats out also where its file takes int8.

        Raises:
            BundleError: the file gives other outputs than the manifest says.
            DeviceError: the engine failed.
        """
        io = self._variants[graph].quantization or Quantization()
        frame = self.sessions[graph].run(to_int8(inputs, io.inputs))
        shapes = [array.shape for array in frame.arrays or ()]
        promised = [spec.shape for spec in self._graphs[graph].outputs]
        if frame.outputs is None or shapes != promised:
            raise BundleError(
                f"{self._variants[graph].path} gives outputs of shapes {shapes}, the manifest says "
                f"{promised}; export the model again"
            )
        self.latencies_ms[graph].append(frame.latency_ms)
        return to_float(frame.outputs, io.outputs)


@contextlib.contextmanager
def open_graphs(
    bundle: Bundle, target: Target, setting: Setting, variants: Mapping[str, Variant]
) -> Iterator[GraphSessions[Session]]:
    """Load every graph of ``variants`` on ``target`` within the block, under one setting: the first one's.

    Raises:
        DeviceError: one cannot run there.
    """
    with contextlib.ExitStack() as stack:
        sessions: dict[str, Session] = {}
        for name, variant in variants.items():
            # The first holds the clock for all; a clock that is held is refused to everybody else.
            asked = replace(setting, freq_khz=None) if sessions else setting
            sessions[name] = stack.enter_context(target.session(bundle, variant, asked))
        yield GraphSessions(sessions, variants, bundle.manifest.graphs)


@contextlib.contextmanager
def steps_beside(target: Target, setting: Setting) -> Iterator[None]:
    """Let pre-step and post-step, which this thread makes, run on the CPUs of ``setting`` within the block.

    On another target than this machine, and where threads cannot be pinned, they stay where they are.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(target, LocalTarget):
            cpus = stack.enter_context(target.hold(replace(setting, freq_khz=None))).cpus
            if cpus is not None:
                stack.enter_context(pinned(cpus))
        yield
