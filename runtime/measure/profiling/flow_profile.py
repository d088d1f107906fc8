"""Where the time of a whole flow's frame goes: its parts, and the ops of each of its graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.device.setting import Setting
from runtime.flow.figures import FlowFigures, Part
from runtime.flow.frames import FlowBundle
from runtime.flow.opening import flow_figures, open_session
from runtime.flow.times import POST, PRE, runs_steps
from runtime.measure.profiling.profile import Profile, profile
from runtime.targets import Target, open_target


@dataclass(frozen=True)
class GraphProfile:
    """A graph within a frame.

    Attributes:
        runs: of it in one frame; ``latency_ms`` is what they take together, ``share`` of the frame, 0 to 1.
        profile: of one run.
    """

    graph: str
    runs: int
    latency_ms: float
    share: float
    profile: Profile


@dataclass(frozen=True)
class FlowProfile:
    """A whole frame of a flow, graph by graph and op by op.

    Attributes:
        variant: of the flow, as ``flow:litert-fp32``.
        frame: what one frame is, in words.
        latency_ms: of a frame without the profiler, the sum of its parts that run on the target.
        parts: pre-step, graphs and post-step, also those that do not run on the target.
        reference_ms: what the references took, once; ``None`` where the flow has none.
    """

    variant: str
    target: str
    provenance: str
    frame: str
    latency_ms: float
    parts: tuple[Part, ...]
    graphs: tuple[GraphProfile, ...]
    reference_ms: float | None = None

    def share(self, part: Part) -> float | None:
        """Return the share of the frame that ``part`` takes, 0 to 1; ``None``: it runs elsewhere."""
        return part.latency_ms / self.latency_ms if part.provenance == self.provenance else None


def profile_flow(
    bundle: FlowBundle,
    variant: str,
    *,
    target: Target | None = None,
    cluster: str | None = None,
    **plan: Any,
) -> FlowProfile:
    """Run frames of a flow, then each of its graphs with and without its engine's profiler.

    Args:
        bundle: of ``as_frames``.
        variant: of the flow.
        target, cluster: as ``profile`` takes them; frames run on the cores of the biggest cluster.
        plan: ``runs``, ``warmup``, ``threads`` and ``seed``, as ``profile`` takes them.

    Raises:
        ValueError, MissingExtra, DeviceError: see ``profile`` and ``open_session``.

    Example:
        >>> profile_flow(as_frames(bundle), "flow:litert-fp32").graphs[0].share    # doctest: +SKIP
        0.62
    """
    machine = target or open_target("local")
    whole = bundle.manifest.variant(variant)
    files = bundle.files[whole.name]
    profiles = {
        use.name: profile(bundle.plain, files[use.name].name, target=target, cluster=cluster, **plan)
        for use in bundle.flow.graphs
        if use.when != "reference"
    }
    figures = _frames(bundle, variant, machine, cluster, plan)
    counted = [part for part in figures.parts if runs_steps(machine) or part.name not in (PRE, POST)]
    latency_ms = sum(part.latency_ms for part in counted)
    return FlowProfile(
        whole.name,
        machine.name,
        machine.provenance,
        figures.frame,
        latency_ms,
        figures.parts,
        tuple(
            GraphProfile(p.name, p.runs, p.latency_ms, p.latency_ms / latency_ms, profiles[p.name])
            for p in counted
            if p.name in profiles
        ),
        figures.reference_ms,
    )


def _frames(
    bundle: FlowBundle, variant: str, machine: Target, cluster: str | None, plan: Mapping[str, Any]
) -> FlowFigures:
    """Return what the parts of frames take without a profiler."""
    biggest = max(machine.profile.clusters, key=machine.profile.capacity).name
    setting = Setting(cluster or biggest, None, plan.get("threads", 1))
    chosen = bundle.manifest.variant(variant)
    with open_session(machine, bundle, chosen, setting) as session:
        samples = session.sample(warmup=plan.get("warmup", 5), runs=plan.get("runs", 30))
        figures = flow_figures(machine, bundle, chosen, session, samples)
    assert figures is not None
    return figures
