"""Options that `edgekit prune` and `edgekit train --prune` share, and what the two commands print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._registered import RegisteredOption

if TYPE_CHECKING:
    from edgekit.pruning import Pruning
    from edgekit.training import Checkpoint, RecipeFile

_ROWS = (
    ("MACs", "macs"),
    ("parameters", "params"),
    ("latency, ms (eager, 1 thread)", "latency_ms"),
)
_AMOUNTS = ("rate", "macs", "params", "latency", "share", "scope", "round_to")
_WHERE = ("target", "cluster", "threads")  # a latency is
_NAMES = (*_AMOUNTS, *_WHERE, "rates", "options", "finetune_epochs", "reestimate")


class Amount(click.ParamType):
    """A share of what the network has, 50% or 0.5, or a number, 20M."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from edgekit.pruning import amount_of

        try:
            return amount_of(value)
        except ValueError as err:
            self.fail(str(err), param, ctx)


class Latency(click.ParamType):
    """Milliseconds, 12ms, or a share of the network's own latency, 60%."""

    name = "latency"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        from edgekit.pruning import parse_latency

        try:
            return value if isinstance(value, dict) else parse_latency(value)
        except ValueError as err:
            self.fail(str(err), param, ctx)


def _assignment(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Return the options of a method, given as NAME=VALUE; a value is a number where it looks like one."""
    options: dict[str, Any] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{text!r} is no option of a method; write NAME=VALUE")
        try:
            options[name] = int(value) if value.lstrip("-").isdecimal() else float(value)
        except ValueError:
            options[name] = value
    return options


_OPTIONS = (
    click.option("--rate", type=float, help="Share of channels to remove; default: 0.3."),
    click.option("--macs", type=Amount(), help="MACs that may be left: 50% or 20M."),
    click.option("--params", type=Amount(), help="Parameters that may be left: 50% or 1M."),
    click.option(
        "--latency", type=Latency(), metavar="12ms|60%", help="What the exported network may take."
    ),
    click.option("--target", help="Where it is timed; default: local. virtual:SOC, ssh:user@host, ..."),
    click.option("--cluster", help="Whose cores run it; default: the fastest."),
    click.option("--threads", type=click.IntRange(min=1), help="Of the engine; default: 1."),
    click.option("--rates", type=click.Path(path_type=Path), help="JSON file: share by layer pattern."),
    click.option("--share", help="uniform (default) or global: the least important of all layers go."),
    click.option("--scope", help="inside blocks (default) or all: streams, stem and head too."),
    click.option("--round-to", type=int, help="Keep multiples of this many channels; default: 8."),
    click.option(
        "--option", "options", multiple=True, callback=_assignment, help="A constant of the method: a=0.001."
    ),
    click.option("--finetune-epochs", type=int, help="Epochs after the removal; default: half."),
    click.option(
        "--no-reestimate", "reestimate", is_flag=True, flag_value=False, default=True,
        help="Keep batch norm's statistics as they were before the removal.",
    ),
)  # fmt: skip


def pruning_options(flag: str, default: str | None = None) -> Callable[[Callable], Callable]:
    """Return a decorator that adds how to prune; ``flag`` names the method."""
    method = click.option(
        flag, "method", cls=RegisteredOption, registry="edgekit.pruning:METHODS", default=default,
        show_default=default is not None, metavar="NAME", help="How to prune.",
    )  # fmt: skip

    def add(command: Callable) -> Callable:
        for option in reversed((method, *_OPTIONS)):
            command = option(command)
        return command

    return add


def take_pruning(
    options: dict[str, Any], engine: str, epochs: int | None = None, file: RecipeFile | None = None
) -> Pruning | None:
    """Return the pruning that a command's ``options`` ask for, if any, and take them out of it.

    Without a method among them it is what the recipe ``file`` says.

    Args:
        engine: that a latency is of.

    Raises:
        click.UsageError: there is no method to use them.
    """
    method = options.pop("method")
    if method is None:
        given = [name for name in _NAMES if options.pop(name) not in (None, True, {})]
        if given:
            raise click.UsageError(f"--{given[0].replace('_', '-')} is for pruning; add --prune METHOD")
        if file is None or not file.prune:
            return None
        from edgekit.pruning import read_pruning

        return read_pruning(file.prune, file.name)
    from edgekit.pruning import AMOUNTS, Budget, LatencyLimit, Pruning, load_rates

    amounts = {name: options.pop(name) for name in _AMOUNTS}
    place = {name: value for name in _WHERE if (value := options.pop(name)) is not None}
    if amounts["latency"] is not None:
        amounts["latency"] = LatencyLimit(**amounts["latency"], **place, engine=engine)
    elif place:
        raise click.UsageError(f"--{next(iter(place))} is for a latency; add --latency 12ms")
    rates = options.pop("rates")
    amounts["rates"] = None if rates is None else load_rates(rates)
    given = {name: value for name, value in amounts.items() if value is not None}
    if not set(AMOUNTS) & given.keys():
        given["rate"] = 0.3
    how = {name: options.pop(name) for name in ("options", "finetune_epochs", "reestimate")}
    return Pruning(method, Budget(**given), epochs=epochs, **how)


def train_pruned(*what: Any, init: str | None, placement: Any = None, **how: Any) -> Checkpoint:
    """Train with a pruning method, from random weights or from the checkpoint ``init``."""
    from edgekit.pruning import prune_start, train_and_prune

    if init is not None:
        return prune_start(init, *what, **how)
    return train_and_prune(*what, placement=placement, **how)


def print_trained(checkpoint: Checkpoint, as_json: bool) -> None:
    """Print what a training came to."""
    if as_json:
        print_json(checkpoint.to_dict())
        return
    metrics = checkpoint.metrics
    row = [checkpoint.spec.label, checkpoint.dataset, *metrics.values()]
    print_table(["model", "data", *metrics], [row])
    say(f"checkpoint: {checkpoint.path}")


def print_pruning(checkpoint: Checkpoint, as_json: bool) -> None:
    """Print cost and score before and after; what to know of them goes to stderr."""
    from runtime.bundle.metric_words import word_for

    report = checkpoint.pruning or {}
    for warning in report["warnings"]:
        note(f"Warning: {warning}")
    if as_json:
        print_json(checkpoint.to_dict())
        return
    metric = checkpoint.make_task().metric
    named = (*_ROWS, (f"test {word_for(metric)}", f"test_{metric}"))
    rows = [(label, report["before"][key], report["after"][key]) for label, key in named]
    print_table(
        ["", "before", "after", "after/before"],
        [(label, before, after, f"{after / before:.2f}" if before else "") for label, before, after in rows],
    )
    print_latency(report.get("latency"))
    anew = report[f"reestimated_{metric}"]
    more = "" if anew is None else f", {anew:.1%} with batch norm estimated anew"
    say(f"right after the removal: {report[f'removed_{metric}']:.1%}{more}")
    say(f"checkpoint: {checkpoint.path}")


def print_latency(found: dict[str, Any] | None) -> None:
    """Print how a budget of latency was met; of a pruning with another budget nothing."""
    if found is None:
        return
    before, after = found["before"], found["after"]
    low, high = after["interval_ms"]["low"], after["interval_ms"]["high"]
    say(
        f"latency on {found['target']}, {found['engine']}, {after['setting']} ({after['provenance']}): "
        f"{after['latency_ms']:.3g} ms ({low:.3g} to {high:.3g}), {after['ratio']:.1%} of "
        f"{before['latency_ms']:.3g} ms; {found['used']:.0%} of {found['limit_ms']:.3g} ms allowed; "
        f"{found['exports']} exports in {found['duration_s']:.0f} s"
    )
