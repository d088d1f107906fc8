"""From names, as a command line has them, to a governed run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.bundle import Bundle
from runtime.flow.frames import as_frames
from runtime.govern.governor.command import GovernedRun, govern_command
from runtime.govern.governor.frames import command_of, stream_for
from runtime.govern.governor.options import GovernOptions
from runtime.govern.governor.plan import LATE_SHARE, GovernPlan, plan_for
from runtime.govern.governor.serving import serving
from runtime.targets import open_target

_FRAMES = 300  # ten seconds at 30 FPS: past the first ones, from which the table is corrected
_MOST_MS = 60_000  # of frames that are seconds long, as bars of a tune are


def govern(
    bundle: Path | None,
    command: Sequence[str],
    options: GovernOptions,
    on_message: Callable[[str], None] = lambda message: None,
) -> GovernedRun:
    """Run ``command`` on this machine under a governor; without one, frames of the bundle.

    Args:
        bundle: whose policy to follow; ``None`` governs any work, by the SoC's capacities.
        on_message: called with each message of the governor.

    Raises:
        ValueError: neither a command nor a bundle, or an argument out of range.
        NotFittedError: the bundle has no policy for this target.
        BundleError: its policy is for another device.
        DeviceError: nothing can be governed there, or a governor runs already.

    Example:
        >>> options = GovernOptions(fps=30.0)
        >>> govern(Path("m.edgekit"), ["python", "camera.py"], options).late_frames     # doctest: +SKIP
        2
    """
    if bundle is None and not command:
        raise ValueError("there is nothing to run; give a bundle, or a command after --")
    opened, plan = _open(bundle, options)
    runs_own_frames = not command
    if runs_own_frames:
        assert opened is not None and plan.policy is not None  # noqa: PT018
        opened = as_frames(opened, [plan.policy.variant])
        variant = opened.manifest.variant(plan.policy.variant)
        threads = plan.table.rows[0].setting.threads
        frames = options.frames or max(1, min(_FRAMES, int(_MOST_MS / plan.period_ms)))
        command = command_of(stream_for(opened, variant, plan, threads=threads, frames=frames))
    return govern_command(
        plan,
        command,
        reports_frames=runs_own_frames,
        socket=options.socket,
        log=options.log,
        meter=options.meter or "auto",
        on_message=on_message,
    )


def serve(
    bundle: Path | None,
    options: GovernOptions,
    on_message: Callable[[str], None] = lambda message: None,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Serve any program of this user until a signal, or ``until``, ends it; else as ``govern``."""
    _, plan = _open(bundle, options)
    with serving(plan, socket=options.socket, log=options.log, on_message=on_message) as server:
        on_message(f"serving at {server.path}; programs find it by EDGEKIT_GOVERNOR={server.path}")
        server.serve(until)


def _open(bundle: Path | None, options: GovernOptions) -> tuple[Bundle | None, GovernPlan]:
    opened = None if bundle is None else Bundle.open(bundle)
    plan = plan_for(
        open_target(options.target),
        opened,
        options.fps,
        policy_target=options.policy_target,
        called=options.called,
        variable_load=options.load,
        late_share=LATE_SHARE if options.late is None else options.late,
        max_temp_c=options.max_temp_c,
    )
    return opened, plan
