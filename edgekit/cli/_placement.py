"""Options and output that the commands which place dynamic blocks share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_table, say
from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from edgekit.models import ModelSpec
    from edgekit.search.placement import Placement

engine_option = click.option(
    "--budget-engine",
    "engine",
    default="litert",
    show_default=True,
    help="Engine whose latency the budget is of: litert or executorch.",
)
_COSTS = click.option(
    "--costs",
    type=click.Path(path_type=Path),
    help="JSON file of measured costs, made or used; default: this machine's in the cache.",
)


def placement_options(required: bool) -> Callable[[Callable], Callable]:
    """Return a decorator that adds ``--dynamic-budget`` and how it is measured."""
    text = "Latency that dynamic blocks may add, put where they cost least: 10% or 0.1."
    budget = click.option("--dynamic-budget", required=required, help=text)
    return lambda command: budget(engine_option(_COSTS(command)))


def place_and_tell(
    spec: ModelSpec, budget: str, folder: Path, **how: Any
) -> tuple[ModelSpec, dict[str, Any]]:
    """Place dynamic blocks for a run, and say what is measured and what came out; see ``place_for_run``."""
    from edgekit.search.placement import place_for_run

    with Steps() as steps:
        steps.wait_for("measuring what a dynamic block costs at each layer")
        return place_for_run(spec, budget, folder, progress=steps, on_message=note, **how)


def print_placement(placement: Placement) -> None:
    """Print every site with its cost and benefit, then what the chosen ones add, predicted and measured."""
    rows = [
        (
            "x" if site.chosen else "",
            site.path,
            site.kind,
            site.added_ms * 1000,
            site.added_params,
            site.benefit,
        )
        for site in placement.sites
    ]
    headers = ["", "layer", "kind", "adds, us", "adds parameters", "benefit"]
    print_table(headers, rows, optional=("adds parameters",))
    say(placement.summary)
