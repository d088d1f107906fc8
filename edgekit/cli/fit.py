"""``edgekit fit``."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import bundle_argument, json_option, seed_option, target_option
from edgekit.cli._output import print_json
from edgekit.cli._policy import print_fit


@click.command()
@bundle_argument
@target_option
@seed_option
@click.option("--include-unstable", is_flag=True, help="Learn from records judged unstable, too.")
@json_option
def fit(bundle: Path, target: str, seed: int, include_unstable: bool, as_json: bool) -> None:
    """Learn how fast each core and clock runs a bundle.

    Reads what `edgekit bench` recorded on the target, lets five kinds of regressors
    compete by grouped cross-validation, and saves the best in the bundle.
    """
    from runtime.bench import default_log
    from runtime.bundle import Bundle
    from runtime.fitting import fit_bundle
    from runtime.targets import open_target

    opened, machine = Bundle.open(bundle), open_target(target)
    records = list(default_log(opened, machine))
    _, result = fit_bundle(opened, machine, records, seed=seed, include_unstable=include_unstable)
    if as_json:
        print_json(result)
        return
    print_fit(result)
    click.echo(f"Saved in {bundle}. Next: edgekit tune {bundle} --target {target} --fps 30")
