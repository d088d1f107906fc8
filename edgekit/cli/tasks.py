"""``edgekit tasks``: what networks can be trained for."""

from __future__ import annotations

import click

from edgekit.cli._options import output_options
from edgekit.cli._output import print_json, print_table
from edgekit.cli._progress import Steps
from runtime.extras import require


@click.command()
@click.argument("pattern", default="*")
@output_options
def tasks(pattern: str, as_json: bool) -> None:
    """List the tasks: what goes in, what comes out, how it is scored.

    Minutes are those that a small network takes to train on two CPU cores.

    PATTERN is a shell pattern. docs/tasks.md says how to add your own.

    \b
    Example:
      edgekit tasks
      edgekit train resnet18 --task face-parsing:roi=crop --data faces
    """
    require("torch", extra="train")
    with Steps() as steps:
        steps.wait_for("loading PyTorch")
        from edgekit.tasks import describe_tasks

        infos = describe_tasks(pattern)
    if as_json:
        print_json(infos)
        return
    rows = [
        (
            info.name, info.takes or None, info.gives or None, info.metric, info.data or None,
            info.minutes,
            ", ".join(f"{name}={value}" for name, value in info.options.items()) or None, info.paper or None,
        )
        for info in infos
    ]  # fmt: skip
    headers = ("task", "takes", "gives", "metric", "data", "minutes", "options", "paper")
    print_table(headers, rows, optional=("options", "paper"))
