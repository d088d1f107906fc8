"""Options and output of ``edgekit search``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import print_table, say

if TYPE_CHECKING:
    from edgekit.search.blocks import SearchResult

_COUNT = click.IntRange(min=1)
_RECIPE = (
    click.option("--epochs", type=_COUNT, default=26, show_default=True, help="Of all stages together."),
    click.option("--batch-size", type=_COUNT, default=32, show_default=True, help="Images per step."),
    click.option("--lr", type=float, default=3e-3, show_default=True, help="Highest learning rate."),
    click.option("--limit", type=int, default=0, help="Search on so many images, of every class alike."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of weights, order and draws."),
)
_TIMING = (
    click.option(
        "--kernels", type=click.Path(path_type=Path),
        help="Bundle of kernels timed on the target, by edgekit fit --kernels.",
    ),
    click.option("--engine", default="litert", show_default=True, help="Of kernels: litert or executorch."),
    click.option("--cluster", help="Of a virtual target; default: its biggest."),
    click.option("--freq-khz", type=_COUNT, help="Its clock; default: the highest."),
    click.option("--threads", type=_COUNT, default=1, show_default=True, help="That run the network."),
)  # fmt: skip
_RECIPE_NAMES = ("epochs", "batch_size", "lr", "limit", "device", "seed")
_TIMING_NAMES = ("kernels", "engine", "cluster", "freq_khz", "threads")


def search_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add how the search is trained, passed on as ``recipe``, and how latency is known, as ``timing``."""

    @functools.wraps(command)
    def grouped(**given: Any) -> None:
        for group, members in (("recipe", _RECIPE_NAMES), ("timing", _TIMING_NAMES)):
            given[group] = {name: given.pop(name) for name in members}
        command(**given)

    for option in reversed((*_TIMING, *_RECIPE)):
        grouped = option(grouped)
    return grouped


def print_search(found: SearchResult, folder: Path) -> None:
    """Print the block at each place, then latency, cost and what to do next."""
    rows = []
    for place, (name, costs, likely) in enumerate(
        zip(found.choices, found.places, found.probabilities, strict=True)
    ):
        if len(costs) > 1:
            rows.append((place, name, costs[name], f"{likely[name]:.0%}", len(likely), len(costs)))
    print_table(["place", "block", "ms", "likely", "left", "of"], rows)
    budget = f"budget {found.budget_ms:.4g} ms; its own blocks {found.own_ms:.4g} ms"
    where = f"{found.target} {found.setting}"
    say(f"latency: {found.latency_ms:.4g} ms, {found.provenance}, on {where} ({budget})")
    say(
        f"cost: {found.block_images:,} block passes x images, {found.cost_share:.0%} of the same search "
        f"on all data; {found.duration_s:.0f} s"
    )
    say(f"train it: edgekit train {folder / 'found.yaml'}")
