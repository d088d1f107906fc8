"""``edgekit run``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._flow import FlowOptions, flow_options, show_flow
from edgekit.cli._options import bundle_argument, one_variant_option, output_options, target_option
from edgekit.cli._output import note, print_json
from edgekit.cli._policy import print_run
from edgekit.cli._progress import Steps


@click.command()
@bundle_argument
@target_option
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Image, .npy, or .npz for several inputs; repeatable.",
)
@one_variant_option
@click.option("--fps", type=float, default=None, help="Pace of the frames. Default: the policy's.")
@click.option("--latency-ms", type=float, help="Deadline of a frame. Default: the policy's.")
@click.option("--frames", type=click.IntRange(1), help="How many to run. Default: 30; 1 of a flow of steps.")
@flow_options
@output_options
def run(
    bundle: Path,
    target: str,
    inputs: tuple[Path, ...],
    variant: str | None,
    fps: float | None,
    latency_ms: float | None,
    frames: int | None,
    flow: FlowOptions,
    as_json: bool,
) -> None:
    """Run a bundle on an input under its policy.

    Runs frames at the setting that `edgekit tune` chose, and shows what the inputs mean. Late is
    what is done after its deadline: the policy's, or a period. Without a policy this machine runs
    at the kernel's clock; a virtual target needs one.
    """
    from runtime.bundle import Bundle
    from runtime.errors import DataError
    from runtime.govern.run.run import policy_or_none, run_bundle
    from runtime.govern.run.runs import save_run
    from runtime.targets import open_target

    opened, machine = Bundle.open(bundle), open_target(target)
    policy = policy_or_none(opened, machine)
    asked = {"variant": variant, "fps": fps, "latency_ms": latency_ms}
    if show_flow(opened, machine, policy, inputs, flow, as_json, frames=frames, **asked):
        return
    with Steps() as steps:
        steps.wait_for(f"running {frames or 30} frames on {target}")
        result = run_bundle(opened, machine, inputs=inputs, policy=policy, frames=frames or 30, **asked)
    try:
        save_run(opened, result)
    except DataError as err:
        note(f"the report will not show this run: {err}")
    if as_json:
        print_json(result)
    else:
        print_run(result)
