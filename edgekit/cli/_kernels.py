"""``edgekit fit --kernels`` and ``predict``: options, and how what was learnt and predicted is printed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._output import note, print_json, print_table, say
from edgekit.cli._progress import Steps
from runtime.visible import one_line

if TYPE_CHECKING:
    from runtime.choose.fitting.kernels.predict import Prediction
    from runtime.choose.fitting.kernels.result import KernelFit

_COUNT = click.IntRange(min=1)
KERNELS = "kernels.edgekit"  # where kernels are kept if no other bundle is named


def with_kernels(command: Callable[..., None]) -> Callable[..., None]:
    """Add --kernels, and what goes with it alone, to ``fit``; asked for, it is done instead."""

    @functools.wraps(command)
    def fit(
        *, kernels: bool, bundle: Path | None, engine: str | None, most: int | None, rounds: int | None,
        cluster: str | None, threads: int | None, **others: Any,
    ) -> None:  # fmt: skip
        given = {"engine": engine, "most": most, "rounds": rounds, "cluster": cluster, "threads": threads}
        chosen = {name: value for name, value in given.items() if value is not None}
        if kernels:
            _fit_kernels(bundle, chosen, **others)
        elif chosen:
            raise click.UsageError(f"{', '.join(f'--{name}' for name in chosen)} goes with --kernels alone")
        elif bundle is None:
            raise click.UsageError("Missing argument 'BUNDLE'.")
        else:
            command(bundle=bundle, **others)

    for option in (
        click.option("--threads", type=_COUNT, help="With --kernels: threads to use. Default: 1."),
        click.option("--cluster", help="With --kernels: cores to run on. Default: the biggest."),
        click.option("--rounds", type=_COUNT, help="With --kernels: times each is timed. Default: 4."),
        click.option("--most", type=click.IntRange(min=200, max=20_000),
                     help="With --kernels: kernels in all. Default: 2000."),
        click.option("--engine", type=click.Choice(("litert", "executorch")),
                     help="With --kernels: what runs them. Default: litert."),
        click.option("--kernels", is_flag=True,
                     help=f"Learn kernels, for `edgekit predict`. BUNDLE keeps them; default: {KERNELS}."),
    ):  # fmt: skip
        fit = option(fit)
    return fit


def _fit_kernels(
    bundle: Path | None, chosen: dict[str, Any], *, target: str, seed: int, as_json: bool, **others: object
) -> None:
    if any(others.values()):
        raise click.UsageError(
            "--kernels learns from what it times: leave out every other source to learn from"
        )
    with Steps() as steps:
        steps.wait_for("loading PyTorch")
        from edgekit.search.kernels.fit import fit_kernels

        path = bundle or Path(KERNELS)
        _, fit = fit_kernels(path, target, seed=seed, on_step=steps, on_message=note, **chosen)
    if as_json:
        print_json(fit)
    else:
        print_kernel_fit(fit, bundle)


def print_kernel_fit(fit: KernelFit, bundle: Path | None) -> None:
    """Print the kinds of op, how well kernels and graphs held out are predicted, and what to do next."""
    rows = [(kind.name, kind.count, f"{kind.error_pct:.3g}", f"{kind.spread:.3g}") for kind in fit.kinds]
    print_table(["kind of op", "timed", "median error %", "90 % within x"], rows)
    say(
        f"\n{fit.n_kernels} {fit.provenance} kernels in {fit.n_graphs} graphs on {fit.target}, "
        f"{fit.setting}, {fit.version}; {fit.rounds} rounds in {fit.timed_s / 60:.1f} minutes.\n"
        f"Graphs held out are {fit.graph_error_pct:.2g} % off in the median, {fit.within_10pct_pct:.0f} % of "
        f"them at most 10 %; {fit.confidence:.0%} lie within x{fit.spread:.3g}."
    )
    for name, reason in fit.left_out.items():
        note(f"{name} is not known: {reason}")
    path = bundle or Path(KERNELS)
    option = "" if bundle is None else f" --kernels {path}"
    say(f"Saved in {path}. Next: edgekit predict MODEL --target {fit.target}{option}")


def print_prediction(found: Prediction, top: int | None = None) -> None:
    """Print the ops, or the slowest ``top`` of them, and what a frame takes."""
    ops = found.ops if top is None else sorted(found.ops, key=lambda op: -op.latency_ms)[:top]
    rows = [
        (one_line(op.name), op.kind, f"{op.latency_ms:.3g}", f"{op.low_ms:.3g} to {op.high_ms:.3g}",
         f"{op.latency_ms / found.latency_ms:.1%}", f"{op.macs / 1e6:.3g}")
        for op in ops
    ]  # fmt: skip
    print_table(["op", "kind", "ms", "90 % between", "share", "M MAC"], rows, optional=("M MAC", "share"))
    say(
        f"\n{one_line(found.variant)} on {found.target}, {found.setting}: {found.latency_ms:.3g} ms a frame, "
        f"{found.low_ms:.3g} to {found.high_ms:.3g} ms with {found.confidence:.0%} confidence "
        f"({found.provenance}; it never ran there)."
    )
    for remark in found.remarks:
        note(remark)
