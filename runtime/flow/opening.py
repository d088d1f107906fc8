"""Open what a bench measures: one graph's file, or a whole flow; and tell the parts of its frames."""

from __future__ import annotations

import statistics
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from runtime.bundle import Bundle, Variant
from runtime.device.setting import Setting
from runtime.device.soc import modelled_latency
from runtime.engines import Samples
from runtime.errors import DeviceStableError
from runtime.flow.figures import FlowFigures, Part
from runtime.flow.frames import PICTURE_PX, FlowBundle, runs_of
from runtime.flow.times import runs_steps

if TYPE_CHECKING:
    from runtime.targets import Target
    from runtime.targets.target import SampledSession


def open_session(
    target: Target, bundle: Bundle, variant: Variant, setting: Setting
) -> AbstractContextManager[SampledSession]:
    """Prepare ``variant`` under ``setting``; of a ``FlowBundle`` all graphs of its flow.

    Where a frame is no more than one graph on another machine, that machine paces and meters it by itself.

    Raises:
        ValueError, PermissionNeeded, DeviceError: see ``Target.session``; or a flow that needs outputs on a
            target that returns none.
        MissingExtra: NumPy or Pillow is not installed, which flows need.
    """
    if not isinstance(bundle, FlowBundle) or target.is_modelled:
        return target.session(bundle, variant, setting)
    if _is_paced_there(bundle, target):
        (file,) = bundle.files[variant.name].values()
        return target.session(bundle.plain, file, setting)
    if not target.returns_outputs:
        raise DeviceStableError(
            f"{variant.name} hands tensors from graph to graph, and {target.name} returns none; bench each "
            "graph alone with --variant and its file's name, or the flow on a board over ssh"
        )
    from runtime.flow.frame_session import open_flow  # needs NumPy, which a bench of one graph does not

    return open_flow(bundle, target, variant, setting)


def flow_figures(
    target: Target, bundle: Bundle, variant: Variant, session: SampledSession, samples: Samples
) -> FlowFigures | None:
    """Return the parts of the frames that ``session`` of ``open_session`` sampled last."""
    if not isinstance(bundle, FlowBundle):
        return None
    text = _frame_text(bundle, target)
    if target.is_modelled:
        return FlowFigures(text, _modelled(target, bundle, variant, session.setting_read or session.setting))
    if _is_paced_there(bundle, target):
        (use,) = bundle.flow.graphs
        median_ms = statistics.median(samples.samples_ms)
        return FlowFigures(text, (Part(use.name, 1, median_ms, target.provenance),))
    from runtime.flow.frame_session import FlowSession

    assert isinstance(session, FlowSession)
    return FlowFigures(text, session.parts, session.reference_ms)


def _is_paced_there(bundle: FlowBundle, target: Target) -> bool:
    uses = bundle.flow.graphs
    return not runs_steps(target) and len(uses) == 1 and uses[0].when == "frame" and not uses[0].states


def _modelled(target: Target, bundle: FlowBundle, variant: Variant, setting: Setting) -> tuple[Part, ...]:
    parts = []
    for use in bundle.flow.graphs:
        file = bundle.files[variant.name][use.name]
        workload, runs = bundle.workload(file), runs_of(use, bundle.flow.stop)
        if workload is not None and runs:
            once_ms = modelled_latency(workload, target.profile, setting, file.precision).latency_ms
            parts.append(Part(use.name, runs, runs * once_ms, target.provenance))
    return tuple(parts)


def _frame_text(bundle: FlowBundle, target: Target) -> str:
    """Return in words what one frame is: how many steps, of which picture, and what is not in it."""
    stop, given = bundle.flow.stop, bundle.flow.pre
    words = "one pass"
    if stop is not None:
        steps = f"{stop.most_steps} step{'s' if stop.most_steps > 1 else ''}"
        words = f"{steps}, one of its {stop.count}" if stop.count else steps
    if not runs_steps(target):
        return f"{words}, without pre-step and post-step, which do not run on {target.name}"
    return words if given is None else f"{words}, of a picture of {PICTURE_PX[0]}x{PICTURE_PX[1]} px"
