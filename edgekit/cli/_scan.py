"""The sensitivity scan of `edgekit prune --scan`: which options it takes, and how it is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from edgekit.pruning import Scan
    from edgekit.training import Checkpoint

_TAKEN = (
    "checkpoint",
    "scan",
    "ratios",
    "scope",
    "round_to",
    "reestimate",
    "data_root",
    "out",
    "resume",
    "as_json",
)
_MOST_NAMED = 3

scan_option = click.option("--scan", is_flag=True, help="Only say what each group's channels are worth.")


def _shares(_: click.Context, __: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """Return shares that are joined by commas: 25%,50% or 0.25,0.5."""
    if text is None:
        return None
    from edgekit.pruning import amount_of

    try:
        return tuple(amount_of(part.strip()) for part in text.split(","))
    except ValueError as err:
        raise click.BadParameter(f"{text!r} are no shares; join them by commas: 25%,50%") from err


ratios_option = click.option(
    "--ratios", callback=_shares, metavar="25%,50%", help="Shares that a scan removes; default: 25%,50%,75%."
)


def is_scan(ctx: click.Context) -> bool:
    """Return whether a scan is asked for.

    Raises:
        click.UsageError: an option is given that is for the other of scan and pruning.
    """
    given = [
        param for param in ctx.command.params
        if param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    ]  # fmt: skip
    names = {param.name: param.opts[-1] for param in given}
    if not ctx.params["scan"]:
        if "ratios" in names:
            raise click.UsageError("--ratios is for a scan; add --scan")
        return False
    others = [option for name, option in names.items() if name not in _TAKEN and name != "wide"]
    if others:
        raise click.UsageError(f"{others[0]} is for pruning, and a scan changes nothing; leave it out")
    return True


def scan_and_print(
    checkpoint: Checkpoint, data_root: Path | None, out: Path | None, as_json: bool, given: dict[str, Any]
) -> None:
    """Scan, print the table and draw the picture; what is known already is not measured again."""
    from edgekit.data import load_dataset
    from edgekit.pruning import RATIOS, scan

    dataset = load_dataset(checkpoint.dataset, root=data_root, image_size=checkpoint.pictures.size)
    folder = out or checkpoint.path.with_name(f"{checkpoint.path.name}-scan")
    how = {
        "scope": given["scope"] or "inside",
        "ratios": given["ratios"] or RATIOS,
        "round_to": 1 if given["round_to"] is None else given["round_to"],
        "reestimate": given["reestimate"],
    }
    with Steps() as steps:
        steps.wait_for("loading the network and finding its groups")
        found = scan(checkpoint, dataset, folder, progress=steps, **how)
    for warning in found.warnings:
        note(f"Warning: {warning}")
    if as_json:
        print_json(found.to_dict())
    else:
        print_scan(found)
    from edgekit.report import write_scan

    note(f"picture: {write_scan(found, folder / 'scan.png')}")


def print_scan(found: Scan) -> None:
    """Print a line per group with the score at each share, then the most sensitive groups."""
    from runtime.bundle.metric_words import word_for

    headers = ["group", "channels", *(f"{ratio:.0%} removed" for ratio in found.ratios)]
    rows = []
    for group, channels in found.channels.items():
        cells = [found.at(group, ratio) for ratio in found.ratios]
        rows.append([group, channels, *(None if cell is None else f"{cell.score:.1%}" for cell in cells)])
    print_table(headers, rows)
    say(f"whole network: {found.score:.1%}; test {word_for(found.metric)} right after the removal")
    worst = sorted(found.cells, key=lambda cell: cell.score)
    named = list(dict.fromkeys(cell.group for cell in worst))[:_MOST_NAMED]
    say(f"most sensitive: {', '.join(named)}")
