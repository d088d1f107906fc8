"""From names, as a command line has them, to a governed run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.bundle import Bundle
from runtime.choose.decision.margin import Margin
from runtime.govern.governor.command import GovernedRun, govern_command
from runtime.govern.governor.frames import command_of, job_for
from runtime.govern.governor.scenes import Scenes
from runtime.govern.governor.serving import plan_for, serving
from runtime.targets import open_target


def govern(
    bundle: Path | None,
    command: Sequence[str],
    *,
    target: str = "local",
    fps: float | None = None,
    late: float = 0.01,
    max_temp_c: float | None = None,
    frames: int = 300,
    policy_target: str | None = None,
    called: str | None = None,
    log: Path | None = None,
    scenes: Scenes | None = None,
    meter: str | None = None,
    tell: Callable[[str], None] = lambda remark: None,
) -> GovernedRun:
    """Run ``command`` under a governor; without one, ``frames`` frames of the bundle.

    Args:
        bundle: whose policy to follow; ``None`` governs any work, by the SoC's capacities.
        fps: pace of the frames; default: the policy's.
        late: share of frames that may be late.
        max_temp_c: as ``serving`` takes it.
        policy_target, called, scenes: as ``plan_for`` takes them.
        log: file to write each frame to.
        meter: as ``runtime.device.meters.find_meter`` takes it.
        tell: called with each remark.

    Raises:
        ValueError: neither a command nor a bundle, or an argument out of range.
        NotFittedError: the bundle has no policy for this target.
        BundleError: its policy is for another device.
        DeviceError: nothing can be governed there, or a governor runs already.

    Example:
        >>> govern(Path("m.edgekit"), ["python", "camera.py"], fps=30).late_frames      # doctest: +SKIP
        2
    """
    if bundle is None and not command:
        raise ValueError("there is nothing to run; give a bundle, or a command after --")
    opened = None if bundle is None else Bundle.open(bundle)
    plan = plan_for(
        open_target(target), opened, fps, policy_target=policy_target, called=called, scenes=scenes
    )
    if not command:
        assert opened is not None and plan.policy is not None  # noqa: PT018
        variant = opened.manifest.variant(plan.policy.variant)
        threads = plan.rows.table.rows[0].threads
        job = job_for(opened, variant, threads=threads, frames=frames, plan=plan)
        command = command_of(job)
    return govern_command(
        plan,
        command,
        reports=plan.policy is None or "runtime.govern.governor.frames" in command,
        log=log,
        margin=Margin(late_share=late),
        max_temp_c=max_temp_c,
        meter=meter or "auto",
        tell=tell,
    )


def serve(
    bundle: Path | None,
    *,
    target: str = "local",
    fps: float | None = None,
    late: float = 0.01,
    max_temp_c: float | None = None,
    policy_target: str | None = None,
    called: str | None = None,
    socket: Path | None = None,
    log: Path | None = None,
    scenes: Scenes | None = None,
    tell: Callable[[str], None] = lambda remark: None,
    stopped: threading.Event | None = None,
) -> None:
    """Serve any program of this user until a signal, or ``stopped``, ends it; arguments as ``govern``."""
    opened = None if bundle is None else Bundle.open(bundle)
    plan = plan_for(
        open_target(target), opened, fps, policy_target=policy_target, called=called, scenes=scenes
    )
    margin = Margin(late_share=late)
    with serving(plan, socket=socket, log=log, margin=margin, max_temp_c=max_temp_c, tell=tell) as server:
        tell(f"serving at {server.path}; programs find it by EDGEKIT_GOVERNOR={server.path}")
        server.serve(until=lambda: stopped is not None and stopped.is_set())
