"""The picture of a policy: what every setting can do and costs, what was chosen, what others take."""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.report.figure import LINE_KEY, Figure, Key, write_figure
from edgekit.report.pareto import Plot, draw
from edgekit.report.plots import plot_of_policy
from runtime.choose.policy.goal import OBJECTIVES
from runtime.choose.policy.policy import Policy
from runtime.choose.tuning.savings import explain_savings

_WIDTH, _HEIGHT = 900.0, 480.0


def write_frontier(policy: Policy, out: str | os.PathLike[str]) -> Path:
    """Draw ``policy`` into ``out``, a ``.png`` or ``.svg`` file, and return its path.

    Raises:
        ValueError: ``out`` has another ending, or the policy considered no setting.
        DataError: it cannot be written.
        MissingExtra: a PNG needs the extra ``report``.

    Example:
        >>> write_frontier(load_policy(bundle, "virtual:gs101"), "frontier.png")   # doctest: +SKIP
    """
    plot = plot_of_policy(policy)
    if plot is None:
        raise ValueError(f"the policy for {policy.target} considered no setting; tune again")
    figure = Figure(
        title=f"{policy.model} on {policy.target}",
        lines=(policy.reason.partition(". ")[0].rstrip(".") + ".", *filter(None, [explain_savings(policy)])),
        keys=_keys(plot),
        drawing=draw(plot, _WIDTH, _HEIGHT),
        width=_WIDTH,
        height=_HEIGHT,
        remarks=(
            f"Objective {policy.objective}: {OBJECTIVES[policy.objective]}. Latency {policy.provenance}, "
            f"from {policy.predictor}. Power: {policy.energy_source}.",
            "Rings: the chosen setting, and where governors end up on the same frames (simulated): "
            "the median latency and the mean energy of a frame. Late: it misses the deadline.",
        ),
    )
    return write_figure(figure, out)


def _keys(plot: Plot) -> tuple[Key, ...]:
    keys = [Key(name, f"g{number % 6}") for number, name in enumerate(plot.groups)]
    if len(plot.kinds) > 1:
        keys += [Key(name, "shape", number) for number, name in enumerate(plot.kinds)]
    return (*keys, Key("no setting of these cores is both faster and cheaper", "strong", LINE_KEY))
