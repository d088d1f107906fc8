"""``edgekit compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options as options
from edgekit.cli._compare import load_or_measure, show
from edgekit.cli._output import print_json

_COUNT = click.IntRange(min=1)
_FILE = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("a", type=_FILE)
@click.argument("b", type=_FILE)
@options.target_option
@click.option("--variant", "a_variant", help="Only this variant, of A and of B.")
@click.option("--b-variant", help="Compare with this variant of B, when its name is another.")
@options.settings_options
@options.open_shape_option
@options.frames_options
@click.option("--blocks", type=_COUNT, default=10, show_default=True, help="Pairs of blocks.")
@options.pace_options
@click.option(
    "--max-slowdown", type=options.Share(), metavar="5%", help="Exit 3 unless B is shown to be within it."
)
@click.option(
    "--max-memory", type=options.Share(), metavar="10%", help="Exit 3 if B takes more memory than A by more."
)
@options.seed_option
@options.out_option
@options.output_options
def compare(
    a: Path, b: Path, max_slowdown: float | None, max_memory: float | None, as_json: bool, **given: Any
) -> None:
    """Say which of two is faster, and how sure that is.

    A and B are two bundles or model files, measured side by side in one run, or two files of
    records (.jsonl) that `edgekit bench` wrote. The change is B's latency against A's, with its
    95 % interval. -o names the folder that keeps the records of a run.

    \b
    Example:
      edgekit compare before.edgekit after.edgekit --max-slowdown 5%
      edgekit compare monday.jsonl friday.jsonl
    """
    from runtime.measure.compare import check_memory, check_slowdown
    from runtime.measure.compare import compare as differences_of

    differences = differences_of(*load_or_measure(a, b, **given))
    if as_json:
        print_json(differences)
    else:
        show(differences)
    if max_slowdown is not None:
        check_slowdown(differences, max_slowdown)
    if max_memory is not None:
        check_memory(differences, max_memory)
