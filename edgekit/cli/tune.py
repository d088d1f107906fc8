"""``edgekit tune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._emit import emit_options, emit_policy
from edgekit.cli._options import (
    bundle_argument,
    output_options,
    plot_option,
    target_option,
    threads_option,
    variants_option,
)
from edgekit.cli._output import print_json, say
from edgekit.cli._policy import given_to, plot_policy, print_policy
from edgekit.cli._progress import Steps
from edgekit.cli._request import request_options

if TYPE_CHECKING:
    from runtime.choose.tuning.request import PolicyRequest


@click.command()
@bundle_argument
@target_option
@request_options
@threads_option
@variants_option
@emit_options
@plot_option
@output_options
def tune(
    bundle: Path,
    target: str,
    request: PolicyRequest,
    threads: tuple[int, ...],
    variants: tuple[str, ...],
    emit: str | None,
    output: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Choose the cheapest setting that meets a frame rate.

    Cheapest by the objective: least energy while awake or racing to sleep, least energy
    x delay, or the fastest within a budget. The choice is saved in the bundle as a policy,
    which `edgekit run` follows, and compared with governors on the same frames.
    """
    from edgekit.api.tune import tune as choose
    from runtime.bundle import Bundle
    from runtime.targets import open_target

    opened, machine = Bundle.open(bundle), open_target(target)
    with Steps() as steps:
        steps.wait_for("choosing a setting and comparing it with governors")
        policy = choose(opened, machine, request, threads=threads, variants=variants)
    emit_policy(emit, output, opened, policy, machine)
    plot_policy(policy, plot)
    if as_json:
        print_json(policy)
        return
    print_policy(policy)
    say(f"Saved in {bundle}. Next: edgekit run {bundle} --target {target}{given_to(opened)}")
